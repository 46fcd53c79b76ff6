"""Prompt injection and jailbreaks: weighted patterns, and a trained signal beside them; early, cheap, explainable.

A customer id from the session, read-only tools and the check of every sentence protect the bank whatever is typed;
this only turns plain attempts away. Adaptive attacks in other words pass it.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from math import exp, log
from typing import NamedTuple

import re2

from opsplane.guardrails import disguise, injection_heads
from opsplane.guardrails.injection_patterns import FAMILIES
from opsplane.guardrails.scope import Encode

__all__ = [
    "DEFAULT",
    "FAMILIES",
    "LEARNED",
    "LONGEST",
    "Detector",
    "Encode",
    "Signal",
    "certainty",
    "planted",
    "signal",
    "worth_reading",
]

Search = Callable[[str], re.Match[str] | None]

LONGEST = 20_000
"""Characters of a text that are read."""
DEFAULT = 0.6
"""The threshold at which the trained margins are zero."""
LEARNED = "learned"
"""The family of what only the trained signal noticed."""

_SQUASHED = re.compile(
    r"(?:ignore|disregard|forget)(?:all)?(?:of)?(?:the|your|my)?(?:previous|prior|above|"
    r"earlier)?(?:instruction|rule|guideline|prompt)"
    r"|(?:reveal|show|print|repeat)(?:me)?(?:your|the)?(?:system|initial|hidden)(?:prompt|instruction)|"
    r"doanythingnow|developermode|jailbreakmode"
)


def _compiled(pattern: str) -> Search:
    """For an engine whose time grows with the length of the text and with nothing else."""
    options = re2.Options()
    options.case_sensitive = False
    options.max_mem = 16 << 20  # bytes; beyond them a search is slower, not wrong
    options.log_errors = False
    search: Search = re2.compile(pattern, options).search
    return search


_COMPILED = {
    family: tuple((weight, _compiled(pattern)) for weight, pattern in sorted(patterns, reverse=True))
    for family, patterns in FAMILIES.items()
}
_PASTED = re.compile(
    r"\b(?:subject|from|sent|to|received date|email_from|content)\s?:|\bunsubscribe\b|\b(?:kind|best|warm) regards\b|"
    r"(?:^|\n)\s{0,3}(?:dear|hi|hello)\b[^\n]{0,40},",
    re.IGNORECASE,
)
_LETTER = 300  # characters from which a text with a letter's marks is read as a document too
_LIKELIEST, _SPAN = 6.0, 160  # a vector's margin counts up to here; characters of a span


class Signal(NamedTuple):
    """How much a text looks like an injection, in [0, 1], its strongest family and the words that showed it."""

    score: float
    family: str = ""
    span: str = ""


def signal(text: str) -> Signal:
    """The strongest signal of the patterns, in every reading that hides less."""
    return _patterns(text[:LONGEST])


@lru_cache(maxsize=4096)
def _patterns(text: str) -> Signal:
    readings = disguise.revealed(text)
    best = max((_weigh(reading) for reading in readings), key=lambda found: found.score)
    if best.score < DEFAULT and len(readings) > 1 and _SQUASHED.search(re.sub(r"[^a-z]", "", readings[-1].lower())):
        return _weigh("ignore all previous instructions")
    return best


def _weigh(text: str) -> Signal:
    """Noisy-or over the families, each at its heaviest pattern."""
    innocent, best = 1.0, Signal(0.0)
    for family, patterns in _COMPILED.items():
        for weight, search in patterns:
            if match := search(text):
                innocent *= 1 - weight
                if weight > best.score:
                    best = Signal(weight, family, match.group())
                break
    return Signal(round(1 - innocent, 4), best.family, best.span)


class Detector:
    """Patterns and trained heads together, for questions. With `encode` it also reads sentence vectors.

    `encode` maps texts to unit vectors, float32 of shape (n, 384); it is asked only where it can change the verdict.
    """

    def __init__(self, encode: Encode | None = None) -> None:
        self._encode = encode
        self._heads = injection_heads.load()

    def signal(self, text: str) -> Signal:
        """The strongest signal of a text, sentence by sentence and as a whole."""
        head = text[:LONGEST]
        told = signal(head)
        readings = worth_reading(head)
        found = [self._learned(reading, told.score) for reading in readings]
        if len(head) >= _LETTER and _PASTED.search(head):  # somebody else may have written it, to a model
            found += [planted(reading) for reading in readings]
        learned = max(found, key=lambda one: one.score)
        if learned.score <= told.score:
            return told
        return Signal(learned.score, told.family or LEARNED, learned.span[:_SPAN])

    def _learned(self, reading: str, told: float) -> Signal:
        """What the trained heads say of one reading."""
        heads, units = self._heads, injection_heads.units(reading)
        margins = heads.attack(units)
        worst = int(margins.argmax())
        at = float(margins[worst]) - injection_heads.chance(len(units)) + injection_heads.PATTERN_SHARE * told
        share, zero = injection_heads.ENCODER_SHARE, heads.zero["encoder"]
        if self._encode is None:
            return Signal(certainty(at - heads.zero["ngrams"]), LEARNED, units[worst])
        if abs(at - zero) <= share * _LIKELIEST:
            vectors = self._encode(injection_heads.encoded_units(reading))
            by_vector = float((vectors @ heads.vector).max()) + heads.bias["vector"]
            at += share * max(-_LIKELIEST, min(_LIKELIEST, by_vector))
        return Signal(certainty(at - zero), LEARNED, units[worst])


def planted(text: str) -> Signal:
    """What the trained head says of a document's worst sentence: whether it speaks to a model instead of a reader."""
    heads = injection_heads.load()
    parts = injection_heads.spoken_units(text)
    if not parts:
        return Signal(0.0)
    margins = heads.instruction(parts)
    worst = int(margins.argmax())
    return Signal(certainty(float(margins[worst]) - heads.zero["context"]), LEARNED, parts[worst])


def certainty(margin: float) -> float:
    """A margin as a score in [0, 1]: zero is the default threshold, and a larger margin a higher score."""
    return round(1 / (1 + exp(-max(-30.0, min(30.0, margin)) - log(DEFAULT / (1 - DEFAULT)))), 4)


def worth_reading(text: str) -> list[str]:
    """The literal reading, and of the others those that read like English."""
    literal, *others = disguise.revealed(text)
    return [literal, *(reading for reading in others if disguise.english(reading))][:4]
