"""Google's check grounding API: how well the sources that an answer's sentence cites bear it out."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from assistant.cloud import Cloud
from assistant.discovery import googles_host
from assistant.examiners.google_wire import google_wire
from assistant.examiners.wire import Wire
from opsplane.errors import InvalidRelease
from opsplane.guardrails.external import Match, Opinion, Rejected, System, Unreadable
from opsplane.release import External

MOST_FACTS, LONGEST_FACT = 200, 10_000
"""Facts that the service takes at once, and characters of one; of a longer text the rest is another fact."""

_TARGET = re.compile(r"projects/[\w.:-]+/locations/([a-z0-9-]+)/groundingConfigs/[\w-]+")


class _Read(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class _Chunk(_Read):
    source: str = ""


class _Claim(_Read):
    citation_indices: list[int] = []
    grounding_check_required: bool = False


class _Answer(_Read):
    """What is read of an answer; a claim's citations point to cited chunks, and those to facts."""

    support_score: float | None = Field(default=None, ge=0, le=1)
    cited_chunks: list[_Chunk] = []
    claims: list[_Claim] = []


def check_grounding(line: External, where: str, _key: str, cloud: Cloud) -> System:
    """A grounding configuration; Google's address unless the line or the settings have another.

    The setting `citations` is from which confidence on a fact is cited. Raises `InvalidRelease`.
    """
    named = _TARGET.fullmatch(line.target)
    if not named:
        raise InvalidRelease(f"{where}.target: {line.target!r} is not projects/P/locations/L/groundingConfigs/C")
    if line.reads != ("answer",):
        raise InvalidRelease(f"{where}.reads: check-grounding reads answers only; write reads: [answer]")
    settings = dict(line.settings)
    citations = settings.pop("citations", 0.6)
    if settings:
        raise InvalidRelease(f"{where}.settings: {sorted(settings)[0]} is not known; citations is")
    if isinstance(citations, bool | str) or not 0 <= citations <= 1:
        raise InvalidRelease(f"{where}.settings.citations: {citations!r} is not a number from 0 to 1")
    wire = google_wire(line, where, cloud, "search", f"https://{googles_host(named[1])}")
    return CheckGrounding(wire, line.target, citations)


class CheckGrounding:
    """One configuration. A sentence is checked against what it cites, a source being a fact or several."""

    def __init__(self, wire: Wire, config: str, citations: float) -> None:
        self._wire = wire
        self._config = config
        self._citations = citations

    async def opinion(self, text: str, stage: str, context: Sequence[str]) -> Opinion:
        """The support for a sentence of an answer, and which of its sources the service cites for it."""
        if stage != "answer":
            raise Rejected("only answers are checked")
        facts = [(number, piece) for number, source in enumerate(context[1:], start=1) for piece in _pieces(source)]
        facts = facts[:MOST_FACTS]
        if not facts:
            return Opinion((Match("support", 0.0, "nothing that it could rest on", support=True),))
        body = {
            "answerCandidate": text,
            "facts": [{"factText": piece} for _, piece in facts],
            "groundingSpec": {"citationThreshold": self._citations},
        }
        return read(await self._wire.post(f"/v1/{self._config}:check", body), [number for number, _ in facts])

    async def close(self) -> None:
        """Let the connections go."""
        await self._wire.close()


def read(answer: Any, sources: Sequence[int]) -> Opinion:
    """A grounding check as an opinion; `sources` is which source each fact is of. Raises `Unreadable`."""
    try:
        found = _Answer.model_validate(answer)
    except ValidationError as error:
        raise Unreadable("the answer is no grounding check") from error
    if found.support_score is None:
        raise Unreadable("the answer has no support score")
    if found.claims and not any(claim.grounding_check_required for claim in found.claims):
        return Opinion((Match("support", 1.0, "states nothing that needs a source", support=True),))
    cited = sorted(set(_cited(found, sources)))
    detail = f"borne out by {_named(cited)}" if cited else "no source bears it out"
    return Opinion((Match("support", round(found.support_score, 4), detail, support=True),))


def _cited(found: _Answer, sources: Sequence[int]) -> Iterator[int]:
    """The sources of the facts that the claims cite; raises `Unreadable` for a citation of nothing."""
    for index in (index for claim in found.claims for index in claim.citation_indices):
        source = found.cited_chunks[index].source if 0 <= index < len(found.cited_chunks) else ""
        if not source.isdecimal() or int(source) >= len(sources):
            raise Unreadable("the answer cites a fact that there is not")
        yield sources[int(source)]


def _named(cited: Sequence[int]) -> str:
    """Sources by their place among those that the sentence cites."""
    return f"cited source{'s' if len(cited) > 1 else ''} {', '.join(map(str, cited))}"


def _pieces(source: str) -> Iterator[str]:
    for start in range(0, len(source), LONGEST_FACT):
        if piece := source[start : start + LONGEST_FACT].strip():
            yield piece
