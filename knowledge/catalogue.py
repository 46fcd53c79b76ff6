"""The record of what is indexed, in SQLite: documents, chunks, indexes, generations, and which of them serve.

It is the truth; vector store and lexical index are projections that can be made again from it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, Connection, Engine, Table, create_engine, event, literal_column, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.sql import Executable

from knowledge.chunk import Chunk
from knowledge.document import Document
from knowledge.spec import IndexSpec
from knowledge.tables import (
    CHUNKS,
    CUTS,
    DOCUMENTS,
    GENERATIONS,
    HELD,
    INDEXES,
    METADATA,
    READ,
    SERVED,
    STUDIED,
    VECTORS,
)
from knowledge.vectors import Embedded

_AT_ONCE = 500
RESTORED = "restored"
"""How the reason begins for which a generation serves that somebody went back to."""
Windows = tuple[str, ...]
"""The hashes of a chunk's windows, in reading order."""
Cut = tuple[tuple[str, Windows], ...]
"""What a document was cut into: chunk ids in reading order, each with its windows."""


class Generation(BaseModel):
    """One immutable state of an index. `documents` maps each name, such as `fees@2`, to its fingerprint; `base` is
    the store of vectors that it rests on, `made` in seconds since 1970."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    index: str
    number: int
    fingerprint: str
    documents: Mapping[str, str]
    base: str
    made: float


class Service(BaseModel):
    """That an index served a generation from a time on, and why it began to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: str
    generation: str
    since: float
    why: str


class Built(BaseModel):
    """An index that was built; `retired` is when it was given up, in seconds since 1970."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    spec: IndexSpec
    made: float
    retired: float | None = None


class Catalogue:
    """The catalogue of one folder; may be used from several threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._engine: Engine = create_engine(f"sqlite:///{path}")
        event.listen(self._engine, "connect", _configure)
        METADATA.create_all(self._engine)

    def close(self) -> None:
        """Release the file."""
        self._engine.dispose()

    # indexes

    def indexes(self, *, retired: bool = False) -> dict[str, Built]:
        """Indexes by id, in the order in which they were built; with `retired` those given up too."""
        query = select(INDEXES).order_by(INDEXES.c.made, literal_column("rowid"))
        if not retired:
            query = query.where(INDEXES.c.retired.is_(None))
        return {row["id"]: Built(**{**row, "spec": json.loads(row["spec"])}) for row in self._rows(query)}

    def first(self) -> str:
        """The index in use that was built first; "" where there is none."""
        query = select(INDEXES.c.id).where(INDEXES.c.retired.is_(None))
        with self._engine.connect() as connection:
            return connection.scalar(query.order_by(INDEXES.c.made, literal_column("rowid")).limit(1)) or ""

    def add_index(self, spec: IndexSpec, at: float) -> None:
        """Record an index; one that was given up counts again."""
        row = {"id": spec.id, "spec": spec.model_dump_json(), "made": at, "retired": None}
        self._write(insert(INDEXES).values(row).on_conflict_do_update(index_elements=["id"], set_={"retired": None}))

    def retire(self, index: str, at: float) -> None:
        """Record that an index was given up."""
        self._write(INDEXES.update().where(INDEXES.c.id == index).values(retired=at))

    # generations

    def current(self, index: str) -> str:
        """The name of the generation that an index serves; "" before the first."""
        query = select(SERVED.c.generation).where(SERVED.c.index == index).order_by(SERVED.c.number.desc()).limit(1)
        with self._engine.connect() as connection:
            return connection.scalar(query) or ""

    def services(self, index: str) -> list[Service]:
        """What an index served, oldest first."""
        columns = [SERVED.c.index, SERVED.c.generation, SERVED.c.since, SERVED.c.why]
        query = select(*columns).where(SERVED.c.index == index).order_by(SERVED.c.number)
        return [Service(**row) for row in self._rows(query)]

    def set_aside(self, index: str) -> str:
        """The generation that would serve, had nobody gone back to an earlier one; "" where nobody did."""
        services = self.services(index)
        if not services or not services[-1].why.startswith(RESTORED):
            return ""
        return next((one.generation for one in reversed(services) if not one.why.startswith(RESTORED)), "")

    def generations(self, index: str | None = None) -> list[Generation]:
        """Recorded generations of one index or of all, oldest first; also those that wait to be served."""
        query = select(GENERATIONS).order_by(GENERATIONS.c.number)
        if index is not None:
            query = query.where(GENERATIONS.c.index == index)
        return [_generation(row) for row in self._rows(query)]

    def generation(self, name: str) -> Generation | None:
        """A generation by its name."""
        return next(
            (_generation(row) for row in self._rows(select(GENERATIONS).where(GENERATIONS.c.name == name))), None
        )

    def next_number(self) -> int:
        """The number of the generation that is made next."""
        query = select(GENERATIONS.c.number).order_by(GENERATIONS.c.number.desc()).limit(1)
        with self._engine.connect() as connection:
            return (connection.scalar(query) or 0) + 1

    def record(self, generation: Generation, *, serve: bool, why: str = "") -> None:
        """Record a generation and, with `serve`, point its index to it, in one transaction."""
        row = {**generation.model_dump(), "documents": json.dumps(dict(generation.documents), sort_keys=True)}
        with self._engine.begin() as connection:
            connection.execute(insert(GENERATIONS).values(row).on_conflict_do_nothing())
            if serve:
                _point(connection, generation, generation.made, why)

    def serve(self, generation: Generation, at: float, why: str, *, instead_of: str) -> bool:
        """Point an index to a generation that is recorded; False where it does not serve `instead_of` any more."""
        last = select(SERVED.c.generation).where(SERVED.c.index == generation.index)
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            if (connection.scalar(last.order_by(SERVED.c.number.desc()).limit(1)) or "") != instead_of:
                connection.rollback()
                return False
            _point(connection, generation, at, why)
            connection.commit()
            return True

    def forget(self, name: str) -> None:
        """Drop a generation from the record, with when it served."""
        self._write(
            SERVED.delete().where(SERVED.c.generation == name), GENERATIONS.delete().where(GENERATIONS.c.name == name)
        )

    # documents and chunks

    def documents(self, fingerprints: Iterable[str]) -> dict[str, Document]:
        """Documents by fingerprint."""
        found = self._by(DOCUMENTS.c.fingerprint, [DOCUMENTS.c.fingerprint, DOCUMENTS.c.body], list(fingerprints))
        return {fingerprint: Document.model_validate_json(body) for fingerprint, body in found}

    def remember_documents(self, documents: Mapping[str, Document]) -> None:
        """Keep documents by fingerprint."""
        rows = [
            {"fingerprint": fingerprint, "name": one.name, "body": one.model_dump_json()}
            for fingerprint, one in documents.items()
        ]
        self._insert(DOCUMENTS, rows)

    def cuts(self, index: str, fingerprints: Iterable[str]) -> dict[str, Cut]:
        """What documents were cut into for an index, by fingerprint."""
        columns = [CUTS.c.fingerprint, CUTS.c.chunks]
        found = self._by(CUTS.c.fingerprint, columns, list(fingerprints), CUTS.c.index == index)
        return {fingerprint: _cut(body) for fingerprint, body in found}

    def remember_cuts(self, index: str, cuts: Mapping[str, Cut], chunks: Iterable[tuple[Chunk, Sequence[str]]]) -> None:
        """Keep what documents were cut into, by fingerprint, with the chunks and each one's terms."""
        rows = [{"id": one.id, "body": one.model_dump_json(), "terms": " ".join(terms)} for one, terms in chunks]
        marks = [{"index": index, "fingerprint": mark, "chunks": json.dumps(one)} for mark, one in cuts.items()]
        with self._engine.begin() as connection:
            for table, some in ((CHUNKS, rows), (CUTS, marks)):
                if some:
                    connection.execute(insert(table).on_conflict_do_nothing(), some)

    def chunks(self, ids: Sequence[str]) -> dict[str, Chunk]:
        """Chunks by id, also of generations that are served no longer."""
        found = self._by(CHUNKS.c.id, [CHUNKS.c.id, CHUNKS.c.body], ids)
        return {id_: Chunk.model_validate_json(body) for id_, body in found}

    def terms(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """The terms of chunks, by id."""
        return {id_: terms.split() for id_, terms in self._by(CHUNKS.c.id, [CHUNKS.c.id, CHUNKS.c.terms], ids)}

    # caches

    def vectors(self, model: str, hashes: Sequence[str]) -> dict[str, Embedded]:
        """Cached vectors of texts by their SHA-256, with those of their sentences."""
        columns = [VECTORS.c.sha256, VECTORS.c.vector, VECTORS.c.spans]
        found = self._by(VECTORS.c.sha256, columns, hashes, VECTORS.c.model == model)
        return {sha: _embedded(sha, vector, spans) for sha, vector, spans in found}

    def known(self, model: str, hashes: Sequence[str]) -> set[str]:
        """Of which texts there is a vector."""
        return {row[0] for row in self._by(VECTORS.c.sha256, [VECTORS.c.sha256], hashes, VECTORS.c.model == model)}

    def remember(self, model: str, vectors: Iterable[Embedded]) -> None:
        """Cache vectors, durably, so that a run that breaks off need not compute them again."""
        rows = [
            {
                "model": model,
                "sha256": one.sha256,
                "vector": one.vector.astype(np.float32).tobytes(),
                "spans": None if one.spans is None else one.spans.tobytes(),
            }
            for one in vectors
        ]
        self._insert(VECTORS, rows)

    def read(self, keys: Sequence[str]) -> dict[str, tuple[str, tuple[str, ...]]]:
        """What became of files that were read before, by key: the document's fingerprint and notes."""
        found = self._by(READ.c.key, [READ.c.key, READ.c.fingerprint, READ.c.notes], keys)
        return {key: (fingerprint, tuple(json.loads(notes))) for key, fingerprint, notes in found}

    def remember_read(self, files: Mapping[str, tuple[str, Sequence[str]]]) -> None:
        """Keep what became of files."""
        rows = [{"key": key, "fingerprint": one, "notes": json.dumps(notes)} for key, (one, notes) in files.items()]
        self._insert(READ, rows)

    # audit and collection

    def every_cut(self, index: str) -> Iterator[tuple[str, Cut]]:
        """What every document was ever cut into for an index, with the document's fingerprint."""
        query = select(CUTS.c.fingerprint, CUTS.c.chunks).where(CUTS.c.index == index)
        with self._engine.connect() as connection:
            for fingerprint, body in connection.execution_options(yield_per=_AT_ONCE).execute(query):
                yield fingerprint, _cut(body)

    def keys(self, column: Column[str], *where: Any) -> set[str]:
        """Every value of a column, such as the ids of all chunks."""
        with self._engine.connect() as connection:
            return set(connection.scalars(select(column).where(*where)))

    def notes(self, fingerprints: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """What was noted of documents when they were read, by fingerprint."""
        found = self._by(READ.c.fingerprint, [READ.c.fingerprint, READ.c.notes], fingerprints)
        return {fingerprint: tuple(json.loads(notes)) for fingerprint, notes in found}

    def drop(self, key: Column[str], values: Sequence[str], *where: Any) -> None:
        """Delete the rows whose key is one of the values, some hundreds in a transaction."""
        for start in range(0, len(values), _AT_ONCE):
            self._write(key.table.delete().where(key.in_(values[start : start + _AT_ONCE]), *where))

    def drop_index(self, index: str) -> None:
        """Drop an index from the record, with what it served and what documents were cut into for it."""
        tables = ((SERVED, SERVED.c.index), (GENERATIONS, GENERATIONS.c.index), (CUTS, CUTS.c.index))
        self._write(*(table.delete().where(column == index) for table, column in (*tables, (INDEXES, INDEXES.c.id))))

    def studied(self, kind: str, keys: Sequence[str]) -> dict[str, str]:
        """What was learnt of this kind, by key."""
        return {
            row[0]: row[1]
            for row in self._by(STUDIED.c.key, [STUDIED.c.key, STUDIED.c.body], keys, STUDIED.c.kind == kind)
        }

    def remember_studied(self, kind: str, bodies: Mapping[str, str]) -> None:
        """Keep what was learnt."""
        self._insert(STUDIED, [{"kind": kind, "key": key, "body": body} for key, body in bodies.items()])

    def held(self, origins: Sequence[str]) -> dict[str, str]:
        """The fingerprints of the documents that files held when they were last read, by origin."""
        return {row[0]: row[1] for row in self._by(HELD.c.origin, [HELD.c.origin, HELD.c.fingerprint], origins)}

    def remember_held(self, files: Mapping[str, str]) -> None:
        """Keep the fingerprint of the document that each file holds, by origin."""
        if not files:
            return
        rows = [{"origin": origin, "fingerprint": mark} for origin, mark in files.items()]
        new = insert(HELD)
        update = new.on_conflict_do_update(index_elements=["origin"], set_={"fingerprint": new.excluded.fingerprint})
        with self._engine.begin() as connection:
            connection.execute(update, rows)

    # access

    def _rows(self, query: Executable) -> list[dict[str, Any]]:
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def _by(
        self, key: Column[str], columns: Sequence[Column[Any]], values: Sequence[str], *where: Any
    ) -> Iterator[Any]:
        """Rows whose key is one of the values, some hundreds at a time."""
        with self._engine.connect() as connection:
            for start in range(0, len(values), _AT_ONCE):
                yield from connection.execute(select(*columns).where(key.in_(values[start : start + _AT_ONCE]), *where))

    def _insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            with self._engine.begin() as connection:
                connection.execute(insert(table).on_conflict_do_nothing(), rows)

    def _write(self, *statements: Executable) -> None:
        with self._engine.begin() as connection:
            for statement in statements:
                connection.execute(statement)


def _point(connection: Connection, generation: Generation, at: float, why: str) -> None:
    row = {"index": generation.index, "generation": generation.name, "since": at, "why": why}
    connection.execute(insert(SERVED).values(row))


def _generation(row: Mapping[str, Any]) -> Generation:
    return Generation(**{**row, "documents": json.loads(row["documents"])})


def _embedded(sha: str, vector: bytes, spans: bytes | None) -> Embedded:
    values = np.frombuffer(vector, np.float32)
    sentences = None if spans is None else np.frombuffer(spans, np.int8).reshape(-1, len(values))
    return Embedded(sha, values, sentences)


def _cut(body: str) -> Cut:
    return tuple((id_, tuple(windows)) for id_, windows in json.loads(body))


def _configure(connection: Any, _record: object) -> None:
    """Readers never wait for the writer, and what is committed survives a loss of power."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
