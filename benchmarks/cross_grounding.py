"""Whether a cross-encoder judges claims better than the features do: pretrained on planted pairs, tuned on WiCE.

Part of `python -m benchmarks.train_grounding --cross-encoder`; takes about half an hour of two cores.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tokenizers import Tokenizer

from benchmarks import cross_encoder, planted
from benchmarks.cross_encoder import Example
from benchmarks.guardrails import DATA
from knowledge import embedding
from opsplane.guardrails import shortlist, wording
from opsplane.guardrails.shortlist import Line

SEED, FOLDS, NEAREST = 5, 5, 3
SHARES = {"corpus": 1700, "law": 800, "articles": 3500}
"""Planted pairs to pretrain on, by where they come from."""
REMOVED = 0.12
"""Share of true pairs made false by taking out of the evidence whatever speaks of the claim."""


def compare(
    claims: Sequence[dict[str, object]],
    documents: Mapping[str, Sequence[str]],
    features: tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.str_]],
    weights: Mapping[str, float],
) -> None:
    """Print AUROCs on WiCE's claims: pretrained, fine-tuned, and a regression on the features with and without it."""
    x, y, pages = features
    tokenizer = Tokenizer.from_file(str(embedding.published() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    network = cross_encoder.published(embedding.published() / "model.safetensors")
    rng = np.random.default_rng(SEED)
    pretraining = [_example(pair, weights, rng) for pair in _pairs(documents)]
    print(f"pretraining on {len(pretraining)} planted pairs", flush=True)
    cross_encoder.train(network, pretraining, tokenizer, rate=1e-4, epochs=1, seed=SEED)
    rows = [_claim(claim, weights) for claim in claims]
    first = cross_encoder.logits(network, rows, tokenizer)
    base = {name: value.clone() for name, value in network.state_dict().items()}
    tuned = np.zeros(len(y))
    chunks = _chunks(weights)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for seen, unseen in folds.split(x, y, pages):
        network.load_state_dict(base)
        known = {rows[place].claim for place in seen}
        examples = [rows[place] for place in seen] + [row for row in chunks if row.claim in known]
        cross_encoder.train(network, examples, tokenizer, rate=7e-5, epochs=1, seed=SEED)
        tuned[unseen] = cross_encoder.logits(network, [rows[place] for place in unseen], tokenizer)
    print(f"cross-encoder, AUROC: pretrained {roc_auc_score(y, first):.3f}, fine-tuned {roc_auc_score(y, tuned):.3f}")
    with_it = np.column_stack([x, tuned])
    print(f"features, AUROC: alone {_held_out(x, y, pages):.3f}, with its logit {_held_out(with_it, y, pages):.3f}")


def _held_out(x: NDArray[np.float64], y: NDArray[np.bool_], pages: NDArray[np.str_]) -> float:
    found = np.zeros(len(y))
    for seen, unseen in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0).split(x, y, pages):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.02, max_iter=500))
        found[unseen] = model.fit(x[seen], y[seen]).predict_proba(x[unseen])[:, 1]
    return float(roc_auc_score(y, found))


def _pairs(documents: Mapping[str, Sequence[str]]) -> Iterator[planted.Pair]:
    """Planted pairs of the bank's documents, of regulations and statutes, and of WiCE's articles."""
    law = [*planted.sections(DATA / "cfpb_regs").values(), *planted.sections(DATA / "us_code").values()]
    lines = (DATA / "wice_dev" / "claim_dev.jsonl").read_text(encoding="utf-8").splitlines()
    articles = [json.loads(line)["evidence"][:120] for line in lines]
    sources = {
        "corpus": [[section for sections in documents.values() for section in sections]],
        "law": [[part for section in text for part in _cut(section.split("\n\n"), 8, "\n\n")] for text in law[::3]],
        "articles": [_cut(text, 20, "\n") for text in articles],
    }
    rng = np.random.default_rng(SEED)
    for name, share in SHARES.items():
        found = [pair for sections in sources[name] for pair in planted.pairs(sections, SEED)]
        for supported in (True, False):
            part = [pair for pair in found if pair.supported is supported]
            yield from (part[place] for place in rng.permutation(len(part))[: share // 2])


def _cut(lines: Sequence[str], size: int, between: str) -> list[str]:
    return [between.join(lines[start : start + size]) for start in range(0, len(lines), size)]


def _example(pair: planted.Pair, weights: Mapping[str, float], rng: np.random.Generator) -> Example:
    lines, wanted, label = list(shortlist.read(pair.evidence)), shortlist.terms(pair.claim), float(pair.supported)
    if pair.supported and rng.random() < REMOVED:
        silent = [line for line in lines if len(line.terms & wanted) < 0.6 * max(1, min(len(wanted), len(line.terms)))]
        if 2 <= len(silent) < len(lines):
            lines, label = silent, 0.0
    return Example(pair.claim, _near(pair.claim, lines, weights), label)


def _claim(row: dict[str, object], weights: Mapping[str, float]) -> Example:
    claim = wording.plain(str(row["claim"]))
    lines = [line for text in row["evidence"] for line in shortlist.read(text)]  # type: ignore[attr-defined]
    return Example(claim, _near(claim, lines, weights), float(row["label"] == "supported"))


def _chunks(weights: Mapping[str, float]) -> list[Example]:
    """The same claims with parts of their articles."""
    file = DATA / "wice_dev" / "oracle_chunks_claim_dev.jsonl"
    return [_claim(json.loads(line), weights) for line in file.read_text(encoding="utf-8").splitlines()]


def _near(claim: str, lines: Sequence[Line], weights: Mapping[str, float]) -> list[str]:
    places = shortlist.nearest(shortlist.terms(claim), lines, weights, NEAREST)
    return [lines[place].text for place in sorted(places)]
