"""A judge held against people's labels: whether it agrees, what sways it, whether it has changed, and if it may vote.

Pure: equal labels, preferences, floors and day give an equal calibration, and so an equal digest.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from opsplane.evaluation import agreement, bias
from opsplane.evaluation.agreement import Weights
from opsplane.evaluation.bias import Position
from opsplane.evaluation.drift import Drift, drift
from opsplane.evaluation.estimate import Estimate
from opsplane.evaluation.pairwise import Word
from opsplane.evaluation_events import JudgeCalibrated
from opsplane.policy import Judges

MOST = 2_000
"""The newest answers that agreement and bias are measured on, unless the floors ask for more."""
LONGEST = 50_000
"""The newest answers that are followed for drift."""
SLACK = 0.1
"""How far below its floor the interval of the agreement may reach: `benchmarks.judges` measures what that brings."""
RIGHT = 0.5
"""The score from which on an answer counts as right, where right and wrong are compared."""
UNREAD = 0.2
"""The share of labelled answers that a judge may leave unscored: what it says of the others is else a selection."""
GRADES = 5
"""The grades that scores are sorted into for the weighted kappa."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Fault(StrEnum):
    """What costs a judge its vote."""

    LABELS = "labels"  # too few to tell
    UNSCORED = "unscored"  # it leaves too much unscored
    AGREEMENT = "agreement"
    LENGTH = "length"
    POSITION = "position"
    DRIFT = "drift"


class Label(_Value):
    """What one person and the judge gave one answer, both in [0, 1]; right and wrong are 1 and 0.

    `at` is when the person gave it, `judge` is None where the judge's output could not be read, and `length` is the
    answer's length in characters.
    """

    exchange: str
    at: AwareDatetime
    reviewer: str
    person: float = Field(ge=0, le=1)
    judge: float | None = Field(default=None, ge=0, le=1)
    length: int = Field(ge=0)


class Preference(_Value):
    """The judge's words on two answers to one question in both orders; each names the answer, not the place."""

    exchange: str
    forward: Word
    backward: Word


class Calibration(_Value):
    """What a judge's scores are worth, and whether they count.

    `labels` counts the answers that both people and the judge scored, `unscored` those that the judge left unscored.
    `agreement` is Krippendorff's alpha (interval) of the judge with the mean of an answer's labels, `ceiling` that of
    reviewers with each other, over the answers that more than one of them scored. `kappa` is Cohen's on right and
    wrong, `weighted` the same on five grades with quadratic weights. `faults` and
    `reasons`, one for each, tell operators why it has no vote; `notes` what is not known.
    """

    judge: str
    at: AwareDatetime
    floors: Judges
    labels: int
    unscored: int
    reviewers: int
    agreement: Estimate
    ceiling: Estimate
    raw: Estimate
    kappa: Estimate
    weighted: Estimate
    spearman: Estimate
    length: Estimate
    position: Position
    drift: Drift
    faults: tuple[Fault, ...] = ()
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    votes: bool

    @cached_property
    def content(self) -> bytes:
        """The calibration as it is kept."""
        return self.model_dump_json(indent=1).encode()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `content`."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def summary(self) -> str:
        """One line for operators."""
        vote = "votes" if self.votes else "has no vote"
        people = (
            f"reviewers among themselves {self.ceiling}" if self.ceiling.value is not None else "no second reviewer"
        )
        return (
            f"{self.judge} {vote}: agreement with people {self.agreement} over {self.labels} answers, {people}; "
            f"length {self.length}, position {self.position.swayed}, drift {'found' if self.drift.found else 'none'}"
        )


def calibrate(
    judge: str, labels: Iterable[Label], preferences: Iterable[Preference], floors: Judges, at: datetime
) -> Calibration:
    """Hold a judge against what people said until `at`.

    Labels older than the floors allow do not count for agreement and bias. Drift is followed over all that are handed
    in, by the first label of each answer, so that a later calibration sees the same sequence and more: only so does
    the test stay valid at every look. Hand in what belongs to one judge, model and prompt.
    """
    answers = _answers(label for label in labels if label.at <= at)
    current = [one for one in answers if one.newest >= at - timedelta(days=floors.days)][-max(MOST, floors.labels) :]
    both = [(one.judge, one.person, one.length) for one in current if one.judge is not None]
    given, right, sizes = [one[0] for one in both], [one[1] for one in both], [one[2] for one in both]
    errors = [(one.at, one.judge - one.first) for one in answers[-LONGEST:] if one.judge is not None]
    passes, passed = [one >= RIGHT for one in given], [one >= RIGHT for one in right]
    found = Calibration(
        judge=judge,
        at=at,
        floors=floors,
        labels=len(both),
        unscored=len(current) - len(both),
        reviewers=len({reviewer for one in current for reviewer in one.people}),
        agreement=agreement.alpha(list(zip(given, right, strict=True))),
        ceiling=agreement.alpha([tuple(one.people.values()) for one in current]),
        raw=agreement.raw(passes, passed),
        kappa=agreement.kappa(agreement.table(passes, passed, (False, True))),
        weighted=agreement.kappa(agreement.table(_grades(given), _grades(right), range(GRADES)), Weights.QUADRATIC),
        spearman=agreement.spearman(given, right),
        length=bias.length(given, right, sizes),
        position=bias.position((one.forward, one.backward) for one in preferences),
        drift=drift(errors, floors.alpha),
        votes=False,
    )
    against = _against(found)
    told = {"faults": tuple(against), "reasons": tuple(against.values()), "notes": _notes(found)}
    return found.model_copy(update={**told, "votes": not against})


def event(found: Calibration) -> JudgeCalibrated:
    """What goes on the record; agreement in thousandths."""
    one = found.agreement
    return JudgeCalibrated(
        judge=found.judge,
        votes=found.votes,
        reason=" ".join(found.reasons),
        labels=found.labels,
        agreement=_thousandths(one.value),
        low=_thousandths(one.low),
        high=_thousandths(one.high),
        report=found.digest,
        summary=found.summary,
    )


class _Answer:
    """One answer with what each person last gave it, in the order in which they first did."""

    def __init__(self, label: Label) -> None:
        self.at = self.newest = label.at
        self.first = label.person
        self.judge: float | None = None
        self.length = label.length
        self.people: dict[str, float] = {}

    def add(self, label: Label) -> None:
        self.newest = label.at
        self.people[label.reviewer] = label.person
        if self.judge is None:
            self.judge = label.judge

    @property
    def person(self) -> float:
        return sum(self.people.values()) / len(self.people)


def _answers(labels: Iterable[Label]) -> list[_Answer]:
    """Answers in the order of their first labels."""
    found: dict[str, _Answer] = {}
    for label in sorted(labels, key=lambda one: (one.at, one.exchange, one.reviewer, one.person)):
        found.setdefault(label.exchange, _Answer(label)).add(label)
    return list(found.values())


def _grades(scores: Sequence[float]) -> list[int]:
    """Scores in [0, 1] as grades from 0."""
    return [int(score * (GRADES - 1) + 0.5) for score in scores]


def _against(found: Calibration) -> dict[Fault, str]:
    """Why it may not vote, in words. With too few labels nothing is said but that, and drift, which needs no floor."""
    few = found.labels < found.floors.labels
    said = {
        Fault.LABELS: _few(found) if few else "",
        Fault.UNSCORED: "" if few else _leaves(found),
        Fault.AGREEMENT: "" if few else _agrees(found),
        Fault.LENGTH: "" if few else _likes_length(found),
        Fault.POSITION: _is_swayed(found),
        Fault.DRIFT: _changed(found.drift),
    }
    return {fault: words for fault, words in said.items() if words}


def _few(found: Calibration) -> str:
    return f"Only {found.labels} answers were scored by people and by the judge; {found.floors.labels} are needed."


def _leaves(found: Calibration) -> str:
    whole = found.labels + found.unscored
    if found.unscored <= UNREAD * whole:
        return ""
    return f"It left {found.unscored} of {whole} labelled answers unscored; up to {UNREAD:.0%} is borne."


def _agrees(found: Calibration) -> str:
    one, floor = found.agreement, found.floors.agreement
    if one.value is None:
        return "Agreement with people cannot be told: all scores are the same."
    if one.value < floor:
        return f"Agreement with people is {one}; at least {floor:.2f} is demanded.{_ceiling(found)}"
    if one.low is not None and one.low < floor - SLACK:
        told = f"its interval must lie above {floor - SLACK:.2f}; more labels would tell"
        return f"Agreement with people is {one}; {told}.{_ceiling(found)}"
    return ""


def _ceiling(found: Calibration) -> str:
    most = found.ceiling
    if most.value is None or most.value >= found.floors.agreement:
        return ""
    return f" Reviewers agree among themselves no more than {most}: look at the rubric first."


def _likes_length(found: Calibration) -> str:
    one, most = found.length, found.floors.length
    if one.low is None or one.high is None or (one.low <= most and one.high >= -most):
        return ""
    which = "Longer" if one.low > most else "Shorter"
    return f"{which} answers get more from it than from people: correlation {one}; up to {most:.2f} is borne."


def _is_swayed(found: Calibration) -> str:
    one, most = found.position.swayed, found.floors.position
    if one.low is None or one.low <= most:
        return ""
    lean = {"earlier": ", for the one shown first", "later": ", for the one shown last", "": ""}[found.position.lean]
    return f"The order of two answers alone decided {one} of {one.number} pairs{lean}; up to {most:.2f} is borne."


def _changed(one: Drift) -> str:
    if one.since is None:
        return ""
    what = {
        "": "It has changed",
        "errors": "Its errors have grown",
        "milder": "It has become milder than people",
        "stricter": "It has become stricter than people",
    }[one.what]
    return f"{what} since about {one.since:%Y-%m-%d}: {one.now:+.2f} in the mean, {one.before:+.2f} before."


def _notes(found: Calibration) -> tuple[str, ...]:
    """What the calibration does not know."""
    notes = []
    if not found.position.pairs:
        notes.append("No pair was judged in both orders: whether order sways it is not known.")
    if found.ceiling.value is None:
        notes.append("No two reviewers scored the same answers: how far people agree is not known.")
    if found.unscored:
        notes.append(f"{found.unscored} of {found.labels + found.unscored} answers it left unscored.")
    return tuple(notes)


def _thousandths(value: float | None) -> int | None:
    return None if value is None else round(1000 * value)
