"""Documents cut into chunks that keep headings, paragraphs and table rows whole, and windows for embedding."""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import takewhile

from pydantic import BaseModel, ConfigDict, Field

from knowledge.document import Document, Kind

CountTokens = Callable[[str], int]
WINDOW = 254
"""Word pieces in a window: the model reads 256, and adds two markers of its own."""
_PREFIX = 64
_SENTENCE = re.compile(r"(?<=[.!?;:])\s+")
_RULE = re.compile(r"\|?[\s:|-]*-[\s:|-]*")


class Chunk(BaseModel):
    """A passage with all that a citation needs. `sha256` is the hash of `text`; `id` changes with anything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    document_id: str
    title: str
    section: tuple[str, ...]
    kind: Kind
    audience: str
    version: str
    effective_from: date
    effective_to: date | None
    owner: str
    source: str
    text: str
    sha256: str


class Chunking(BaseModel):
    """How documents are cut: sizes in word pieces of the model, overlap as a share of a chunk."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_tokens: int = Field(default=512, ge=64, le=1024)
    min_tokens: int = Field(default=256, ge=0, le=1024)
    overlap: float = Field(default=0.15, ge=0, le=0.3)


@dataclass(frozen=True)
class _Unit:
    """What is never cut: a line, a sentence or a table row; `header` is the head of the row's table."""

    text: str
    tokens: int
    header: str = ""
    header_tokens: int = 0
    breaks: bool = True


@dataclass(frozen=True)
class _Piece:
    path: tuple[str, ...]
    text: str
    tokens: int


def cut(document: Document, chunking: Chunking, count_tokens: CountTokens) -> list[Chunk]:
    """The chunks of a document in reading order; none is larger than `max_tokens`."""
    pieces: list[_Piece] = []
    for section in document.sections:
        texts = _pack(list(_units(section.text, chunking.max_tokens // 2, count_tokens)), chunking)
        pieces += [_Piece(section.path, text, count_tokens(text)) for text in texts]
    merged = _merge(pieces, chunking, count_tokens)
    return [_chunk(document, number, piece) for number, piece in enumerate(merged, 1)]


def windows(chunk: Chunk, chunking: Chunking, count_tokens: CountTokens) -> list[str]:
    """The chunk as texts that the model reads whole, each led by title and section."""
    prefix = " > ".join((chunk.title, *chunk.section))
    while count_tokens(prefix) > _PREFIX:
        prefix = prefix[: len(prefix) * 3 // 4].rstrip()
    room = WINDOW - count_tokens(prefix)
    units = list(_units(chunk.text, room // 2, count_tokens))
    packed = _pack(units, Chunking(max_tokens=room, min_tokens=0, overlap=chunking.overlap))
    return [f"{prefix}\n{text}" for text in packed]


def _chunk(document: Document, number: int, piece: _Piece) -> Chunk:
    text_sha = hashlib.sha256(piece.text.encode()).hexdigest()
    told = document.model_dump_json(exclude={"sections", "sha256"})
    mark = hashlib.sha256("\x1f".join((told, *piece.path, str(number), text_sha)).encode()).hexdigest()
    return Chunk(
        id=f"{document.name}#{number}-{mark[:8]}",
        document_id=document.id,
        title=document.title,
        section=piece.path,
        kind=document.kind,
        audience=document.audience,
        version=document.version,
        effective_from=document.effective_from,
        effective_to=document.effective_to,
        owner=document.owner,
        source=document.source,
        text=piece.text,
        sha256=text_sha,
    )


def _units(text: str, largest: int, count_tokens: CountTokens) -> Iterator[_Unit]:
    """Lines and table rows; what is larger than `largest` word pieces is divided further."""
    lines, header = text.split("\n"), ""
    for number, line in enumerate(lines):
        if not line.lstrip().startswith("|"):
            header = ""
            yield from _fitting(line, largest, count_tokens)
        elif header and _RULE.fullmatch(line.strip()):
            continue
        elif not header and number + 1 < len(lines) and _RULE.fullmatch(lines[number + 1].strip()):
            head = f"{line}\n{lines[number + 1]}"
            header = head if count_tokens(head) <= largest // 2 else " "
        else:
            lead, size = header.strip(), count_tokens(header)
            for unit in _fitting(line, largest - size, count_tokens):
                yield _Unit(unit.text, unit.tokens, lead, size)


def _fitting(line: str, largest: int, count_tokens: CountTokens) -> Iterator[_Unit]:
    """A line as sentences; a sentence that is still too large as runs of words, a word as runs of letters."""
    parts = _SENTENCE.split(line) if not line.startswith("|") else [line]
    for place, part in enumerate(parts):
        tokens = count_tokens(part)
        pieces = [part] if tokens <= largest else list(_words(part, largest, count_tokens))
        for index, piece in enumerate(pieces):
            size = tokens if len(pieces) == 1 else count_tokens(piece)
            yield _Unit(piece, size, breaks=place == 0 and index == 0)


def _words(text: str, largest: int, count_tokens: CountTokens) -> Iterator[str]:
    """Runs of words of at most `largest` word pieces."""
    run: list[str] = []
    total = 0
    for word in text.split(" "):
        for start in range(0, max(len(word), 1), largest):
            part = word[start : start + largest]
            size = count_tokens(part)
            if run and total + size > largest:
                yield " ".join(run)
                run, total = [], 0
            run.append(part)
            total += size
    if run:
        yield " ".join(run)


def _pack(units: list[_Unit], chunking: Chunking) -> list[str]:
    """Fill texts up to `max_tokens` with whole units, each beginning with the end of the one before."""
    texts: list[str] = []
    held: list[_Unit] = []
    fresh = 0
    for unit in units:
        if fresh and _size([*held, unit]) > chunking.max_tokens:
            texts.append(_join(held))
            held, fresh = _tail(held, chunking), 0
            while held and _size([*held, unit]) > chunking.max_tokens:
                held.pop(0)
        held.append(unit)
        fresh += 1 if unit.text.strip() else 0
    if fresh:
        texts.append(_join(held))
    return [text for text in texts if text]


def _tail(units: list[_Unit], chunking: Chunking) -> list[_Unit]:
    """The last units that make up the overlap: at most a third above the wanted share, never all of them."""
    wanted = chunking.overlap * chunking.max_tokens
    kept: list[_Unit] = []
    total = 0
    for unit in reversed(units[1:]):
        if total >= wanted or total + unit.tokens > wanted * 4 / 3:
            break
        kept.insert(0, unit)
        total += unit.tokens
    return kept


def _size(units: list[_Unit]) -> int:
    """Word pieces of the joined units: every table header counts once for each run of its rows."""
    total, header = 0, ""
    for unit in units:
        total += unit.tokens
        if unit.header and unit.header != header:
            total += unit.header_tokens
        header = unit.header
    return total


def _join(units: list[_Unit]) -> str:
    lines: list[str] = []
    header = ""
    for unit in units:
        if unit.header and unit.header != header:
            lines += [*([""] if lines and lines[-1] else []), *unit.header.split("\n")]
        header = unit.header
        if unit.breaks or not lines:
            lines.append(unit.text)
        else:
            lines[-1] = f"{lines[-1]} {unit.text}".strip()
    return "\n".join(lines).strip()


def _merge(pieces: list[_Piece], chunking: Chunking, count_tokens: CountTokens) -> list[_Piece]:
    """Join neighbours until each has `min_tokens`, as far as `max_tokens` allows."""
    merged: list[_Piece] = []
    for piece in pieces:
        if merged and min(merged[-1].tokens, piece.tokens) < chunking.min_tokens:
            joined = _joined(merged[-1], piece, count_tokens)
            if joined.tokens <= chunking.max_tokens:
                merged[-1] = joined
                continue
        merged.append(piece)
    return merged


def _joined(first: _Piece, second: _Piece, count_tokens: CountTokens) -> _Piece:
    """Two pieces under the headings that both share; headings that are lost from the path go into the text."""
    pairs = zip(first.path, second.path, strict=False)
    shared = tuple(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    text = f"{_headed(first, shared)}\n\n{_headed(second, shared)}"
    if first.path == second.path:
        text = f"{first.text}\n\n{second.text}"
    return _Piece(shared, text, count_tokens(text))


def _headed(piece: _Piece, shared: tuple[str, ...]) -> str:
    lost = piece.path[len(shared) :]
    return "\n\n".join([*(f"## {heading}" for heading in lost), piece.text])
