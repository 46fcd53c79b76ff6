"""Two ways of answering compared on the same questions: the difference with its interval, and whose it was. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

RESAMPLES = 4_000
FEWEST = 20
"""Questions from which on an interval is trusted."""

Floats = NDArray[np.float64]
Part = tuple[float, float]
"""What one question gives: how much of how much. A score in [0, 1] is (score, 1); what was not measured (0, 0)."""


class Paired(BaseModel):
    """A measure on both sides, and `difference`, new less old, with its 95 % interval from `low` to `high`.

    `questions` counts those that were measured on either side; `won` and `lost` name those on which the new one did
    better and worse.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    measure: str
    questions: int
    old: float
    new: float
    difference: float
    low: float
    high: float
    won: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def compare(measure: str, old: Mapping[str, Part], new: Mapping[str, Part], seed: int = 0) -> Paired | None:
    """Compare by question; None where nothing was measured on one side.

    Each side is the sum of its parts over the sum of their wholes. The interval is the percentile bootstrap over
    questions, both sides of a question drawn together: Efron, Tibshirani (1993), "An Introduction to the Bootstrap",
    chapters 13 and 16. Equal seeds give equal intervals.
    """
    names = [name for name in old if name in new and (old[name][1] or new[name][1])]
    parts = np.array([[old[name], new[name]] for name in names], np.float64).reshape(-1, 2, 2)
    if not len(parts) or not parts[:, :, 1].sum(axis=0).all():
        return None
    before, after = (float(one) for one in _shares(parts.sum(axis=0)[None])[0])
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), RESAMPLES)
    sums = np.einsum("rn,nsp->rsp", drawn.astype(np.float64), parts)
    shares = _shares(sums)
    low, high = np.nanpercentile(shares[:, 1] - shares[:, 0], [2.5, 97.5])
    better = {name: _share(new[name]) - _share(old[name]) for name in names if old[name][1] and new[name][1]}
    return Paired(
        measure=measure,
        questions=len(names),
        old=round(before, 6),
        new=round(after, 6),
        difference=round(after - before, 6),
        low=round(float(low), 6),
        high=round(float(high), 6),
        won=tuple(name for name, gain in better.items() if gain > 0),
        lost=tuple(name for name, gain in better.items() if gain < 0),
    )


def worse(found: Sequence[Paired], margin: float) -> list[str]:
    """Why the new one cannot be called as good: measures that may have lost more than `margin`, in words."""
    return [why for one in found if (why := _worse(one, margin))]


def _worse(one: Paired, margin: float) -> str:
    if one.questions < FEWEST:
        return f"{one.measure} was measured on {one.questions} questions only; at least {FEWEST} are needed"
    if one.low < -margin:
        told = f"between {one.low:+.3f} and {one.high:+.3f}"
        return f"{one.measure} changed by {one.difference:+.3f} ({told}), and may have lost more than {margin:g}"
    return ""


def _share(part: Part) -> float:
    return part[0] / part[1]


def _shares(sums: Floats) -> Floats:
    """Shares out of sums, shape (…, sides, 2); NaN where a side has nothing."""
    shares = np.full(sums.shape[:-1], np.nan)
    np.divide(sums[..., 0], sums[..., 1], out=shares, where=sums[..., 1] > 0)
    return shares
