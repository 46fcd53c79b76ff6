"""Judges live answers off the hot path: a sample of them and everything flagged, within the day's budget.

What was judged already is told by the record alone, so that it may be cut off anywhere and run by any process. Looks
are a job called `JOB` and run through `schedule.once`, one process at a time: then no exchange is judged twice.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from typing import TypeVar

from opsplane.access import SERVICE
from opsplane.errors import PlaneError
from opsplane.evaluation.judge import Judge, reason
from opsplane.evaluation.matter import Matter
from opsplane.evaluation.pairwise import PairJudge, Preference
from opsplane.evaluation.ruling import Reason
from opsplane.evaluation.scoring import How, Score
from opsplane.evaluation_events import ExchangeScored, ExchangeUnscored, PreferenceScored
from opsplane.event import ERASED
from opsplane.events import CostBooked, Event
from opsplane.exchange import Exchange
from opsplane.ledger import costs, pairs, unjudged
from opsplane.ledger.costs import CostQuery
from opsplane.ledger.exclusive import exclusive
from opsplane.ledger.store import Ledger
from opsplane.ledger.unjudged import Words
from opsplane.policy import Sampling
from opsplane.preference import ordered
from opsplane.sampling import Candidate, Pick, chosen, pick, possible
from opsplane.spend import Cost, Purpose

log = logging.getLogger(__name__)

Said = TypeVar("Said", Score, Preference)

JOB = "judge"
"""The name under which one process at a time judges."""
WINDOW = timedelta(hours=48)
"""How far back answers are looked for: what a day's budget left over has its chance in the next."""
ATTEMPTS = 3
"""So often a judge looks at an exchange in vain; then it is left unscored."""
MOST = 200
"""So many exchanges are judged in one look at most; the next goes on."""
TOGETHER = 4
"""Calls under way at a time."""
LONGEST = 60.0
"""Seconds for one exchange."""
_WEEK = timedelta(days=7)
_FINAL = frozenset({Reason.EMPTY.value, Reason.BLOCKED.value, Reason.NO_CASE.value})
"""Reasons that another attempt would not change."""
_POLL = 0.2


@dataclass(frozen=True)
class Court:
    """Who judges: single answers, and pairs of them where a shadow answered too."""

    judge: Judge
    pair: PairJudge | None = None


@dataclass
class Looked:
    """What one look came to; `left` counts what the day's budget had no room for."""

    scored: int = 0
    unscored: int = 0
    compared: int = 0
    micros: int = 0
    left: int = 0

    def __str__(self) -> str:
        """In words."""
        told = f"{self.scored} answers judged, {self.unscored} in vain, {self.compared} pairs compared"
        spent = f", ${self.micros / 1_000_000:.4f} spent" if self.micros else ""
        return told + spent + (f"; {self.left} wait for tomorrow's budget" if self.left else "")


@dataclass(frozen=True)
class _Task:
    """An exchange to be judged, or with `pair` the two answers to it to be compared."""

    pick: Pick
    pair: bool = False


@dataclass
class _Purse:
    """Micro-dollars that are left of the day, and what one more exchange will probably cost; 0 is not known."""

    left: int
    each: int
    spent: list[int] = field(default_factory=list)

    def room(self) -> int:
        """So many exchanges may still be judged; one at first where nobody knows what it costs."""
        if self.left <= 0:
            return 0
        return self.left // self.each if self.each else TOGETHER if self.spent else 1

    def pay(self, micros: int) -> None:
        """One exchange's cost; from here on the mean of this look's is expected."""
        self.left -= micros
        self.spent.append(micros)
        self.each = round(sum(self.spent) / len(self.spent))


class LiveJudging:
    """Looks at what came in since the last look. `over` stops it between two writes; what was cut off comes again."""

    def __init__(
        self, ledger: Ledger, court: Court, sampling: Sampling, zone: tzinfo, over: threading.Event | None = None
    ) -> None:
        self._ledger, self._court, self._sampling, self._zone = ledger, court, sampling, zone
        self._over = over or threading.Event()
        self._topics: dict[str, str] = {}
        self._idle: set[_Task] = set()  # looked into, and nothing to be judged

    def look(self) -> Looked:
        """Judge what should be judged now, the most urgent first; raises `RecordUnavailable`."""
        tasks, looked = self._tasks(), Looked()
        asyncio.run(self._work(tasks, looked))
        return looked

    def judge(self, exchanges: Sequence[str]) -> Looked:
        """Judge these answers, which people labelled; nothing where a look is under way. Raises as `look` does."""
        looked = Looked()
        with exclusive(self._ledger, JOB) as alone:
            missing = [one for one in exchanges if alone and not self._judged(one)]
            topics = unjudged.topics(self._ledger, missing)
            tasks = [_Task(chosen(one, topics.get(one, ""))) for one in missing]
            asyncio.run(self._work(tasks, looked))
        return looked

    def _judged(self, exchange: str) -> bool:
        said = (entry.event for entry in self._ledger.story(exchange))
        return any(isinstance(one, ExchangeScored) and one.scorer == self._court.judge.identity for one in said)

    def _tasks(self) -> list[_Task]:
        """What waits, most urgent first."""
        since = self._ledger.clock() - WINDOW
        said = unjudged.words(self._ledger, since)
        mine = said.get(self._court.judge.identity, Words())
        compared = said.get(self._court.pair.identity, Words()) if self._court.pair else Words()
        found = [one for one in unjudged.candidates(self._ledger, since) if possible(one, self._sampling)]
        self._learn({one.id for one in found})
        tasks = [task for one in found for task in self._of(one, mine, compared)]
        self._idle &= set(tasks)
        return sorted((one for one in tasks if one not in self._idle), key=lambda one: (one.pick.urgency, one.pair))

    def _learn(self, exchanges: Collection[str]) -> None:
        """What they are about, read once for each."""
        known = {one: topic for one, topic in self._topics.items() if one in exchanges}
        self._topics = known | unjudged.topics(self._ledger, [one for one in exchanges if one not in known])

    def _of(self, one: Candidate, mine: Words, compared: Words) -> Iterator[_Task]:
        found = pick(one, self._topics.get(one.id, ""), self._sampling)
        if found is None:
            return
        if one.id not in mine.scored and not self._hopeless(mine.unscored.get(one.id, [])):
            yield _Task(found)
        undecided = one.id not in compared.preferred and compared.unpreferred[one.id] < self._attempts
        if self._court.pair and one.shadowed and undecided:
            yield _Task(found, pair=True)

    @property
    def _attempts(self) -> int:
        """A judge that asks no language model says the same each time."""
        return ATTEMPTS if self._court.judge.how is How.MODEL else 1

    def _hopeless(self, reasons: Collection[str]) -> bool:
        return len(reasons) >= self._attempts or not _FINAL.isdisjoint(reasons)

    async def _work(self, tasks: list[_Task], looked: Looked) -> None:
        purse, waiting = await asyncio.to_thread(self._purse), tasks[:MOST]
        while waiting and not self._over.is_set():
            now = waiting[: min(TOGETHER, purse.room()) if self._costs else TOGETHER]
            if not now:
                looked.left = len(waiting) + max(0, len(tasks) - MOST)
                return
            waiting = waiting[len(now) :]
            await self._unless_over([asyncio.create_task(self._one(task, purse, looked)) for task in now])

    @property
    def _costs(self) -> bool:
        """Whether judging costs money."""
        return How.MODEL in (self._court.judge.how, self._court.pair.how if self._court.pair else None)

    def _purse(self) -> _Purse:
        now = self._ledger.clock()
        today = costs.start(now.astimezone(self._zone).date(), self._zone)
        spent = costs.spent(self._ledger, today, now + _WEEK).get(Purpose.JUDGE, 0)
        week = CostQuery(purpose=Purpose.JUDGE, since=(now - _WEEK).astimezone(self._zone).date())
        total = costs.search(self._ledger, week, self._zone).total
        each = -(-total.micros // total.exchanges) if total.exchanges else 0
        return _Purse(self._sampling.day_micros - spent, each)

    async def _unless_over(self, work: "Sequence[asyncio.Task[None]]") -> None:
        """Wait for all of it, and cut it off where the service stops."""
        while under_way := {one for one in work if not one.done()}:
            if self._over.is_set():
                for one in under_way:
                    one.cancel()
            await asyncio.wait(under_way, timeout=_POLL)
        for one in work:
            if not one.cancelled():
                one.result()

    async def _one(self, task: _Task, purse: _Purse, looked: Looked) -> None:
        paid = await (self._compare(task, looked) if task.pair else self._grade(task, looked))
        if paid is None:
            self._idle.add(task)
            return
        purse.pay(paid)
        looked.micros += paid

    async def _grade(self, task: _Task, looked: Looked) -> int | None:
        """Judge one answer; what that cost, or None where there is nothing to be judged."""
        exchange = await asyncio.to_thread(self._ledger.exchange, task.pick.id)
        if exchange is None or exchange.question == ERASED:
            return None
        judge = self._court.judge
        score = await _within(lambda: judge.grade(Matter.of(exchange)), _no_score)
        paid = await self._book(exchange, score.costs)
        if score.value is None:
            unscored = ExchangeUnscored(exchange=exchange.id, scorer=judge.identity, reason=reason(score))
            await self._record(unscored, exchange)
            looked.unscored += 1
            return paid
        await self._record(_scored(task.pick, exchange, judge.identity, score), exchange)
        looked.scored += 1
        return paid

    async def _compare(self, task: _Task, looked: Looked) -> int | None:
        """Compare what was shown with what a shadow would have said, in the order in which reviewers see them."""
        pair, judge = await asyncio.to_thread(pairs.pair, self._ledger, task.pick.id), self._court.pair
        if pair is None or judge is None or pair.trouble:
            return None
        first, second = ordered(pair)
        found = await _within(lambda: judge.prefer(Matter.of(first), Matter.of(second)), _no_preference)
        paid = await self._book(pair.live, found.costs)
        event = PreferenceScored(
            exchange=pair.live.id,
            scorer=judge.identity,
            first=first.digest,
            second=second.digest,
            forward=found.forward,
            backward=found.backward,
        )
        await self._record(event, pair.live)
        looked.compared += 1
        return paid

    async def _book(self, exchange: Exchange, spent: Collection[Cost]) -> int:
        """Book every call as a judge's, before its word is on the record."""
        about = {"exchange": exchange.id, "customer": exchange.customer}
        for one in spent:
            cost = one.model_copy(update={"purpose": Purpose.JUDGE})
            booked = CostBooked(cost=cost, release=exchange.release, digest=exchange.digest, **about)
            await self._record(booked, exchange)
        return sum(one.micros for one in spent)

    async def _record(self, event: Event, exchange: Exchange) -> None:
        await self._ledger.append(event, SERVICE, exchange.id, exchange.customer)


def _scored(found: Pick, exchange: Exchange, judge: str, score: Score) -> ExchangeScored:
    return ExchangeScored(
        exchange=exchange.id,
        scorer=judge,
        score=_percent(score.value or 0.0),
        measures={name: _percent(value) for name, value in score.part.items()},
        topic=found.topic,
        stratum=str(found.stratum),
        length=len(exchange.answer),
    )


def _percent(value: float) -> int:
    return round(100 * min(1.0, max(0.0, value)))


async def _within(judged: Callable[[], Awaitable[Said]], nothing: Callable[[Reason], Said]) -> Said:
    """What a judge says in its time; whatever goes wrong with it is a reason, but for a refusal of the plane's."""
    try:
        async with asyncio.timeout(LONGEST):
            return await judged()
    except TimeoutError:
        return nothing(Reason.TIMEOUT)
    except PlaneError:
        raise
    except Exception:
        log.exception("a judge failed; the exchange is left for another time")
        return nothing(Reason.FAILED)


def _no_score(why: Reason) -> Score:
    return Score(scorer="judge", why=f"{why.value}: it came to no end")


def _no_preference(why: Reason) -> Preference:
    return Preference("unscored", "unscored", why.value)
