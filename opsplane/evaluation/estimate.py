"""A number with its 95 % interval, and how the bootstrap draws such intervals."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict

RESAMPLES = 1_000
_ROOM = 12_000
"""Numbers that are held at a time: so many stay in the processor's cache."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Statistic = Callable[[Floats], Floats]
"""Takes how often each unit was drawn, shape (resamples, units), and gives one number each; NaN where there is none."""


class Estimate(BaseModel):
    """A number out of `number` units with its 95 % interval; None where the data do not determine it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    number: int
    value: float | None = None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        """As operators read it: 0.71 (0.60 to 0.80)."""
        if self.value is None:
            return "unknown"
        if self.low is None or self.high is None:
            return f"{self.value:.2f}"
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def estimate(number: int, value: float, interval: tuple[float, float] | None) -> Estimate:
    """The value of it all, rounded to six digits, so that the last bit of a sum is not in any digest."""
    if not np.isfinite(value):
        return Estimate(number=number)
    low, high = (None, None) if interval is None else (round(float(end), 6) for end in interval)
    return Estimate(number=number, value=round(float(value), 6), low=low, high=high)


def bootstrapped(units: int, width: int, statistic: Statistic, seed: int = 0) -> Estimate:
    """A statistic of all units, each taken once, with its percentile-bootstrap interval over units.

    Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13. Resamples on which the statistic is
    not defined are left out. `width` is how many numbers the statistic keeps for one resample; equal seeds give equal
    intervals.
    """
    if not units:
        return Estimate(number=0)
    value = float(statistic(np.ones((1, units)))[0])
    if not np.isfinite(value):
        return Estimate(number=units)
    draw = np.random.default_rng(seed)
    size = max(1, min(RESAMPLES, _ROOM // max(width, units)))
    drawn = [statistic(_weights(draw, min(size, RESAMPLES - done), units)) for done in range(0, RESAMPLES, size)]
    found = np.concatenate(drawn)
    found = found[np.isfinite(found)]
    ends = np.percentile(found, [2.5, 97.5]) if len(found) else None
    return estimate(units, value, None if ends is None else (float(ends[0]), float(ends[1])))


def _weights(draw: np.random.Generator, rows: int, units: int) -> Floats:
    """How often each unit was drawn, for so many resamples."""
    drawn = draw.integers(0, units, (rows, units)) + units * np.arange(rows)[:, None]
    return np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(np.float64)


class Ranking:
    """Values that are ranked anew in each resample, ties sharing the middle of their ranks."""

    def __init__(self, values: ArrayLike) -> None:
        flat = np.asarray(values, np.float64)
        found, self.place = np.unique(flat, return_inverse=True)
        self._order = np.argsort(self.place, kind="stable")
        self._ends = np.searchsorted(self.place[self._order], np.arange(len(found) + 1))

    def counts(self, weights: Floats) -> Floats:
        """How often each distinct value was drawn, in rising order: shape (resamples, distinct values)."""
        return np.asarray(np.diff(self._below(weights), axis=1))

    def ranks(self, weights: Floats) -> Floats:
        """The rank of each unit's value among all that were drawn: shape (resamples, units)."""
        below = self._below(weights)
        return np.asarray(((below[:, :-1] + below[:, 1:]) / 2)[:, self.place])

    def _below(self, weights: Floats) -> Floats:
        """How many values were drawn that lie below each distinct one, and how many at all."""
        sums = np.zeros((len(weights), weights.shape[1] + 1))
        np.cumsum(weights[:, self._order], axis=1, out=sums[:, 1:])
        return np.asarray(sums[:, self._ends])


def correlations(columns: Sequence[Floats], weights: Floats) -> Floats:
    """Pearson's correlations of columns, each of shape (resamples, units), under these weights.

    Shape (columns, columns, resamples); NaN where one of the two has no variance.
    """
    root, total = np.sqrt(weights), weights.sum(axis=1)
    centred = [root * (one - (np.einsum("ru,ru->r", weights, one) / total)[:, None]) for one in columns]
    products = np.array([[np.einsum("ru,ru->r", one, other) for other in centred] for one in centred])
    squares = np.einsum("ccr->cr", products)
    scale = squares[:, None] * squares[None, :]
    found = np.full(products.shape, np.nan)
    np.divide(products, np.sqrt(scale), out=found, where=scale > 1e-12)
    return np.asarray(np.clip(found, -1, 1))
