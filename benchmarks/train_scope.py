"""Train the head of opsplane/guardrails/scope.py; run with `python -m benchmarks.train_scope`.

A logistic regression over MiniLM's vectors: our own example questions and CLINC150's two banking domains against its
other domains, its out-of-scope rows and questions of general knowledge. BANKING77 is never read. Intents that a bank's
customers might well ask about are on neither side, and so are out-of-scope rows that name a thing of banking.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.guardrails import DATA, ROOT
from knowledge import embedding
from opsplane import pack
from opsplane.guardrails.scope import BANKING, WEIGHTS

RIDGE = 30.0
OWN, FINANCE, STRANGE = 5.0, 0.3, 5.0
"""What one of our own examples weighs, one of CLINC's banking rows, and one of its out-of-scope rows."""
UNDECIDED = frozenset(
    {
        *("direct_deposit", "exchange_rate", "travel_notification", "rollover_401k", "payday", "next_holiday"),
        *("greeting", "thank_you", "goodbye", "are_you_a_bot", "what_can_i_ask_you"),
    }
)
"""CLINC's intents outside its banking domains that a bank may be asked about, or that are courtesies."""

Vectors = NDArray[np.float64]


def main() -> None:
    """Write the weights and, beside them, what they were made of."""
    exemplars = ROOT / "opsplane" / "guardrails" / "packs" / "scope-retail-us.yaml"
    clinc, domains = DATA / "clinc150" / "data_train_val.json", DATA / "clinc150" / "domains.json"
    trivia = DATA / "halueval" / "qa_one-turn_data.json"
    rows = [*_own(exemplars), *_clinc(clinc, domains), *_trivia(trivia)]
    encode = embedding.load(ROOT / ".data" / "models").encode
    vectors = encode([text for text, _, _ in rows]).astype(np.float64)
    strange = np.array([label for _, label, _ in rows], np.float64)
    weights = np.array([weight for _, _, weight in rows], np.float64)
    for side in (0, 1):  # both sides weigh the same
        weights[strange == side] *= len(rows) / 2 / weights[strange == side].sum()
    fitted = fit(vectors, strange, weights)
    WEIGHTS.parent.mkdir(exist_ok=True)
    np.savez(WEIGHTS, weights=fitted[:-1].astype(np.float32), bias=np.float32(fitted[-1]))
    made_of = {
        "ridge": RIDGE,
        "encoder": embedding.MiniLM.name,
        "rows": {"in scope": int((strange == 0).sum()), "off-topic": int(strange.sum())},
        "sha256": {path.name: _sha256(path) for path in (exemplars, clinc, domains, trivia)},
    }
    WEIGHTS.with_suffix(".json").write_text(json.dumps(made_of, indent=2) + "\n", encoding="utf-8")
    print(f"{WEIGHTS.name}: {made_of['rows']}")


def fit(vectors: Vectors, labels: Vectors, weights: Vectors) -> Vectors:
    """Ridge logistic regression by Newton's method, shape (d + 1,), the unpenalised bias last."""
    design = np.hstack([vectors, np.ones((len(vectors), 1))])
    penalty = np.append(np.full(vectors.shape[1], RIDGE), 1e-9)
    fitted = np.zeros(design.shape[1])
    for _ in range(50):
        likely = 1 / (1 + np.exp(-design @ fitted))
        slope = design.T @ (weights * (likely - labels)) + penalty * fitted
        curve = (design * (weights * likely * (1 - likely))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        fitted -= step
        if np.abs(step).max() < 1e-7:
            break
    return fitted


def _own(path: Path) -> list[tuple[str, int, float]]:
    exemplars = pack.load_exemplars(path)
    return [(text, 0, OWN) for text in exemplars.in_scope] + [(text, 1, OWN) for text in exemplars.off_topic]


def _clinc(path: Path, domains: Path) -> list[tuple[str, int, float]]:
    rows, kinds = (json.loads(one.read_text(encoding="utf-8")) for one in (path, domains))
    bank = {*kinds["banking"], *kinds["credit_cards"]}
    strange = [text for text, _ in rows["oos_train"] + rows["oos_val"] if not BANKING.search(text)]
    return [
        *((text, 0, FINANCE) for text, kind in rows["train"] if kind in bank),
        *((text, 1, 1.0) for text, kind in rows["train"] if kind not in bank | UNDECIDED),
        *((text, 1, STRANGE) for text in strange),
    ]


def _trivia(path: Path) -> list[tuple[str, int, float]]:
    questions = sorted({json.loads(line)["question"] for line in path.read_text(encoding="utf-8").splitlines()})
    return [(text, 1, 1.0) for text in questions]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
