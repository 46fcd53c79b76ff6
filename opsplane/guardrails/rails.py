"""Every check of a turn behind four calls: the question, what it is about, the passages, each sentence."""

import asyncio
from collections.abc import Sequence

from opsplane.evidence import Evidence, Sentence
from opsplane.finding import Action, Finding
from opsplane.guardrails import context
from opsplane.guardrails.check import check
from opsplane.guardrails.scope import Scope
from opsplane.guardrails.screen import screen
from opsplane.release import Release


class Rails:
    """The guardrails of an installation; which of them apply, and how strictly, is the release's business."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def question(self, text: str, release: Release) -> list[Finding]:
        """What stands against answering `text`, and what is to be said before; nothing has been searched yet."""
        return screen(text, release)

    async def scope(self, text: str, evidence: Sequence[Evidence], release: Release) -> list[Finding]:
        """What kind of message it is, told by its words and by what the search found."""
        return await asyncio.to_thread(self._scope.judge, text, evidence, release)

    async def passages(self, evidence: Sequence[Evidence], release: Release) -> tuple[list[Evidence], list[Finding]]:
        """The passages that a model may read, and what was found in those that it may not."""
        return context.screen(evidence, release)

    async def sentence(self, sentence: Sentence, evidence: Sequence[Evidence], release: Release) -> list[Finding]:
        """What stands against showing a sentence of the answer, or is to be shown with it or in its place."""
        return check(sentence, evidence, release)


def refused(findings: Sequence[Finding]) -> bool:
    """Whether a sentence with these findings may not be shown."""
    return any(finding.action is Action.WITHHOLD for finding in findings)
