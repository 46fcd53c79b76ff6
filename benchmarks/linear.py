"""Logistic regression in NumPy: over hashed n-grams by gradient descent, over dense vectors by Newton's method."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from opsplane.guardrails.ngrams import BUCKETS, rows

Floats = NDArray[np.float32]


class Grams:
    """The n-grams of many texts, laid out for one pass over all of them."""

    def __init__(self, texts: Sequence[str]) -> None:
        found = rows(texts)
        order = np.argsort(found.owners, kind="stable")
        self._ids, self._rows = found.buckets[order].astype(np.int64), found.owners[order]
        sizes = np.bincount(self._rows, minlength=len(texts))
        self._starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self._norm = 1 / np.sqrt(np.maximum(sizes, 1))

    def dot(self, weights: NDArray[np.floating]) -> NDArray[np.float64]:
        """Each text's sum of weights, normed as `ngrams.margins` norms it."""
        sums: NDArray[np.float64] = np.add.reduceat(weights[self._ids], self._starts) * self._norm
        return sums

    def back(self, errors: NDArray[np.float64]) -> NDArray[np.float64]:
        """The gradient of the weights."""
        slope: NDArray[np.float64] = np.bincount(
            self._ids, weights=(errors * self._norm)[self._rows], minlength=BUCKETS
        ).astype(np.float64)
        return slope


def fit_grams(
    texts: Sequence[str], labels: NDArray[np.float64], shares: NDArray[np.float64], *, penalty: float, steps: int = 150
) -> tuple[Floats, float]:
    """Weights, float32 of shape (BUCKETS,), and bias by Adam on all texts at once; `shares` weigh the texts."""
    laid, shares = Grams(texts), shares / shares.sum()
    weights = np.zeros(BUCKETS + 1)  # the last is the bias
    mean, spread = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, steps + 1):
        errors = (_logistic(laid.dot(weights[:-1]) + weights[-1]) - labels) * shares
        slope = np.append(laid.back(errors) + penalty * weights[:-1], errors.sum())
        mean = 0.9 * mean + 0.1 * slope
        spread = 0.999 * spread + 0.001 * slope * slope
        rate = 0.15 * (1 - 0.7 * step / steps)
        weights -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(spread / (1 - 0.999**step)) + 1e-8)
    return weights[:-1].astype(np.float32), float(weights[-1])


def fit_vectors(
    vectors: Floats, labels: NDArray[np.float64], shares: NDArray[np.float64], *, penalty: float, steps: int = 12
) -> tuple[Floats, float]:
    """Weights, float32 of shape (d,), and bias by Newton's method."""
    wide, shares = np.c_[vectors, np.ones(len(vectors))].astype(np.float64), shares / shares.sum()
    weights = np.zeros(wide.shape[1])
    ridge = np.full(wide.shape[1], penalty)
    ridge[-1] = 1e-8
    for _ in range(steps):
        guess = _logistic(wide @ weights)
        slope = wide.T @ ((guess - labels) * shares) + ridge * weights
        curve = (wide * (guess * (1 - guess) * shares)[:, None]).T @ wide + np.diag(ridge)
        weights -= np.linalg.solve(curve, slope)
    return weights[:-1].astype(np.float32), float(weights[-1])


def _logistic(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(margins, -30, 30)))
    return clipped
