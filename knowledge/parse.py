"""Files to documents: Markdown, HTML, PDF, DOCX, CSV, XLSX and plain text, each with its metadata."""

import logging
import re
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from knowledge import frontmatter, markup, webpage
from knowledge.delimited import delimited
from knowledge.document import Document, Section, text_hash
from knowledge.encoding import decode
from knowledge.quarantine import QUARANTINE
from knowledge.reading import SAVE_AGAIN, Reading, Unfit
from knowledge.signature import refuse_disguise
from knowledge.sources.gathering import SIDECAR

LOG = logging.getLogger(__name__)
MAX_BYTES = 50_000_000
"""A larger file is refused unread."""
_LARGE_PAGE = 64_000
_LONGEST_TITLE = 200
_TABLES = (".csv", ".tsv", ".xlsx")
_BREAKS = str.maketrans(dict.fromkeys("\x0b\x0c\x85\u2028\u2029", "\n"))
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_INVISIBLE = re.compile(
    "[\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


class Parsed(NamedTuple):
    """A document, and sentences on what a person should know of how it was read."""

    document: Document
    notes: tuple[str, ...]


class Unreadable(Exception):
    """A file that cannot become a document, with the reason in words for the person who supplied it."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


def parse(name: str, data: bytes, meta: bytes | None = None) -> Parsed:
    """Read a file called `name`, its path within its source; `meta` are the bytes of the YAML file beside it.

    What stands beside a file goes before what the file says of itself. Raises `Unreadable` with the reason; no other
    exception leaves.
    """
    ending = PurePosixPath(name).suffix.lower()
    reader = READERS.get(ending)
    if reader is None:
        raise Unreadable(name, f"not a known type ({', '.join(sorted(READERS))})")
    refuse_size(name, len(data))
    try:
        if not data.strip():
            raise Unfit("empty")
        refuse_disguise(ending, data)
        reading = reader(data)
        return Parsed(_document(name, reading, _beside(name, meta)), tuple(reading.notes))
    except Unfit as error:
        raise Unreadable(name, str(error)) from error
    except Exception as error:  # a hostile file may bring a parser down in any way
        LOG.warning("Parsing %s failed.", name, exc_info=True)
        raise Unreadable(name, f"damaged ({type(error).__name__}): {SAVE_AGAIN}") from error


def refuse_size(name: str, size: int) -> None:
    """Raises `Unreadable` for a file of more than `MAX_BYTES` bytes; to be asked before it is read."""
    if size > MAX_BYTES:
        raise Unreadable(name, f"too large ({size:,} bytes; at most {MAX_BYTES:,})")


def _beside(name: str, meta: bytes | None) -> dict[str, Any]:
    if not meta:
        return {}
    text, _ = decode(meta)
    return frontmatter.beside(text, PurePosixPath(name).name + SIDECAR)


def _document(name: str, reading: Reading, beside: dict[str, Any]) -> Document:
    """Fill in honest defaults for what neither the file nor the one beside it says."""
    path = PurePosixPath(name)
    clean = [
        section.model_copy(update={"path": tuple(_clean(p) for p in section.path), "text": _clean(section.text)})
        for section in reading.sections
    ]
    kept = tuple(section for section in clean if section.text)
    if not kept:
        raise Unfit("; ".join(["no text", *reading.notes]))
    fields = {**reading.fields, **beside}
    frontmatter.refuse_period(fields, "field effective_to")
    title = _line(str(fields.pop("title", "")))[:_LONGEST_TITLE] or _title(path, kept)
    stripped = tuple(
        section.model_copy(update={"path": section.path[1:]}) if section.path[:1] == (title,) else section
        for section in kept
    )
    if "effective_from" in fields:
        fields.setdefault("version", fields["effective_from"].isoformat())
    known = {"id": _line(path.stem) or "document", "source": _line(path.name), **fields}
    return Document(title=title, sections=stripped, sha256=text_hash(stripped), **known)


def _title(path: PurePosixPath, sections: tuple[Section, ...]) -> str:
    """The first heading or line; a table is called after its file."""
    if path.suffix.lower() in _TABLES:
        return _line(path.stem)
    first = next((line for line in sections[0].text.split("\n") if line), "")
    return (sections[0].path or (first,))[0][:_LONGEST_TITLE]


def _line(text: str) -> str:
    return " ".join(_clean(text).split())


def _clean(text: str) -> str:
    """Drop control and invisible characters, trailing blanks and runs of empty lines."""
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    shown = _CONTROL.sub("", text.translate(_BREAKS)) if not text.isprintable() else text
    lines: list[str] = []
    for line in (line.rstrip() for line in shown.split("\n")):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip()


def _markdown(data: bytes) -> Reading:
    text, notes = decode(data)
    fields, body = frontmatter.split(text)
    return Reading(markup.markdown(body), fields, notes)


def _html(data: bytes) -> Reading:
    """A small page here, a large one in quarantine: time to read one may grow with the square of its size."""
    reading = webpage.page(data) if len(data) <= _LARGE_PAGE else QUARANTINE.read("html", data)
    fields = frontmatter.checked(reading.fields, lambda field: f'<meta name="opsplane:{field}">')
    return Reading(reading.sections, fields, reading.notes)


def _delimited(data: bytes) -> Reading:
    text, notes = decode(data)
    reading = delimited(text)
    return Reading(reading.sections, {}, notes)


def _plain(data: bytes) -> Reading:
    text, notes = decode(data)
    return Reading([Section(path=(), text=text)], {}, notes)


READERS: dict[str, Callable[[bytes], Reading]] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".html": _html,
    ".htm": _html,
    ".pdf": partial(QUARANTINE.read, "pdf"),
    ".docx": partial(QUARANTINE.read, "docx"),
    ".xlsx": partial(QUARANTINE.read, "xlsx"),
    ".csv": _delimited,
    ".tsv": _delimited,
    ".txt": _plain,
}
"""How each type is read, by the ending of the file's name."""
