"""Dense vectors in Chroma: one collection for each base, never changed once it is written.

A reader in another process does not see later writes to a collection that it has open, but it opens a new
collection at once. Hence a collection for each base, and none that grows.
"""

from pathlib import Path

import chromadb
import numpy as np
from chromadb.api import ClientAPI
from chromadb.config import Settings
from chromadb.errors import NotFoundError

from knowledge.index.store import Contents, Floats, Holding, Ints, Near, Progress, Unanswered

EXACT = 20_000
"""Up to so many vectors every one is compared: about three milliseconds, and 30 MB of them in a row."""
_BATCH = 1000


class Chroma:
    """The collections of one folder."""

    remote = False

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._client: ClientAPI = chromadb.PersistentClient(folder, Settings(anonymized_telemetry=False))

    def names(self) -> set[str]:
        """The collections that exist, in use or left over from a run that broke off."""
        return {collection.name for collection in self._client.list_collections()}

    def discard(self, name: str) -> None:
        """Delete a collection; nothing where there is none."""
        try:
            self._client.delete_collection(name)
        except NotFoundError:
            return

    def write(self, name: str, contents: Contents, progress: Progress) -> None:
        """Make a collection; what a broken run left of it is replaced."""
        self.discard(name)
        collection = self._client.create_collection(
            name, embedding_function=None, configuration={"hnsw": {"space": "cosine", "ef_search": 200}}
        )
        vectors = contents.vectors
        for start in range(0, len(vectors), _BATCH):
            batch = np.asarray(vectors[start : start + _BATCH])
            collection.add(ids=[str(start + place) for place in range(len(batch))], embeddings=batch)
            progress("indexing", start + len(batch), len(vectors) + 1)

    def open(self, name: str) -> "Collection | None":
        """A collection; None where it has been discarded."""
        try:
            return Collection(self._client.get_collection(name, embedding_function=None))
        except NotFoundError:
            return None

    def holdings(self) -> list[Holding]:
        """Nothing: all of it is on this machine."""
        return []

    def close(self) -> None:
        """Release the files."""
        self._client.close()  # type: ignore[attr-defined]


def beside(folder: Path) -> Chroma:
    """The store of the library in a folder: in a folder inside it."""
    return Chroma(folder / "chroma")


class Collection:
    """The vectors of one base by their row."""

    exact = EXACT
    most = 1 << 31

    def __init__(self, collection: chromadb.Collection) -> None:
        self._collection = collection
        self.size = collection.count()

    def nearest(self, vector: Floats, count: int) -> Near | Unanswered:
        """The rows of the `count` vectors of highest cosine, nearest first, approximately (HNSW)."""
        wanted = min(count, self.size)
        if not wanted:
            return Near(np.empty(0, np.int64), np.empty(0, np.float32))
        try:
            found = self._collection.query(query_embeddings=vector[None], n_results=wanted, include=["distances"])
        except NotFoundError:
            return Unanswered("the vectors were collected since they were opened")
        distances = found["distances"] or [[]]
        return Near(np.array(found["ids"][0], np.int64), (1 - np.array(distances[0])).astype(np.float32))

    def vectors(self, rows: Ints) -> Floats:
        """What the store holds in these rows, in their order; NaN where it holds nothing."""
        found = self._collection.get(ids=[str(row) for row in rows], include=["embeddings"])
        held = dict(zip(found["ids"], np.asarray(found["embeddings"], np.float32), strict=True))
        absent = np.full(len(next(iter(held.values()))) if held else 1, np.nan, np.float32)
        return np.stack([held.get(str(row), absent) for row in rows])

    def ids(self) -> set[str]:
        """The ids of everything that the store holds."""
        return set(self._collection.get(include=[])["ids"])
