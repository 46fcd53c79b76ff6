"""Train the model of support and say what it reaches; run with `python -m benchmarks.train_grounding`.

Needs the extra `train` and WiCE's development claims in the folder that OPSPLANE_BENCH_DATA names, else in
../shared/data beside the repository. Every number printed is of claims, or of documents, that the model judged without
having seen them. `--cross-encoder` also trains the cross-encoder and measures whether it would help (half an hour).
"""

import argparse
import hashlib
import io
import json
import math
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from benchmarks import planted
from benchmarks.guardrails import DATA, ROOT
from knowledge import embedding
from opsplane import registry
from opsplane.guardrails import certainty, grounding, measure, overlap, shortlist, support, wording
from opsplane.guardrails.forest import Forest
from opsplane.guardrails.overlap import FEATURES, Kin
from opsplane.guardrails.shortlist import Line

SEED, FOLDS, REPEATS = 5, 5, 5
WICE = DATA / "wice_dev" / "claim_dev.jsonl"
CORPUS = ROOT / "knowledge" / "corpus"
A_KIND = 450
"""Planted pairs of each kind."""
COMMON = 3
"""A term in fewer lines than this has the full weight, as unknown ones have."""
DIMENSIONS = 64
_LINE = (
    "absent absent_near best two_best figures_absent_near numbers_absent capitals_absent capitals_absent_near "
    "longest_gap pairs_absent copied size kin_absent kin_two alike added_content "
    "absent_around kin_around window_3 window_7"
)
LINE = tuple(_LINE.split())
"""What the logistic regression looks at."""
FOUR = ("figure", "date", "negation", "condition")

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Rows(NamedTuple):
    """Measured claims: features, whether supported, what must stay together in one fold, and the kind of claim."""

    x: Numbers
    y: Flags
    group: NDArray[np.str_]
    kind: NDArray[np.str_]

    def take(self, which: Flags | NDArray[np.int64]) -> "Rows":
        """The rows at those places."""
        return Rows(self.x[which], self.y[which], self.group[which], self.kind[which])


class Model(NamedTuple):
    """What is trained: two forests, and the intercept and weights of the logistic regression."""

    copied: Forest
    told: Forest
    line: Numbers

    def judge(self, x: Numbers) -> Numbers:
        """Scores as `Support` gives them."""
        known = self.copied.write("copied") | self.told.write("told") | {"line": self.line} | _NO_WORDS
        return support.Support(known).judge(x)


_NO_WORDS: dict[str, NDArray[np.generic]] = {
    "terms": np.frombuffer(b"-", np.uint8),
    "rarity": np.ones(1),
    "stems": np.frombuffer(b"-", np.uint8),
    "vectors": np.ones((1, 1)),
}


def main() -> None:
    """Measure by cross-validation, train on everything, write the weights and what was measured."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cross-encoder", action="store_true", help="train and compare the cross-encoder too")
    options.add_argument("--dry-run", action="store_true", help="measure only, write no weights")
    chosen = options.parse_args()
    if not WICE.exists():
        raise SystemExit(f"WiCE's development claims are not there: {WICE}")
    claims = [json.loads(line) for line in WICE.read_text(encoding="utf-8").splitlines()]
    documents = planted.sections(CORPUS)
    words = _words(claims, documents)
    weights, kin = support.weighed(words), support.related(words)
    print("measuring claims", flush=True)
    wice, corpus = wice_rows(claims, weights, kin), planted_rows(documents, weights, kin)
    reached = measured(wice, corpus, ruled(claims))
    if chosen.cross_encoder:
        from benchmarks import cross_grounding  # noqa: PLC0415 - wants torch

        cross_grounding.compare(claims, documents, (wice.x, wice.y, wice.group), weights)
    if not chosen.dry_run:
        write(train(wice, corpus, SEED), words, reached)


def wice_rows(claims: Sequence[dict[str, object]], weights: dict[str, float], kin: Kin) -> Rows:
    """WiCE's claims with the whole of their article; claims on the same Wikipedia page stay together."""
    x = [overlap.measure(wording.plain(str(c["claim"])), _lines(c), weights, kin) for c in claims]
    supported = np.array([c["label"] == "supported" for c in claims])
    pages = np.array([str(c["meta"]["claim_title"]) for c in claims])  # type: ignore[index]
    return Rows(np.array(x), supported, pages, np.full(len(claims), "wice"))


def _lines(claim: dict[str, object]) -> list[Line]:
    return [line for text in claim["evidence"] for line in shortlist.read(text)]  # type: ignore[attr-defined]


def planted_rows(documents: dict[str, list[str]], weights: dict[str, float], kin: Kin) -> Rows:
    """Planted pairs of our own corpus, evenly of each kind; versions of a document stay together."""
    home = {section: name.split("-20")[0].removesuffix(".md") for name, all_ in documents.items() for section in all_}
    pairs = list(planted.pairs([section for all_ in documents.values() for section in all_], SEED))
    rng = np.random.default_rng(SEED)
    chosen: list[planted.Pair] = []
    for kind in (*planted.TRUE, *planted.FALSE):
        found = [pair for pair in pairs if pair.kind == kind]
        chosen += [found[place] for place in rng.permutation(len(found))[:A_KIND]]
    x = [overlap.measure(wording.plain(p.claim), shortlist.read(p.evidence), weights, kin) for p in chosen]
    return Rows(
        np.array(x),
        np.array([p.supported for p in chosen]),
        np.array([home[p.evidence] for p in chosen]),
        np.array([p.kind for p in chosen]),
    )


def train(wice: Rows, corpus: Rows, seed: int) -> Model:
    """Fit the three parts, supported and unsupported claims counting alike."""
    columns = [FEATURES.index(name) for name in LINE]
    seen = np.sqrt(wice.x[:, columns])
    scale = StandardScaler().fit(seen)
    line = LogisticRegression(C=0.05, max_iter=500)
    line.fit(scale.transform(seen), wice.y, sample_weight=_even(wice.y))
    folded = np.zeros(1 + len(FEATURES))
    folded[1 + np.array(columns)] = line.coef_[0] / scale.scale_
    folded[0] = line.intercept_[0] - float((line.coef_[0] / scale.scale_) @ scale.mean_)
    return Model(_forest(corpus, seed, trees=120, leaf=4), _forest(wice, seed, trees=200, leaf=10), folded)


def _forest(rows: Rows, seed: int, *, trees: int, leaf: int) -> Forest:
    trained = ExtraTreesClassifier(trees, min_samples_leaf=leaf, max_features=0.4, random_state=seed)
    trained.fit(rows.x.astype(np.float32), rows.y, sample_weight=_even(rows.y))
    sizes = [tree.tree_.node_count for tree in trained.estimators_]
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    parts = [tree.tree_ for tree in trained.estimators_]
    feature = np.concatenate([np.where(t.children_left < 0, -1, t.feature) for t in parts])
    value = np.concatenate([t.value[:, 0, 1] / t.value[:, 0].sum(axis=1) for t in parts])
    left, right = (
        np.concatenate([getattr(t, f"children_{side}") + root for t, root in zip(parts, roots, strict=True)])
        for side in ("left", "right")
    )
    return Forest(
        roots,
        feature.astype(np.int16),
        np.concatenate([t.threshold for t in parts]).astype(np.float32),
        left.astype(np.int32),
        right.astype(np.int32),
        value.astype(np.float32),
    )


def _even(y: Flags) -> Numbers:
    return np.asarray(np.where(y, 0.5 / y.mean(), 0.5 / (1 - y.mean())), np.float64)


def ruled(claims: Sequence[dict[str, object]]) -> Numbers:
    """What the grounding rules, which are not trained, make of WiCE's claims."""
    release = registry.load(ROOT / "assistant" / "releases" / "heron-6.yaml")
    scores = []
    for claim in claims:
        texts: Sequence[str] = claim["evidence"]  # type: ignore[assignment]
        sources = [measure.source(number, text) for number, text in enumerate(texts, 1)]
        scores.append(grounding.score(wording.plain(str(claim["claim"])), sources, release))
    return np.array(scores)


def measured(wice: Rows, corpus: Rows, rules: Numbers) -> dict[str, float | list[float]]:
    """Cross-validate, print the table, and return its numbers."""
    found = np.zeros((REPEATS, len(wice.y)))
    placed = np.zeros(len(corpus.y))
    home = np.array([zlib.crc32(name.encode()) % FOLDS for name in corpus.group])
    for repeat in range(REPEATS):
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=repeat)
        for fold, (seen, unseen) in enumerate(folds.split(wice.x, wice.y, wice.group)):
            model = train(wice.take(seen), corpus.take(home != fold), SEED + repeat)
            found[repeat, unseen] = model.judge(wice.x[unseen])
            if repeat == 0:
                placed[home == fold] = model.judge(corpus.x[home == fold])
        print(f"  cross-validation {repeat + 1} of {REPEATS}", flush=True)
    blended = certainty.MODEL * found + (1 - certainty.MODEL) * rules
    told = _wice_numbers("wice", wice.y, found) | _wice_numbers("wice with the rules", wice.y, blended)
    told |= _planted_numbers(corpus, placed)
    for name, value in told.items():
        print(f"{name:<44} {value}")
    return told


def _wice_numbers(name: str, y: Flags, found: Numbers) -> dict[str, float | list[float]]:
    """Means over the repeats; intervals of the first by bootstrap over claims."""
    rng = np.random.default_rng(SEED)
    draws = [rng.integers(0, len(y), len(y)) for _ in range(2000)]
    scores = [(roc_auc_score(y[d], found[0][d]), _balanced(y[d], found[0][d])) for d in draws]
    low, high = np.quantile(scores, [0.025, 0.975], axis=0).round(3).tolist()
    return {
        f"{name} AUROC": round(float(np.mean([roc_auc_score(y, row) for row in found])), 3),
        f"{name} AUROC, 95 % interval": [low[0], high[0]],
        f"{name} balanced accuracy": round(float(np.mean([_balanced(y, row) for row in found])), 3),
        f"{name} balanced accuracy, 95 % interval": [low[1], high[1]],
    }


def _balanced(y: Flags, scores: Numbers) -> float:
    return float(balanced_accuracy_score(y, scores >= support.THRESHOLD))


def _planted_numbers(corpus: Rows, scores: Numbers) -> dict[str, float | list[float]]:
    true, blocked = corpus.y, scores < support.THRESHOLD
    four = true | np.isin(corpus.kind, FOUR)
    told: dict[str, float | list[float]] = {
        "planted AUROC": round(float(roc_auc_score(true, scores)), 4),
        "planted AUROC, figure date negation condition": round(float(roc_auc_score(true[four], scores[four])), 4),
        "true planted sentences blocked": round(float(blocked[true].mean()), 4),
        "false planted sentences blocked": round(float(blocked[~true].mean()), 4),
    }
    for kind in planted.FALSE:
        part = true | (corpus.kind == kind)
        told[f"planted AUROC, {kind}"] = round(float(roc_auc_score(true[part], scores[part])), 4)
    for kind in planted.TRUE:
        told[f"true blocked, {kind}"] = round(float(blocked[corpus.kind == kind].mean()), 4)
    return told


def _words(claims: Sequence[dict[str, object]], documents: dict[str, list[str]]) -> dict[str, NDArray[np.generic]]:
    """How rare terms are in the lines of articles and documents, and vectors of words."""
    counts: Counter[str] = Counter()
    lines = [line for claim in claims for line in _lines(claim)]
    lines += [line for all_ in documents.values() for section in all_ for line in shortlist.read(section)]
    for line in lines:
        counts.update(line.terms)
    common = sorted(term for term, count in counts.items() if count >= COMMON)
    rarity = np.array([math.log(len(lines) / counts[term]) / math.log(len(lines)) for term in common])
    stems, vectors = _vectors()
    return {
        "terms": np.frombuffer("\n".join(common).encode(), np.uint8),
        "rarity": rarity.astype(np.float16),
        "stems": np.frombuffer("\n".join(stems).encode(), np.uint8),
        "vectors": vectors,
    }


def _vectors() -> tuple[list[str], NDArray[np.int8]]:
    """MiniLM's vectors of the words of its vocabulary, one a stem, on their main axes and in 8 bits."""
    print("embedding the vocabulary", flush=True)
    vocabulary = json.loads((embedding.published() / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    words = sorted(word for word in vocabulary if len(word) > 2 and word.isascii() and word.isalpha())
    place = {wording.stem(word): number for number, word in reversed(list(enumerate(words)))}
    place |= {word: number for number, word in enumerate(words) if wording.stem(word) == word}
    vectors = embedding.load(ROOT / ".data" / "models").encode(words).astype(np.float64)
    vectors -= vectors.mean(axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    kept = vectors[list(place.values())] @ axes[:, -DIMENSIONS:]
    kept *= 127 / np.abs(kept).max(axis=1, keepdims=True)
    return list(place), kept.round().astype(np.int8)


def write(model: Model, words: dict[str, NDArray[np.generic]], reached: dict[str, float | list[float]]) -> None:
    """The weights, and beside them what they were made from and what was reached."""
    file = io.BytesIO()
    arrays = words | model.copied.write("copied") | model.told.write("told") | {"line": model.line}
    np.savez_compressed(file, allow_pickle=False, **arrays)
    data = file.getvalue()
    texts = "\n".join(text for all_ in planted.sections(CORPUS).values() for text in all_)
    note = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "features": list(FEATURES),
        "seed": SEED,
        "threshold": support.THRESHOLD,
        "inputs": {
            "wice_dev/claim_dev.jsonl": hashlib.sha256(WICE.read_bytes()).hexdigest(),
            "knowledge/corpus": hashlib.sha256(texts.encode()).hexdigest(),
        },
        "held out": reached,
    }
    support.WEIGHTS.mkdir(exist_ok=True)
    (support.WEIGHTS / "grounding.npz").write_bytes(data)
    (support.WEIGHTS / "grounding.json").write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {len(data) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
