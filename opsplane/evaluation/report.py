"""What a run came to: every case with its answer and scores, and each measure with its interval, under one digest."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from opsplane.evaluation.scoring import How, Measure, Score
from opsplane.exchange import Exchange, Outcome, Tier, Usage

RESAMPLES = 2_000
_CLOCKED: Any = {"rows": {"__all__": {"clocked"}}, "clocked": True}


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Said(_Value):
    """One sentence as it was shown, with the sources it names."""

    text: str
    cites: tuple[int, ...] = ()


class Source(_Value):
    """One numbered source: enough to find it again, and its words."""

    number: int
    document: str
    version: str = ""
    title: str = ""
    section: str = ""
    text: str = ""


class Answer(_Value):
    """What of an exchange is the same in every run: no random name, no clock."""

    outcome: Outcome
    code: str = ""
    question: str
    standalone: str = ""
    sentences: tuple[Said, ...] = ()
    withheld: tuple[Said, ...] = ()
    sources: tuple[Source, ...] = ()
    findings: tuple[str, ...] = ()  # "code: detail", in order
    tier: Tier | None = None
    model: str = ""
    usage: Usage = Usage()
    cost_micros: int = 0
    error: str = ""

    @property
    def text(self) -> str:
        """The whole answer, without marks."""
        return " ".join(one.text for one in self.sentences)

    @classmethod
    def of(cls, exchange: Exchange) -> Self:
        """The answer of an exchange."""
        return cls(
            outcome=exchange.outcome,
            code=exchange.code,
            question=exchange.question,
            standalone=exchange.standalone,
            sentences=tuple(Said(text=one.text, cites=one.cites) for one in exchange.sentences),
            withheld=tuple(Said(text=one.text, cites=one.cites) for one in exchange.withheld),
            sources=tuple(
                Source(
                    number=one.number,
                    document=one.document,
                    version=one.version,
                    title=one.title,
                    section=one.section,
                    text=one.text,
                )
                for one in exchange.evidence
            ),
            findings=tuple(f"{one.code}: {one.detail}" for one in exchange.findings),
            tier=exchange.route.tier if exchange.route else None,
            model=exchange.route.model if exchange.route else "",
            usage=exchange.usage,
            cost_micros=exchange.cost_micros,
            error=exchange.error,
        )


class Row(_Value):
    """One case: what was asked for, what came, and every score. `clocked` are the scores that no second run repeats."""

    case: str
    digest: str
    kind: str
    tags: tuple[str, ...] = ()
    expect: str = "answer"
    passed: bool
    why: str = ""  # what stood in the way, in words; empty where it passed
    answer: Answer
    scores: tuple[Score, ...] = ()
    clocked: tuple[Score, ...] = ()

    def score(self, name: str) -> Score | None:
        """The score of this scorer, if it said anything."""
        return next((one for one in (*self.scores, *self.clocked) if one.scorer == name), None)


class Mean(_Value):
    """A measure over the cases that it says something about: the mean with its 95 % interval, and what was unscored."""

    measure: Measure
    cases: int
    unscored: int
    value: float | None
    low: float | None = None
    high: float | None = None


class Report(_Value):
    """A run. Equal inputs give equal bytes of `content`, and so an equal digest; what a clock measured stands apart.

    `judge` names the judge whose scores are in it, or is empty. `asked` counts the cases of the dataset: fewer rows
    mean a run that was interrupted.
    """

    release: str  # id
    release_digest: str
    dataset: str
    dataset_digest: str
    as_of: date
    index: str = ""
    generation: str = ""
    judge: str = ""
    asked: int
    measures: tuple[Measure, ...]
    rows: tuple[Row, ...]
    means: tuple[Mean, ...] = ()
    clocked: tuple[Mean, ...] = ()
    cost_micros: int = 0  # of the answers and the scores, as if nothing had been kept from before

    @property
    def partial(self) -> bool:
        """Whether cases are missing."""
        return len(self.rows) < self.asked

    @cached_property
    def content(self) -> bytes:
        """The report as it is kept, without what a clock measured."""
        return self.model_dump_json(indent=1, exclude=_CLOCKED).encode()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `content`."""
        return hashlib.sha256(self.content).hexdigest()

    def mean(self, name: str) -> Mean | None:
        """A measure by its name."""
        return next((one for one in (*self.means, *self.clocked) if one.measure.name == name), None)

    @property
    def passed(self) -> int:
        """Cases that passed."""
        return sum(one.passed for one in self.rows)


def gathered(rows: Sequence[Row], measures: Sequence[Measure], **head: Any) -> Report:
    """The report of these rows, in the order of their cases' names; its intervals are drawn by a fixed seed."""
    ordered = tuple(sorted(rows, key=lambda row: row.case))
    still = [one for one in measures if one.how is not How.CLOCK]
    timed = [one for one in measures if one.how is How.CLOCK]
    spent = sum(row.answer.cost_micros for row in ordered)
    spent += sum(cost.micros for row in ordered for score in row.scores for cost in score.costs)
    return Report(
        measures=tuple(measures),
        rows=ordered,
        means=tuple(mean(one, (row.score(one.name) for row in ordered)) for one in still),
        clocked=tuple(mean(one, (row.score(one.name) for row in ordered)) for one in timed),
        cost_micros=spent,
        **head,
    )


def mean(measure: Measure, scores: Iterable[Score | None]) -> Mean:
    """The mean with its percentile-bootstrap interval over cases (Efron and Tibshirani, 1993, chapter 13)."""
    said = [one for one in scores if one is not None]
    values = np.array([one.value for one in said if one.value is not None], np.float64)
    unscored = len(said) - len(values)
    if not len(values):
        return Mean(measure=measure, cases=len(said), unscored=unscored, value=None)
    drawn = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    return Mean(
        measure=measure,
        cases=len(said),
        unscored=unscored,
        value=round(float(values.mean()), 6),
        low=round(float(low), 6),
        high=round(float(high), 6),
    )
