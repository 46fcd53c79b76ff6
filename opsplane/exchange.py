"""One exchange: what was asked, on which release, what was said, from what, at which cost."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from opsplane.access import Actor
from opsplane.evidence import Evidence, Sentence
from opsplane.finding import Finding
from opsplane.spend import Cost, Purpose
from opsplane.spend import Usage as Usage  # tokens and money have a file of their own; also found here


class Outcome(StrEnum):
    """How a turn ended."""

    RECEIVED = "received"  # not ended yet, or the process died in the middle
    ANSWERED = "answered"
    REPLIED = "replied"  # a fixed reply: a greeting, help, the way to a person
    DECLINED = "declined"  # a guardrail turned the question away
    ABSTAINED = "abstained"  # nothing that could be said stood up to the checks
    FAILED = "failed"
    STOPPED = "stopped"  # the customer pressed Stop or left


class Tier(StrEnum):
    """The two classes of model."""

    FLASH = "flash"
    PRO = "pro"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Earlier(_Value):
    """One earlier turn of the same conversation."""

    question: str
    answer: str
    tier: Tier | None = None


class Question(_Value):
    """A customer's message. `customer` comes from the session, never from the text.

    `standalone` is the same question with what a follow-up leaves out put back in ("and for savings?").
    """

    id: str
    conversation: str
    customer: str
    actor: Actor
    text: str
    standalone: str
    earlier: tuple[Earlier, ...] = ()
    care: tuple[str, ...] = ()  # the replies that came first because the customer is in trouble: fraud, bereavement …
    at: datetime


class Route(_Value):
    """Which model answers, and why."""

    tier: Tier
    model: str
    reason: str
    region: str = ""  # where it was asked, of models that are asked in regions


class Rerouted(_Value):
    """The model of a route did not answer: another does from here on."""

    route: Route
    code: str  # why: model.unavailable, model.exhausted, model.slow …
    detail: str = ""


class Looked(_Value):
    """A responder read an account tool: the result is evidence from here on."""

    tool: str
    arguments: dict[str, str]
    evidence: Evidence


class Used(_Value):
    """A responder's model call came to an end; `finish` is the provider's finish reason.

    `logprob` is the mean natural logarithm of the tokens' probabilities, where the provider tells them. With a
    `purpose` it is no call of the answer, and is booked on that account.
    """

    model: str
    usage: Usage
    finish: str = ""
    logprob: float | None = None
    region: str = ""
    purpose: Purpose | None = None


class Exchange(_Value):
    """The whole turn as it goes on the record. Texts are masked; times are milliseconds from the question."""

    id: str
    conversation: str
    customer: str
    actor: Actor
    at: datetime
    release: str  # id
    digest: str
    arm: str
    rollout: str = ""  # the rollout that the arm is one of, or empty
    share: int = 0  # in parts of 10,000: how probable it was that this customer was on the candidate's side
    outcome: Outcome
    code: str = ""  # the reason code of a decline, reply or abstention
    question: str
    standalone: str
    topic: str = ""  # what it is about, out of `opsplane.topics`; empty where it was met before anybody looked
    sentences: tuple[Sentence, ...] = ()
    withheld: tuple[Sentence, ...] = ()
    index: str = ""  # what was searched, and which generation of it
    generation: str = ""
    evidence: tuple[Evidence, ...] = ()
    tools: tuple[Looked, ...] = ()
    findings: tuple[Finding, ...] = ()
    route: Route | None = None  # the last one
    reroutes: tuple[Rerouted, ...] = ()  # how it came to that
    usage: Usage = Usage()
    logprob_millionths: int | None = None  # the mean log-probability of the answer's tokens, where it was told
    costs: tuple[Cost, ...] = ()  # by purpose and model
    cost_micros: int = 0  # micro-dollars, their sum
    prices: str = ""  # version of the price table
    first_sentence_ms: int | None = None
    total_ms: int = 0
    error: str = ""

    @property
    def answer(self) -> str:
        """What was shown, without marks."""
        return " ".join(sentence.text for sentence in self.sentences)
