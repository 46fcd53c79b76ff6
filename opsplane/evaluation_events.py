"""What is on the record about quality: scores, preferences, cases made from exchanges, and whether a judge may vote."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from opsplane.evaluation.dataset import Case
from opsplane.event import ERASED, EventValue, Fields

Percent = Annotated[int, Field(ge=0, le=100)]


class ExchangeScored(EventValue):
    """A judge scored an answer, from 0 to 100; `scorer` names the judge with the beginning of its digest.

    `measures` are further scores of the same answer, each from 0 to 100 (faithfulness, answer_relevancy …), `topic` is
    what it was about, and `stratum` why it was looked at: the part of the traffic that it was drawn from. `length`
    counts the characters of the answer.
    """

    kind: Literal["exchange_scored"] = "exchange_scored"
    exchange: str
    scorer: str
    score: Percent
    measures: dict[str, Percent] = Field(default={})
    topic: str = ""
    stratum: str = ""
    length: int = Field(default=0, ge=0)


class ExchangeUnscored(EventValue):
    """A judge looked at an answer and gave nothing that counts; `reason` is a code, such as `timeout` or `prose`."""

    kind: Literal["exchange_unscored"] = "exchange_unscored"
    exchange: str
    scorer: str
    reason: str


class PreferenceGiven(EventValue):
    """A reviewer said which of two answers to one question is better, not knowing which release gave which.

    `first` and `second` are the releases' digests in the order in which the answers were shown.
    """

    private: ClassVar[Fields] = {"comment": True}
    kind: Literal["preference_given"] = "preference_given"
    exchange: str
    first: str
    second: str
    preferred: Literal["first", "second", "tie"]
    comment: str = ""


class PreferenceScored(EventValue):
    """What a judge prefers of the same two answers in both orders; a tie where the order alone decided.

    `forward` is its word on (first, second), `backward` on (second, first), each naming the answer, not the place.
    """

    kind: Literal["preference_scored"] = "preference_scored"
    exchange: str
    scorer: str
    first: str
    second: str
    forward: Literal["first", "second", "tie", "unscored"]
    backward: Literal["first", "second", "tie", "unscored"]


class CaseAdded(EventValue):
    """A reviewer made a case of an exchange; its words are the customer's, and are erased with them."""

    private: ClassVar[Fields] = {"case": True}
    erased: ClassVar[Fields] = {"case": {"id": ERASED, "kind": ERASED, "question": ERASED}}
    kind: Literal["case_added"] = "case_added"
    exchange: str
    name: str  # the case's id, which holds no words of anybody
    case: Case


class CaseRemoved(EventValue):
    """A case made of an exchange is asked no longer."""

    kind: Literal["case_removed"] = "case_removed"
    exchange: str
    name: str
    reason: str


class JudgeCalibrated(EventValue):
    """A judge was held against people's labels. `votes` says whether its scores count in gates and rollouts from here.

    `judge` names it as `ExchangeScored.scorer` does; `report` is the SHA-256 of the whole calibration; `agreement`,
    with its interval from `low` to `high`, is Krippendorff's alpha in thousandths.
    """

    kind: Literal["judge_calibrated"] = "judge_calibrated"
    judge: str
    votes: bool
    reason: str
    labels: int
    agreement: int | None = None
    low: int | None = None
    high: int | None = None
    report: str = ""
    summary: str = ""


EvaluationEvent = (
    ExchangeScored | ExchangeUnscored | PreferenceGiven | PreferenceScored | CaseAdded | CaseRemoved | JudgeCalibrated
)
