"""The bank's documents as they stand, searched: dense and lexical, only what is in force and may be read."""

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from threading import Lock

import numpy as np
from pydantic import BaseModel, ConfigDict
from threadpoolctl import threadpool_limits

from knowledge.base import Bases
from knowledge.catalogue import Built, Catalogue, Service
from knowledge.catalogue import Generation as Record
from knowledge.chunk import Chunk, windows
from knowledge.document import Document, Kind
from knowledge.encoder import Encoder
from knowledge.generation import Generation
from knowledge.index.chroma import beside
from knowledge.index.store import Opener
from knowledge.ingest import alone
from knowledge.projection import Projection
from knowledge.rank import Floats, SearchPlan
from knowledge.search import Found, Reader, search
from knowledge.shelf import Shelf, shelf
from knowledge.spec import IndexSpec
from knowledge.trace import Trace, explain

__all__ = ["DocumentSummary", "Found", "Library", "Reader", "SearchPlan"]

_OPEN = 4
"""Generations held open: two indexes, each before and after a change."""
_SHELVES = 8
_CHUNKS, _AT_ONCE = 4_000, 200
_FOREIGN, _WINDOWS = 2_000, 8
"""Vectors that are remembered of texts from elsewhere, and windows of one of them that are looked at."""
_PATIENCE = 60.0
"""Seconds that a search waits for an ingestion, where it needs a generation that is no longer on disk."""


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


class Library:
    """An open library. Threads may share it; it follows generations that another process publishes."""

    def __init__(self, folder: Path, encoders: Mapping[str, Encoder], store: Opener = beside) -> None:
        # products of some thousand rows take longer to share out among threads than to compute
        threadpool_limits(1, user_api="blas")
        self.folder = folder
        self.store = store
        self._encoders = encoders
        self.catalogue = Catalogue(folder / "catalogue.db")
        self._projection = Projection(folder, self.catalogue, Bases(folder, store))
        self._lock = Lock()
        self._specs: dict[str, IndexSpec] = {}
        self._opened: OrderedDict[str, Generation] = OrderedDict()
        self._shelves: OrderedDict[tuple[str, Reader], Shelf] = OrderedDict()
        self._chunks: OrderedDict[str, Chunk] = OrderedDict()
        self._foreign: OrderedDict[tuple[str, str], Floats] = OrderedDict()

    def close(self) -> None:
        """Release the files."""
        self._projection.bases.close()
        self.catalogue.close()

    # what there is

    def indexes(self) -> dict[str, Built]:
        """The indexes in use, by id, in the order in which they were built."""
        return self.catalogue.indexes()

    def default(self) -> str:
        """The index that was built first of those in use; "" where there is none."""
        return self.catalogue.first()

    def generation(self, index: str = "") -> str:
        """The name of the generation that the next search of an index reads; "" when nothing is ingested."""
        return self.catalogue.current(index or self.default())

    def served_at(self, index: str, at: float) -> Service | None:
        """What an index served at a time, in seconds since 1970."""
        return next((one for one in reversed(self.catalogue.services(index)) if one.since <= at), None)

    def documents(self, index: str = "", generation: str = "") -> list[DocumentSummary]:
        """Every version in a generation, by id and date."""
        opened = self._generation(index, generation)
        if opened is None:
            return []
        counts = Counter(opened.names[place] for place in opened.document)
        return sorted(
            (
                DocumentSummary(
                    chunks=counts[one.name], **one.model_dump(include=set(DocumentSummary.model_fields) - {"chunks"})
                )
                for one in self.whole(index, generation)
            ),
            key=lambda one: (one.id, one.effective_from),
        )

    def whole(self, index: str = "", generation: str = "") -> list[Document]:
        """The documents of a generation, as they were read."""
        record = self._record(index, generation)
        return list(self.catalogue.documents(record.documents.values()).values()) if record else []

    def in_force(self, reader: Reader, index: str = "") -> Iterator[Chunk]:
        """Every chunk that a search for this reader could find, in the library's order, read as they are asked for."""
        opened = self._generation(index, "")
        if opened is None:
            return
        places = np.flatnonzero(self._shelf(opened, reader).readable)
        for start in range(0, len(places), _AT_ONCE):
            ids = [opened.ids[place] for place in places[start : start + _AT_ONCE]]
            found = self.catalogue.chunks(ids)
            yield from (found[one] for one in ids)

    def chunk(self, id: str) -> Chunk | None:  # noqa: A002 - the field's name
        """A chunk by its id, also one of an earlier generation; None where there never was one."""
        return self.catalogue.chunks([id]).get(id)

    # searching

    def search(self, query: str, reader: Reader, plan: SearchPlan, *, index: str = "", generation: str = "") -> Found:
        """The best passages, best first, of what this reader may read.

        All of it comes from one generation: the one that the index serves when the search begins, or the one named.
        Raises `LookupError` for an index or a generation that there is not.
        """
        opened = self._generation(index, generation)
        if opened is None:
            return Found(index=index, generation="")
        encoder = self._encoders[self._spec(opened.index).embedding]
        return search(query, self._shelf(opened, reader), plan, encoder, self._read)

    def explain(self, query: str, reader: Reader, plan: SearchPlan, *, index: str = "", generation: str = "") -> Trace:
        """The search as `search` makes it, with what it left out and why; raises `LookupError` as that does."""
        opened = self._generation(index, generation)
        if opened is None:
            return Trace(query=query, index=index, generation="", on=reader.on)
        encoder = self._encoders[self._spec(opened.index).embedding]
        return explain(query, self._shelf(opened, reader), reader, plan, encoder, self._read)

    def likeness(self, query: str, chunks: Sequence[Chunk], index: str = "") -> list[float]:
        """The cosine of a question and the best window of each chunk, which need not be of the index.

        They are cut and embedded as the index's own are, so that the cosines compare with those of a search.
        """
        spec = self._spec(index or self.default())
        encoder = self._encoders[spec.embedding]
        cut = [windows(one, spec.chunking, encoder.count_tokens)[:_WINDOWS] for one in chunks]
        asked = encoder.encode([query])[0]
        return [max((float(self._foreigner(one, encoder) @ asked) for one in texts), default=0.0) for texts in cut]

    def _foreigner(self, window: str, encoder: Encoder) -> Floats:
        key = (encoder.name, window)
        with self._lock:
            known = self._foreign.get(key)
        vector = encoder.read(window)[0] if known is None else known
        with self._lock:
            self._foreign[key] = vector
            self._foreign.move_to_end(key)
            while len(self._foreign) > _FOREIGN:
                self._foreign.popitem(last=False)
        return vector

    def _spec(self, index: str) -> IndexSpec:
        """How an index is made, which never changes."""
        if index not in self._specs:
            self._specs |= {one.id: one.spec for one in self.catalogue.indexes(retired=True).values()}
        return self._specs[index]

    def _record(self, index: str, generation: str) -> Record | None:
        """The generation that is meant; None where nothing was ingested."""
        chosen = index or self.default()
        if index and index not in self.catalogue.indexes(retired=True):
            raise LookupError(f"There is no index {index!r}.")
        name = generation or self.catalogue.current(chosen)
        record = self.catalogue.generation(name) if name else None
        if generation and (record is None or record.index != chosen):
            raise LookupError(f"The index {chosen} has no generation {generation!r}.")
        return record

    def _generation(self, index: str, generation: str) -> Generation | None:
        """A generation opened, made again from the catalogue where it is no longer on disk."""
        name = generation or self.catalogue.current(index or self.default())
        with self._lock:
            if name and name in self._opened and (not index or self._opened[name].index == index):
                self._opened.move_to_end(name)
                return self._opened[name]
        record = self._record(index, generation)
        if record is None:
            return None
        with self._lock:
            if record.name not in self._opened:
                self._opened[record.name] = self._open(record)
                while len(self._opened) > _OPEN:
                    gone, _ = self._opened.popitem(last=False)
                    for key in [key for key in self._shelves if key[0] == gone]:
                        del self._shelves[key]
            self._opened.move_to_end(record.name)
            return self._opened[record.name]

    def _open(self, record: Record) -> Generation:
        model = self._spec(record.index).embedding
        if self._projection.readable(record.name):
            return self._projection.open(record, model)
        with alone(self.folder, wait=_PATIENCE):  # else a sweep might delete what is being made
            return self._projection.open(record, model)

    def _shelf(self, opened: Generation, reader: Reader) -> Shelf:
        key = (opened.name, reader)
        with self._lock:
            if key not in self._shelves:
                self._shelves[key] = shelf(opened, reader.on, reader.audiences, reader.without)
                while len(self._shelves) > _SHELVES:
                    self._shelves.popitem(last=False)
            self._shelves.move_to_end(key)
            return self._shelves[key]

    def _read(self, ids: Sequence[str]) -> list[Chunk]:
        """Chunks in the order of their ids, the recent ones from memory."""
        with self._lock:
            found = {one: self._chunks[one] for one in ids if one in self._chunks}
        found |= self.catalogue.chunks([one for one in ids if one not in found])
        with self._lock:
            for one in ids:
                self._chunks[one] = found[one]
                self._chunks.move_to_end(one)
            while len(self._chunks) > _CHUNKS:
                self._chunks.popitem(last=False)
        return [found[one] for one in ids]
