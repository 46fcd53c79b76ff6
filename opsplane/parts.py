"""What a turn is handed: a search, a responder, guardrails, a record, and who looks on."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from opsplane.budget import Guard
from opsplane.evidence import Evidence, Retrieved, Sentence
from opsplane.exchange import Exchange, Looked, Question, Rerouted, Route, Used
from opsplane.finding import Finding
from opsplane.guardrails.rails import Rails
from opsplane.ledger.store import Ledger
from opsplane.plane import Plane, Serving
from opsplane.release import Release
from opsplane.spend import Prices, Purpose

Part = Sentence | Looked | Used | Finding | Rerouted
Retrieve = Callable[[str, Release], Awaitable[Retrieved]]


@dataclass(frozen=True)
class Refusal:
    """A sentence that was not let through, and what stood against it."""

    sentence: Sentence
    findings: tuple[Finding, ...]


class Responder(Protocol):
    """What turns a question and its passages into sentences; an agent with a model behind it."""

    def sentences(
        self, question: Question, passages: Sequence[Evidence], route: Route, release: Release
    ) -> AsyncIterator[Part]:
        """Yield sentences with citations, each account tool that was read, and the usage of each model call.

        A tool's result is screened before the model reads it; what was found there is yielded too.
        """
        ...

    def repair(
        self, refusal: Refusal, question: Question, evidence: Sequence[Evidence], route: Route, release: Release
    ) -> AsyncIterator[Part]:
        """Yield one other attempt at a sentence that was refused, and its usage; nothing, where there is none."""
        ...


class Watch(Protocol):
    """Who looks on while a turn runs: the chat, the terminal, or nobody."""

    async def step(self, name: str, detail: str) -> None:
        """A step of the turn ended."""

    async def say(self, sentence: Sentence, evidence: Sequence[Evidence]) -> None:
        """A sentence passed every check and is on the record."""


class Aftermath(Protocol):
    """What happens once a turn is on the record, without anybody waiting for it."""

    async def ended(self, question: Question, exchange: Exchange, serving: Serving, parts: "Parts") -> None:
        """A turn ended: judge the rollout that it was part of, and let the candidate answer too where it should."""

    async def settle(self) -> None:
        """Wait for what is under way."""


@dataclass(frozen=True)
class Parts:
    """What a turn is handed."""

    plane: Plane
    ledger: Ledger
    rails: Rails
    retrieve: Retrieve
    responder: Responder
    prices: Prices
    budget: Guard
    aftermath: Aftermath | None = None
    purpose: Purpose = Purpose.ANSWER
    timer: Callable[[], float] = monotonic  # seconds
