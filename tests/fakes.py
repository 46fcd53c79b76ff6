"""Our own stand-ins, passed in where the real thing is a person, a clock or a model."""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from opsplane.access import Actor, Role
from opsplane.evidence import Evidence, Origin, Sentence
from opsplane.exchange import Question, Route
from opsplane.ledger.database import connect
from opsplane.ledger.keys import open_keys
from opsplane.ledger.vault import Vault
from opsplane.pack import Exemplars
from opsplane.parts import Part, Refusal
from opsplane.release import REPLIES, Release
from opsplane.rollouts.plan import Plan

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)

CUSTOMER = Actor(id="customer", role=Role.CUSTOMER)
OPERATOR = Actor(id="operator", role=Role.OPERATOR)
APPROVER = Actor(id="approver", role=Role.APPROVER)
REVIEWER = Actor(id="reviewer", role=Role.REVIEWER)


@dataclass
class Clock:
    """Stands still until it is moved; each reading can move it by `step`."""

    at: datetime = NOON
    step: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        self.at += self.step
        return self.at


def release(**changes: Any) -> Release:
    """A small valid release."""
    words = tuple(f"question number {number}" for number in range(20))
    exemplars = Exemplars(
        id="test",
        version="1",
        in_scope=words,
        off_topic=words,
        greeting=("hi", "hello", "hey"),
        thanks=("thanks", "thank you", "cheers"),
        help=("help", "what can you do", "how do you work"),
        person=("agent", "human", "person"),
    )
    data: dict[str, Any] = {
        "id": "test-1",
        "author": "tests",
        "note": "for tests",
        "prompt": {"system": "You answer from the sources that you are given."},
        "models": {"flash": {"name": "embedded:extractive"}, "pro": {"name": "embedded:extractive"}},
        "retrieval": {"index": "test"},
        "guardrails": {"exemplars": "test", "scope_exemplars": exemplars.model_dump()},
        "replies": {name: f"This is the reply called {name}." for name in REPLIES},
        "disclosures": {"welcome": "An automated system answers here.", "embedded": "Without a language model."},
    }
    return Release.model_validate(data | changes)


def plan(**changes: Any) -> Plan:
    """A small valid plan of three steps."""
    data: dict[str, Any] = {
        "id": "test",
        "steps": [
            {"share": 10, "customers": 2, "exchanges": 4},
            {"share": 50, "customers": 2, "exchanges": 4},
            {"share": 100, "customers": 0, "exchanges": 0},
        ],
        "guardrails": [{"metric": "answered", "harm": 0.1}],
    }
    return Plan.model_validate(data | changes)


def plans(*others: Plan) -> dict[str, Plan]:
    """That plan and others by id."""
    return {one.id: one for one in (plan(), *others)}


def vault(folder: Path, clock: Callable[[], datetime]) -> Vault:
    """A vault in a folder, with a key file of its own."""
    keys = open_keys("", folder, clock())
    return Vault(connect(f"sqlite:///{folder / 'keys.db'}"), keys.wrappers, clock)


def passage(number: int = 1, text: str = "The fee is $15 for each item.", **changes: Any) -> Evidence:
    """A passage as retrieval hands it over."""
    data: dict[str, Any] = {
        "number": number,
        "origin": Origin.PASSAGE,
        "id": f"chunk-{number}",
        "document": f"document-{number}",
        "title": "Fee Schedule",
        "section": "Fees",
        "version": "2026-07",
        "effective_from": date(2026, 7, 1),
        "text": text,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "score": 0.9,
        "cosine": 0.7,
    }
    return Evidence.model_validate(data | changes)


def question(text: str = "What is the overdraft fee?", **changes: Any) -> Question:
    """A customer's question."""
    data: dict[str, Any] = {
        "id": "exchange-0001",
        "conversation": "talk-1",
        "customer": "C-1001",
        "actor": CUSTOMER,
        "text": text,
        "standalone": text,
        "at": NOON,
    }
    return Question.model_validate(data | changes)


@dataclass
class Script:
    """A responder that yields what it was given, or raises it; each repair yields the next of `repairs`."""

    parts: Sequence[Part | Exception]
    repairs: list[Sequence[Part]] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    async def sentences(
        self, question: Question, passages: Sequence[Evidence], route: Route, release: Release
    ) -> AsyncIterator[Part]:
        """The script, part by part."""
        self.asked.append(question)
        for part in self.parts:
            if isinstance(part, Exception):
                raise part
            yield part

    async def repair(
        self, refusal: Refusal, question: Question, evidence: Sequence[Evidence], route: Route, release: Release
    ) -> AsyncIterator[Part]:
        """What was laid down for this repair, or nothing."""
        self.refused.append(refusal)
        for part in self.repairs.pop(0) if self.repairs else ():
            yield part


@dataclass
class Witness:
    """A watch that remembers what it saw."""

    steps: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    async def step(self, name: str, detail: str) -> None:
        """Remember a step."""
        self.steps.append(name)

    async def say(self, sentence: Sentence, evidence: Sequence[Evidence]) -> None:
        """Remember a sentence."""
        self.said.append(sentence.text)
