"""What people are about to do and have not confirmed yet: one thing in a conversation, for a few minutes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from opsplane.intent import Intent

PATIENCE = timedelta(minutes=10)
"""How long an intent waits for its yes; what is written later is a message like any other."""
YES = frozenset({"yes", "y", "ok", "okay", "confirm", "go", "do it"})
NO = frozenset({"no", "n", "cancel", "stop", "never mind", "nevermind"})


@dataclass(frozen=True)
class _Waiting:
    intent: Intent
    at: datetime


@dataclass
class Intents:
    """By sign-in name and conversation; held in memory, so that after a restart nothing waits."""

    _waiting: dict[tuple[str, str], _Waiting] = field(default_factory=dict)

    def wait(self, person: str, talk: str, intent: Intent, at: datetime) -> None:
        """Keep an intent until the person is sure."""
        self._waiting = {key: one for key, one in self._waiting.items() if at - one.at < PATIENCE}
        self._waiting[person, talk] = _Waiting(intent, at)

    def waits(self, person: str, talk: str, at: datetime) -> bool:
        """Whether one waits."""
        found = self._waiting.get((person, talk))
        return found is not None and at - found.at < PATIENCE

    def take(self, person: str, talk: str, at: datetime) -> Intent | None:
        """The intent that waits, once: a second yes finds nothing."""
        found = self._waiting.pop((person, talk), None)
        return found.intent if found and at - found.at < PATIENCE else None


def answer(text: str) -> bool | None:
    """Whether a message says yes or no; None where it says something else."""
    said = " ".join(text.lower().strip(" .!").split())
    return True if said in YES else False if said in NO else None
