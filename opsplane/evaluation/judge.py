"""Judges: who grades an answer by a rubric. A language model's word counts only where it keeps to the form.

A judge is named by its rubric, its model and the digest of both with the model's settings. Whatever changes one of
them makes another judge, which nobody has calibrated yet.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from opsplane.errors import PlaneError
from opsplane.evaluation import layout, ruling
from opsplane.evaluation.completion import Complete, Completion
from opsplane.evaluation.dataset import Case
from opsplane.evaluation.layout import Asked
from opsplane.evaluation.matter import Matter
from opsplane.evaluation.rubric import LEAST, MOST, Rubric
from opsplane.evaluation.ruling import Grades, Reason, Unusable
from opsplane.evaluation.scoring import How, Measure, Score
from opsplane.exchange import Exchange
from opsplane.release import Scalar
from opsplane.spend import Cost

log = logging.getLogger(__name__)

MEASURE = "judge"
"""The measure that a judge's scores are told under, whoever the judge is."""
_REFUSALS = "safety content_filter refusal blocklist prohibited_content recitation spii blocked guardrail_intervened"
_BLOCKED = frozenset(_REFUSALS.split())
_CUT = frozenset({"length", "max_tokens", "max_output_tokens"})
_FINAL = frozenset({Reason.BLOCKED})
"""What a second attempt would not change."""
_ATTEMPTS = 2
_WHY = 400


class Judge(Protocol):
    """Grades answers."""

    @property
    def identity(self) -> str:
        """`<rubric>/<model>@<digest, 12 characters>`, as it stands on the record."""

    @property
    def how(self) -> How:
        """What its grades rest on."""

    @property
    def words(self) -> str:
        """How people read its score."""

    async def grade(self, matter: Matter) -> Score:
        """A score in [0, 1] with its criteria, or unscored with a `Reason` first in `why`; raises `PlaneError` only."""


@dataclass(frozen=True)
class Grader:
    """A language model that is asked: its name and settings, a call that ends within its time, and the books."""

    name: str
    complete: Complete
    book: Callable[[Completion], Cost]
    settings: Mapping[str, Scalar] = field(default_factory=dict)


class LanguageJudge:
    """Grades by a rubric, through a language model."""

    how = How.MODEL

    def __init__(self, rubric: Rubric, grader: Grader) -> None:
        if rubric.kind != "pointwise":
            raise ValueError(f"{rubric.id} compares answers; it does not grade one")
        self._rubric, self._grader = rubric, grader
        self.identity = identity(rubric, grader)
        self.words = f"Judge: {rubric.id} {rubric.version} by {grader.name}"

    async def grade(self, matter: Matter) -> Score:
        """A score by the rubric; asks at most twice, and books both."""
        if matter.empty:
            return Score(scorer=MEASURE, why=f"{Reason.EMPTY.value}: there is no answer to judge")
        asked = layout.ask(self._rubric, *layout.of(matter))
        heard = await consult(self._grader, asked, lambda text: ruling.grades(text, self._rubric, asked.check))
        if isinstance(heard.ruling, Unusable):
            return unscored(heard.ruling, asked.notes, heard.costs)
        return self._score(heard.ruling, asked.notes, heard.costs)

    def _score(self, found: Grades, notes: tuple[str, ...], costs: tuple[Cost, ...]) -> Score:
        part = {name: round((grade - LEAST) / (MOST - LEAST), 4) for name, grade in found.scores.items()}
        weights = {one.name: one.weight for one in self._rubric.criteria}
        return Score(
            scorer=MEASURE,
            value=weighted(part, weights),
            why="; ".join((*notes, found.reason.strip()))[:_WHY].strip("; "),
            part=part,
            costs=costs,
        )


def weighted(part: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The mean of the criteria by their weights."""
    total = sum(weights[name] for name in part)
    return round(sum(value * weights[name] for name, value in part.items()) / total, 6)


class JudgeScorer:
    """A judge as one of the scorers of a run."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.measure = Measure(name=MEASURE, words=judge.words, how=judge.how, digest=judge.identity)

    async def score(self, case: Case, exchange: Exchange) -> Score | None:
        """The judge's score of a case's answer."""
        return await self.judge.grade(Matter.of(exchange, case))


def identity(rubric: Rubric, grader: Grader) -> str:
    """The name of a judge: any change of the rubric, the model, its settings or our reading of it changes it."""
    return named(rubric.id, grader.name, [layout.FORM, rubric.digest, grader.name, dict(grader.settings)])


def named(rubric: str, model: str, rests_on: object) -> str:
    """`<rubric>/<model>@<first 12 of the digest of what it rests on>`."""
    told = json.dumps(rests_on, sort_keys=True, separators=(",", ":"), default=str)
    return f"{rubric}/{model}@{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def unscored(wrong: Unusable, notes: tuple[str, ...] = (), costs: tuple[Cost, ...] = ()) -> Score:
    """No score, with the reason's code first."""
    return Score(scorer=MEASURE, why="; ".join((wrong.told, *notes))[:_WHY], costs=costs)


def reason(score: Score) -> str:
    """The code of an unscored score, as `ExchangeUnscored` holds it; empty where it was scored."""
    return "" if score.value is not None else score.why.partition(":")[0]


Ruling = TypeVar("Ruling")


@dataclass(frozen=True)
class Heard(Generic[Ruling]):
    """What came of asking: a ruling or why there is none, and what it cost either way."""

    ruling: Ruling | Unusable
    costs: tuple[Cost, ...]


async def consult(grader: Grader, asked: Asked, read: Callable[[str], Ruling]) -> Heard[Ruling]:
    """Ask until a reply can be read, at most twice; raises only what the plane itself refuses."""
    costs: list[Cost] = []
    user, wrong = asked.user, Unusable(Reason.FAILED, "nobody was asked")
    for _ in range(_ATTEMPTS):
        try:
            completion = await grader.complete(asked.system, user)
            costs.append(grader.book(completion))
            return Heard(read(_ended(completion)), tuple(costs))
        except Unusable as error:
            wrong = error
            user = asked.again(str(error))
        except TimeoutError:
            wrong = Unusable(Reason.TIMEOUT, "it took too long")
        except PlaneError:
            raise
        except Exception as error:
            log.exception("judge %s failed", grader.name)
            wrong = Unusable(Reason.FAILED, f"{type(error).__name__}: {error}"[:200])
        if wrong.reason in _FINAL:
            break
    return Heard(wrong, tuple(costs))


def _ended(completion: Completion) -> str:
    """The text of a reply that came to its end."""
    finish = completion.finish.lower().rpartition(".")[2]
    if finish in _BLOCKED:
        raise Unusable(Reason.BLOCKED, f"it was blocked or refused ({finish})")
    if finish in _CUT:
        raise Unusable(Reason.CUT, "it ended at its limit of tokens")
    return completion.text
