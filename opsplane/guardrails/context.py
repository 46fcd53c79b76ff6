"""Passages and tool results as data: what reads like an instruction to a model is not handed to one.

The bank's documents are its own, so that a hit in one is an incident: the whole passage is dropped. A tool's result
holds free text from strangers (who pays writes the memo): there only the line is taken out.
"""

from collections.abc import Sequence
from functools import lru_cache

from opsplane.evidence import Evidence
from opsplane.finding import Action, Finding
from opsplane.guardrails import injection, pii
from opsplane.guardrails.injection import Signal, planted, worth_reading
from opsplane.release import Release

WITHHELD = "One line is left out here, because it reads like an order to a computer."
"""What stands in a tool's result in place of a line."""
QUOTED = 300
"""Characters of what was dropped that the record quotes, masked."""


def screen(evidence: Sequence[Evidence], release: Release) -> tuple[list[Evidence], list[Finding]]:
    """The passages that a model may read, and what was found in the others."""
    threshold = release.guardrails.context
    if threshold is None:
        return list(evidence), []
    kept, found = [], []
    for source in evidence:
        told = signal(source.text)
        if told.score < threshold:
            kept.append(source)
            continue
        place = f"{source.document}, {source.section}" if source.section else source.document
        found.append(_dropped(told, threshold, told.span or source.text, f"a passage of {place} speaks to a model"))
    return kept, found


def screen_text(text: str, release: Release) -> tuple[str, list[Finding]]:
    """A tool's result without the lines that read like instructions, and what was found in them."""
    threshold = release.guardrails.context
    if threshold is None:
        return text, []
    lines, found = [], []
    for line in text.split("\n"):
        told = signal(line)
        lines.append(line if told.score < threshold else WITHHELD)
        if told.score >= threshold:
            found.append(_dropped(told, threshold, line, "a line of a tool's result speaks to a model"))
    return "\n".join(lines), found


@lru_cache(maxsize=4096)
def signal(text: str) -> Signal:
    """How much a text of a document or tool speaks to a model instead of a reader, by its worst sentence."""
    learned = [planted(reading) for reading in worth_reading(text[: injection.LONGEST])]
    return max(injection.signal(text), *learned, key=lambda one: one.score)


def _dropped(told: Signal, threshold: float, words: str, detail: str) -> Finding:
    return Finding(
        code=f"context.{told.family}",
        action=Action.DROP,
        stage="passage",
        span=pii.mask(words[:QUOTED]),
        detail=detail,
        score=told.score,
        threshold=threshold,
    )
