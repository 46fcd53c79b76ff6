"""Bases: the vectors that generations share, once in files for exact reading and once in Chroma for searching."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from knowledge.index.chroma import Chroma, Collection
from knowledge.vectors import Embedded

Load = Callable[[Sequence[str]], list[Embedded]]
"""The vectors of texts by their hashes, in their order."""
Ints = NDArray[np.int64]
_BATCH = 1000


@dataclass(frozen=True)
class Rows:
    """Unit vectors by row, shape (rows, width), and the 8-bit vectors of each row's sentences: those of row `n` are
    `spans[span_begins[n]:span_begins[n + 1]]`."""

    vectors: NDArray[np.float32]
    spans: NDArray[np.int8]
    span_begins: Ints

    @classmethod
    def of(cls, items: Sequence[Embedded], width: int) -> "Rows":
        """A few rows, in memory."""
        spans = [one.spans if one.spans is not None else np.empty((0, width), np.int8) for one in items]
        return cls(
            np.array([one.vector for one in items], np.float32).reshape(-1, width),
            np.concatenate([np.empty((0, width), np.int8), *spans]),
            np.concatenate(([0], np.cumsum([len(one) for one in spans]))).astype(np.int64),
        )

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True)
class Base:
    """Rows in files that are mapped into memory as they are read; `hashes` are those of their texts."""

    name: str
    hashes: tuple[str, ...]
    rows: Rows
    collection: Collection


class Bases:
    """The bases of one folder. Each is complete or not there: its files come into place last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "bases"
        self._folder.mkdir(parents=True, exist_ok=True)
        self.chroma = Chroma(folder / "chroma")

    def write(
        self, name: str, hashes: Sequence[str], load: Load, progress: Callable[[int, int], None] = lambda *_: None
    ) -> Base:
        """Make a base of these texts; raise `RuntimeError` where the store does not hold what was written."""
        self.discard(name)
        scratch = self._folder / f"{name}.part"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        vectors = _save(scratch, hashes, load)
        self.chroma.write(name, vectors, progress)
        (scratch / "hashes.json").write_text(json.dumps(list(hashes)), encoding="utf-8")
        scratch.replace(self._folder / name)
        written = self.open(name)
        if written is None or written.collection.size != len(hashes):
            raise RuntimeError(f"The base {name} holds {written and written.collection.size} of {len(hashes)} vectors.")
        return written

    def open(self, name: str) -> Base | None:
        """A base; None where it is missing or either half of it is."""
        folder = self._folder / name
        collection = self.chroma.open(name) if (folder / "hashes.json").exists() else None
        if collection is None:
            return None
        hashes = tuple(json.loads((folder / "hashes.json").read_text(encoding="utf-8")))
        vectors = np.load(folder / "vectors.npy", mmap_mode="r")
        begins = np.load(folder / "span_begins.npy")
        shape = (int(begins[-1]), vectors.shape[1])
        spans = np.memmap(folder / "spans.bin", np.int8, "r", shape=shape) if shape[0] else np.empty(shape, np.int8)
        return Base(name, hashes, Rows(vectors, spans, begins), collection)

    def exists(self, name: str) -> bool:
        """Whether both halves of a base are there; opening them would take as long as reading the store."""
        return (self._folder / name / "hashes.json").exists() and name in self.chroma.names()

    def names(self) -> set[str]:
        """Everything on disk that is a base or the beginning of one."""
        return self.chroma.names() | {path.name for path in self._folder.iterdir()}

    def discard(self, name: str) -> None:
        """Delete a base and whatever is left of one."""
        shutil.rmtree(self._folder / name, ignore_errors=True)
        self.chroma.discard(name)

    def close(self) -> None:
        """Release the files."""
        self.chroma.close()


def _save(folder: Path, hashes: Sequence[str], load: Load) -> NDArray[np.float32]:
    """Write the rows bit by bit, so that they need not fit into memory."""
    width = len(load(hashes[:1])[0].vector)
    vectors: np.memmap[Any, np.dtype[np.float32]] = open_memmap(
        folder / "vectors.npy", mode="w+", dtype=np.float32, shape=(len(hashes), width)
    )
    counts = [0]
    with (folder / "spans.bin").open("wb") as out:
        for start in range(0, len(hashes), _BATCH):
            rows = Rows.of(load(hashes[start : start + _BATCH]), width)
            vectors[start : start + len(rows)] = rows.vectors
            out.write(rows.spans.tobytes())
            counts += np.diff(rows.span_begins).tolist()
    vectors.flush()
    np.save(folder / "span_begins.npy", np.cumsum(counts).astype(np.int64))
    return vectors
