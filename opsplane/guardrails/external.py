"""Checks that other systems make (Llama Guard, Model Armor, check grounding), asked the way our own are.

What such a system says is an `Opinion`; what follows from it is decided here, by its line of the release alone.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from opsplane.finding import Action, Finding
from opsplane.guardrails import pii
from opsplane.release import External

log = logging.getLogger(__name__)

LONGEST = 20_000
"""Characters of one text that are sent; what is longer counts as not examined to its end."""
FAILURES, PAUSE = 5, 30.0
"""After so many failures in a row a system is left alone for so many seconds."""

_AGAINST = {"question": Action.DECLINE, "passage": Action.DROP, "answer": Action.WITHHOLD}
_SHOWN = 120  # characters of a text that its finding quotes


@dataclass(frozen=True)
class Match:
    """One category that a text falls under, and how surely, in [0, 1]; what the line ignores is recorded only.

    With `support` the score says how well a text is borne out: what is below the threshold stands against it.
    """

    category: str
    score: float = 1.0
    detail: str = ""
    ignored: bool = False
    support: bool = False


@dataclass(frozen=True)
class Opinion:
    """What a system said of a text: the categories that matched, and what it did not look at."""

    matches: tuple[Match, ...] = ()
    unread: str = ""


class NoVerdict(Exception):
    """A system did not say whether a text is safe; the message holds no word of the text."""

    code = "unavailable"
    failure = True  # whether it tells that the next request would end in the same way


class Rejected(NoVerdict):
    """A system refused this very request."""

    failure = False


class Unreadable(NoVerdict):
    """A system answered something that is no verdict."""

    code = "unreadable"
    failure = False


class Examiner(Protocol):
    """One external check, ready to be asked."""

    async def examine(self, text: str, stage: str, context: Sequence[str] = ()) -> list[Finding]:
        """What stands against `text` ("question", "passage" or "answer"); `context` is what it answers or rests on.

        An answer's context is the question first, then the passages. Never raises: what cannot be asked is a finding,
        as the release's `on_error` says.
        """
        ...


Examiners = Callable[[External], Examiner]
"""Gives the examiner of one line of a release; raises `InvalidRelease` for a kind that it does not know."""


class System(Protocol):
    """Another system, as its adapter speaks to it."""

    async def opinion(self, text: str, stage: str, context: Sequence[str]) -> Opinion:
        """What it says of a masked text; raises `NoVerdict`."""
        ...

    async def close(self) -> None:
        """Let its connections go."""
        ...


class Consulted:
    """A system behind its line of a release: asked in time, with masked words, left alone for a while when it fails."""

    def __init__(self, line: External, system: System, clock: Callable[[], float] = monotonic) -> None:
        self._line = line
        self._system = system
        self._breaker = Breaker(clock)

    async def examine(self, text: str, stage: str, context: Sequence[str] = ()) -> list[Finding]:
        """What the system holds against a text; never raises."""
        try:
            opinion = await self._asked(_sent(text), stage, [_sent(one) for one in context])
        except NoVerdict as missing:
            log.warning("external check %s gave no verdict: %s", self._line.name, missing)
            return [self._missing(stage, missing.code, str(missing))]
        found = [self._finding(match, text, stage) for match in opinion.matches]
        if opinion.unread:
            found.append(self._missing(stage, "unavailable", opinion.unread))
        if len(text) > LONGEST:
            found.append(self._missing(stage, "too_long", f"only {LONGEST:,} of {len(text):,} characters were sent"))
        return found

    async def close(self) -> None:
        """Let its connections go."""
        await self._system.close()

    async def _asked(self, text: str, stage: str, context: Sequence[str]) -> Opinion:
        if self._breaker.open:
            raise NoVerdict(f"left alone after {FAILURES} failures in a row")
        try:
            async with asyncio.timeout(self._line.timeout_seconds):
                opinion = await self._system.opinion(text, stage, context)
        except NoVerdict as missing:
            if missing.failure:  # else a customer's words could turn the check off for everybody
                self._breaker.failed()
            raise
        except TimeoutError as error:
            self._breaker.failed()
            raise NoVerdict(f"no answer in {self._line.timeout_seconds:g} s") from error
        except Exception as error:  # an adapter's library may raise anything, with the customer's words in it
            log.error("external check %s failed: %s", self._line.name, type(error).__name__)
            self._breaker.failed()
            raise NoVerdict(type(error).__name__) from error
        self._breaker.worked()
        return opinion

    def _finding(self, match: Match, text: str, stage: str) -> Finding:
        beyond = match.score >= self._line.threshold
        stands = beyond is not match.support and not match.ignored
        return Finding(
            code=f"external.{self._line.name}.{_slug(match.category)}",
            action=_AGAINST[stage] if stands else Action.NOTE,
            stage=stage,
            span=_sent(text)[:_SHOWN],
            detail=match.detail,
            score=match.score,
            threshold=self._line.threshold,
            reply="unsafe" if stands and stage == "question" else "",
        )

    def _missing(self, stage: str, code: str, detail: str) -> Finding:
        blocks = self._line.on_error == "block"
        return Finding(
            code=f"external.{self._line.name}.{code}",
            action=_AGAINST[stage] if blocks else Action.NOTE,
            stage=stage,
            detail=detail,
            reply="unchecked" if blocks and stage == "question" else "",
        )


class Breaker:
    """Open for `PAUSE` seconds after `FAILURES` failures in a row; then a single further failure opens it again."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._until = 0.0

    @property
    def open(self) -> bool:
        """Whether the system is left alone now."""
        return self._failures >= FAILURES and self._clock() < self._until

    def failed(self) -> None:
        """Count a failure."""
        self._failures += 1
        self._until = self._clock() + PAUSE

    def worked(self) -> None:
        """Forget the failures."""
        self._failures = 0


async def ask_all(examiners: Iterable[Examiner], text: str, stage: str, context: Sequence[str] = ()) -> list[Finding]:
    """What all of them hold against a text, asked at the same time: it takes as long as the slowest may."""
    answers = await asyncio.gather(*(one.examine(text, stage, context) for one in examiners))
    return [finding for findings in answers for finding in findings]


def _sent(text: str) -> str:
    """A text as it leaves the house: not too long, masked, and with nothing that UTF-8 cannot carry."""
    return pii.mask(text[:LONGEST]).encode("utf-8", "replace").decode()


def _slug(category: str) -> str:
    """A category as the last part of a finding's code."""
    return re.sub(r"[^a-z0-9]+", "_", category[:60].lower()).strip("_") or "unnamed"
