"""Stable and candidate: what each has shown, and what a test of the difference between them can say."""

from dataclasses import dataclass
from typing import Protocol

WARM = 20
"""Exposures that a mean is made of before anything is measured against it."""


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: its exposures, the customers behind them, and the mean of their values."""

    exposures: int
    customers: int
    mean: float | None


class SequentialTest(Protocol):
    """A test of "the candidate is worse than stable by more than a harm" that may be read after every exposure.

    Values lie in [0, 1] and higher is better. `share` is the probability with which this customer was on the candidate
    when the exposure happened; a share of 0 or 1 carries no comparison and is passed over.
    """

    def add(self, customer: str, candidate: bool, share: float, value: float) -> None:
        """Take one exposure in."""

    @property
    def log_e(self) -> float:
        """The log e-value; where there is no such harm, it ever reaches log(1/α) with probability α at most."""

    @property
    def difference(self) -> float | None:
        """Candidate minus stable, or None while nothing tells."""

    def interval(self, alpha: float) -> tuple[float, float] | None:
        """A two-sided confidence sequence for the difference, or None while there is none."""

    def low(self, alpha: float) -> float | None:
        """The lower end of a one-sided confidence sequence: by how much worse the candidate may still be."""

    @property
    def arms(self) -> tuple[Arm, Arm]:
        """Stable, candidate."""


class Tally:
    """Counts of both arms: exposures, customers (one that moved over counts on both), sums of values."""

    def __init__(self) -> None:
        self.total = 0
        self._sum = 0.0
        self._exposures, self._sums = [0, 0], [0.0, 0.0]
        self._customers: tuple[set[str], set[str]] = set(), set()

    def add(self, customer: str, candidate: bool, value: float) -> None:
        """Count one exposure."""
        self.total += 1
        self._sum += value
        self._exposures[candidate] += 1
        self._sums[candidate] += value
        self._customers[candidate].add(customer)

    @property
    def expected(self) -> float:
        """What value to expect next: the mean of all so far, and of ten halves to begin from."""
        return (5 + self._sum) / (10 + self.total)

    def met(self, customer: str) -> bool:
        """Whether this customer was counted before."""
        return customer in self._customers[0] or customer in self._customers[1]

    @property
    def mean(self) -> float | None:
        """The mean of all so far; None while the first `WARM` teach it, since a guess in its place is all noise."""
        return self._sum / self.total if self.total >= WARM else None

    def ready(self, fewest: int) -> bool:
        """Whether so many customers were on the candidate, and two on stable, that asymptotics may speak."""
        return len(self._customers[1]) >= fewest and len(self._customers[0]) >= 2

    @property
    def arms(self) -> tuple[Arm, Arm]:
        """Stable, candidate."""
        return self._arm(0), self._arm(1)

    def _arm(self, number: int) -> Arm:
        count = self._exposures[number]
        return Arm(count, len(self._customers[number]), self._sums[number] / count if count else None)
