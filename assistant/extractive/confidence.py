"""Whether the best statements are an answer, or only the nearest thing at hand."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from assistant.extractive.lexicon import reader, terms

_WORD = re.compile(r"[\w'$%.,-]*\w")
_NAMED = re.compile(
    r"(?<![$\d.,-])\b\d{3,4}\b(?![.,:%-]?\d|\s?(?:%|dollars?|bucks|days?|weeks?|months?|years?|points?|miles?))"
)
_BEST = 3
"""The statements that have to hold the words which tell one product from another."""
_LIMIT = 7.3
"""Confidence from which something is said; below it most questions are such that no document answers."""


class Encoder(Protocol):
    """What turns texts into unit vectors: `knowledge.embedding.MiniLM` is one."""

    def encode(self, texts: Sequence[str], *, lasting: bool = False) -> NDArray[np.float32]:
        """Unit vectors, shape (len(texts), dimensions), in the order of `texts`; those of documents are `lasting`."""
        ...


class Near(Protocol):
    """A statement that came close to the question."""

    @property
    def cosine(self) -> float:
        """With the question."""

    @property
    def under_heading(self) -> float:
        """With the question, under title and heading."""

    @property
    def terms(self) -> frozenset[str]:
        """Its topic words."""

    @property
    def reached(self) -> frozenset[str]:
        """Its topic words, those of title and heading among them."""


Close = TypeVar("Close", bound=Near)


@dataclass(frozen=True)
class Reading(Generic[Close]):
    """One way to read a question, the topic words of each source, and the statements that came close."""

    question: str
    sources: Sequence[frozenset[str]]
    near: Sequence[Close]


def confidence(readings: Sequence[Reading[Close]], encoder: Encoder) -> float:
    """How much speaks for an answer, over the ways in which the question was read.

    The weights are rounded from a regularised logistic regression on questions that the sample corpus answers and
    does not answer; the two last ones were set by hand.
    """
    near = [statement for reading in readings for statement in reading.near]
    weights = [_weights(reading.question, encoder) for reading in readings]
    in_source = min(_missing(own, reading.sources) for own, reading in zip(weights, readings, strict=True))
    in_statement = min(
        _missing(own, [one.reached for one in reading.near]) for own, reading in zip(weights, readings, strict=True)
    )
    cosine = max(one.cosine for one in near)
    under_heading = max(one.under_heading for one in near)
    whole = 1.0 if any(_holds_all(reading) for reading in readings) else 0.0
    named = 1.0 if _strange_number(readings) else 0.0
    other = min(_unnamed(reading) for reading in readings)
    return (
        5.0 * cosine
        + 10.0 * under_heading
        - 9.0 * in_source
        - 4.0 * in_statement
        + 0.8 * whole
        - 3.0 * named
        - 3.5 * other
    )


def _unnamed(reading: Reading[Close]) -> int:
    """How many words of the question that tell products apart the best statements do not hold."""
    named = frozenset(terms(reading.question)) & reader().naming
    return min(len(named - one.reached) for one in reading.near[:_BEST])


def _holds_all(reading: Reading[Close]) -> bool:
    """Whether one statement by itself holds all topic words of the question, of which there are several."""
    asked = frozenset(terms(reading.question))
    return len(asked) > 1 and any(asked <= one.terms for one in reading.near)


def _strange_number(readings: Sequence[Reading[Close]]) -> bool:
    """Whether the question names something by a number ("a 529 plan") that no source knows."""
    named = {found[0] for reading in readings for found in _NAMED.finditer(reading.question)}
    known = frozenset[str]().union(*(source for reading in readings for source in reading.sources))
    return not named <= known


def sure(readings: Sequence[Reading[Close]], encoder: Encoder) -> bool:
    """Whether what was found may be said as an answer."""
    return all(reading.near for reading in readings) and confidence(readings, encoder) >= _LIMIT


def _missing(weights: Sequence[tuple[frozenset[str], float]], held: Sequence[frozenset[str]]) -> float:
    """Weight of the weightiest word that is missing, in the text that comes off best; `held` are texts as terms."""
    return min(max((weight for own, weight in weights if not own & known), default=0.0) for known in held)


def _weights(question: str, encoder: Encoder) -> list[tuple[frozenset[str], float]]:
    """Each topic word of the question with its weight: how far the meaning moves when it is left out.

    One less the cosine. So "metal" in "a metal debit card" counts, "yesterday" hardly does;
    the weak words of the lexicon are left out.
    """
    words = _WORD.findall(question)
    places = [place for place, word in enumerate(words) if word.lower() not in reader().lexicon.stop]
    without = [" ".join([*words[:place], *words[place + 1 :]]) for place in places]
    vectors = encoder.encode([" ".join(words), *without])
    moved = np.clip(1 - vectors[1:] @ vectors[0], 0, None)
    whole = frozenset(terms(question))
    carried = [
        (whole - frozenset(terms(text))) or frozenset(terms(words[place]))
        for place, text in zip(places, without, strict=True)
    ]
    return [(own, float(weight)) for own, weight in zip(carried, moved, strict=True) if not own <= reader().weak]
