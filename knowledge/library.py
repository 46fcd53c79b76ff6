"""The bank's documents as they stand, searched: dense and lexical, only what is in force and may be read."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from knowledge import rank
from knowledge.catalogue import Catalogue
from knowledge.chunk import Chunk
from knowledge.document import Kind
from knowledge.embedding import MiniLM
from knowledge.index.chroma import Chroma, Dense
from knowledge.index.lexical import Lexical
from knowledge.rank import SearchPlan

__all__ = ["DocumentSummary", "Hit", "Library", "SearchPlan"]

_MOSTLY = 0.3
"""From this share of readable chunks on, the store is searched without its filter."""
_LONGEST_QUERY = 4_000
"""Characters of a query that are searched for; the rest is not read."""


class Hit(BaseModel):
    """A chunk that was found. `score` is fused, comparable only within one search; `cosine`, in [-1, 1], is
    the raw similarity of the query and the chunk's best window."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chunk: Chunk
    score: float
    cosine: float


class DocumentSummary(BaseModel):
    """One version of a document in the library, with the number of its chunks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    kind: Kind
    audience: str
    version: str
    effective_from: date
    effective_to: date | None
    owner: str
    source: str
    chunks: int


@dataclass(frozen=True)
class _Generation:
    """One generation, opened."""

    name: str
    chunks: tuple[Chunk, ...]
    dense: Dense | None
    lexical: Lexical | None
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]

    def readable(self, on: date, audiences: frozenset[str]) -> NDArray[np.bool_]:
        """Which chunks hold on that day for one of the audiences."""
        day = on.toordinal()
        meant = np.array([chunk.audience in audiences for chunk in self.chunks], np.bool_)
        return (self.begins <= day) & (day <= self.ends) & meant


class Library:
    """An open library. Threads may share it; it follows a generation that another process publishes."""

    def __init__(self, folder: Path, embeddings: MiniLM) -> None:
        self._folder = folder
        self._embeddings = embeddings
        self._catalogue = Catalogue(folder / "knowledge.db")
        self._chroma = Chroma(folder / "chroma")
        self._lock = Lock()
        self._opened = _Generation("", (), None, None, np.empty(0, np.int64), np.empty(0, np.int64))

    @classmethod
    def open(cls, folder: Path, embeddings: MiniLM) -> "Library":
        """The library in `folder`, empty where nothing has been ingested."""
        library = cls(folder, embeddings)
        library._current()
        return library

    @property
    def generation(self) -> str:
        """The name of the generation that the next search reads; "" when nothing is ingested."""
        return self._current().name

    def search(self, query: str, *, on: date, audiences: frozenset[str], plan: SearchPlan) -> list[Hit]:
        """The best passages, best first, out of documents in force on the day `on` for these audiences."""
        opened = self._current()
        text = query[:_LONGEST_QUERY]
        if opened.dense is None or opened.lexical is None or not audiences or not text.strip():
            return []
        readable = opened.readable(on, audiences)
        if not readable.any():
            return []
        vector = self._embeddings.encode([text])[0]
        near = _near(opened.dense, vector, readable, plan.pool, (on, audiences))
        lexical = opened.lexical.scores(text) if plan.dense_weight < 1 else np.zeros(len(readable), np.float32)
        words = np.where(readable, lexical, 0)
        likely = [place for place in rank.best(words, plan.pool) if words[place] > 0]
        pool = sorted(near.keys() | likely)
        cosines = np.array([near.get(place, np.nan) for place in pool], np.float32)
        fused = rank.fuse(cosines, words[pool], plan.dense_weight)
        scores = rank.weigh(fused, [opened.chunks[place].kind for place in pool], plan.kind_weights)
        chosen = [(pool[i], float(scores[i])) for i in rank.best(scores, plan.passages)]
        near |= opened.dense.cosines(vector, [place for place, _ in chosen if place not in near])
        return [Hit(chunk=opened.chunks[p], score=score, cosine=near[p]) for p, score in chosen]

    def documents(self) -> list[DocumentSummary]:
        """Every version in the library, by id and date."""
        chunks = self._current().chunks
        counts = Counter((chunk.document_id, chunk.version) for chunk in chunks)
        first = {(chunk.document_id, chunk.version): chunk for chunk in reversed(chunks)}
        ordered = sorted(first.items(), key=lambda item: (item[0][0], item[1].effective_from))
        return [
            DocumentSummary(
                id=chunk.document_id,
                chunks=counts[key],
                **chunk.model_dump(include=set(DocumentSummary.model_fields) - {"id", "chunks"}),
            )
            for key, chunk in ordered
        ]

    def in_force(self, on: date, audiences: frozenset[str]) -> list[Chunk]:
        """Every chunk that a search on that day for these audiences could find, in the library's order."""
        opened = self._current()
        return [opened.chunks[place] for place in np.flatnonzero(opened.readable(on, audiences))]

    def chunk(self, id: str) -> Chunk | None:  # noqa: A002 - the field's name
        """A chunk by its id, also one of an earlier generation; None where there never was one."""
        return self._catalogue.chunk(id)

    def close(self) -> None:
        """Release the files."""
        self._chroma.close()
        self._catalogue.close()

    def _current(self) -> _Generation:
        """The published generation, opened when it is new."""
        name = self._catalogue.current()
        if name == self._opened.name:
            return self._opened
        with self._lock:
            if name != self._opened.name:
                self._opened = self._open(name)
            return self._opened

    def _open(self, name: str) -> _Generation:
        chunks = tuple(self._catalogue.chunks(name))
        return _Generation(
            name,
            chunks,
            self._chroma.open(name),
            Lexical(self._folder / "lexical" / name),
            np.array([chunk.effective_from.toordinal() for chunk in chunks], np.int64),
            np.array([(chunk.effective_to or date.max).toordinal() for chunk in chunks], np.int64),
        )


def _near(
    dense: Dense,
    vector: NDArray[np.float32],
    readable: NDArray[np.bool_],
    pool: int,
    reader: tuple[date, frozenset[str]],
) -> dict[int, float]:
    """Position -> cosine of the `pool` nearest readable chunks.

    Where most chunks are readable, more are fetched and the others dropped: the store's own filter costs
    several times as much as its search, and pays only where it leaves little.
    """
    on, audiences = reader
    wanted = -(-pool * dense.size // len(readable))
    share = float(readable.mean())
    if share >= _MOSTLY:
        found = dense.nearest(vector, round(1.2 * wanted / share))
    else:
        found = dense.nearest(vector, wanted, on=on, audiences=audiences)
    kept = [(place, cosine) for place, cosine in found.items() if readable[place]]
    return dict(sorted(kept, key=lambda item: -item[1])[:pool])
