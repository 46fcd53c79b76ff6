"""Bounds and bets for the mean of values in [0, 1], out of counts by level; they hold at every look at once.

Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86 (2024): under "the mean
is at most m" the capital Π(1 + λ(y − m)) does not grow in the mean, for any λ in [0, 1/m] laid down beforehand, and
reaches 1/α with probability α at most (Ville 1939). Here it is divided evenly over several λ, none of which depends on
the data. As log(1 + λ(μ − m)) is concave in μ, the bound is one for the average of means that move.
"""

from collections.abc import Mapping, Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

LEVELS = 100
"""Values are counted by levels of 1/100: a score from 0 to 100 is met exactly, and a time within 5 %."""
FRACTIONS = np.geomspace(0.02, 0.9, 8)
"""What is bet, as parts of the most that could be."""
_HALVINGS = 15
_EVEN = log(len(FRACTIONS))

Floats = NDArray[np.float64]
Counts = Mapping[int, int]
"""How many values there are at each level."""
SHRINK = 100
"""An hour of the day is believed to differ as if so many values more had been as usual."""


def placed(value: float) -> int:
    """The level of a value."""
    return round(min(1.0, max(0.0, value)) * LEVELS)


def arrays(counts: Counts) -> tuple[Floats, Floats]:
    """Values and how often each was met."""
    levels = np.fromiter(counts.keys(), float, len(counts)) / LEVELS
    return levels, np.fromiter(counts.values(), float, len(counts))


def mean(counts: Counts) -> float:
    """The mean; there must be a value."""
    values, often = arrays(counts)
    return float(values @ often / often.sum())


def by_day(values: Floats) -> Floats:
    """Sums by hour of the day (first axis), each taken with the hour before and after it."""
    return np.asarray(values + np.roll(values, 1, axis=0) + np.roll(values, -1, axis=0))


def mixed(capital: Floats) -> Floats:
    """The log of the whole capital, of the logs on each bet (last axis)."""
    return np.asarray(np.logaddexp.reduce(capital, axis=-1) - _EVEN)


def above(counts: Counts, bounds: Floats) -> Floats:
    """The log capital of betting that the mean is above each of some bounds in (0, 1]."""
    values, often = arrays(counts)
    return mixed(np.log1p(FRACTIONS[:, None] * (values / bounds[:, None, None] - 1)) @ often)


def low(counts: Counts, alpha: float) -> float:
    """The lower end of a one-sided confidence sequence of the mean; 0 where there is no value."""
    return float(reached(counts, [-log(alpha)])[0])


def reached(counts: Counts, wanted: Sequence[float]) -> Floats:
    """The largest bounds for which the log capital of betting on a mean above has come to what is wanted; 0 for none.

    The capital falls as the bound rises to the mean.
    """
    goals = np.array(wanted)
    low_, high_ = np.zeros(len(goals)), np.full(len(goals), mean(counts) if counts else 0.0)
    if not high_.any():
        return low_
    for _ in range(_HALVINGS):
        middle = (low_ + high_) / 2
        there = above(counts, middle) >= goals
        low_, high_ = np.where(there, middle, low_), np.where(there, high_, middle)
    return low_


def high(counts: Counts, alpha: float) -> float:
    """The upper end likewise; 1 where there is no value."""
    return 1 - low({LEVELS - place: count for place, count in counts.items()}, alpha)


def difference(before: Counts, after: Counts, alpha: float) -> tuple[float, float]:
    """A confidence sequence for the mean of `after` minus that of `before`, out of one for each."""
    part = alpha / 4
    return low(after, part) - high(before, part), high(after, part) - low(before, part)
