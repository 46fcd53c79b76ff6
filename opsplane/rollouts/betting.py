"""The exact test for independent exchanges: one per customer, and nothing assumed but values in [0, 1]."""

from math import log, log1p

import numpy as np

from opsplane.rollouts.arm import Arm, Tally
from opsplane.rollouts.score import Score

DROPS = np.geomspace(0.02, 0.4, 8)
"""The differences that are bet on."""
WEIGHTS = np.exp(-0.5 * (np.log(DROPS / 0.08) / 0.5) ** 2)
WEIGHTS /= WEIGHTS.sum()
"""How much on each: most on eight points, so that five are found as well as ten."""
CASH, HAZARD = 0.05, 0.05
"""What is not bet, and what is divided anew at a restart; `benchmarks.rollouts` measures what they bring and cost."""
TAU = 0.05
"""The difference around which the confidence sequence is narrowest."""
FEWEST = 20
"""So many customers must have been on the candidate before a normal approximation is used."""


class BettingTest:
    """Whether the candidate is worse than stable by more than `harm`, by betting on it and counting the capital.

    Before an exchange its value is expected to be m, and its customer is on the candidate (A = 1) with probability ρ.
    φ = (m − Y)(A/ρ − (1−A)/(1−ρ)) then has as its mean, given all that went before, the value on stable minus that on
    the candidate: at most `harm` under the null, whatever m, ρ and the baseline are and however they move. So
    1 + λ(φ − harm), with a λ ≥ 0 set beforehand and small enough that it cannot fall below 0, multiplies a capital
    that does not grow in the mean, and reaches 1/α with probability α at most (Ville 1939; Waudby-Smith and Ramdas,
    "Estimating means of bounded random variables by betting", JRSS B 86, 2024).

    Which λ is best depends on the difference d: λ = dρ(1−ρ)/(m(1−m)). For values of 0 and 1 that is the likelihood
    ratio of "on the candidate" given the value, which no other bet outgrows. The capital is divided over several d.
    Every `restart` exchanges the fraction HAZARD of all capital is divided anew, and the fraction CASH of it is kept
    for that, so that what breaks late is found by bets that have lost little before (fixed share: Herbster and
    Warmuth, Machine Learning 32, 1998); moving capital between bets creates none, and the test stays exact.

    Of each customer only the first exchange counts: the later ones are not independent of it.
    """

    def __init__(self, harm: float = 0.0, restart: int = 500) -> None:
        self.harm, self.restart = harm, restart
        self._tally = Tally()
        self._score = Score()
        self._cash = log(CASH)
        self._capital = log1p(-CASH) + np.log(WEIGHTS)

    def add(self, customer: str, candidate: bool, share: float, value: float) -> None:
        """Take one exposure in; a share of 0 or 1 is passed over, and so is a customer met before."""
        if not 0 < share < 1 or self._tally.met(customer):
            return
        expected, mean = self._tally.expected, self._tally.mean
        bad = 1 - expected
        payoff = (expected - value) * (1 / share if candidate else -1 / (1 - share)) - self.harm
        most = 0.95 / (max(bad / share, expected / (1 - share)) + self.harm)
        self._capital += np.log1p(np.minimum(most, DROPS * (share * (1 - share) / (bad * expected))) * payoff)
        self._tally.add(customer, candidate, value)
        if mean is not None:
            self._score.add(customer, candidate - share, value - mean)
        if self._tally.total % self.restart == 0:
            self._divide()

    def _divide(self) -> None:
        fresh = self.log_e + log(HAZARD)
        self._cash = float(np.logaddexp(self._cash + log1p(-HAZARD), fresh + log(CASH)))
        self._capital = np.logaddexp(self._capital + log1p(-HAZARD), fresh + log1p(-CASH) + np.log(WEIGHTS))

    @property
    def log_e(self) -> float:
        """The log e-value that the candidate is worse than stable by more than `harm`: the log of all capital."""
        return float(np.logaddexp.reduce(self._capital, initial=self._cash))

    @property
    def difference(self) -> float | None:
        """Candidate minus stable, or None while too little was seen."""
        return self._score.difference

    def interval(self, alpha: float) -> tuple[float, float] | None:
        """A two-sided confidence sequence for the difference, by normal approximation; None until there is enough."""
        return self._score.interval(alpha, TAU) if self._settled else None

    def low(self, alpha: float) -> float | None:
        """The lower end of a one-sided confidence sequence: by how much worse the candidate may still be."""
        return self._score.low(alpha, TAU) if self._settled else None

    @property
    def _settled(self) -> bool:
        return self._tally.ready(FEWEST) and self._score.enough

    @property
    def arms(self) -> tuple[Arm, Arm]:
        """Stable, candidate."""
        return self._tally.arms
