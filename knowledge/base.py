"""Bases: the vectors that generations share, once in files for exact reading and once in a store for searching."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from knowledge.index.chroma import beside
from knowledge.index.store import Collection, Contents, Opener, Progress, Unanswered, Unreachable
from knowledge.vectors import Embedded

Load = Callable[[Sequence[str]], list[Embedded]]
"""The vectors of texts by their hashes, in their order."""
Ints = NDArray[np.int64]
_BATCH = 1000
_ALIKE = 0.999
"""The cosine, at least, of a vector with what the store finds for it."""


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
    """The bases of one folder. Each is complete or not there: its files come into place last.

    Where the store is away from here a base can be read from its files alone, and searches then do without the store.
    """

    def __init__(self, folder: Path, opener: Opener = beside) -> None:
        self._folder = folder / "bases"
        self._folder.mkdir(parents=True, exist_ok=True)
        self.store = opener(folder)

    def write(
        self, name: str, hashes: Sequence[str], load: Load, progress: Progress = lambda *_: None, *, model: str = ""
    ) -> Base:
        """Make a base of these texts; raise `RuntimeError` where the store does not hold what was written."""
        scratch, vectors = self._scratch(name, hashes, load)
        self.store.write(name, Contents(vectors, hashes, model), progress)
        written = self._into_place(scratch, name)
        if written is None or (held := written.collection.size) != len(hashes):
            raise RuntimeError(f"The base {name} holds {held if written else 'nothing'} of {len(hashes)} vectors.")
        _try_out(written)
        return written

    def save(self, name: str, hashes: Sequence[str], load: Load) -> Base | None:
        """The files of a base alone, to be read at once; the store is left as it is."""
        scratch, _ = self._scratch(name, hashes, load)
        return self._into_place(scratch, name)

    def _scratch(self, name: str, hashes: Sequence[str], load: Load) -> tuple[Path, NDArray[np.float32]]:
        """The files of a base where nobody reads them yet."""
        scratch = self._folder / f"{name}.part"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        vectors = _save(scratch, hashes, load)
        (scratch / "hashes.json").write_text(json.dumps(list(hashes)), encoding="utf-8")
        return scratch, vectors

    def _into_place(self, scratch: Path, name: str) -> Base | None:
        shutil.rmtree(self._folder / name, ignore_errors=True)
        scratch.replace(self._folder / name)
        return self.open(name)

    def open(self, name: str) -> Base | None:
        """A base; None where it is missing or either half of it is, as far as that can be seen from here."""
        folder = self._folder / name
        collection = self.store.open(name) if (folder / "hashes.json").exists() else None
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
        return (self._folder / name / "hashes.json").exists() and name in self.store.names()

    def readable(self, name: str) -> bool:
        """Whether searches can read a base: without a store that is away from here they can, for a while."""
        return (self._folder / name / "hashes.json").exists() if self.store.remote else self.exists(name)

    def names(self) -> set[str]:
        """Everything that is a base or the beginning of one, on disk or in the store."""
        return self.store.names() | {path.name for path in self._folder.iterdir()}

    def discard(self, name: str) -> None:
        """Delete a base and whatever is left of one."""
        shutil.rmtree(self._folder / name, ignore_errors=True)
        self.store.discard(name)

    def close(self) -> None:
        """Release the files and the store."""
        self.store.close()


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


def _try_out(base: Base) -> None:
    """Ask for some of its own vectors; raise `RuntimeError` where they are not found, `Unreachable` for no answer."""
    for row in {0, len(base.hashes) // 2, len(base.hashes) - 1}:
        found = base.collection.nearest(np.array(base.rows.vectors[row]), 1)
        if isinstance(found, Unanswered):
            raise Unreachable(f"The base {base.name} was written and does not answer: {found.why}. Try again.")
        if not len(found.rows) or found.cosines[0] < _ALIKE:
            raise RuntimeError(f"The base {base.name} does not find its own vector {row}.")
