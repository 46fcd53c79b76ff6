"""From ranked chunks to passages: neighbours joined, repetitions left out, every part of a question served."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, cycle, islice, repeat

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Ranked:
    """The candidates of a question or of one of its parts: positions of chunks, their scores, and the unit vector of
    each one's best window, shape (candidates, width)."""

    places: Ints
    scores: Floats
    vectors: Floats


@dataclass(frozen=True)
class Layout:
    """Of every chunk of a generation, in reading order: its document and how many characters it has."""

    document: Ints
    length: Ints


@dataclass(frozen=True)
class Shape:
    """How passages are put together. A chunk is joined by its neighbours up to `size` characters. Every passage of a
    document takes `repeat` off the scores of its other chunks, or `spread` where the question has parts, which want
    several documents. Windows with a cosine from `alike` on say the same."""

    count: int = 6
    size: int = 2_250
    repeat: float = 0.02
    spread: float = 0.1
    alike: float = 0.97


@dataclass(frozen=True)
class Passage:
    """The chunks from `first` to `last`, found by the one at `best`; `part` is 0 for the whole question."""

    first: int
    last: int
    best: int
    score: float
    part: int


@dataclass
class Assembly:
    """Passages in the order in which they are to be read, and what became of each candidate, by position."""

    passages: list[Passage] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)


def assemble(asked: Sequence[Ranked], layout: Layout, shape: Shape) -> Assembly:
    """The best passages of a question and of its parts in turn.

    `asked` is the whole question and then its parts, of which there may be none. What is left out is told why.
    """
    work = _Work(asked, layout, shape)
    for part in _turns(len(asked) - 1, shape.count):
        if len(work.made.passages) < shape.count:
            work.take(part)
    work.explain()
    return work.made


def _turns(parts: int, count: int) -> Iterator[int]:
    """Which question may choose next: the whole one, its parts, and so on; the whole one goes on where others end."""
    return chain(
        islice(cycle(range(parts + 1)), count), repeat(0, count), *(repeat(n + 1, count) for n in range(parts))
    )


class _Work:
    """Passages in the making: what is used, how often each document was, and what it looks like."""

    def __init__(self, asked: Sequence[Ranked], layout: Layout, shape: Shape) -> None:
        self.asked, self.layout, self.shape = asked, layout, shape
        self.made = Assembly()
        self._scores: list[dict[int, float]] = [
            dict(zip(one.places.tolist(), one.scores.tolist(), strict=True)) for one in asked
        ]
        self._vectors = {
            place: vector for one in asked for place, vector in zip(one.places.tolist(), one.vectors, strict=True)
        }
        self._open = [dict(scores) for scores in self._scores]
        self._orders = [_by_score(scores) for scores in self._scores]
        self._used: dict[int, int] = {}
        self._seen: list[Floats] = []
        self._documents: Counter[int] = Counter()
        self._off = shape.spread if len(asked) > 1 else shape.repeat

    def take(self, part: int) -> None:
        """Make a passage of the best chunk that a part of the question still has."""
        left = self._open[part]
        while left:
            place = self._best(part)
            del left[place]
            if place in self._used or self._repeats(place):
                continue
            self._make(part, place)
            return

    def _best(self, part: int) -> int:
        """The chunk of highest worth that a part still has; no chunk is worth more than it scored."""
        best, highest = -1, -np.inf
        for place in self._orders[part]:
            if place not in self._open[part]:
                continue
            if self._scores[part][place] < highest:
                break
            worth = self._worth(part, place)
            if worth > highest or (worth == highest and place < best):
                best, highest = place, worth
        return best

    def explain(self) -> None:
        """Say of every candidate that is not in a passage why."""
        for scores in self._scores:
            for place in scores:
                self.made.reasons.setdefault(place, f"other chunks scored higher: {self.shape.count} passages are used")

    def _worth(self, part: int, place: int) -> float:
        repeated = self._documents[int(self.layout.document[place])]
        return self._scores[part][place] - self._off * repeated

    def _repeats(self, place: int) -> bool:
        """Whether a chunk says what one in use says already."""
        vector = self._vectors[place]
        for number, seen in enumerate(self._seen, 1):
            if float(vector @ seen) >= self.shape.alike:
                self.made.reasons[place] = f"says nearly the same as passage {number}"
                return True
        return False

    def _make(self, part: int, best: int) -> None:
        number = len(self.made.passages) + 1
        first, last = self._grown(part, best)
        for place in range(first, last + 1):
            self._used[place] = number
            self.made.reasons[place] = f"in passage {number}" + ("" if place == best else ", as a neighbour")
        self._seen.append(self._vectors[best])
        self._documents[int(self.layout.document[best])] += 1
        self.made.passages.append(Passage(first, last, best, self._scores[part][best], part))

    def _grown(self, part: int, best: int) -> tuple[int, int]:
        """A chunk with its neighbours of the same document, the better one first, as far as the size allows."""
        first = last = best
        size = int(self.layout.length[best])
        while True:
            beside = [place for place in (first - 1, last + 1) if self._may_join(place, best, size)]
            if not beside:
                return first, last
            place = max(beside, key=lambda one: (self._scores[part].get(one, -1.0), one))
            size += int(self.layout.length[place])
            first, last = min(first, place), max(last, place)

    def _may_join(self, place: int, best: int, size: int) -> bool:
        return (
            0 <= place < len(self.layout.length)
            and self.layout.document[place] == self.layout.document[best]
            and place not in self._used
            and size + int(self.layout.length[place]) <= self.shape.size
        )


def _by_score(scores: Mapping[int, float]) -> list[int]:
    """Positions, the highest score first."""
    return sorted(scores, key=lambda place: (-scores[place], place))
