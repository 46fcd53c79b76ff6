"""Why somebody reads the record: asked for once, remembered for the conversation."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

SHORTEST = 5
"""Fewer letters than these are no reason."""
KEPT = timedelta(hours=8)
"""How long a reason counts."""
PATIENCE = timedelta(minutes=30)
"""How long a command waits for its reason; what is written later is a message like any other."""

ASK = "Why are you reading the record? Answer with the reason (a case number will do) and I go on."


@dataclass(frozen=True)
class _Said:
    text: str
    at: datetime


@dataclass
class Reasons:
    """What people gave as their reason, and which commands wait for one; by sign-in name and conversation.

    Held in memory: after a restart people are asked again.
    """

    _given: dict[tuple[str, str], _Said] = field(default_factory=dict)
    _waiting: dict[tuple[str, str], _Said] = field(default_factory=dict)

    def known(self, person: str, talk: str, at: datetime) -> str:
        """The reason that counts at this time, or nothing."""
        said = self._given.get((person, talk))
        return said.text if said and at - said.at < KEPT else ""

    def until(self, person: str, talk: str) -> datetime | None:
        """How long the reason counts, or None where none was given."""
        said = self._given.get((person, talk))
        return said.at + KEPT if said else None

    def give(self, person: str, talk: str, text: str, at: datetime) -> None:
        """Remember a reason for this conversation."""
        self._given = {key: said for key, said in self._given.items() if at - said.at < KEPT}
        self._given[person, talk] = _Said(text, at)

    def wait(self, person: str, talk: str, command: str, at: datetime) -> None:
        """Keep a command until its reason is given."""
        self._waiting = {key: said for key, said in self._waiting.items() if at - said.at < PATIENCE}
        self._waiting[person, talk] = _Said(command, at)

    def waits(self, person: str, talk: str, at: datetime) -> str:
        """The command that waits at this time, or nothing."""
        said = self._waiting.get((person, talk))
        return said.text if said and at - said.at < PATIENCE else ""

    def abandon(self, person: str, talk: str) -> None:
        """Let go of the command that waits, if one does."""
        self._waiting.pop((person, talk), None)


def is_reason(text: str) -> bool:
    """Whether this says something: at least `SHORTEST` letters or digits."""
    return sum(one.isalnum() for one in text) >= SHORTEST
