"""A run: every case through the turn, every answer through the scorers, what is known already taken from before."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from opsplane.errors import RecordUnavailable
from opsplane.evaluation.dataset import Case, Dataset
from opsplane.evaluation.evaluate import Ask, Result, score
from opsplane.evaluation.kept import Kept
from opsplane.evaluation.report import Answer, Row
from opsplane.evaluation.scoring import How, Score, Scorer
from opsplane.exchange import Exchange, Outcome

log = logging.getLogger(__name__)

_LONGEST = 300


@dataclass
class Standing:
    """How far a run is: cases done of all, how many answers were known from before, and what was spent by it."""

    of: int
    done: int = 0
    known: int = 0
    spent_micros: int = 0


@dataclass(frozen=True)
class Run:
    """What a run needs. `subject` is the digest of everything but the case that an answer depends on.

    `at_most` is what it may spend in micro-dollars: no case begins beyond that. `together` cases are under way at a
    time. `told` hears of every case that is done.
    """

    subject: str
    ask: Ask
    scorers: Sequence[Scorer]
    kept: Kept
    together: int = 4
    at_most: int | None = None
    told: Callable[[Standing], None] = field(default=lambda _: None)
    seen: dict[str, Exchange] = field(default_factory=dict)  # by case, filled in while it runs

    async def __call__(self, dataset: Dataset) -> list[Row]:
        """The rows of the cases that came to an end, in the dataset's order.

        A case whose turn cannot be recorded ends the run (`RecordUnavailable`); a scorer that fails is a row's
        unscored score.
        """
        standing = Standing(len(dataset.cases))
        room = asyncio.Semaphore(self.together)

        async def one(case: Case) -> Row | None:
            async with room:
                if self.at_most is not None and standing.spent_micros >= self.at_most:
                    return None
                row = await self._case(case, standing)
                standing.done += 1
                self.told(standing)
                return row

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(case)) for case in dataset.cases]
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None  # one of them: they fail for the same reason
        return [row for row in (task.result() for task in tasks) if row]

    def asked(self, dataset: Dataset) -> list[Case]:
        """The cases whose answer is not known yet."""
        return [case for case in dataset.cases if self._known(case) is None]

    async def _case(self, case: Case, standing: Standing) -> Row:
        exchange = self._known(case)
        if exchange is None:
            for earlier in case.history:
                spent = await self.ask(case.as_, f"case-{case.id}", earlier)
                standing.spent_micros += spent.cost_micros
            exchange = await self.ask(case.as_, f"case-{case.id}", case.question)
            standing.spent_micros += exchange.cost_micros
            if exchange.outcome not in (Outcome.FAILED, Outcome.STOPPED):  # the next run tries again
                self._keep(case, self._answer_key(case), exchange.model_dump_json())
        else:
            standing.known += 1
        self.seen[case.id] = exchange
        answer = Answer.of(exchange)
        scores = await asyncio.gather(*(self._score(one, case, exchange, answer, standing) for one in self.scorers))
        clocked = {one.measure.name for one in self.scorers if one.measure.how is How.CLOCK}
        result = score(case, exchange)
        return Row(
            case=case.id,
            digest=case.digest,
            kind=case.kind,
            tags=case.tags,
            expect=case.expect,
            passed=result.passed,
            why=why(result),
            answer=answer,
            scores=tuple(one for one in scores if one and one.scorer not in clocked),
            clocked=tuple(one for one in scores if one and one.scorer in clocked),
        )

    async def _score(
        self, scorer: Scorer, case: Case, exchange: Exchange, answer: Answer, standing: Standing
    ) -> Score | None:
        measure = scorer.measure
        key = ""
        if measure.how is How.MODEL:  # the others cost less than to look them up
            key = _digest("score", measure.name, measure.digest, case.digest, answer.model_dump_json())
            if known := _read_score(self.kept.get(key)):
                return known
        try:
            found = await scorer.score(case, exchange)
        except RecordUnavailable:
            raise
        except Exception as error:
            log.exception("%s could not score case %s", measure.name, case.id)
            return Score(scorer=measure.name, why=f"{type(error).__name__}: {error}"[:_LONGEST])
        if found and found.costs:
            standing.spent_micros += sum(cost.micros for cost in found.costs)
        if found and found.value is not None and key:
            self._keep(case, key, found.model_dump_json())
        return found

    def _known(self, case: Case) -> Exchange | None:
        told = self.kept.get(self._answer_key(case))
        if told is None:
            return None
        try:
            return Exchange.model_validate_json(told)
        except ValidationError:
            return None  # kept by another version of the product

    def _answer_key(self, case: Case) -> str:
        return _digest("answer", self.subject, case.digest)

    def _keep(self, case: Case, key: str, value: str) -> None:
        """Words of a customer, out of which a case was made, are kept by the record alone."""
        if not case.source:
            self.kept.put(key, value)


def _read_score(told: str | None) -> Score | None:
    try:
        return Score.model_validate_json(told) if told else None
    except ValidationError:
        return None


def why(result: Result) -> str:
    """What stood in the way of a case, in words; empty where nothing did."""
    if result.passed:
        return ""
    expected, exchange = result.case.expect, result.exchange
    told = [
        f"missing {', '.join(result.missing)}" if result.missing else "",
        f"stated {', '.join(result.stated)}" if result.stated else "",
        f"without a source {', '.join(result.unsupported)}" if result.unsupported else "",
        "" if result.cited else f"none of {', '.join(result.case.documents)} cited",
        f"expected {expected}, got {exchange.outcome.value} {exchange.code}".rstrip(),
    ]
    return "; ".join(part for part in told if part)


def _digest(*parts: str) -> str:
    told = hashlib.sha256()
    for part in parts:
        told.update(f"{len(part)}:".encode() + part.encode())
    return told.hexdigest()
