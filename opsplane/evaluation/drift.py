"""Whether a judge's agreement with people has changed: a test that may be read after every label.

While nothing changes, the order in which a judge's errors come tells nothing: they are exchangeable. Then the rank of
each new one among all so far, ties broken at random, is uniform and independent of the ranks before it (Vovk,
Nouretdinov and Gammerman, "Testing exchangeability on-line", ICML 2003, theorem 1), whatever the errors' distribution.
Money that is bet on these ranks does not grow in the mean, and ever reaches 1/α with probability α at most (Ville
1939): the capital is a conformal test martingale. No baseline is estimated and then taken for true.

`opsplane.rollouts.betting` bets on a difference between two arms that a coin assigned; here nothing was assigned, and
ranks take the place of the coin. What both have in common is how capital is divided anew so that late changes are
found (fixed share: Herbster and Warmuth, Machine Learning 32, 1998).
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from opsplane.evaluation.estimate import Ranking

POWERS = (0.5, 0.7)
"""Bets κp^(κ−1) on a rank p near 0: they find a few gross errors among many good scores."""
SLOPES = (1.2,)
"""Bets 1 + ε(1/2 − p): they find that all errors have moved a little. An ε stays below 2, so that none can lose all."""
CASH, HAZARD = 0.5, 0.01
"""What is not bet, and what is divided anew after each label; `benchmarks.judges` measures what they bring."""
_SEED = 0
_LEAST = 1e-9

Change = Literal["", "errors", "milder", "stricter"]


class Exchangeable:
    """Whether values come as if in random order, by betting that later ones are higher (and, if `both`, lower)."""

    def __init__(self, *, both: bool, seed: int = _SEED) -> None:
        self._both = both
        self._draw = np.random.default_rng(seed)
        self._sorted: list[float] = []
        bets = (len(POWERS) + len(SLOPES)) * (2 if both else 1)
        self._prior = np.log(np.array([CASH, *[(1 - CASH) / bets] * bets]))
        self._capital = self._prior.copy()

    def add(self, value: float) -> None:
        """Take the next value in."""
        insort(self._sorted, value)
        number, after = len(self._sorted), bisect_right(self._sorted, value)
        equal = after - bisect_left(self._sorted, value)
        rank = max(_LEAST, (number - after + equal * float(self._draw.random())) / number)
        paid = [*_odds(rank), *(_odds(max(_LEAST, 1 - rank)) if self._both else ())]
        self._capital[1:] += np.log(paid)
        whole = self.log_e
        self._capital = np.logaddexp(self._capital + log(1 - HAZARD), self._prior + whole + log(HAZARD))

    @property
    def log_e(self) -> float:
        """The log e-value that the order tells something: the log of all capital."""
        return float(np.logaddexp.reduce(self._capital))

    @property
    def rising(self) -> bool:
        """Whether more is made on higher than on lower values."""
        half = (len(self._capital) - 1) // 2
        return not self._both or bool(_sum(self._capital[1 : half + 1]) >= _sum(self._capital[half + 1 :]))


class Drift(BaseModel):
    """Whether the agreement has changed: `what`, and `since`, the label from which on it most likely is another one.

    `what` is that errors have grown, or that the judge has become milder or stricter than people. `before` and `now`
    are its mean errors on either side of `since`: absolute ones for `errors`, else judge less people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    labels: int
    what: Change = ""
    since: datetime | None = None
    before: float | None = None
    now: float | None = None
    log_e: float = 0.0  # the larger of both tests, at its highest

    @property
    def found(self) -> bool:
        """Whether it has."""
        return bool(self.what)


def drift(errors: Sequence[tuple[datetime, float]], chance: float) -> Drift:
    """Test errors (judge less people) in the order in which the labels came.

    Two tests share `chance`, half each: that errors grow in size, and that they move to one side. A change once found
    stays found, however many labels are added behind it.
    """
    sides = [round(error, 9) for _, error in errors]
    sizes = [abs(error) for error in sides]
    level = log(2 / chance)
    in_size, in_side = _follow(sizes, level, both=False), _follow(sides, level, both=True)
    highest = round(max(in_size.highest, in_side.highest), 6)
    hits = [one for one in (in_size, in_side) if one.hit is not None]
    if not hits:
        return Drift(labels=len(errors), log_e=highest)
    first = min(hits, key=lambda one: one.hit or 0)
    values = sizes if first is in_size else sides
    began = _began(values[: (first.hit or 0) + 1], rising=first.rising)
    return Drift(
        labels=len(errors),
        what="errors" if first is in_size else ("milder" if first.rising else "stricter"),
        since=errors[began][0],
        before=round(float(np.mean(values[:began])), 6),
        now=round(float(np.mean(values[began:])), 6),
        log_e=highest,
    )


@dataclass(frozen=True)
class _Course:
    """How a test went: at which value it first reached its level and in which direction, and its highest point."""

    hit: int | None
    rising: bool
    highest: float


def _follow(values: Sequence[float], level: float, *, both: bool) -> _Course:
    test, hit, rising, highest = Exchangeable(both=both), None, True, 0.0
    for number, value in enumerate(values):
        test.add(value)
        highest = max(highest, test.log_e)
        if hit is None and test.log_e >= level:
            hit, rising = number, test.rising
    return _Course(hit, rising, highest)


def _began(values: Sequence[float], *, rising: bool) -> int:
    """The value before which ranks are lowest against those from it on: Pettitt, Applied Statistics 28 (1979)."""
    ranks = Ranking(values).ranks(np.ones((1, len(values))))[0]
    gone = np.cumsum(ranks - ranks.mean())[:-1]
    return int(gone.argmin() if rising else gone.argmax()) + 1


def _odds(rank: float) -> list[float]:
    """What each bet pays, in the mean 1 over uniform ranks."""
    return [*(power * rank ** (power - 1) for power in POWERS), *(1 + slope * (0.5 - rank) for slope in SLOPES)]


def _sum(capital: NDArray[np.float64]) -> float:
    return float(np.logaddexp.reduce(capital))
