"""Cases, answers and scorers of our own for the tests of evaluation."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from opsplane.evaluation.dataset import Case, Dataset
from opsplane.evaluation.scoring import How, Measure, Score
from opsplane.evidence import Sentence
from opsplane.exchange import Exchange, Outcome
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

DAY = date(2026, 11, 23)


def case(name: str = "fee", **changes: Any) -> Case:
    """A question with one fact out of one document."""
    data: dict[str, Any] = {
        "id": name,
        "kind": "fees",
        "question": "What is the overdraft fee?",
        "facts": ("$15",),
        "documents": ("document-1",),
    }
    return Case.model_validate(data | changes)


def dataset(*cases: Case) -> Dataset:
    """These cases, or one."""
    return Dataset(name="test", as_of=DAY, cases=cases or (case(),))


def answered(text: str = "The fee is $15 for each item.", **changes: Any) -> Exchange:
    """An exchange that ended with this one sentence, which cites the first of its sources."""
    given = {"sentences": (Sentence(text=text, cites=(1,)),), "outcome": Outcome.ANSWERED}
    return exchange("e1", fakes.passage(1), **(given | changes))


@dataclass
class Desk:
    """Answers every question by a rule and remembers what it was asked."""

    answer: Callable[[str], Exchange] = field(default=lambda _text: answered())
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def __call__(self, name: str, conversation: str, text: str) -> Exchange:
        """One exchange."""
        self.asked.append((name, conversation, text))
        return self.answer(text)


@dataclass
class Fixed:
    """A scorer that always gives this value, or raises it."""

    value: float | Exception
    how: How = How.RULE
    name: str = "fixed"
    calls: int = 0

    @property
    def measure(self) -> Measure:
        """A measure of that name."""
        return Measure(name=self.name, words=self.name, how=self.how, digest="1")

    async def score(self, case: Case, exchange: Exchange) -> Score | None:
        """The value."""
        self.calls += 1
        if isinstance(self.value, Exception):
            raise self.value
        return Score(scorer=self.name, value=self.value)
