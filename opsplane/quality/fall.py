"""Whether a gauge fell by more than is borne against what was usual; the test may be read every hour for ever.

At the end of every window a test begins: what was counted before is its baseline, what comes after is bet against it.
Were the usual mean m, two bets would not grow in the mean: one on the baseline, that its mean is above m, and one on
what comes, that it is below m − margin (see `bets`). Nor would their product. As nobody knows m, the least product over
all m counts: where there is no such fall it is at most the one at the true m. So the e-value of test k is
inf_m B(m)A(m), and the sum over all k of w_k times it, with w_k = DELAY/((k+DELAY−1)(k+DELAY)) that sum to 1, reaches
1/α with probability α at most, for all looks at all tests there ever are (a mixture over starting points, as in Shin,
Ramdas and Rinaldo, "E-detectors", New England Journal of Statistics in Data Science 2, 2024). The infimum is bounded
from a few m: as B falls in m and A rises, between two of them the product is at least A at the lower and B at the
upper; a part CASH of either capital is not bet, so that below and above all of them there is a bound too. A test ends
when it is as old as the baseline is long, most much earlier (see `lifetime`); it counts as nothing from there on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import inf, log, log1p

import numpy as np
from numpy.typing import NDArray

from opsplane.quality import bets
from opsplane.quality.bets import FRACTIONS, SHRINK, Counts, Floats
from opsplane.quality.past import DAY, Past

DELAY = 60
CASH = 0.05
STEPS = (36.0, 24.0, 16.0, 11.0, 7.5, 5.0, 3.0, 1.0)
"""The means that are looked at: where betting on the baseline has come to these log capitals."""
_TINY = 1e-6
YOUNG = 6
"""Windows that every test lives."""


@dataclass(frozen=True)
class Terms:
    """How a gauge is watched: times in hours, `origin` the hour since 1970 from which windows are numbered.

    `alpha` is this gauge's own part of the error, `margin` the fall in [0, 1] that is borne.
    """

    window: int
    baseline: int
    least: int
    origin: int
    alpha: float
    margin: float

    @property
    def threshold(self) -> float:
        """The log e-value at which a fall is certain."""
        return -log(self.alpha)

    def number(self, hour: int) -> int:
        """The number of the window that an hour is in, from 1 on."""
        return max(0, hour - self.origin) // self.window + 1


def weight(number: int) -> float:
    """The weight of the test that begins with this window."""
    return DELAY / ((number + DELAY - 1) * (number + DELAY))


def lifetime(number: int, terms: Terms) -> int:
    """The hours that the test of this window lives: `YOUNG` windows times the largest power of two in its number.

    So of every age there are about as many, some fifteen in all, and what falls is seen by one that began near it.
    """
    return min(terms.baseline, YOUNG * terms.window * (number & -number))


@dataclass
class _Tests:
    """The tests that live, one row each, and in it one row for each usual mean that is looked at.

    `floors` are bet against by hour of the day, `stakes` are bet, `capital` is the log of what became of each.
    `before` is what each step is worth on the baseline's side, one more than there are means.
    """

    begun: Floats  # (tests,)
    ends: Floats  # (tests,)
    floors: Floats  # (tests, means, 24)
    stakes: Floats  # (tests, means, stakes)
    capital: Floats  # (tests, means, stakes)
    before: Floats  # (tests, means + 1)

    def which(self, chosen: NDArray[np.bool_]) -> "_Tests":
        """Some of them."""
        return _Tests(*(getattr(self, one.name)[chosen] for one in fields(self)))

    def plus(self, other: "_Tests") -> "_Tests":
        """These and others."""
        both = ((getattr(self, one.name), getattr(other, one.name)) for one in fields(self))
        return _Tests(*(np.concatenate(pair) for pair in both))

    @property
    def log_e(self) -> Floats:
        """The log e-value of each, weighted."""
        after = np.logaddexp(bets.mixed(self.capital) + log1p(-CASH), log(CASH))
        idle = np.full((len(after), 1), log(CASH))
        return np.asarray((np.concatenate((idle, after), axis=1) + self.before).min(axis=1))


def _none() -> _Tests:
    rows, stakes = len(STEPS), len(FRACTIONS)
    shapes = ((0,), (0,), (0, rows, DAY), (0, rows, stakes), (0, rows, stakes), (0, rows + 1))
    return _Tests(*(np.zeros(shape) for shape in shapes))


class Fall:
    """The test of one series. Hours are handed over in order, each once it has ended."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.past = Past(terms.baseline)
        self._tests = _none()
        self._newest = 0  # the window whose test was begun last

    def close(self, hour: int, counts: Counts) -> None:
        """An hour has ended in which these values were counted, perhaps none."""
        if (hour >= self._tests.ends).any():
            self._tests = self._tests.which(hour < self._tests.ends)
        self.past.forget(hour)
        if self.terms.number(hour) > self._newest:
            self._newest = self.terms.number(hour)
            if self.past.number >= self.terms.least:
                self._tests = self._tests.plus(self._begun(hour))
        if counts:
            self._bet(hour, counts)
            self.past.add(hour, counts)

    def _begun(self, hour: int) -> _Tests:
        counts, margin = self.past.counts, self.terms.margin
        means = np.maximum(bets.reached(counts, STEPS), _TINY)
        worth = np.logaddexp(bets.above(counts, means) + log1p(-CASH), log(CASH))
        before = np.append(worth, log(CASH)) + log(weight(self._newest))
        floors = np.maximum(means[:, None] - margin + lower(self.past.daily), 0.0)
        stakes = FRACTIONS / (1 - floors.min(axis=1, keepdims=True))
        ends = float(hour + lifetime(self._newest, self.terms))
        row = (np.array(float(hour)), np.array(ends), floors, stakes, np.zeros_like(stakes), before)
        return _Tests(*(part[None] for part in row))

    def _bet(self, hour: int, counts: Counts) -> None:
        tests = self._tests
        if len(tests.begun):
            values, often = bets.arrays(counts)
            worse = tests.floors[:, :, hour % DAY, None] - values
            tests.capital = tests.capital + np.log1p(tests.stakes[..., None] * worse[:, :, None, :]) @ often

    def reset(self, past: Past) -> None:
        """Begin anew from this past: the next window begins the next test."""
        self._tests, self.past = _none(), past

    @property
    def log_e(self) -> float:
        """The log e-value that it fell by more than is borne."""
        return float(np.logaddexp.reduce(self._tests.log_e)) if len(self._tests.begun) else -inf

    @property
    def loudest(self) -> int | None:
        """The hour in which the test began that says most; None where there is none."""
        return int(self._tests.begun[self._tests.log_e.argmax()]) if len(self._tests.begun) else None

    @property
    def certain(self) -> bool:
        """Whether it fell, beyond doubt, and by enough values to speak of."""
        if self.log_e < self.terms.threshold:
            return False
        return self.past.since(self.loudest or 0).total() >= self.terms.least


def lower(daily: Sequence[Counts]) -> Floats:
    """By how much the mean is lower at each hour of the day than all day long, shape (24,), 0 where it is not.

    As it only ever speaks for what comes, a test against it is as valid as one without.
    """
    sums = [(often.sum(), values @ often) for values, often in map(bets.arrays, daily)]
    numbers, totals = np.array(sums).T
    whole, (numbers, totals) = totals.sum() / numbers.sum(), (bets.by_day(numbers), bets.by_day(totals))
    means = np.divide(totals, numbers, out=np.full(DAY, whole), where=numbers > 0)
    return np.asarray(np.minimum(0.0, (means - whole) * numbers / (numbers + SHRINK)))
