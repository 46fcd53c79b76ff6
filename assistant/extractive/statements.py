"""Sources cut into statements: sentences, list items and table rows, each able to stand in an answer."""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from assistant.sentences import split
from assistant.sources import Source

_HEADING = re.compile(r"#{1,6}\s+(?P<text>.+?)\s*#*$")
_ITEM = re.compile(r"(?:[-*•+]|\(?(?:\d{1,3}|[a-z])[.)])\s+(?P<text>.+)")
_RULE = re.compile(r"\|?(?:\s*:?-+:?\s*\|)+\s*(?::?-+:?\s*\|?)?\s*$")
_EXAMPLE = re.compile(r"\b(?:examples?|for instance|suppose|imagine)\b|^On (?:a )?\w+day\b", re.IGNORECASE)
_PERSON = re.compile(r"\b(?:she|her|his|him|he)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """One thing that a source says. `place` orders the statements of a source; `block` tells paragraphs apart.

    `heading` is what stands above it inside the source: headings and the line that leads into its list.
    """

    source: Source
    place: int
    block: int
    text: str
    heading: str
    row: bool = False
    example: bool = False


@dataclass(frozen=True)
class _Block:
    kind: str  # "text", "item", "row" or "heading"
    text: str


def statements(source: Source) -> tuple[Statement, ...]:
    """Everything that a source says, in its order."""
    said = _said_by(replace(source, number=0))
    return tuple(replace(one, source=source) for one in said)


@lru_cache(maxsize=2_048)
def _said_by(source: Source) -> tuple[Statement, ...]:
    """The same for a source whatever its number in a turn, remembered."""
    found: list[Statement] = []
    heading = lead = ""
    example = False
    for number, block in enumerate(_blocks(source.text)):
        if block.kind == "heading":
            heading, lead = block.text, ""
            continue
        sentences = [block.text] if block.kind == "row" else split(block.text)
        if block.kind == "text":
            lead = sentences[-1] if sentences[-1].endswith(":") else ""
            sentences = sentences[:-1] if lead else sentences
            example = False
        example = example or bool(_EXAMPLE.search(f"{lead} {sentences[0] if sentences else ''}".strip()[:80]))
        shown = example or bool(_EXAMPLE.search(heading or _section(source)))
        for sentence in sentences:
            shown = shown or bool(_PERSON.search(sentence))
            found.append(
                Statement(
                    source=source,
                    place=len(found),
                    block=number,
                    text=_whole(sentence),
                    heading=f"{heading} {lead}".strip(),
                    row=block.kind == "row",
                    example=shown,
                )
            )
    return tuple(found)


def _section(source: Source) -> str:
    """The source's own section; nothing where it holds several, whose headings then stand in its text."""
    last = source.section.rpartition("›")[2]
    return "" if ";" in last else last


def _whole(sentence: str) -> str:
    """A sentence in plain text, closed by a full stop where the source has none."""
    plain = re.sub(r"\*\*|__|`", "", sentence).strip().rstrip(";")
    return plain if plain.endswith((".", "!", "?", ":")) else f"{plain}."


def _blocks(text: str) -> Iterator[_Block]:
    """Headings, list items, table rows and paragraphs; wrapped lines are put together again."""
    held: list[str] = []
    kind = "text"
    header: list[str] = []
    lines = text.split("\n")
    for number, raw in enumerate(lines):
        line = raw.strip()
        heading, item = _HEADING.match(line), _ITEM.match(line)
        if held and (not line or heading or item or line.startswith("|")):
            yield _Block(kind, " ".join(held))
            held, kind = [], "text"
        if not line.startswith("|"):
            header = []
        if heading:
            yield _Block("heading", heading["text"])
        elif line.startswith("|"):
            following = lines[number + 1].strip() if number + 1 < len(lines) else ""
            header = yield from _row(line, following, header)
        elif line:
            held.append(item["text"] if item else line)
            kind = "item" if item else kind
    if held:
        yield _Block(kind, " ".join(held))


def _row(line: str, following: str, header: list[str]) -> Generator[_Block, None, list[str]]:
    """A table row as a sentence of its own; the header that the rows after it have."""
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    if _RULE.match(line):
        return header
    if _RULE.match(following) and "-" in following:
        return cells
    if said := _said(header, cells):
        yield _Block("row", said)
    return header


def _said(header: list[str], cells: list[str]) -> str:
    """A row with its header: "Outgoing domestic wire — online: $25; in a branch: $30"."""
    subject, rest = cells[0], cells[1:]
    named = header[1:] if len(header) == len(cells) else [""] * len(rest)
    parts = [f"{_lower(name)}: {cell}" if name else cell for name, cell in zip(named, rest, strict=True) if cell]
    return f"{subject} — {'; '.join(parts)}" if parts else subject


def _lower(name: str) -> str:
    """A column's name inside a sentence; abbreviations and proper names ("Everyday Checking") keep their capitals."""
    proper = not name[1:2].islower() or any(word[0].isupper() for word in name.split()[1:])
    return name if proper else name[0].lower() + name[1:]
