"""The test for sticky customers, a growing share and a drifting baseline, all at once."""

from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opsplane.rollouts import sequences
from opsplane.rollouts.arm import Arm, Tally
from opsplane.rollouts.betting import DROPS, FEWEST, TAU, WEIGHTS
from opsplane.rollouts.score import Score

FIRST, LATE = 0.5, 0.2
"""The weight of the first copy, and of all later ones together. What is left to 1 is not bet: that costs a tenth more
exchanges and keeps false alarms well below α where exposures of a customer hang together (`benchmarks.rollouts`)."""
DELAY = 10
"""The n-th of the later copies has the part DELAY / ((n+DELAY−1)(n+DELAY)) of LATE, which sums to 1 over all n."""
ALIKE = 0.05
"""The correlation between two exchanges of one customer for which their weights are best."""


class ClusteredTest:
    """Whether the candidate is worse than stable by more than `harm`, by one bet per customer.

    An exposure scores (A−ρ)(m−Y)/v − harm·(A−ρ)²/v, where A is 1 on the candidate, ρ its probability, Y the value, m
    the value expected before and v = m(1−m). At a difference of −harm its mean over A is 0, whatever m, ρ and the
    baseline are and however they move. All exposures of a customer add up to one score x, and the e-value is the
    product over customers of 1 + λx, averaged over several λ; with one exposure per customer these are the bets of
    `opsplane.rollouts.betting`, and as exact. With more, each look by itself is: given all values of all customers,
    only the sides are random, each customer's x has mean 0 over them, and the mean of the product is 1, however alike
    a customer's exposures are. (With a harm to bear, or where a candidate helps some and hurts others, it is so up to
    what m has learnt from the customer's own values.) Over all looks at once it is not proven, as a side is drawn
    once while x goes on growing: exposures that resemble the earlier ones make looks more alike, which is harmless,
    part of the capital is not bet, and `benchmarks.rollouts` measures what is left, down to a few busy customers.
    Until `fewest` customers were on the candidate the e-value is 1.

    λ = d / (1 + ALIKE·(n−1)) for n exposures and a difference d, capped by how low x could have come on either arm, so
    that no customer, however busy, takes more than nine tenths of the capital.

    What breaks late is hidden by what went well before. Every `restart` exposures another copy begins that sees only
    what comes after; the e-value is the weighted sum of all and of what is not bet, and the weights sum to 1. The copy
    of restart n lives in the slot of the largest power of two in n until the slot's next one begins, so that of
    2, 4, 8 … restarts' age there is one each and memory grows with log n; one that ends counts as 0 from there on, or
    as 1 if it never had enough customers.
    """

    def __init__(self, harm: float = 0.0, tau: float = TAU, restart: int = 500, fewest: int = FEWEST) -> None:
        self.harm, self.tau, self.restart, self.fewest = harm, tau, restart, fewest
        self._tally = Tally()
        self._score = Score()
        self._first = _Copy(harm, FIRST)
        self._late: dict[int, _Copy] = {}
        self._restarts = 0
        self._idle = 0.0  # the weight of copies that ended at 1

    def add(self, customer: str, candidate: bool, share: float, value: float) -> None:
        """Take one exposure in; a share of 0 or 1 is passed over."""
        if not 0 < share < 1:
            return
        expected, mean = self._tally.expected, self._tally.mean
        lean, variance = candidate - share, expected * (1 - expected)
        score = lean * (expected - value) / variance
        square = lean * lean / variance
        floor = max((1 - share) * (1 - expected), share * expected) / variance
        steep = max(1 - share, share) ** 2 / variance
        self._tally.add(customer, candidate, value)
        if mean is not None:
            self._score.add(customer, lean, value - mean)
        change = score, square, floor, steep
        self._first.add(customer, candidate, change)
        for copy in self._late.values():
            copy.add(customer, candidate, change)
        if self._tally.total % self.restart == 0:
            self._begin()

    def _begin(self) -> None:
        self._restarts += 1
        number = self._restarts
        slot = number & -number
        if slot in self._late and not self._late[slot].ready(self.fewest):
            self._idle += self._late[slot].weight
        self._late[slot] = _Copy(self.harm, LATE * DELAY / ((number + DELAY - 1) * (number + DELAY)))

    @property
    def log_e(self) -> float:
        """The log e-value that the candidate is worse than stable by more than `harm`."""
        return self._together([(copy.weight, copy.capital) for copy in self._ready()])

    def _ready(self) -> list["_Copy"]:
        return [copy for copy in (self._first, *self._late.values()) if copy.ready(self.fewest)]

    def _together(self, copies: Sequence[tuple[float, NDArray[np.float64]]]) -> float:
        if not copies:
            return 0.0
        waiting = 1 - FIRST - LATE + LATE * DELAY / (self._restarts + DELAY) + self._idle
        waiting += sum(copy.weight for copy in self._late.values() if not copy.ready(self.fewest))
        return float(np.logaddexp.reduce([log(waiting), *(log(w) + _mixed(capital) for w, capital in copies)]))

    @property
    def difference(self) -> float | None:
        """Candidate minus stable, or None while too little was seen."""
        return self._score.difference

    def interval(self, alpha: float) -> tuple[float, float] | None:
        """A two-sided confidence sequence for the difference, by normal approximation; None until there is enough."""
        return self._score.interval(alpha, self.tau) if self._settled else None

    def low(self, alpha: float) -> float | None:
        """The lower end of a one-sided confidence sequence: by how much worse the candidate may still be."""
        return self._score.low(alpha, self.tau) if self._settled else None

    def high(self, alpha: float) -> float:
        """The upper end of a one-sided confidence sequence: the e-values of `log_e` refute every larger difference.

        It lies at −harm or below exactly when `log_e` has reached log(1/alpha).
        """
        copies = [(copy.weight, copy.table) for copy in self._ready()]

        def refuted(null: float) -> bool:
            capital = [(weight, _grown(table, -null).sum(axis=1)) for weight, table in copies]
            return self._together(capital) >= -log(alpha)

        if self.log_e >= -log(alpha):
            return sequences.crossing(refuted, -1.0, -self.harm)
        return sequences.crossing(refuted, -self.harm, 1.0)

    @property
    def _settled(self) -> bool:
        return self._tally.ready(self.fewest) and self._score.enough

    @property
    def arms(self) -> tuple[Arm, Arm]:
        """Stable, candidate."""
        return self._tally.arms


class _Copy:
    """The bets since one moment. Per customer: score, square, floor, steepness, exposures, and the sides it was on."""

    def __init__(self, harm: float, weight: float) -> None:
        self.weight = weight
        self._harm = harm
        self._counts = [0, 0]
        self._customers: dict[str, tuple[float, float, float, float, int, int]] = {}
        self._before: dict[str, tuple[float, float, float, float, int, int] | None] = {}  # what changed, as it was
        self._capital = np.zeros(len(DROPS))

    def add(self, customer: str, candidate: bool, change: tuple[float, float, float, float]) -> None:
        known = self._customers.get(customer)
        if customer not in self._before:
            self._before[customer] = known
        score, square, floor, steep, count, sides = known or (0.0, 0.0, 0.0, 0.0, 0, 0)
        side = 2 if candidate else 1
        if not sides & side:
            self._counts[candidate] += 1
            sides |= side
        a, b, c, d = change
        self._customers[customer] = score + a, square + b, floor + c, steep + d, count + 1, sides

    def ready(self, fewest: int) -> bool:
        return self._counts[1] >= fewest and self._counts[0] >= 2

    @property
    def capital(self) -> NDArray[np.float64]:
        """The log of the capital on each difference; only customers met since the last look are counted anew."""
        if self._before:
            now = [self._customers[name] for name in self._before]
            grown = _grown(now + [known for known in self._before.values() if known], self._harm)
            self._capital += grown[:, : len(now)].sum(axis=1) - grown[:, len(now) :].sum(axis=1)
            self._before.clear()
        return self._capital

    @property
    def table(self) -> NDArray[np.float64]:
        """What is known of every customer, one row each."""
        return np.array(list(self._customers.values()))


def _grown(customers: ArrayLike, harm: float) -> NDArray[np.float64]:
    """The log factor of each difference (row) and customer (column)."""
    score, square, floor, steep, count, _ = np.asarray(customers).T
    bets = np.minimum(DROPS[:, None] / (1 + ALIKE * (count - 1)), 0.9 / (floor + max(0.0, harm) * steep))
    return np.asarray(np.log1p(bets * (score - harm * square)))


def _mixed(capital: NDArray[np.float64]) -> float:
    return float(np.logaddexp.reduce(capital + np.log(WEIGHTS)))
