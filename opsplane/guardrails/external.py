"""Checks that other systems make (Llama Guard, Model Armor, NeMo Guardrails), asked the way our own are."""

from collections.abc import Callable, Sequence
from typing import Protocol

from opsplane.finding import Finding
from opsplane.release import External


class Examiner(Protocol):
    """One external check, ready to be asked."""

    async def examine(self, text: str, stage: str, context: Sequence[str] = ()) -> list[Finding]:
        """What stands against `text` ("question", "passage" or "answer"); `context` is what it answers or rests on.

        Never raises: what cannot be asked is a finding, as the release's `on_error` says.
        """
        ...


Examiners = Callable[[External], Examiner]
"""Gives the examiner of one line of a release; raises `InvalidRelease` for a kind that it does not know."""
