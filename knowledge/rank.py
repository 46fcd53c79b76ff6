"""Ranking as arithmetic: what two searches say of the same chunks becomes one order."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from knowledge.document import Kind

TRUST = {Kind.MARKETING.value: 0.6}
"""Factors on the fused score: what advertising says stands behind what the terms say."""


class SearchPlan(BaseModel):
    """How a search is made; a release names one. `dense_weight` is the share of the dense score."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passages: int = Field(default=6, ge=1, le=50)
    pool: int = Field(default=100, ge=1, le=500)
    dense_weight: float = Field(default=0.6, ge=0, le=1)
    kind_weights: Mapping[str, float] = Field(default_factory=TRUST.copy)


def min_max(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores stretched over [0, 1], NaN (not found) becoming 0; a single or equal scores become 1."""
    found = scores[~np.isnan(scores)]
    if not found.size:
        return np.zeros_like(scores)
    spread = found.max() - found.min()
    stretched = (scores - found.min()) / spread if spread > 0 else np.ones_like(scores)
    return np.where(np.isnan(scores), 0, stretched).astype(np.float32)


def fuse(dense: NDArray[np.float32], lexical: NDArray[np.float32], dense_weight: float) -> NDArray[np.float32]:
    """Convex combination a·dense + (1 − a)·lexical over a pool of chunks, in [0, 1].

    `dense` is cosines, NaN outside the nearest, stretched by min and max; `lexical` is BM25 scores over their
    maximum, since 0 is their least. Bruch, Gai, Ingber (2023), "An Analysis of Fusion Functions for Hybrid
    Retrieval".
    """
    highest = lexical.max(initial=0)
    share = lexical / highest if highest > 0 else np.zeros_like(lexical)
    return dense_weight * min_max(dense) + (1 - dense_weight) * share


def weigh(scores: NDArray[np.float32], kinds: Sequence[str], weights: Mapping[str, float]) -> NDArray[np.float32]:
    """Fused scores times the weight of each chunk's kind; 1 where a kind has none."""
    return scores * np.array([weights.get(kind, 1.0) for kind in kinds], np.float32)


def best(scores: NDArray[np.float32], count: int) -> list[int]:
    """Places of the highest scores, best first; equal scores keep their order."""
    return [int(i) for i in np.argsort(-scores, kind="stable")[:count]]
