"""Texts into vectors: what is to be embedded, what came of it, and the one function that does it everywhere."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from knowledge.encoder import Encoder

FLUSH = 64
"""Rows that are stored together; a run that breaks off loses these and the few that are being computed."""
_AHEAD = 4 * FLUSH  # rows given to the threads beyond what is stored, so that they compute while a batch is written

Store = Callable[[Sequence["Embedded"]], None]
"""Keeps a batch durably."""
Progress = Callable[[int, int], None]
"""Called with the rows done and the rows there are."""


def sha256(text: str) -> str:
    """What a text is named by: the SHA-256 of its UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Row:
    """A text to embed, named by the SHA-256 of its UTF-8."""

    sha256: str
    text: str

    @classmethod
    def of(cls, text: str) -> "Row":
        """The row of a text."""
        return cls(sha256(text), text)


@dataclass(frozen=True, eq=False)
class Embedded:
    """The vector of a text, and of each of its sentences where the model gives them: int8, shape (n, width)."""

    sha256: str
    vector: NDArray[np.float32]
    spans: NDArray[np.int8] | None = None


def embed(rows: Iterable[Row], model: Encoder) -> Iterator[Embedded]:
    """Embed row by row. One process, several and Beam's workers all compute with this."""
    for row in rows:
        yield Embedded(row.sha256, *model.read(row.text))


def embed_here(rows: Iterable[Row], model: Encoder, *, threads: int = 0) -> Iterator[Embedded]:
    """Embed in this process, a thread for each core unless told otherwise; each text once, the longest first.

    The threads share the model: it leaves Python's lock while it computes. Memory is bounded by the rows given.
    """
    texts = {row.sha256: row for row in rows}
    waiting: deque[Future[Embedded]] = deque()
    pool = ThreadPoolExecutor(threads or os.cpu_count() or 1, "embed")
    try:
        for row in sorted(texts.values(), key=lambda row: (-len(row.text), row.sha256)):
            waiting.append(pool.submit(lambda row: next(embed([row], model)), row))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def run_here(
    rows: Iterable[Row],
    model: Encoder,
    store: Store,
    progress: Progress,
    *,
    threads: int = 0,
) -> int:
    """Embed in this process and give `store` every 64; how many texts that were. Safe to kill as far as `store` is."""
    texts = {row.sha256: row for row in rows}
    batch: list[Embedded] = []
    done = 0
    progress(0, len(texts))
    for item in embed_here(texts.values(), model, threads=threads):
        batch.append(item)
        if len(batch) == FLUSH or done + len(batch) == len(texts):
            store(batch)
            done, batch = done + len(batch), []
            progress(done, len(texts))
    return done


class _Header(BaseModel):
    """What the bytes of a file of vectors are; `spans` counts the sentences of each row, None where it has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    width: NonNegativeInt
    hashes: tuple[str, ...]
    spans: tuple[NonNegativeInt | None, ...]


def pack(items: Sequence[Embedded], model: str) -> bytes:
    """A file of vectors: the SHA-256 of what follows, a line of JSON, float32 vectors, int8 spans; little-endian."""
    width = len(items[0].vector) if items else 0
    spans = tuple(None if item.spans is None else len(item.spans) for item in items)
    header = _Header(model=model, width=width, hashes=tuple(item.sha256 for item in items), spans=spans)
    body = [item.vector.astype("<f4").tobytes() for item in items]
    body += [item.spans.astype(np.int8).tobytes() for item in items if item.spans is not None]
    sealed = b"\n".join((header.model_dump_json().encode(), b"".join(body)))
    return b"\n".join((hashlib.sha256(sealed).hexdigest().encode(), sealed))


def unpack(data: bytes, model: str) -> list[Embedded] | None:
    """What `pack` wrote; None where the file is torn, damaged or of another model."""
    seal, _, sealed = data.partition(b"\n")
    if hashlib.sha256(sealed).hexdigest().encode() != seal:
        return None
    told, _, body = sealed.partition(b"\n")
    try:
        header = _Header.model_validate_json(told)
    except ValidationError:
        return None
    rows, counted = len(header.hashes), sum(count or 0 for count in header.spans)
    if header.model != model or len(header.spans) != rows or len(body) != header.width * (4 * rows + counted):
        return None
    vectors = np.frombuffer(body, "<f4", rows * header.width).reshape(rows, header.width)
    sentences = np.frombuffer(body, np.int8, offset=vectors.nbytes).reshape(counted, header.width)
    items, start = [], 0
    for sha256, vector, count in zip(header.hashes, vectors, header.spans, strict=True):
        end = start + (count or 0)
        items.append(Embedded(sha256, vector, None if count is None else sentences[start:end]))
        start = end
    return items
