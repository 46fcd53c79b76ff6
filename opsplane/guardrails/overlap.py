"""What a sentence and its evidence have in common and where they part, as numbers for the model of support."""

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsplane.guardrails import alignment, figures, shortlist, wording
from opsplane.guardrails.figures import Figure
from opsplane.guardrails.shortlist import Line

NEAREST = 4
"""Lines of the evidence that a sentence is compared with closely."""
_MORE = 7
"""Lines in which its words are looked for before they count as absent from the neighbourhood."""
_TOKENS = 120
_FAR, _SAME = 0.2, 0.8
"""Cosines of two words' vectors from which they are no kin at all, or as good as one word."""
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|[0-9][0-9.,]*[0-9]|[0-9]")
_CAPITAL = re.compile(r"(?<![^\W_])[A-Z][\w'.&-]{0,40}\w|(?<![^\W_])[A-Z](?![\w])")
_JOINTS = re.compile(r"[-'.&]")
_WORDS = "absent absent_near absent_count absent_heaviest best second two_best union_gain"
_FACTS = (
    "figures figures_absent figures_absent_near numbers_absent numbers_absent_near "
    "capitals capitals_absent capitals_absent_near capitals_share"
)
_SHAPE = "longest_gap pairs_absent size lines quoted spread apart copied"
_KIN = "kin_absent kin_heaviest kin_two kin_absent_all"
_ROUND = "absent_around kin_around window_3 window_7"
FEATURES = (*f"{_WORDS} {_FACTS} {_SHAPE} {_KIN} {_ROUND}".split(), *alignment.FEATURES)
"""Names of the numbers that `measure` gives, in order."""


class Kin:
    """Vectors of words, by stem: how far a word's meaning is from the nearest of others."""

    def __init__(self, stems: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """`vectors` are unit vectors, one row a stem."""
        self._places = {stem: place for place, stem in enumerate(stems)}
        self._vectors = vectors

    def distance(self, term: str, others: frozenset[str]) -> float:
        """0 for a word of the same meaning, 1 for one that is far from all or unknown."""
        place = self._places.get(term)
        known = [self._places[other] for other in others if other in self._places]
        if place is None or not known:
            return 1.0
        cosine = round(float((self._vectors[known] @ self._vectors[place]).max()), 5)
        return 1 - min(1.0, max(0.0, (cosine - _FAR) / (_SAME - _FAR)))


class _Reading(NamedTuple):
    """The sentence or a line of the evidence, read once."""

    tokens: tuple[str, ...]
    capitals: frozenset[str]
    figures: tuple[Figure, ...]
    numbers: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    lower: str


class _Sides(NamedTuple):
    """The sentence's terms; all lines, and the nearest of them, best first; terms of either."""

    wanted: frozenset[str]
    lines: Sequence[Line]
    near: Sequence[Line]
    places: Sequence[int]
    known: frozenset[str]
    close: frozenset[str]
    weights: Mapping[str, float]

    def weigh(self, terms: frozenset[str]) -> float:
        """Sum of the terms' weights, the same in whatever order they come."""
        return math.fsum(self.weights.get(term, 1.0) for term in terms)


def measure(claim: str, lines: Sequence[Line], weights: Mapping[str, float], kin: Kin) -> NDArray[np.float64]:
    """The numbers of `FEATURES`, in order, for a sentence and all lines of its evidence."""
    wanted = shortlist.terms(claim)
    around = shortlist.nearest(wanted, lines, weights, _MORE)
    places = around[:NEAREST]
    near = [lines[place] for place in places]
    known = frozenset().union(*(line.terms for line in lines))
    close = frozenset().union(*(line.terms for line in near))
    sides = _Sides(wanted, lines, near, places, known, close, weights)
    said, readings = _read(claim), [_read(line.text) for line in near]
    numbers = [*_words(sides), *_facts(said, readings, sides), *_shape(said, readings, sides), *_kin(sides, kin)]
    numbers += _around(sides, around, kin)
    return np.array([*numbers, *alignment.measure(claim, [line.text for line in near])], np.float64)


def _words(sides: _Sides) -> list[float]:
    """Weight of the terms that all lines or the nearest lack, and of those that single lines hold."""
    wanted, total = sides.wanted, sides.weigh(sides.wanted) or 1.0
    absent = wanted - sides.known
    shares = [*sorted((sides.weigh(line.terms & wanted) / total for line in sides.near), reverse=True), 0.0, 0.0]
    two = frozenset().union(*(line.terms for line in sides.near[:2]))
    return [
        sides.weigh(absent) / total,
        sides.weigh(wanted - sides.close) / total,
        len(absent),
        max((sides.weights.get(term, 1.0) for term in absent), default=0.0),
        shares[0],
        shares[1],
        sides.weigh(two & wanted) / total,
        sides.weigh(wanted & sides.close) / total - shares[0],
    ]


def _facts(said: _Reading, near: Sequence[_Reading], sides: _Sides) -> list[float]:
    """Figures, numbers and names, and how many of them the evidence does not hold."""
    required = [figure for figure in dict.fromkeys(said.figures) if figure.text.lower() not in {"one", "zero"}]
    held = [figure for reading in near for figure in reading.figures]
    lower = " ".join(reading.lower for reading in near)
    lost = [figure for figure in required if not figures.holds(figure, held, lower)]
    nowhere = [figure for figure in lost if not _anywhere(figure, sides.lines)]
    numbers = frozenset().union(*(reading.numbers for reading in near))
    words = sides.close.union(*(reading.tokens for reading in near))
    names = _names(said, sides.known)
    unseen = [name for name in names if not _held(name, words)]
    absent = [name for name in unseen if not _held(name, sides.known)]
    return [
        len(required),
        len(nowhere),
        len(lost),
        len(said.numbers - sides.known),
        len(said.numbers - numbers),
        len(names),
        len(absent),
        len(unseen),
        len(absent) / max(1, len(names)),
    ]


def _names(said: _Reading, known: frozenset[str]) -> set[str]:
    """Capitalised words; the first word of the sentence only where it is one of content that the evidence lacks."""
    first = said.tokens[0] if said.tokens else ""
    names = {name for name in said.capitals if wording.stems(name)}
    return {name for name in names if name != first or name not in known}


def _held(name: str, words: frozenset[str]) -> bool:
    if name in words or wording.stem(name) in words:
        return True
    parts = [wording.stem(part) for part in _JOINTS.split(name) if part]
    return len(parts) > 1 and all(part in words for part in parts)


def _anywhere(figure: Figure, lines: Sequence[Line]) -> bool:
    digits = re.findall(r"[0-9]+", figure.text.replace(",", ""))
    for line in lines:
        if not digits or any(part in line.text.replace(",", "") for part in digits):
            reading = _read(line.text)
            if figures.holds(figure, list(reading.figures), reading.lower):
                return True
    return False


def _shape(said: _Reading, near: Sequence[_Reading], sides: _Sides) -> list[float]:
    """Gaps and copied stretches, the sentence's size, and how many lines far apart it draws upon."""
    wanted = sides.wanted
    gap = longest = 0
    for token in said.tokens:
        term = wording.stem(token)
        if term in wanted or token in wanted:
            gap = 0 if term in sides.close or token in sides.close else gap + 1
            longest = max(longest, gap)
    pairs = frozenset().union(*(reading.pairs for reading in near))
    ahead = sides.places[:3]
    copied = max((_run(said.tokens, reading.tokens) for reading in near), default=0)
    return [
        longest,
        len(said.pairs - pairs) / max(1, len(said.pairs)),
        len(wanted),
        math.log1p(len(sides.lines)),
        sum(len(line.terms & wanted) >= 0.5 * len(line.terms) for line in sides.near),
        math.log1p(max(ahead) - min(ahead)) if ahead else 0.0,
        sum(len(line.terms & wanted) >= 0.15 * len(wanted) for line in sides.near),
        copied / max(1, len(said.tokens)),
    ]


def _kin(sides: _Sides, kin: Kin) -> list[float]:
    """What is absent, counting less where the evidence has words of like meaning."""
    total = sides.weigh(sides.wanted) or 1.0
    lacking = sorted(_lacking(sides, sides.close, kin), reverse=True)
    everywhere = math.fsum(_lacking(sides, sides.known, kin))
    return [math.fsum(lacking) / total, max(lacking, default=0.0), math.fsum(lacking[:2]), everywhere / total]


def _lacking(sides: _Sides, held: frozenset[str], kin: Kin) -> list[float]:
    return [kin.distance(term, held) * sides.weights.get(term, 1.0) for term in sides.wanted - held]


def _around(sides: _Sides, around: Sequence[int], kin: Kin) -> list[float]:
    """What a few lines more still lack, and the most that three or seven lines in a row hold."""
    total = sides.weigh(sides.wanted) or 1.0
    held = frozenset().union(*(sides.lines[place].terms for place in around))
    threes = {max(0, place - back) for place in around for back in range(3)}
    sevens = {max(0, place - 3) for place in sides.places}
    return [
        sides.weigh(sides.wanted - held) / total,
        math.fsum(_lacking(sides, held, kin)) / total,
        max((_window(sides, start, start + 3) for start in threes), default=0.0) / total,
        max((_window(sides, start, start + 7) for start in sevens), default=0.0) / total,
    ]


def _window(sides: _Sides, start: int, end: int) -> float:
    held = frozenset().union(*(line.terms for line in sides.lines[start:end]))
    return sides.weigh(held & sides.wanted)


@lru_cache(maxsize=4096)
def _read(text: str) -> _Reading:
    tokens = tuple(token.lower().replace(",", "") for token in _TOKEN.findall(text)[:_TOKENS])
    stems = [wording.stem(token) for token in tokens if token[0].isalpha() and wording.stems(token)]
    return _Reading(
        tokens=tokens,
        capitals=frozenset(word.lower().rstrip(".'").removesuffix("'s") for word in _CAPITAL.findall(text)),
        figures=tuple(figures.read(text)),
        numbers=frozenset(token for token in tokens if token[0].isdigit()),
        pairs=frozenset(pairwise(stems)),
        lower=text.lower(),
    )


def _run(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest stretch of words that both have."""
    best, row = 0, [0] * (len(b) + 1)
    for word in a:
        row = [0, *(row[place] + 1 if word == other else 0 for place, other in enumerate(b))]
        best = max(best, *row)
    return best
