"""Everything that goes on the record, as values in the past tense."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from opsplane.evidence import Sentence
from opsplane.exchange import Exchange


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServiceStarted(_Event):
    """The service came up with this configuration."""

    kind: Literal["service_started"] = "service_started"
    version: str
    settings: dict[str, str]


class ServiceStopped(_Event):
    """The service went down in good order."""

    kind: Literal["service_stopped"] = "service_stopped"


class ReleaseRegistered(_Event):
    """A release became immutable: its digest and its very bytes."""

    kind: Literal["release_registered"] = "release_registered"
    release: str
    digest: str
    canonical: str


class ReleasePromoted(_Event):
    """A release became the one that every customer is served by."""

    kind: Literal["release_promoted"] = "release_promoted"
    release: str
    digest: str
    reason: str


class SignedIn(_Event):
    """A person signed in."""

    kind: Literal["signed_in"] = "signed_in"


class SignInRefused(_Event):
    """Somebody tried to sign in under this name and could not."""

    kind: Literal["sign_in_refused"] = "sign_in_refused"
    name: str


class Welcomed(_Event):
    """The first message, that an AI answers, was shown."""

    kind: Literal["welcomed"] = "welcomed"
    conversation: str
    text: str


class QuestionReceived(_Event):
    """A question is on the record before any model is called."""

    kind: Literal["question_received"] = "question_received"
    exchange: Exchange


class SentenceSaid(_Event):
    """A sentence passed every check and is about to be shown."""

    kind: Literal["sentence_said"] = "sentence_said"
    exchange: str
    number: int
    sentence: Sentence


class QuestionAnswered(_Event):
    """A turn ended, however it did."""

    kind: Literal["question_answered"] = "question_answered"
    exchange: Exchange


class FeedbackGiven(_Event):
    """Thumbs up (1) or down (0) with a comment, or None where the person took the thumb back."""

    kind: Literal["feedback_given"] = "feedback_given"
    exchange: str
    value: Literal[0, 1] | None
    comment: str = ""


class CommandRun(_Event):
    """A person ran a command; reading the record is a command too. `rows` counts what was shown."""

    kind: Literal["command_run"] = "command_run"
    command: str
    arguments: str
    rows: int | None = None


class CommandRefused(_Event):
    """A person asked for something the role does not allow, or that could not be done."""

    kind: Literal["command_refused"] = "command_refused"
    command: str
    arguments: str
    reason: str


Event = Annotated[
    ServiceStarted
    | ServiceStopped
    | ReleaseRegistered
    | ReleasePromoted
    | SignedIn
    | SignInRefused
    | Welcomed
    | QuestionReceived
    | SentenceSaid
    | QuestionAnswered
    | FeedbackGiven
    | CommandRun
    | CommandRefused,
    Field(discriminator="kind"),
]
EVENTS: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads any event back from its JSON bytes."""
