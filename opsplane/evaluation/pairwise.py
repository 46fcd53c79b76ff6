"""Which of two answers is better, asked in both orders: a judge that goes by the order has no preference."""

import asyncio
from dataclasses import dataclass
from typing import Literal, Protocol

from opsplane.evaluation import layout, ruling
from opsplane.evaluation.judge import Grader, Judge, consult, identity, named
from opsplane.evaluation.matter import Matter
from opsplane.evaluation.rubric import Rubric
from opsplane.evaluation.ruling import Preferred, Reason, Unusable
from opsplane.evaluation.scoring import How
from opsplane.spend import Cost

Word = Literal["first", "second", "tie", "unscored"]
_OTHER: dict[Word, Word] = {"first": "second", "second": "first", "tie": "tie", "unscored": "unscored"}


@dataclass(frozen=True)
class Preference:
    """A judge's word on (first, second) and on (second, first), each naming the answer and not the place."""

    forward: Word
    backward: Word
    why: str = ""
    costs: tuple[Cost, ...] = ()

    @property
    def preferred(self) -> Word:
        """What it prefers in both orders; else a tie, and unscored where one of them is."""
        if "unscored" in (self.forward, self.backward):
            return "unscored"
        return self.forward if self.forward == self.backward else "tie"

    @property
    def by_order(self) -> bool:
        """Whether the order alone decided: the same place won twice."""
        return {self.forward, self.backward} == {"first", "second"}


class PairJudge(Protocol):
    """Compares two answers to one question."""

    @property
    def identity(self) -> str:
        """As `Judge.identity`."""

    @property
    def how(self) -> How:
        """What its preferences rest on."""

    async def prefer(self, first: Matter, second: Matter) -> Preference:
        """Its word in both orders; raises `PlaneError` only."""


class LanguagePair:
    """Compares by a rubric, through a language model."""

    how = How.MODEL

    def __init__(self, rubric: Rubric, grader: Grader) -> None:
        if rubric.kind != "pairwise":
            raise ValueError(f"{rubric.id} grades one answer; it does not compare two")
        self._rubric, self._grader = rubric, grader
        self.identity = identity(rubric, grader)

    async def prefer(self, first: Matter, second: Matter) -> Preference:
        """Its word in both orders, each asked at most twice; every call is booked."""
        if first.empty or second.empty:
            return _one_sided(first, second)
        texts, notes = layout.of_pair(first, second)
        turned = {**texts, "first": texts["second"], "second": texts["first"]}
        (forward, said, spent), (backward, replied, more) = await asyncio.gather(self._ask(texts), self._ask(turned))
        return Preference(
            forward=forward,
            backward=_OTHER[backward],
            why="; ".join(part for part in (*notes, said, replied) if part)[:400],
            costs=(*spent, *more),
        )

    async def _ask(self, texts: layout.Texts) -> tuple[Word, str, tuple[Cost, ...]]:
        asked = layout.ask(self._rubric, texts)
        heard = await consult(self._grader, asked, lambda text: ruling.preference(text, asked.check))
        match heard.ruling:
            case Unusable() as wrong:
                return "unscored", wrong.told, heard.costs
            case Preferred() as found:
                return found.preferred, found.reason.strip(), heard.costs


class ByGrade:
    """Compares by the grades of a judge of single answers: whoever is better by more than `margin`."""

    def __init__(self, judge: Judge, margin: float = 0.02) -> None:
        self._judge, self._margin, self.how = judge, margin, judge.how
        self.identity = named("by-grade", judge.identity.rpartition("@")[0], [judge.identity, margin])

    async def prefer(self, first: Matter, second: Matter) -> Preference:
        """The same word in both orders: each answer is graded by itself."""
        grades = [await self._judge.grade(one) for one in (first, second)]
        costs = tuple(cost for grade in grades for cost in grade.costs)
        values = [grade.value for grade in grades]
        if values[0] is None or values[1] is None:
            why = next(grade.why for grade in grades if grade.value is None)
            return Preference("unscored", "unscored", why, costs)
        gain = values[0] - values[1]
        word: Word = "tie" if abs(gain) <= self._margin else "first" if gain > 0 else "second"
        return Preference(word, word, f"{values[0]:.2f} and {values[1]:.2f}", costs)


def _one_sided(first: Matter, second: Matter) -> Preference:
    """Where one answer is missing nobody need be asked."""
    if first.empty and second.empty:
        return Preference("unscored", "unscored", f"{Reason.EMPTY.value}: there is no answer to judge")
    word: Word = "second" if first.empty else "first"
    return Preference(word, word, "the other did not answer")
