"""A generation on disk: everything that a search reads of one immutable state of an index, written once."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.base import Base, Rows
from knowledge.catalogue import Cut
from knowledge.chunk import Chunk
from knowledge.index import lexical
from knowledge.index.lexical import Lexical
from knowledge.vectors import Embedded

Ints = NDArray[np.int64]
FORMAT = 1
"""Of the files: one of another format is made again from the catalogue."""
_AT_ONCE = 10_000  # windows


@dataclass(frozen=True)
class Contents:
    """What a generation is made of: chunks in order with their terms, windows, and vectors that the base lacks."""

    chunks: Sequence[Chunk]
    windows: Sequence[Sequence[str]]
    terms: Sequence[Sequence[str]]
    delta: Sequence[Embedded]


@dataclass(frozen=True)
class Generation:
    """A generation, opened. Chunks have positions from 0 on, windows follow the order of chunks, and each window has
    a row: of the base's vectors first, then of `delta`."""

    name: str
    index: str
    base: Base
    delta: Rows
    ids: tuple[str, ...]
    names: tuple[str, ...]  # of documents, such as `fees@2`
    kinds: tuple[str, ...]
    audiences: tuple[str, ...]
    document: Ints  # of each chunk: its place in `names`
    kind: Ints
    audience: Ints
    length: Ints  # of each chunk, in characters
    begins: Ints  # ordinals of days
    ends: Ints
    window_begins: Ints  # of each chunk: its first window; one more at the end
    row: Ints  # of each window
    documents: NDArray[np.float32]  # of each document, shape (names, width): the direction of all its windows together
    lexical: Lexical

    @cached_property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.base.rows) + len(self.delta)

    @cached_property
    def window_chunk(self) -> Ints:
        """Of each window: the position of its chunk."""
        counts = np.diff(self.window_begins)
        return np.repeat(np.arange(len(counts)), counts)

    @cached_property
    def by_row(self) -> Ints:
        """Windows in the order of their rows."""
        return np.asarray(np.argsort(self.row, kind="stable"), np.int64)

    @cached_property
    def row_begins(self) -> Ints:
        """Of each row: where its windows begin in `by_row`; one more at the end."""
        return np.asarray(np.searchsorted(self.row[self.by_row], np.arange(self.rows + 1)), np.int64)

    def chunks_of(self, rows: Ints) -> Ints:
        """The chunks that have a window in one of these rows, row after row; a chunk may come several times."""
        begins, counts = self.row_begins[rows], np.diff(self.row_begins)[rows]
        places = np.arange(counts.sum()) + np.repeat(begins - np.cumsum(counts) + counts, counts)
        return np.asarray(self.window_chunk[self.by_row[places]], np.int64)

    def vectors(self, rows: Ints) -> NDArray[np.float32]:
        """The unit vectors of rows, shape (rows, width)."""
        return _vectors(self.base, self.delta, rows)

    def sentences(self, vector: NDArray[np.float32], positions: Ints) -> tuple[NDArray[np.float32], Ints]:
        """The cosine of every sentence of the chunks, one chunk after the other, and where each chunk's begin."""
        windows, starts = self.windows_of(positions)
        rows, size = self.row[windows], len(self.base.rows)
        in_base = rows < size
        begins = np.where(in_base, self.base.rows.span_begins[np.where(in_base, rows, 0)], 0)
        ends = np.where(in_base, self.base.rows.span_begins[np.where(in_base, rows + 1, 0)], 0)
        late = np.where(in_base, 0, rows - size)
        begins = np.where(in_base, begins, self.delta.span_begins[late])
        ends = np.where(in_base, ends, self.delta.span_begins[late + (~in_base)])
        counts = ends - begins
        firsts = np.concatenate(([0], np.cumsum(counts)))
        spans = np.arange(firsts[-1]) + np.repeat(begins - firsts[:-1], counts)
        from_base = np.repeat(in_base, counts)
        found = np.empty((len(spans), len(vector)), np.float32)
        found[from_base] = self.base.rows.spans[spans[from_base]]
        found[~from_base] = self.delta.spans[spans[~from_base]]
        lengths = np.sqrt(np.einsum("ij,ij->i", found, found))
        cosines = (found @ vector) / np.maximum(lengths, 1e-6)
        return cosines.astype(np.float32), firsts[starts]

    def windows_of(self, positions: Ints) -> tuple[Ints, Ints]:
        """The windows of chunks, one chunk after the other, and where each chunk's begin among them."""
        begins = self.window_begins[positions]
        counts = self.window_begins[positions + 1] - begins
        starts = np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.int64)
        return np.arange(counts.sum()) + np.repeat(begins - starts, counts), starts

    def cosines(self, vector: NDArray[np.float32], positions: Ints) -> tuple[NDArray[np.float32], Ints]:
        """The cosine of every window of the chunks, one chunk after the other, and where each chunk's begin."""
        windows, starts = self.windows_of(positions)
        return (self.vectors(self.row[windows]) @ vector).astype(np.float32), starts


def order(cuts: Mapping[str, Cut]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Chunk ids and their windows, documents in order of their names."""
    pairs = [pair for name in sorted(cuts) for pair in cuts[name]]
    return [id_ for id_, _ in pairs], [windows for _, windows in pairs]


def write(folder: Path, index: str, base: Base, contents: Contents) -> None:
    """Write a generation into `folder` in one step."""
    scratch = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    lexical.build(scratch / "lexical", contents.terms)
    rows = {sha: row for row, sha in enumerate((*base.hashes, *(one.sha256 for one in contents.delta)))}
    counts = [len(windows) for windows in contents.windows]
    told, columns = _columns(contents.chunks)
    row = np.array([rows[sha] for windows in contents.windows for sha in windows], np.int64)
    delta = Rows.of(contents.delta, base.rows.vectors.shape[1])
    directions = _directions(base, delta, row, np.repeat(columns["document"], counts), len(told["names"]))
    np.save(scratch / "documents.npy", directions)
    np.savez(
        scratch / "arrays.npz",
        allow_pickle=False,
        row=row,
        window_begins=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        **columns,
    )
    np.savez(scratch / "delta.npz", vectors=delta.vectors, spans=delta.spans, span_begins=delta.span_begins)
    about = {
        "format": FORMAT,
        "index": index,
        "base": base.name,
        "ids": [chunk.id for chunk in contents.chunks],
        **told,
    }
    (scratch / "told.json").write_text(json.dumps(about), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    scratch.replace(folder)


def base_of(folder: Path) -> str | None:
    """The name of the base that the generation in `folder` rests on; None where there is none that can be read here."""
    try:
        told = json.loads((folder / "told.json").read_text(encoding="utf-8"))
        return str(told["base"]) if told["format"] == FORMAT else None
    except (FileNotFoundError, ValueError, KeyError):
        return None


def read(folder: Path, base: Base) -> Generation:
    """Open what `write` wrote."""
    told = json.loads((folder / "told.json").read_text(encoding="utf-8"))
    with np.load(folder / "arrays.npz") as arrays:
        columns: dict[str, Any] = {name: arrays[name] for name in arrays.files}
    with np.load(folder / "delta.npz") as late:
        delta = Rows(late["vectors"], late["spans"], late["span_begins"])
    return Generation(
        name=folder.name,
        index=told["index"],
        base=base,
        delta=delta,
        ids=tuple(told["ids"]),
        names=tuple(told["names"]),
        kinds=tuple(told["kinds"]),
        audiences=tuple(told["audiences"]),
        lexical=Lexical(folder / "lexical"),
        documents=np.load(folder / "documents.npy"),
        **columns,
    )


def _vectors(base: Base, delta: Rows, rows: Ints) -> NDArray[np.float32]:
    """The vectors of rows, wherever each is kept."""
    size = len(base.rows)
    found = np.empty((len(rows), base.rows.vectors.shape[1]), np.float32)
    in_base = rows < size
    found[in_base] = base.rows.vectors[rows[in_base]]
    found[~in_base] = delta.vectors[rows[~in_base] - size]
    return found


def _directions(base: Base, delta: Rows, row: Ints, document: Ints, count: int) -> NDArray[np.float32]:
    """The sum of each document's unit vectors, scaled to length 1; some windows at a time."""
    sums = np.zeros((count, base.rows.vectors.shape[1]), np.float32)
    for start in range(0, len(row), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        np.add.at(sums, document[some], _vectors(base, delta, row[some]))
    return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6), np.float32)


def _columns(chunks: Sequence[Chunk]) -> tuple[dict[str, list[str]], dict[str, Ints]]:
    """What is asked of every chunk at once: texts as codes with their lists, days as ordinals."""
    told: dict[str, list[str]] = {}
    columns: dict[str, Ints] = {
        "begins": np.array([chunk.effective_from.toordinal() for chunk in chunks], np.int64),
        "length": np.array([len(chunk.text) for chunk in chunks], np.int64),
        "ends": np.array([(chunk.effective_to or date.max).toordinal() for chunk in chunks], np.int64),
    }
    values = {
        "document": [f"{chunk.document_id}@{chunk.version}" for chunk in chunks],
        "kind": [str(chunk.kind) for chunk in chunks],
        "audience": [chunk.audience for chunk in chunks],
    }
    plural = {"document": "names", "kind": "kinds", "audience": "audiences"}
    for name, column in values.items():
        codes = {value: code for code, value in enumerate(dict.fromkeys(column))}
        told[plural[name]] = list(codes)
        columns[name] = np.array([codes[value] for value in column], np.int64)
    return told, columns
