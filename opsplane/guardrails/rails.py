"""Every check of a turn behind four calls: the question, what it is about, the passages, each sentence.

Our own checks come first. Other systems are asked only about what ours let through, and only once about each text.
"""

import asyncio
import html
from collections.abc import Mapping, Sequence
from typing import Protocol

from opsplane.evidence import Evidence, Sentence
from opsplane.finding import Action, Finding
from opsplane.guardrails import context, external, injection, signals, wording
from opsplane.guardrails.certainty import Certainty, Support
from opsplane.guardrails.check import check
from opsplane.guardrails.external import Examiner, Examiners
from opsplane.guardrails.injection import Signal
from opsplane.guardrails.scope import Scope
from opsplane.guardrails.screen import attack, screen
from opsplane.release import Release
from opsplane.topics import Topics

ENDING = frozenset({Action.DECLINE, Action.REPLY})
"""A finding of these actions meets the question; nothing else need be asked."""


class Detector(Protocol):
    """Tells a question that reads like an attack; more surely than the patterns alone."""

    def signal(self, text: str) -> Signal:
        """The strongest signal of a text, sentence by sentence."""
        ...


class Rails:
    """The guardrails of an installation; which of them apply, and how strictly, is the release's business."""

    def __init__(
        self,
        scope: Scope,
        detector: Detector | None = None,
        support: Support | None = None,
        examiners: Examiners | None = None,
        topics: Topics | None = None,
    ) -> None:
        self._scope = scope
        self._detector = detector
        self._certainty = Certainty(support)
        self._examiners = examiners
        self._topics = topics

    async def question(self, text: str, release: Release) -> list[Finding]:
        """What stands against answering `text`, and what is to be said before; nothing has been searched yet."""
        found = await asyncio.to_thread(self._screened, text, release)
        if not any(one.action in ENDING for one in found):
            found += await self._asked(text, "question", release)
        return found

    async def scope(self, text: str, evidence: Sequence[Evidence], release: Release) -> list[Finding]:
        """What kind of message it is, told by its words and by what the search found."""
        return await asyncio.to_thread(self._scope.judge, text, evidence, release)

    async def topic(self, text: str) -> str:
        """What a question is about, or nothing where nobody can tell; it bears on no answer."""
        return await asyncio.to_thread(self._topics.of, text) if self._topics else ""

    async def passages(self, evidence: Sequence[Evidence], release: Release) -> tuple[list[Evidence], list[Finding]]:
        """The passages that a model may read, and what was found in those that it may not."""
        kept, found = context.screen(evidence, release)
        asked = await asyncio.gather(*(self._asked(one.text, "passage", release) for one in kept))
        found += [finding for findings in asked for finding in findings]
        dropped = [any(finding.action is Action.DROP for finding in findings) for findings in asked]
        return [one for one, gone in zip(kept, dropped, strict=True) if not gone], found

    async def sentence(
        self, sentence: Sentence, evidence: Sequence[Evidence], release: Release, question: str = ""
    ) -> list[Finding]:
        """What stands against showing a sentence of the answer, or is to be shown with it or in its place."""
        found = self.own(sentence, evidence, release)
        if not refused(found):
            cited = [one.text for one in evidence if one.number in sentence.cites]
            found += await self._asked(sentence.text, "answer", release, [question, *cited])
        return found

    def own(self, sentence: Sentence, evidence: Sequence[Evidence], release: Release) -> list[Finding]:
        """Likewise, without asking other systems."""
        found = check(sentence, evidence, release)
        cited = [one for one in evidence if one.number in sentence.cites]
        return self._certainty.weighed(found, _plain(sentence.text), cited, release)

    def certainty(self, sentence: Sentence, evidence: Sequence[Evidence], release: Release) -> float:
        """How sure it is, in [0, 1], that what a sentence cites bears it out."""
        cited = [one for one in evidence if one.number in sentence.cites]
        return self._certainty.score(_plain(sentence.text), cited, release)

    def scores(self, text: str, evidence: Sequence[Evidence], release: Release) -> Mapping[str, float]:
        """The scores of a sentence that cites all of `evidence`, whatever their thresholds."""
        plain = _plain(text)
        return {
            "grounding": self._certainty.score(plain, evidence, release),
            "injection": injection.signal(text).score,
            "toxicity": signals.toxic(plain),
        }

    def suspicion(self, text: str) -> float:
        """How much a question looks like an attack, in [0, 1]."""
        return (self._detector.signal(text) if self._detector else injection.signal(text)).score

    def strangeness(self, text: str, evidence: Sequence[Evidence], release: Release) -> tuple[str, float]:
        """The kind of a message, and how certain it is that it should be declined as not for the bank, in [0, 1]."""
        return self._scope.measure(text, evidence, release)

    def _screened(self, text: str, release: Release) -> list[Finding]:
        found = screen(text, release)
        if self._detector is None or any(one.action in ENDING for one in found):
            return found
        signal, threshold = self._detector.signal(text), release.guardrails.injection
        return [*found, attack(signal, threshold)] if signal.score >= threshold else found

    async def _asked(self, text: str, stage: str, release: Release, about: Sequence[str] = ()) -> list[Finding]:
        """What other systems say, all asked at once."""
        lines = [line for line in release.guardrails.external if stage in line.reads]
        if not lines or self._examiners is None:
            return []
        examiners: list[Examiner] = [self._examiners(line) for line in lines]
        return await external.ask_all(examiners, text, stage, about)


def refused(findings: Sequence[Finding]) -> bool:
    """Whether nothing may be shown for a sentence with these findings.

    Words that a rule gives in its place are the bank's own, so they need no source; whatever else stands against the
    sentence holds.
    """
    against = [finding.code for finding in findings if finding.action is Action.WITHHOLD]
    reworded = any(finding.action is Action.REWRITE for finding in findings)
    return any(not (reworded and code.startswith("grounding.")) for code in against)


def _plain(text: str) -> str:
    return wording.plain(html.unescape(text))
