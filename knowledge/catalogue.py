"""The record of what is indexed, in SQLite: documents, chunks, generations, cached vectors, one pointer."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from sqlalchemy import (
    Column,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    select,
)
from sqlalchemy.dialects.sqlite import insert

from knowledge.chunk import Chunk

_METADATA = MetaData()
_GENERATIONS = Table(
    "generations",
    _METADATA,
    Column("number", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("fingerprint", String, nullable=False),
    Column("documents", Text, nullable=False),
)
_POINTER = Table(
    "pointer", _METADATA, Column("id", Integer, primary_key=True), Column("generation", String, nullable=False)
)
_CHUNKS = Table("chunks", _METADATA, Column("id", String, primary_key=True), Column("body", Text, nullable=False))
_MEMBERS = Table(
    "members",
    _METADATA,
    Column("generation", String, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("chunk", String, nullable=False),
)
_VECTORS = Table(
    "vectors",
    _METADATA,
    Column("model", String, primary_key=True),
    Column("sha256", String, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
)
_AT_ONCE = 500


class Generation(BaseModel):
    """One immutable state of the library. `documents` maps each name, such as `fees@2`, to its fingerprint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    name: str
    fingerprint: str
    documents: Mapping[str, str]


class Catalogue:
    """The catalogue of one folder; may be used from several threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._engine: Engine = create_engine(f"sqlite:///{path}")
        event.listen(self._engine, "connect", _configure)
        _METADATA.create_all(self._engine)

    def current(self) -> str:
        """The name of the generation being served; "" before the first."""
        with self._engine.connect() as connection:
            return connection.scalar(select(_POINTER.c.generation).where(_POINTER.c.id == 1)) or ""

    def generations(self) -> list[Generation]:
        """All published generations, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(_GENERATIONS).order_by(_GENERATIONS.c.number)).mappings().all()
        return [Generation(**{**row, "documents": json.loads(row["documents"])}) for row in rows]

    def chunks(self, generation: str) -> list[Chunk]:
        """The chunks of a generation in their order."""
        query = (
            select(_CHUNKS.c.body)
            .join(_MEMBERS, _MEMBERS.c.chunk == _CHUNKS.c.id)
            .where(_MEMBERS.c.generation == generation)
            .order_by(_MEMBERS.c.position)
        )
        with self._engine.connect() as connection:
            return [Chunk.model_validate_json(body) for body in connection.scalars(query)]

    def chunk(self, id: str) -> Chunk | None:  # noqa: A002 - the field's name
        """A chunk of any generation, also one that is served no longer."""
        with self._engine.connect() as connection:
            body = connection.scalar(select(_CHUNKS.c.body).where(_CHUNKS.c.id == id))
        return Chunk.model_validate_json(body) if body else None

    def vectors(self, model: str, hashes: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Cached vectors of texts by their SHA-256."""
        found: dict[str, NDArray[np.float32]] = {}
        with self._engine.connect() as connection:
            for start in range(0, len(hashes), _AT_ONCE):
                part = hashes[start : start + _AT_ONCE]
                query = select(_VECTORS.c.sha256, _VECTORS.c.vector)
                query = query.where(_VECTORS.c.model == model, _VECTORS.c.sha256.in_(part))
                found |= {sha: np.frombuffer(vector, np.float32) for sha, vector in connection.execute(query)}
        return found

    def remember(self, model: str, vectors: Iterable[tuple[str, NDArray[np.float32]]]) -> None:
        """Cache vectors, durably, so that a run that breaks off need not compute them again."""
        rows = [{"model": model, "sha256": sha, "vector": vector.tobytes()} for sha, vector in vectors]
        with self._engine.begin() as connection:
            connection.execute(insert(_VECTORS).on_conflict_do_nothing(), rows)

    def publish(self, generation: Generation, chunks: Sequence[Chunk]) -> None:
        """Record a generation and point to it, in one transaction."""
        members = [
            {"generation": generation.name, "position": position, "chunk": chunk.id}
            for position, chunk in enumerate(chunks)
        ]
        bodies = [{"id": chunk.id, "body": chunk.model_dump_json()} for chunk in chunks]
        row = {**generation.model_dump(), "documents": json.dumps(dict(generation.documents))}
        pointer = insert(_POINTER).values(id=1, generation=generation.name)
        with self._engine.begin() as connection:
            connection.execute(insert(_CHUNKS).on_conflict_do_nothing(), bodies)
            connection.execute(insert(_MEMBERS), members)
            connection.execute(insert(_GENERATIONS).values(row))
            connection.execute(
                pointer.on_conflict_do_update(index_elements=["id"], set_={"generation": generation.name})
            )

    def close(self) -> None:
        """Release the file."""
        self._engine.dispose()


def _configure(connection: Any, _record: object) -> None:
    """Readers never wait for the writer, and what is committed survives a loss of power."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
