"""Scorers that need nothing but the case and the exchange: a measure and a function that reads both."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from opsplane.evaluation.dataset import Case
from opsplane.evaluation.matter import Matter
from opsplane.evaluation.scoring import Measure, Score
from opsplane.exchange import Exchange, Outcome
from opsplane.guardrails import wording

_SPACES = re.compile(r"[^\S\n]+")


@dataclass(frozen=True)
class Found:
    """What a rule found: a value, or None and the reason; `why` also tells what stood in the way of a full score."""

    value: float | None
    why: str = ""
    part: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """A scorer by a function; the function gives None where the case says nothing about the measure."""

    measure: Measure
    read: Callable[[Case, Exchange], Found | None]

    async def score(self, case: Case, exchange: Exchange) -> Score | None:
        """What the function finds, under the measure's name."""
        return named(self.measure, self.read(case, exchange))


def named(measure: Measure, found: Found | None) -> Score | None:
    """A finding as the score of this measure."""
    return Score(scorer=measure.name, value=found.value, why=found.why, part=found.part) if found else None


def digest(name: str, version: int, **parts: str) -> str:
    """SHA-256 of a scorer's version and of all that its numbers rest on: prompts, models, versions of libraries."""
    told = json.dumps({"name": name, "version": version, **parts}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()


def written(exchange: Exchange) -> tuple[str, ...]:
    """The model's own sentences of an answer, without the bank's fixed words; empty where no answer was given."""
    if exchange.outcome is not Outcome.ANSWERED:
        return ()
    fixed = Matter.of(exchange).fixed
    return tuple(_SPACES.sub(" ", one.text) for one in exchange.sentences if one.text not in fixed)


def sentences(texts: Iterable[str]) -> list[str]:
    """The sentences, lines and table cells of texts, each of which ends one."""
    # a long run of spaces takes the cutting of sentences minutes
    return wording.sentences("\n".join(_SPACES.sub(" ", text) for text in texts))
