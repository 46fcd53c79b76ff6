"""True and false claims planted in documents by rules, to train and to measure the grounding checks.

A claim is made of sentences of a section, which is its evidence. True ones are copied, shortened, joined, reordered,
reworded or write a figure in another way; false ones change a figure, a date, a negation, a condition or a name, tell
a fact of another section on the same topic, or join a sentence of the section with one from elsewhere.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import rewrite
from opsplane.guardrails import figures, wording

TRUE = ("verbatim", "shortened", "joined", "reordered", "reworded", "reformatted")
FALSE = ("figure", "date", "negation", "condition", "entity", "topic", "half")
_WORDS = range(6, 46)
_FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_HEADING = re.compile(r"\n(?=## )")
_SHARED = 3
"""Stems that a fact of another section has in common with this one to be on the same topic."""


class Pair(NamedTuple):
    """A claim, the section that is its evidence, whether that supports the whole claim, and how it was made."""

    claim: str
    evidence: str
    supported: bool
    kind: str


def sections(folder: Path) -> dict[str, list[str]]:
    """The Markdown documents under a folder, each cut at its second-level headings, by path."""
    files = sorted(folder.rglob("*.md"))
    texts = {str(file.relative_to(folder)): _FRONT.sub("", file.read_text(encoding="utf-8")) for file in files}
    return {name: [part.strip() for part in _HEADING.split(text) if part.strip()] for name, text in texts.items()}


def pairs(sections: Sequence[str], seed: int) -> Iterator[Pair]:
    """About five pairs a sentence, true and false in near balance; equal sections and seed give equal pairs."""
    rng = random.Random(seed)
    read = [_read(section) for section in sections]
    small = frozenset().union(*(re.findall(r"\b[a-z]{3,}\b", section) for section in sections))
    names = sorted({n for section in sections for n in rewrite.names(section) if n.lower() not in small})
    stems = [wording.stems(section) for section in sections]
    for number, section in enumerate(sections):
        others = [j for j in range(len(sections)) if j != number]
        others.sort(key=lambda j: (-len(stems[j] & stems[number]), j))
        elsewhere = [sentence for j in others[:3] for sentence in read[j]]
        for sentence in read[number]:
            yield from _true(sentence, section, read[number], rng)
            yield from _false(sentence, section, elsewhere, names, rng)


def _read(section: str) -> list[str]:
    """The prose sentences, whole and of usual length."""
    prose = "\n".join(
        re.sub(r"^(?:[-*]|\d{1,2}\.|\([a-z0-9]{1,4}\)) ", "", line).replace("**", "")
        for line in section.splitlines()
        if not line.startswith(("#", "|", ">"))
    )
    found = wording.sentences(prose)
    return [text for text in dict.fromkeys(found) if len(text.split()) in _WORDS and re.match(r"[A-Z\"].*[.!]\Z", text)]


def _true(sentence: str, section: str, around: Sequence[str], rng: random.Random) -> Iterator[Pair]:
    made: dict[str, str | None] = {
        "verbatim": sentence if rng.random() < 0.25 else None,
        "shortened": rewrite.shorten(sentence, rng),
        "joined": rewrite.join(sentence, rng.choice([*around, sentence]), rng),
        "reordered": rewrite.reorder(sentence),
        "reworded": rewrite.reword(sentence, rng),
        "reformatted": rewrite.reformat(sentence, rng),
    }
    for kind, claim in made.items():
        if claim is not None:
            yield Pair(_maybe_reworded(claim, kind, rng), section, True, kind)


def _false(
    sentence: str, section: str, elsewhere: Sequence[str], names: Sequence[str], rng: random.Random
) -> Iterator[Pair]:
    plants: dict[str, Callable[[], str | None]] = {
        "figure": lambda: _absent(rewrite.change_figure(sentence, section, rng), section),
        "date": lambda: _absent(rewrite.change_date(sentence, rng), section),
        "negation": lambda: rewrite.negate(sentence, rng),
        "condition": lambda: rewrite.change_condition(sentence, rng),
        "entity": lambda: rewrite.change_name(sentence, section, names, rng),
        "topic": lambda: _topic(section, elsewhere, rng),
        "half": lambda: _half(sentence, section, elsewhere, rng),
    }
    for kind, plant in plants.items():
        if kind in {"entity", "topic", "half"} and rng.random() < 0.6:
            continue
        claim = plant()
        if claim is not None and claim not in section:
            yield Pair(_maybe_reworded(claim, kind, rng), section, False, kind)


def _maybe_reworded(claim: str, kind: str, rng: random.Random) -> str:
    """False claims are reworded as often as true ones, so that the wording does not give them away."""
    if kind in {"verbatim", "reworded"} or rng.random() < 0.6:
        return claim
    return rewrite.reword(claim, rng) or claim


def _absent(claim: str | None, section: str) -> str | None:
    """The claim where at least one of its figures is not in the section, or stands there in another sentence only."""
    if claim is None:
        return None
    held = figures.read(section)
    missing = any(not figures.holds(figure, held, section.lower()) for figure in figures.required(claim))
    return claim if missing or not _stated(claim, section) else None


def _stated(claim: str, section: str) -> bool:
    """A sentence of the section holds all figures and nearly all words of the claim."""
    wanted, stems = figures.required(claim), wording.stems(claim)
    for sentence in wording.sentences(section):
        held = figures.read(sentence)
        words = len(stems & wording.stems(sentence)) >= 0.8 * len(stems)
        if words and all(figures.holds(figure, held, sentence.lower()) for figure in wanted):
            return True
    return False


def _topic(section: str, elsewhere: Sequence[str], rng: random.Random) -> str | None:
    """A sentence of a neighbouring section that shares words with this one and says something it does not."""
    known = wording.stems(section)
    fitting = [text for text in elsewhere if _SHARED <= len(wording.stems(text) & known) <= 0.75 * _size(text)]
    return rng.choice(fitting) if fitting else None


def _half(sentence: str, section: str, elsewhere: Sequence[str], rng: random.Random) -> str | None:
    """The sentence joined with one that the section does not support."""
    other = _topic(section, elsewhere, rng)
    if other is None:
        return None
    first, second = (sentence, other) if rng.random() < 0.5 else (other, sentence)
    return rewrite.join(first, second, rng)


def _size(text: str) -> int:
    return max(1, len(wording.stems(text)))
