"""Ranking as arithmetic: what two searches say of the same chunks becomes one order.

Nothing is stretched over the candidates of a question. A cosine and a BM25 score keep their own size, so that a
question whose words hardly occur is decided by its meaning, and one that repeats the text by its words. So one setting
does for collections as unlike as answers in a forum and rulebooks, which want different weights where the scores are
normalised by the highest and lowest of the candidates.
"""

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from knowledge.document import Kind
from knowledge.thesaurus import FAMILIAR

Floats = NDArray[np.float32]

TRUST = {Kind.MARKETING.value: 0.6, Kind.INTERPRETATION.value: 0.96, Kind.APPENDIX.value: 0.93}
"""Factors on the fused score: what advertising says stands behind what the terms say, and what explains a rule, or
models a form for it, a little behind the rule."""
POINTS = 30.0
"""So many points of BM25 weigh as much as a cosine of 1: about what a short question scores in a text that answers it
in its own words."""
_SHARPNESS = 20.0  # of the soft maximum: a part that is .05 nearer counts e times as much


class SearchPlan(BaseModel):
    """How a search is made; a release names one.

    `dense_weight` is the share of the meaning against the words. Of the meaning, `part_weight` is the share of the
    chunk's parts, `document_weight` that of its document, and what is left that of its best window. A chunk is joined
    by its neighbours up to `passage_characters`; 0 joins none. Of two with a cosine of
    `alike` the lower is left out; 2 leaves none out. With `decompose` the parts of a question are searched
    for too, and where no window has a cosine of `familiar` its everyday words also in the words of the documents.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    passages: int = Field(default=6, ge=1, le=50)
    pool: int = Field(default=60, ge=1, le=500)
    dense_weight: float = Field(default=0.7, ge=0, le=1)
    part_weight: float = Field(default=0.5, ge=0, le=1)
    document_weight: float = Field(default=0.25, ge=0, le=1)
    kind_weights: Mapping[str, float] = Field(default_factory=TRUST.copy)
    passage_characters: int = Field(default=2_250, ge=0, le=8_000)
    alike: float = Field(default=0.97, ge=0, le=2)
    decompose: bool = True
    familiar: float = Field(default=FAMILIAR, ge=0, le=1)

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if self.part_weight + self.document_weight > 1:
            raise ValueError("part_weight and document_weight are shares of one whole: together at most 1")
        return self


def soft_maximum(cosines: Floats, begins: NDArray[np.int64]) -> Floats:
    """Of each chunk, the mean of its parts' cosines, each weighted by exp(20 · cosine): near the best part, and a
    little higher where several are good. NaN for a chunk without parts.

    `begins` is where the parts of each chunk begin in `cosines`, ascending; the last chunk's end with it.
    """
    counts = np.diff(begins, append=len(cosines))
    found = np.full(len(begins), np.nan, np.float32)
    there = counts > 0
    if not there.any():
        return found
    starts = begins[there]
    weights = np.exp(_SHARPNESS * cosines)
    found[there] = np.add.reduceat(weights * cosines, starts) / np.add.reduceat(weights, starts)
    return found


def meaning(whole: Floats, part: Floats, document: Floats, plan: SearchPlan) -> Floats:
    """One likeness of the cosines of a chunk's best window, of its parts and of its document, by the plan's shares.

    NaN among the parts or documents, where there is no vector, is read as the window's cosine.
    """
    parts = np.where(np.isnan(part), whole, part)
    documents = np.where(np.isnan(document), whole, document)
    rest = 1 - plan.part_weight - plan.document_weight
    return np.asarray(rest * whole + plan.part_weight * parts + plan.document_weight * documents, np.float32)


def fuse(dense: Floats, lexical: Floats, dense_weight: float) -> Floats:
    """a · likeness + (1 − a) · BM25 / `POINTS`, never below 0; raw scores, comparable within one search.

    A likeness below 0 counts as 0. The form is that of Bruch, Gai, Ingber (2023), "An Analysis of Fusion Functions
    for Hybrid Retrieval", with fixed bounds in place of the highest and lowest of the candidates.
    """
    return np.asarray(dense_weight * np.maximum(dense, 0) + (1 - dense_weight) * lexical / POINTS, np.float32)


def weigh(scores: Floats, kinds: Sequence[str], weights: Mapping[str, float]) -> Floats:
    """Fused scores times the weight of each chunk's kind; 1 where a kind has none."""
    return scores * np.array([weights.get(kind, 1.0) for kind in kinds], np.float32)


def best(scores: Floats, count: int) -> list[int]:
    """Places of the highest scores, best first; equal scores keep their order. Takes a millisecond for 100,000."""
    if not 0 < count < len(scores):
        return [int(i) for i in np.argsort(-scores, kind="stable")[: max(count, 0)]]
    least = np.partition(scores, -count)[-count]
    above, level = np.flatnonzero(scores > least), np.flatnonzero(scores == least)
    chosen = np.sort(np.concatenate([above, level[: count - len(above)]]))
    return [int(i) for i in chosen[np.argsort(-scores[chosen], kind="stable")]]
