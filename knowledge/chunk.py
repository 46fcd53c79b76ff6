"""Documents cut into chunks along their structure, and windows for embedding; an edit changes few of either."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby, pairwise, takewhile

from pydantic import BaseModel, ConfigDict, Field

from knowledge import boundaries, units
from knowledge.document import Document, Kind, Section
from knowledge.units import Boundary, CountTokens, Unit

WINDOW = 254
"""Word pieces in a window: the model reads 256, and adds two markers of its own."""
_PREFIX = 64
_UNIT = 180
_NAME = 24
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


class Chunk(BaseModel):
    """A passage with all that a citation needs. `sha256` is the hash of `text`; `id` changes with anything but the
    place in the document; `page` is the one on which the section begins."""

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
    page: int | None = None
    defines: tuple[str, ...] = ()
    refers: tuple[str, ...] = ()
    text: str
    sha256: str


class Chunking(BaseModel):
    """How documents are cut, in word pieces of the model: what stands under different headings shares a chunk up to
    `min_tokens`. `overlap` is the share of a window that the next one of its chunk repeats."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_tokens: int = Field(default=420, ge=64, le=1024)
    min_tokens: int = Field(default=256, ge=0, le=1024)
    overlap: float = Field(default=0, ge=0, le=0.3)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A unit with its section. The `first` of a section counts the headings too: they may have to go into the text."""

    unit: Unit
    section: Section
    first: bool
    size: int


def cut(document: Document, chunking: Chunking, count_tokens: CountTokens) -> list[Chunk]:
    """The chunks of a document in reading order; none is larger than `max_tokens`."""
    placed = list(_placed(document, min(_UNIT, chunking.max_tokens), count_tokens))
    keys = boundaries.strong([one.unit for one in placed])
    limits = [_limit(before, one, chunking) for before, one in pairwise([*placed[:1], *placed])]
    places = [0, *boundaries.cuts(keys, [one.size for one in placed], limits), len(placed)]
    seen: Counter[tuple[tuple[str, ...], str]] = Counter()
    return [_chunk(document, placed[begin:end], seen) for begin, end in pairwise(places) if end > begin]


def windows(chunk: Chunk, chunking: Chunking, count_tokens: CountTokens) -> list[str]:
    """The chunk as texts that the model reads whole, each led by title and section."""
    prefix = " > ".join((chunk.title, *chunk.section))
    while count_tokens(prefix) > _PREFIX:
        prefix = prefix[: len(prefix) * 3 // 4].rstrip()
    room = WINDOW - count_tokens(prefix)
    repeated = int(room * chunking.overlap)
    parts = units.of(chunk.text, min(_UNIT, room - repeated), count_tokens)
    found = []
    for begin, end in boundaries.fill(parts, room - repeated):
        first = begin
        while first and units.size(parts[first - 1 : begin]) <= repeated and units.size(parts[first - 1 : end]) <= room:
            first -= 1
        found.append(f"{prefix}\n{units.join(parts[first:end])}")
    return found


def _placed(document: Document, largest: int, count_tokens: CountTokens) -> Iterator[_Placed]:
    above: tuple[str, ...] = ()
    for section in document.sections:
        depth = len(_shared(above, section.path))
        lead = count_tokens("\n".join(section.path))
        header = ""
        for number, unit in enumerate(units.of(section.text, largest, count_tokens)):
            size = unit.tokens + (unit.header_tokens if unit.header != header else 0)
            if number:
                yield _Placed(unit, section, False, size)
            else:
                heading = min(Boundary.HEADING + depth, Boundary.NUMBERED - 2)
                yield _Placed(replace(unit, boundary=heading, glue="\n\n"), section, True, size + lead)
            header = unit.header
        above = section.path


def _limit(before: _Placed, one: _Placed, chunking: Chunking) -> int:
    """How much may stay together around a boundary: less under two headings, and not all where a header repeats."""
    if one.first:
        return min(chunking.min_tokens, chunking.max_tokens)
    header = one.unit.header
    return chunking.max_tokens - (one.unit.header_tokens if header and header == before.unit.header else 0)


def _chunk(document: Document, placed: Sequence[_Placed], seen: Counter[tuple[tuple[str, ...], str]]) -> Chunk:
    path = placed[0].section.path
    for one in placed:
        path = path if one.section.path == path else _shared(path, one.section.path)
    text = _text(placed, path)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    seen[path, sha256] += 1
    told = document.model_dump_json(exclude={"sections", "sha256"})
    mark = hashlib.sha256("\x1f".join((told, *path, str(seen[path, sha256]), sha256)).encode()).hexdigest()
    name = _NOT_IN_A_NAME.sub("-", (path[-1] if path else document.title).lower())[:_NAME].strip("-")
    return Chunk(
        id=f"{document.name}#{name}-{mark[:10]}".replace("#-", "#"),
        document_id=document.id,
        title=document.title,
        section=path,
        kind=document.kind,
        audience=document.audience,
        version=document.version,
        effective_from=document.effective_from,
        effective_to=document.effective_to,
        owner=document.owner,
        source=document.source,
        page=placed[0].section.page,
        text=text,
        sha256=sha256,
    )


def _text(placed: Sequence[_Placed], path: tuple[str, ...]) -> str:
    """The units joined; headings that are lost from the path go before the first text under them."""
    parts: list[str] = []
    above = path
    for _, group in groupby(placed, key=lambda one: id(one.section)):
        told = list(group)
        lost = told[0].section.path[max(len(path), len(_shared(above, told[0].section.path))) :]
        parts += [*(f"## {heading}" for heading in lost), units.join([one.unit for one in told])]
        above = told[0].section.path
    return "\n\n".join(part for part in parts if part).strip()


def _shared(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """The headings that both have above them."""
    pairs = zip(first, second, strict=False)
    return tuple(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
