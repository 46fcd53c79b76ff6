"""Dense vectors in Chroma: one collection for each generation, never changed once it is published.

A reader in another process does not see later writes to a collection that it has open, but it opens a new
collection at once. Hence a collection for each generation.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import cast

import chromadb
import numpy as np
from chromadb.api import ClientAPI
from chromadb.api.types import Where
from chromadb.config import Settings
from chromadb.errors import NotFoundError
from numpy.typing import NDArray

from knowledge.chunk import Chunk

_BATCH = 1000
_FOREVER = 99991231


def _number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


class Chroma:
    """The collections of one folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._client: ClientAPI = chromadb.PersistentClient(folder, Settings(anonymized_telemetry=False))

    def names(self) -> set[str]:
        """The collections that exist, published or left over from a run that broke off."""
        return {collection.name for collection in self._client.list_collections()}

    def discard(self, name: str) -> None:
        """Delete a collection."""
        self._client.delete_collection(name)

    def write(
        self,
        name: str,
        chunks: Sequence[Chunk],
        windows: Sequence[tuple[int, NDArray[np.float32]]],
        progress: Callable[[int, int], None],
    ) -> None:
        """Make a collection of windows, each the position of its chunk and a unit vector of shape (384,)."""
        collection = self._client.create_collection(
            name, embedding_function=None, configuration={"hnsw": {"space": "cosine", "ef_search": 200}}
        )
        for start in range(0, len(windows), _BATCH):
            batch = windows[start : start + _BATCH]
            collection.add(
                ids=[f"{position}:{start + place}" for place, (position, _) in enumerate(batch)],
                embeddings=np.stack([vector for _, vector in batch]),
                metadatas=[_metadata(position, chunks[position]) for position, _ in batch],
            )
            progress(start + len(batch), len(windows))

    def open(self, name: str) -> "Dense | None":
        """The published collection of a generation; None where it has been discarded."""
        try:
            return Dense(self._client.get_collection(name, embedding_function=None))
        except NotFoundError:
            return None

    def close(self) -> None:
        """Release the files."""
        self._client.close()  # type: ignore[attr-defined]


def _metadata(position: int, chunk: Chunk) -> dict[str, int | str]:
    return {
        "chunk": position,
        "audience": chunk.audience,
        "from": _number(chunk.effective_from),
        "to": _number(chunk.effective_to) if chunk.effective_to else _FOREVER,
    }


class Dense:
    """The vectors of one generation."""

    def __init__(self, collection: chromadb.Collection) -> None:
        self._collection = collection
        self.size = collection.count()

    def nearest(
        self, vector: NDArray[np.float32], count: int, *, on: date | None = None, audiences: Iterable[str] = ()
    ) -> dict[int, float]:
        """Position of chunk -> cosine of its best window, for the `count` nearest windows.

        With `on`, only of chunks in force on that day for the audiences.
        """
        day = _number(on or date.min)
        where = {
            "$and": [
                {"audience": {"$in": sorted(audiences)}},
                {"from": {"$lte": day}},
                {"to": {"$gte": day}},
            ]
        }
        found = self._collection.query(
            query_embeddings=vector[None],
            n_results=min(count, self.size),
            where=cast(Where, where) if on else None,
            include=["distances"],
        )
        cosines: dict[int, float] = {}
        distances = (found["distances"] or [[]])[0]
        for window, distance in zip(found["ids"][0], distances, strict=True):
            cosines.setdefault(int(window.partition(":")[0]), 1 - float(distance))
        return cosines

    def cosines(self, vector: NDArray[np.float32], positions: Sequence[int]) -> dict[int, float]:
        """Position of chunk -> cosine of its best window, for the chunks named."""
        if not positions:
            return {}
        found = self._collection.get(where=cast(Where, {"chunk": {"$in": list(positions)}}), include=["embeddings"])
        best: dict[int, float] = {}
        similar = np.asarray(found["embeddings"], np.float32) @ vector
        for window, cosine in zip(found["ids"], similar, strict=True):
            position = int(window.partition(":")[0])
            best[position] = max(best.get(position, -1.0), float(cosine))
        return best
