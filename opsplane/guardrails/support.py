"""How surely the evidence supports the whole of a sentence: a small trained model over what the two share.

Two forests of decision trees, and a logistic regression on the square roots, of what `overlap` measures. One forest
judges sentences that repeat their evidence nearly word for word, where a changed figure, negation or condition decides;
the other two judge sentences in words of their own; in between both count. Trained by
`python -m benchmarks.train_grounding`, which writes what it reached on held-out claims beside the weights.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opsplane.guardrails import overlap, shortlist, wording
from opsplane.guardrails.forest import Forest
from opsplane.guardrails.overlap import Kin
from opsplane.guardrails.shortlist import Line

WEIGHTS = Path(__file__).parent / "weights"
THRESHOLD = 0.5
"""Recommended for releases: below it a sentence counts as unsupported."""
_OWN_WORDS, _COPIED = 0.8, 0.9
"""Share of a sentence's words that stand in one or two lines, in order: below, told in own words; above, copied."""
_CLAIM = 2_000
"""Characters of a sentence that are read."""
_LINES = 4_000


class WrongWeights(Exception):
    """The weights are missing, damaged or of another version of the features."""


class Support:
    """The model of support. May be used from several threads at once; equal input gives equal scores."""

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        self._weights = weighed(arrays)
        self._kin = related(arrays)
        self._copied, self._told = Forest.read(arrays, "copied"), Forest.read(arrays, "told")
        self._line = np.asarray(arrays["line"], np.float64)

    @classmethod
    def load(cls, folder: Path = WEIGHTS) -> "Support":
        """Read the weights; raises `WrongWeights`."""
        return _load(folder)

    def scores(self, claims: Sequence[str], evidence: Sequence[Sequence[str]]) -> list[float]:
        """One score in [0, 1] a claim; `evidence[i]` are the passages of claim i. Nothing is supported by nothing."""
        rows = [self._row(claim[:_CLAIM], passages) for claim, passages in zip(claims, evidence, strict=True)]
        asked = [place for place, row in enumerate(rows) if not isinstance(row, float)]
        found = [row if isinstance(row, float) else 0.0 for row in rows]
        if asked:
            chances = self.judge(np.array([rows[place] for place in asked]))
            for place, chance in zip(asked, chances, strict=True):
                found[place] = round(float(chance), 4)
        return found

    def judge(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores of measured claims, `rows` of shape (n, features of `overlap`)."""
        return mixed(rows, self._copied.chance(rows.astype(np.float32)), self._in_own_words(rows))

    def _in_own_words(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        line = 1 / (1 + np.exp(-np.clip(np.sqrt(np.maximum(rows, 0)) @ self._line[1:] + self._line[0], -30, 30)))
        return np.asarray((line + self._told.chance(rows.astype(np.float32))) / 2)

    def _row(self, claim: str, passages: Sequence[str]) -> NDArray[np.float64] | float:
        """The measures of a claim, or its score where that needs no model."""
        claim = wording.plain(claim)
        lines = [line for passage in passages for line in shortlist.read(passage)][:_LINES]
        if not lines:
            return 0.0
        if not shortlist.terms(claim) or _stands(claim, lines):
            return 1.0
        return overlap.measure(claim, lines, self._weights, self._kin)


def mixed(rows: NDArray[np.float64], copied: NDArray[np.float64], told: NDArray[np.float64]) -> NDArray[np.float64]:
    """The judgement on copied sentences and that on sentences in own words, by how much of it was copied."""
    alike = rows[:, overlap.FEATURES.index("alike")]
    share = np.clip((alike - _OWN_WORDS) / (_COPIED - _OWN_WORDS), 0, 1)
    return np.asarray(share * copied + (1 - share) * told)


def weighed(arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, float]:
    """Weights of terms by their rarity."""
    return dict(zip(_names(arrays["terms"]), (float(weight) for weight in arrays["rarity"]), strict=True))


def related(arrays: Mapping[str, NDArray[np.generic]]) -> Kin:
    """Vectors of words, kept in 8 bits."""
    vectors = arrays["vectors"].astype(np.float32)
    return Kin(_names(arrays["stems"]), vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _names(kept: NDArray[np.generic]) -> list[str]:
    return kept.tobytes().decode().split("\n")


def _stands(claim: str, lines: Sequence[Line]) -> bool:
    """The claim is a line of the evidence as it stands."""
    wanted = _flat(claim)
    return any(len(line.text) <= len(claim) + 20 and _flat(line.text) == wanted for line in lines)


@lru_cache(maxsize=4096)
def _flat(text: str) -> str:
    return " ".join(text.replace("*", "").replace("_", "").split()).rstrip(".").casefold()


@lru_cache(maxsize=4)
def _load(folder: Path) -> Support:
    note, weights = folder / "grounding.json", folder / "grounding.npz"
    try:
        told = json.loads(note.read_text(encoding="utf-8"))
        data = weights.read_bytes()
    except (OSError, ValueError) as error:
        raise WrongWeights(f"The weights of the grounding model cannot be read: {error}") from error
    digest = hashlib.sha256(data).hexdigest()
    if told.get("sha256") != digest or told.get("features") != list(overlap.FEATURES):
        raise WrongWeights(f"{weights.name}: its SHA-256 or its features are not those that {note.name} tells.")
    try:
        with np.load(weights) as arrays:
            return Support(dict(arrays))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise WrongWeights(f"{weights.name} cannot be read: {error}") from error
