"""What one reader may read of a generation on one day, and the nearest of it."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from knowledge.generation import Generation, Ints
from knowledge.index.store import Unanswered

_AT_ONCE = 50_000
"""Vectors that are compared with one another at a time, where the store is not asked: about 75 MB."""
_SPARE = 1.05
"""How many more are fetched than are needed on average, so that enough of them may be read."""


@dataclass(frozen=True)
class Nearest:
    """Positions of chunks, nearest first. `unasked` tells why the store, which was to be asked, did not answer: then
    every vector in the files was compared, which takes longer and finds as much."""

    chunks: Ints
    unasked: str = ""


@dataclass(frozen=True)
class Shelf:
    """The readable part of a generation. `readable` says it of every chunk, shape (chunks,); up to `exact` readable
    vectors are compared one by one (None: as many as the store says)."""

    generation: Generation
    readable: NDArray[np.bool_]
    exact: int | None = None

    def nearest(self, vector: NDArray[np.float32], count: int) -> Nearest:
        """The readable chunks of the nearest windows, at most `count`.

        Where few vectors are readable they are compared one by one; else the store is asked for more than is wanted
        and the unreadable dropped, because its own filter costs several times as much as its search.
        """
        rows, exact = self._rows, self.generation.base.collection.exact if self.exact is None else self.exact
        if len(rows) <= exact:
            chosen, unasked = rows[_highest(self._matrix @ vector, count)] if len(rows) else rows, ""
        else:
            chosen, unasked = self._out_of_store(vector, count)
        return Nearest(self._chunks_of(chosen)[:count], unasked)

    def _out_of_store(self, vector: NDArray[np.float32], count: int) -> tuple[Ints, str]:
        """Readable rows out of the store and, compared one by one, out of what came after it."""
        generation, readable = self.generation, self._row_readable
        collection, share = generation.base.collection, len(self._rows) / len(readable)
        wanted = round(_SPARE * count / share)
        if wanted > collection.most:  # so few may be read that those it tells might hold none of them
            return self._compared(vector, count), ""
        found = collection.nearest(vector, wanted)
        if isinstance(found, Unanswered):
            return self._compared(vector, count), found.why
        late = self._rows[self._rows >= len(generation.base.rows)]
        rows = np.concatenate((found.rows[readable[found.rows]], late))
        cosines = generation.vectors(rows) @ vector
        return rows[_highest(cosines, count)], ""

    def _compared(self, vector: NDArray[np.float32], count: int) -> Ints:
        """The nearest readable rows by a comparison with every one, read from the files some at a time."""
        starts = range(0, len(self._rows), _AT_ONCE)
        parts = [self.generation.vectors(self._rows[start : start + _AT_ONCE]) @ vector for start in starts]
        return self._rows[_highest(np.concatenate(parts), count)]

    def _chunks_of(self, rows: Ints) -> Ints:
        """Readable chunks that have one of these rows, in the order of the rows, each once."""
        chunks = self.generation.chunks_of(rows)
        chunks = chunks[self.readable[chunks]]
        _, first = np.unique(chunks, return_index=True)
        return chunks[np.sort(first)]

    @cached_property
    def _row_readable(self) -> NDArray[np.bool_]:
        readable = np.zeros(self.generation.rows, np.bool_)
        readable[self.generation.row[self.readable[self.generation.window_chunk]]] = True
        return readable

    @cached_property
    def _rows(self) -> Ints:
        return np.flatnonzero(self._row_readable)

    @cached_property
    def _matrix(self) -> NDArray[np.float32]:
        return self.generation.vectors(self._rows)


def shelf(generation: Generation, on: date, audiences: frozenset[str], without: frozenset[str] = frozenset()) -> Shelf:
    """The chunks in force on the day `on` for these audiences, but for documents (`fees@2`, or `fees` in every version)
    that are withdrawn."""
    day = on.toordinal()
    in_force = (generation.begins <= day) & (day <= generation.ends)
    meant = np.array([one in audiences for one in generation.audiences], np.bool_)
    standing = np.array([not without.intersection((one, one.rpartition("@")[0])) for one in generation.names], np.bool_)
    return Shelf(generation, in_force & meant[generation.audience] & standing[generation.document])


def _highest(scores: NDArray[np.float32], count: int) -> Ints:
    """Places of the highest scores, best first."""
    if count < len(scores):
        places = np.argpartition(-scores, count)[:count]
        return places[np.argsort(-scores[places], kind="stable")]
    return np.argsort(-scores, kind="stable")
