"""McNemar's test: whether one of two releases passes more of the same cases, and by how much. Pure."""

from collections.abc import Mapping
from math import exp, lgamma, log, sqrt

from pydantic import BaseModel, ConfigDict, Field

from opsplane.guardrails.sweep import wilson


class McNemar(BaseModel):
    """Two ways of answering on the same cases: how many both passed, only one, neither.

    `lost` counts what only the old one passed and `won` what only the new one did. `exact` and `mid` are two-sided
    p-values; `difference` is the new share less the old one, with its 95 % interval from `low` to `high`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    both: int = Field(ge=0)
    lost: int = Field(ge=0)
    won: int = Field(ge=0)
    neither: int = Field(ge=0)
    exact: float
    mid: float
    difference: float
    low: float
    high: float

    @property
    def cases(self) -> int:
        """All of them."""
        return self.both + self.lost + self.won + self.neither


def compare(old: Mapping[str, bool], new: Mapping[str, bool]) -> McNemar | None:
    """Compare by case, those that stand on both sides; None where there is none."""
    pairs = [(passed, new[name]) for name, passed in old.items() if name in new]
    if not pairs:
        return None
    return mcnemar(*(pairs.count(kind) for kind in ((True, True), (True, False), (False, True), (False, False))))


def mcnemar(both: int, lost: int, won: int, neither: int) -> McNemar:
    """The test of these counts; raise `ValueError` where there is no case.

    The cases that only one side passed fall to either with probability 1/2 under the null: McNemar, Psychometrika 12
    (1947). The exact test errs on the safe side, the mid-p test comes closer to its level (Fagerland, Lydersen and
    Laake, BMC Medical Research Methodology 13:91, 2013).
    """
    if both + lost + won + neither <= 0:
        raise ValueError("McNemar's test needs at least one case.")
    exact, mid = signs(lost, won)
    cases = both + lost + won + neither
    low, high = _newcombe(both, won, lost, neither)
    return McNemar(
        both=both,
        lost=lost,
        won=won,
        neither=neither,
        exact=round(exact, 9),
        mid=round(mid, 9),
        difference=round((won - lost) / cases, 6),
        low=round(low, 6),
        high=round(high, 6),
    )


def signs(one: int, other: int) -> tuple[float, float]:
    """The two-sided p-values, exact and mid, of so many against so many where either is as probable."""
    number, fewer = one + other, min(one, other)
    point = exp(lgamma(number + 1) - lgamma(fewer + 1) - lgamma(number - fewer + 1) - number * log(2))
    if one == other:
        return 1.0, 1 - point / 2
    tail, term = 0.0, point
    for count in range(fewer, -1, -1):
        tail += term
        term *= count / (number - count + 1)
        if term < 1e-18 * tail:
            break
    exact = min(1.0, 2 * tail)
    return exact, exact - point


def _newcombe(both: int, first: int, second: int, neither: int) -> tuple[float, float]:
    """The interval of a difference of paired shares: Newcombe, Statistics in Medicine 17:2635 (1998), method 10.

    Wilson's intervals of both shares, squared and added, less what the sides have in common: their phi, whose
    numerator is drawn to 0 by half the number of cases where it is positive.
    """
    number = both + first + second + neither
    one, other = both + first, both + second
    low1, high1 = wilson(one, number)
    low2, high2 = wilson(other, number)
    share1, share2 = one / number, other / number
    product = both * neither - first * second
    drawn = max(0.0, product - number / 2) if product > 0 else product
    margins = one * (number - one) * other * (number - other)
    phi = drawn / sqrt(margins) if margins else 0.0
    below, above = share1 - low1, high2 - share2
    low = share1 - share2 - sqrt(max(0.0, below**2 - 2 * phi * below * above + above**2))
    above, below = high1 - share1, share2 - low2
    high = share1 - share2 + sqrt(max(0.0, above**2 - 2 * phi * above * below + below**2))
    return max(-1.0, low), min(1.0, high)
