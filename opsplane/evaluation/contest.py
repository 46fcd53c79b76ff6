"""Two releases' answers to the same questions, compared by a judge of pairs in both orders."""

import asyncio
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from opsplane.evaluation.matter import Matter
from opsplane.evaluation.pairwise import PairJudge, Preference
from opsplane.guardrails.sweep import wilson
from opsplane.spend import Cost

Pair = tuple[str, Matter, Matter]
"""A case's name, the old answer and the new one."""


class Contest(BaseModel):
    """What came of it, by case. `swayed` are ties because the order alone decided; they stand among `tied` too.

    The share of the new release's answers that are preferred, of those where one is, has its 95 % interval (Wilson,
    1927) from `low` to `high`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    judge: str
    won: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    tied: tuple[str, ...] = ()
    swayed: tuple[str, ...] = ()
    unscored: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    costs: tuple[Cost, ...] = ()

    @property
    def share(self) -> float | None:
        """The share won of those won and lost, in [0, 1]."""
        decided = len(self.won) + len(self.lost)
        return len(self.won) / decided if decided else None


async def contest(pairs: Sequence[Pair], judge: PairJudge, together: int = 4) -> Contest:
    """Ask the judge about each pair, in both orders, so many at a time; raises `PlaneError` only."""
    room = asyncio.Semaphore(together)

    async def one(old: Matter, new: Matter) -> Preference:
        async with room:
            return await judge.prefer(old, new)

    found = await asyncio.gather(*(one(old, new) for _, old, new in pairs))
    told = {name: preference for (name, _, _), preference in zip(pairs, found, strict=True)}

    def named(word: str) -> tuple[str, ...]:
        return tuple(name for name, one in told.items() if one.preferred == word)

    won, lost = named("second"), named("first")
    low, high = wilson(len(won), len(won) + len(lost)) if won or lost else (None, None)
    return Contest(
        judge=judge.identity,
        won=won,
        lost=lost,
        tied=named("tie"),
        swayed=tuple(name for name, one in told.items() if one.by_order),
        unscored=named("unscored"),
        low=low,
        high=high,
        costs=tuple(cost for one in found for cost in one.costs),
    )
