"""RAGAS's four measures with a language model that reads the answer, or the sources, and gives the verdicts.

Where it differs from the reference implementation: the verdicts on all passages, and the three questions, come from one
call each instead of one call for each; and expected facts stand in for a reference answer where a case has none.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from opsplane.evaluation import orders
from opsplane.evaluation.dataset import Case
from opsplane.evaluation.scorers import prompt, ragas
from opsplane.evaluation.scorers.ragas import Encode, Name
from opsplane.evaluation.scorers.reader import Reader, Reply
from opsplane.evaluation.scorers.rule import Found, digest, sentences, written
from opsplane.evaluation.scoring import How, Measure, Score
from opsplane.evidence import Evidence
from opsplane.exchange import Exchange
from opsplane.spend import Cost

VERSION = 1
SOURCES = 40
"""Sources that are shown to the model at most."""

Line = Annotated[str, Field(min_length=1, max_length=1_000)]


class Statements(Reply):
    """The claims of an answer."""

    statements: Annotated[tuple[Line, ...], Field(max_length=100)]


class Verdict(BaseModel):
    """Whether one numbered claim follows, or one numbered passage is useful."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    number: int
    holds: bool


class Verdicts(Reply):
    """A verdict for each number."""

    verdicts: Annotated[tuple[Verdict, ...], Field(max_length=200)]

    def ordered(self, count: int) -> tuple[bool, ...] | None:
        """The verdicts on 1 to `count`, or None where one is missing or stands there twice."""
        found = {one.number: one.holds for one in self.verdicts}
        whole = len(self.verdicts) == count and set(found) == set(range(1, count + 1))
        return tuple(found[number] for number in range(1, count + 1)) if whole else None


class Questions(Reply):
    """Three questions that the answer would be the reply to."""

    questions: Annotated[tuple[Line, ...], Field(min_length=3, max_length=3)]
    evasive: bool


@dataclass(frozen=True)
class Judged:
    """What was found by a model, and what that cost."""

    found: Found
    costs: tuple[Cost, ...] = ()


Judge = Callable[[Case, Exchange], Awaitable[Judged | None]]


@dataclass(frozen=True)
class ModelRagas:
    """One of the four."""

    measure: Measure
    judge: Judge

    async def score(self, case: Case, exchange: Exchange) -> Score | None:
        """The score with its costs; unscored where a reply cannot be read."""
        told = await self.judge(case, exchange)
        if told is None:
            return None
        found = told.found
        return Score(scorer=self.measure.name, value=found.value, why=found.why, part=found.part, costs=told.costs)


@dataclass(frozen=True)
class Ragas:
    """The four with their model. `encode` gives the vectors of questions, `encoder` is its name; without, three."""

    reader: Reader
    encode: Encode | None
    encoder: str

    def scorers(self) -> list[ModelRagas]:
        """All of them."""
        near = [self._one(Name.RELEVANCY, self._relevancy(self.encode), "ragas_questions")] if self.encode else []
        return [
            *near,
            self._one(Name.FAITHFULNESS, self.faithfulness, "ragas_statements", "ragas_verdicts"),
            self._one(Name.PRECISION, self.precision, "ragas_useful"),
            self._one(Name.RECALL, self.recall, "ragas_verdicts"),
        ]

    async def faithfulness(self, _case: Case, exchange: Exchange) -> Judged | None:
        """Claims of the model's own sentences that follow from all sources of the turn."""
        answer = " ".join(written(exchange))
        if not answer.strip():
            return None
        if len(answer) > ragas.LONGEST:
            return Judged(Found(None, f"longer than {ragas.LONGEST:,} characters"))
        about = [("question", _asked(exchange)), ("answer", orders.cleared(answer).text)]
        first = await self.reader.read(prompt.load("ragas_statements"), about, Statements)
        if first.reply is None:
            return Judged(Found(None, first.why), first.costs)
        if not first.reply.statements:
            return Judged(Found(None, "the answer makes no claim"), first.costs)
        second = await self._held(first.reply.statements, exchange.evidence)
        return Judged(second.found, (*first.costs, *second.costs))

    def _relevancy(self, encode: Encode) -> Judge:
        async def relevancy(case: Case, exchange: Exchange) -> Judged | None:
            """The mean cosine of the question and three that the answer would reply to; 0 for evasive answers."""
            if ragas.turned_away(case, exchange):
                return Judged(ragas.EVASIVE)
            answer = " ".join(written(exchange))
            if case.expect != "answer" or not answer.strip():
                return None
            told = await self.reader.read(
                prompt.load("ragas_questions"), [("answer", orders.cleared(answer).text)], Questions
            )
            if told.reply is None:
                return Judged(Found(None, told.why), told.costs)
            if told.reply.evasive:
                return Judged(Found(0.0, "the answer is evasive"), told.costs)
            vectors = await asyncio.to_thread(encode, [_asked(exchange), *told.reply.questions])
            return Judged(Found(round(ragas.relevancy(vectors[0], vectors[1:]), 6)), told.costs)

        return relevancy

    async def precision(self, case: Case, exchange: Exchange) -> Judged | None:
        """Passages that are useful for the right answer, by their places."""
        found, wanted = ragas.passages(exchange)[:SOURCES], ragas.expected(case)
        if case.expect != "answer" or not found or not wanted:
            return None
        about = [("question", _asked(exchange)), ("right answer", wanted), *_titled("passage", found)]
        told = await self.reader.read(prompt.load("ragas_useful"), about, Verdicts)
        useful = told.reply.ordered(len(found)) if told.reply else None
        if useful is None:
            return Judged(Found(None, told.why or _PARTLY), told.costs)
        return Judged(Found(ragas.precision(useful)), told.costs)

    async def recall(self, case: Case, exchange: Exchange) -> Judged | None:
        """Sentences of the reference answer that follow from the sources; by rule where there are only facts."""
        if case.expect != "answer":
            return None
        if not case.reference:
            facts = ragas.facts_held(case, exchange)
            return Judged(facts) if facts else None
        return await self._held(sentences([case.reference]), exchange.evidence)

    async def _held(self, claims: Sequence[str], evidence: Sequence[Evidence]) -> Judged:
        """The share of the claims that follow from the evidence."""
        if not evidence:
            return Judged(Found(0.0, "there are no sources"))
        listed = "\n".join(f"{number}. {' '.join(one.split())}" for number, one in enumerate(claims, start=1))
        if len(listed) > prompt.LONGEST:
            return Judged(Found(None, f"claims of more than {prompt.LONGEST:,} characters"))
        about = [*_titled("source", evidence[:SOURCES]), ("claims", listed)]
        told = await self.reader.read(prompt.load("ragas_verdicts"), about, Verdicts)
        verdicts = told.reply.ordered(len(claims)) if told.reply else None
        if verdicts is None:
            return Judged(Found(None, told.why or _PARTLY), told.costs)
        failed = [claim for claim, holds in zip(claims, verdicts, strict=True) if not holds]
        why = f"not in the sources: {'; '.join(failed)}"[:500] if failed else ""
        return Judged(Found(ragas.share(verdicts), why), told.costs)

    def _one(self, name: Name, judge: Judge, *prompts: str) -> ModelRagas:
        parts = {one: prompt.load(one).digest for one in prompts}
        if name is Name.RELEVANCY:
            parts["encoder"] = self.encoder
        told = digest(name, VERSION, form="model", model=self.reader.name, **parts)
        unit = "none" if name is Name.RELEVANCY else "share"
        return ModelRagas(Measure(name=name, words=ragas.WORDS[name], how=How.MODEL, digest=told, unit=unit), judge)


_PARTLY = "the model's reply cannot be read: it does not give one verdict for each number"


def _asked(exchange: Exchange) -> str:
    return exchange.standalone or exchange.question


def _titled(word: str, found: Sequence[Evidence]) -> list[prompt.Titled]:
    return [
        (f"{word} {place}", f"{one.title}, {one.section}\n{one.text}" if one.section else f"{one.title}\n{one.text}")
        for place, one in enumerate(found, start=1)
    ]
