"""Everything that goes on the record, as values in the past tense.

A class's `private` names the fields that hold people's words and data: they are sealed under the customer's key and
gone once that key is destroyed. The rest stays readable for good, and holds strings, whole numbers and booleans only.
"""

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field, TypeAdapter

from opsplane.control_events import (
    AlertRaised,
    AlertUndelivered,
    ChangesFrozen,
    ChangesUnfrozen,
    KillSwitchPulled,
    KillSwitchReset,
    ReleaseEvaluated,
    ReleaseRestored,
    RolloutAborted,
    RolloutAdvanced,
    RolloutConcluded,
    RolloutJudged,
    RolloutPaused,
    RolloutPromoted,
    RolloutResumed,
    RolloutStarted,
)
from opsplane.custody_events import (
    CustomerErased,
    ErasureBegun,
    ErasureKeysDestroyed,
    ErasureStopped,
    RequestDecided,
    RequestMade,
    RetentionApplied,
    RetentionBegun,
    RetentionSet,
)
from opsplane.document_events import DocumentEvent
from opsplane.evaluation_events import EvaluationEvent
from opsplane.event import ERASED, EventValue, Fields
from opsplane.evidence import Sentence
from opsplane.exchange import Exchange
from opsplane.handover_events import HandoverEvent
from opsplane.review import Reason, Verdict
from opsplane.spend import Cost

_EXCHANGE = {
    "question": True,
    "standalone": True,
    "sentences": True,
    "withheld": True,
    "evidence": True,
    "tools": True,
    "error": True,
    "findings": {"__all__": {"span": True, "detail": True, "score": True, "threshold": True}},
}


class LedgerOpened(EventValue):
    """The first row of every ledger: its own random name."""

    kind: Literal["ledger_opened"] = "ledger_opened"
    ledger: str


class LedgerImported(EventValue):
    """Rows of an earlier version of the product, which were not chained, follow; `sha256` is over their bytes."""

    kind: Literal["ledger_imported"] = "ledger_imported"
    rows: int
    sha256: str


class SigningKeyAdded(EventValue):
    """Checkpoints are signed by this key from here on; the key before it signed the endorsement (base64)."""

    kind: Literal["signing_key_added"] = "signing_key_added"
    key: str
    endorsement: str = ""


class RecordVerified(EventValue):
    """The record was verified up to this size; `root` is its tree's root in hex, empty where it has none that holds."""

    kind: Literal["record_verified"] = "record_verified"
    mode: Literal["full", "incremental"]
    size: int
    root: str
    checkpoints: int
    violations: int


class RecordExported(EventValue):
    """A copy left the house: how much, under which signed checkpoint; `manifest` is the SHA-256 of its manifest."""

    private: ClassVar[Fields] = {"scope": True}
    erased: ClassVar[Fields] = {"scope": ERASED}
    kind: Literal["record_exported"] = "record_exported"
    scope: str
    complete: bool
    entries: int
    exchanges: int
    size: int
    manifest: str


class ServiceStarted(EventValue):
    """The service came up with this configuration."""

    kind: Literal["service_started"] = "service_started"
    version: str
    settings: dict[str, str]


class ServiceStopped(EventValue):
    """The service went down in good order."""

    kind: Literal["service_stopped"] = "service_stopped"


class ReleaseRegistered(EventValue):
    """A release became immutable: its digest and its very bytes."""

    kind: Literal["release_registered"] = "release_registered"
    release: str
    digest: str
    canonical: str


class ReleasePromoted(EventValue):
    """A release became the one that every customer is served by, without a rollout: the first one of a record."""

    kind: Literal["release_promoted"] = "release_promoted"
    release: str
    digest: str
    reason: str


class SignedIn(EventValue):
    """A person signed in."""

    kind: Literal["signed_in"] = "signed_in"


class SignedOut(EventValue):
    """A person ended every session of theirs."""

    kind: Literal["signed_out"] = "signed_out"


class PersonAdded(EventValue):
    """Somebody may sign in from here on."""

    kind: Literal["person_added"] = "person_added"
    name: str
    role: str
    customer: str


class PersonDisabled(EventValue):
    """Somebody may sign in no longer."""

    kind: Literal["person_disabled"] = "person_disabled"
    name: str


class SignInRefused(EventValue):
    """Somebody tried to sign in under this name and could not."""

    private: ClassVar[Fields] = {"name": True}
    erased: ClassVar[Fields] = {"name": ERASED}
    kind: Literal["sign_in_refused"] = "sign_in_refused"
    name: str


class Welcomed(EventValue):
    """The first message, that an AI answers, was shown."""

    kind: Literal["welcomed"] = "welcomed"
    conversation: str
    text: str


class QuestionReceived(EventValue):
    """A question is on the record before any model is called."""

    private: ClassVar[Fields] = {"exchange": _EXCHANGE}
    erased: ClassVar[Fields] = {"exchange": {"question": ERASED, "standalone": ERASED}}
    kind: Literal["question_received"] = "question_received"
    exchange: Exchange


class SentenceSaid(EventValue):
    """A sentence passed every check and is about to be shown."""

    private: ClassVar[Fields] = {"sentence": True}
    erased: ClassVar[Fields] = {"sentence": {"text": ERASED}}
    kind: Literal["sentence_said"] = "sentence_said"
    exchange: str
    number: int
    sentence: Sentence


class QuestionAnswered(EventValue):
    """A turn ended, however it did."""

    private: ClassVar[Fields] = {"exchange": _EXCHANGE}
    erased: ClassVar[Fields] = {"exchange": {"question": ERASED, "standalone": ERASED}}
    kind: Literal["question_answered"] = "question_answered"
    exchange: Exchange


class ShadowAnswered(EventValue):
    """What a candidate would have answered, seen by nobody; the exchange has the id of the one that was shown."""

    private: ClassVar[Fields] = {"exchange": _EXCHANGE}
    erased: ClassVar[Fields] = {"exchange": {"question": ERASED, "standalone": ERASED}}
    kind: Literal["shadow_answered"] = "shadow_answered"
    exchange: Exchange


class CostBooked(EventValue):
    """Something other than an answer cost money: a judge, a shadow, an evaluation, embedding."""

    kind: Literal["cost_booked"] = "cost_booked"
    cost: Cost
    exchange: str = ""
    customer: str = ""
    release: str = ""
    digest: str = ""


class BudgetCrossed(EventValue):
    """A budget reached one of its steps in this period; `customer` is empty for a total."""

    kind: Literal["budget_crossed"] = "budget_crossed"
    budget: str
    period: str
    level: str
    customer: str
    spent_micros: int
    limit_micros: int


class FeedbackGiven(EventValue):
    """Thumbs up (1) or down (0) with a comment, or None where the person took the thumb back."""

    private: ClassVar[Fields] = {"comment": True}
    kind: Literal["feedback_given"] = "feedback_given"
    exchange: str
    value: Literal[0, 1] | None
    comment: str = ""


class ExchangeReviewed(EventValue):
    """A reviewer judged an answer: a verdict, a score from 0 to 100 where one was given, and the words for it.

    `reason` tells why the exchange was looked at; `corrected` is what should have been answered; `marks` are the
    rubric's criteria, each from 1 to 5, by the version of it that `rubric` names.
    """

    private: ClassVar[Fields] = {"comment": True, "corrected": True}
    kind: Literal["exchange_reviewed"] = "exchange_reviewed"
    exchange: str
    reason: Reason
    verdict: Verdict
    score: int | None = Field(default=None, ge=0, le=100)
    comment: str = ""
    corrected: str = ""
    marks: dict[str, Annotated[int, Field(ge=1, le=5)]] = Field(default={})
    rubric: int = 0


class FindingMarked(EventValue):
    """A reviewer said whether a guardrail was right in what it found in an exchange; marks are data to tune by."""

    private: ClassVar[Fields] = {"comment": True}
    kind: Literal["finding_marked"] = "finding_marked"
    exchange: str
    code: str
    verdict: Literal["right", "wrong"]
    comment: str = ""


class CommandRun(EventValue):
    """A person ran a command; reading the record is a command too. `rows` counts what was shown.

    `why` is the reason that the person gave for reading.
    """

    private: ClassVar[Fields] = {"arguments": True, "why": True}
    erased: ClassVar[Fields] = {"arguments": ERASED}
    kind: Literal["command_run"] = "command_run"
    command: str
    arguments: str
    rows: int | None = None
    why: str = ""


class CommandRefused(EventValue):
    """A person asked for something the role does not allow, or that could not be done."""

    private: ClassVar[Fields] = {"arguments": True}
    erased: ClassVar[Fields] = {"arguments": ERASED}
    kind: Literal["command_refused"] = "command_refused"
    command: str
    arguments: str
    reason: str


Event = Annotated[
    LedgerOpened
    | LedgerImported
    | SigningKeyAdded
    | RecordVerified
    | RecordExported
    | ServiceStarted
    | ServiceStopped
    | ReleaseRegistered
    | ReleasePromoted
    | ReleaseRestored
    | ReleaseEvaluated
    | RolloutStarted
    | RolloutAdvanced
    | RolloutPaused
    | RolloutResumed
    | RolloutAborted
    | RolloutPromoted
    | RolloutConcluded
    | RolloutJudged
    | ChangesFrozen
    | ChangesUnfrozen
    | KillSwitchPulled
    | KillSwitchReset
    | AlertRaised
    | AlertUndelivered
    | SignedIn
    | SignedOut
    | SignInRefused
    | PersonAdded
    | PersonDisabled
    | Welcomed
    | QuestionReceived
    | SentenceSaid
    | QuestionAnswered
    | ShadowAnswered
    | CostBooked
    | BudgetCrossed
    | FeedbackGiven
    | ExchangeReviewed
    | FindingMarked
    | RequestMade
    | RequestDecided
    | ErasureBegun
    | ErasureStopped
    | ErasureKeysDestroyed
    | CustomerErased
    | RetentionSet
    | RetentionBegun
    | RetentionApplied
    | EvaluationEvent
    | HandoverEvent
    | DocumentEvent
    | CommandRun
    | CommandRefused,
    Field(discriminator="kind"),
]
IN_FORCE = ("release_promoted", "release_restored", "rollout_started", "rollout_promoted")
"""The kinds of event that put a release in front of customers."""


def in_force(event: Event) -> tuple[str, ...]:
    """The digests of the releases that an event puts in front of customers."""
    match event:
        case ReleasePromoted(digest=digest) | ReleaseRestored(digest=digest) | RolloutPromoted(digest=digest):
            return (digest,)
        case RolloutStarted(candidates=candidates):
            return candidates
    return ()


def approver(event: Event) -> str:
    """The second person who agreed to it, or nothing."""
    return str(getattr(event, "approved_by", ""))


EVENTS: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads any event back from its JSON bytes."""
KINDS: dict[str, type[EventValue]] = {one.model_fields["kind"].default: one for one in get_args(get_args(Event)[0])}
"""The class of each kind."""
