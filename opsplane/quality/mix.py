"""Whether people ask about other things than was usual, by more than is borne; may be read every hour for ever.

As in `fall`, a test begins at the end of every window; with a share SURE of the error it may be wrong about its
baseline. Under "the total variation distance to the baseline is at most
the margin" no set of topics has a share larger by more than that. So before each hour those topics are taken that came
up more than usual since the test began, and it is bet that a customer asks about one of them: with the set laid down
beforehand, the capital does not grow in the mean. How far the baseline may be off is bounded for all sets at once by
Weissman, Ordentlich, Seroussi, Verdú and Weinberger, "Inequalities for the L1 deviation of the empirical distribution"
(HP Labs, 2003): P(‖p̂ − p‖₁ ≥ ε) ≤ 2^K exp(−nε²/2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, log, sqrt

import numpy as np

from opsplane.quality import bets
from opsplane.quality.bets import FRACTIONS, SHRINK, Floats
from opsplane.quality.fall import Terms, lifetime, weight
from opsplane.quality.past import DAY, Past

MOST = 20
"""Topics that are told apart; whatever comes up beyond is taken together with the last."""
SURE = 0.3


_LOST = np.log1p(-FRACTIONS)


@dataclass
class _Test:
    """One test: what is usual all day and by hour of the day, how far off that may be, and what came since."""

    begun: int
    ends: int
    usual: Floats  # (MOST,)
    daily: Floats  # (24, MOST)
    off: float
    capital: Floats
    since: Floats

    @property
    def log_e(self) -> float:
        """Its log e-value, weighted."""
        return float(bets.mixed(self.capital))


class Mix:
    """The test of the topics' shares; topics go by number. Hours are handed over in order, each once it has ended."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.past = Past(terms.baseline)
        self._tests: list[_Test] = []
        self._newest = 0

    def close(self, hour: int, counts: Mapping[int, int]) -> None:
        """An hour has ended in which customers asked about these topics, perhaps none."""
        terms = self.terms
        self._tests = [one for one in self._tests if hour < one.ends]
        self.past.forget(hour)
        if terms.number(hour) > self._newest:
            self._newest = terms.number(hour)
            self._begin(hour)
        if counts:
            if self._tests:
                self._bet(hour, vector(counts))
            self.past.add(hour, counts)

    def _begin(self, hour: int) -> None:
        if self.past.number < self.terms.least:
            return
        share = weight(self._newest)
        usual = vector(self.past.counts)
        usual /= usual.sum()
        off = deviation(self.past.number, self.terms.alpha * SURE * share)
        ends, fresh = hour + lifetime(self._newest, self.terms), np.full(len(FRACTIONS), log(share))
        self._tests.append(_Test(hour, ends, usual, daily(self.past), off, fresh, np.zeros(MOST)))

    def _bet(self, hour: int, counts: Floats) -> None:
        """Bet on the topics that came up more than usual since each test began, then take the hour in."""
        expected = np.stack([one.daily[hour % DAY] for one in self._tests])
        since = np.stack([one.since for one in self._tests])
        chosen = since > expected * since.sum(axis=1, keepdims=True)
        usual = np.stack([one.usual for one in self._tests])
        most = np.maximum((usual * chosen).sum(axis=1), (expected * chosen).sum(axis=1))
        ceiling = most + [one.off + self.terms.margin for one in self._tests]
        inside = chosen @ counts
        for one, at, of in zip(self._tests, ceiling, inside, strict=True):
            if at < 1 and one.since.any():
                stakes = FRACTIONS / at
                one.capital = one.capital + of * np.log1p(stakes - FRACTIONS) + (counts.sum() - of) * _LOST
            one.since = one.since + counts

    def reset(self, past: Past) -> None:
        """Begin anew from this past: the next window begins the next test."""
        self._tests, self.past = [], past

    @property
    def log_e(self) -> float:
        """The log e-value that the mix moved by more than is borne."""
        return float(np.logaddexp.reduce([one.log_e for one in self._tests])) if self._tests else -inf

    @property
    def loudest(self) -> int | None:
        """The hour in which the test began that says most; None where there is none."""
        return max(self._tests, key=lambda one: one.log_e).begun if self._tests else None

    @property
    def certain(self) -> bool:
        """Whether it moved, beyond doubt, and by enough customers to speak of."""
        if self.log_e < self.terms.threshold - log(1 - SURE):
            return False
        return self.past.since(self.loudest or 0).total() >= self.terms.least


def vector(counts: Mapping[int, int]) -> Floats:
    """Counts by topic as an array, shape (MOST,)."""
    told = np.zeros(MOST)
    for topic, count in counts.items():
        told[min(topic, MOST - 1)] += count
    return told


def deviation(number: int, alpha: float) -> float:
    """The total variation distance that shares of so many customers keep to the true ones, but for `alpha`."""
    return sqrt(2 * (MOST * log(2) - log(alpha)) / number) / 2


def distance(before: Mapping[int, int], after: Mapping[int, int]) -> float:
    """The total variation distance of two mixes, in [0, 1]; there must be something in both."""
    one, other = vector(before), vector(after)
    return float(np.abs(one / one.sum() - other / other.sum()).sum() / 2)


def daily(past: Past) -> Floats:
    """The shares that are usual at each hour of the day, shape (24, MOST), shrunk towards those of the whole day."""
    table = np.stack([vector(counts) for counts in past.daily])
    whole, near = table.sum(axis=0) / table.sum(), bets.by_day(table)
    return np.asarray((near + SHRINK * whole) / (near.sum(axis=1, keepdims=True) + SHRINK))
