"""Several judges as one: the median of their grades, the majority of their preferences."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import TypeVar

from opsplane.evaluation.judge import MEASURE, Judge, named, unscored
from opsplane.evaluation.matter import Matter
from opsplane.evaluation.pairwise import PairJudge, Preference, Word
from opsplane.evaluation.ruling import Reason, Unusable
from opsplane.evaluation.scoring import How, Score

Member = TypeVar("Member")


class Panel:
    """Grades by the median, which one judge gone wrong cannot move far. More than half of the judges must grade."""

    def __init__(self, judges: Sequence[Judge]) -> None:
        self._judges = _members(judges)
        self.how, self.identity = _how(judges), _named("median", judges)
        self.words = f"Median of {len(judges)} judges: {'; '.join(one.words for one in judges)}"

    async def grade(self, matter: Matter) -> Score:
        """The median, criterion by criterion and over all; every judge's costs."""
        found = await asyncio.gather(*(judge.grade(matter) for judge in self._judges))
        costs = tuple(cost for one in found for cost in one.costs)
        values = [one.value for one in found if one.value is not None]
        told = ", ".join(f"{one.value:.2f}" if one.value is not None else one.why.partition(":")[0] for one in found)
        if 2 * len(values) <= len(found):
            return unscored(Unusable(Reason.SPLIT, f"too few of the judges gave a grade ({told})"), costs=costs)
        parts = {name for one in found for name in one.part}
        return Score(
            scorer=MEASURE,
            value=round(median(values), 6),
            why=f"median of {told}",
            part={
                name: round(median(one.part[name] for one in found if name in one.part), 4) for name in sorted(parts)
            },
            costs=costs,
        )


class PairPanel:
    """Prefers what more than half of its judges prefer in both orders.

    Where more than half of them went by the order in the same way, its word on each order says so.
    """

    def __init__(self, judges: Sequence[PairJudge]) -> None:
        self._judges = _members(judges)
        self.how, self.identity = _how(judges), _named("majority", judges)

    async def prefer(self, first: Matter, second: Matter) -> Preference:
        """The majority's word, else a tie; unscored where at most half of the judges gave a word."""
        found = await asyncio.gather(*(judge.prefer(first, second) for judge in self._judges))
        costs = tuple(cost for one in found for cost in one.costs)
        told = ", ".join(one.preferred for one in found)
        forward, backward = _majority([one for one in found if one.preferred != "unscored"], len(found))
        return Preference(forward, backward, f"majority of {told}", costs)


def _majority(scored: Sequence[Preference], judges: int) -> tuple[Word, Word]:
    if 2 * len(scored) <= judges:
        return "unscored", "unscored"
    pair, votes = Counter((one.forward, one.backward) for one in scored).most_common(1)[0]
    return pair if 2 * votes > len(scored) else ("tie", "tie")


def _members(judges: Sequence[Member]) -> tuple[Member, ...]:
    if not judges:
        raise ValueError("a panel needs a judge")
    return tuple(judges)


def _how(judges: Sequence[Judge] | Sequence[PairJudge]) -> How:
    return How.MODEL if any(one.how is How.MODEL for one in judges) else judges[0].how


def _named(by: str, judges: Sequence[Judge] | Sequence[PairJudge]) -> str:
    return named("panel", f"{by}-of-{len(judges)}", [by, *sorted(one.identity for one in judges)])
