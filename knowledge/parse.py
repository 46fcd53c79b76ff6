"""Files to documents: Markdown with front matter, HTML, PDF and plain text."""

import logging
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

from knowledge import frontmatter, markup, portable
from knowledge.document import Document, Section, text_hash

LOG = logging.getLogger(__name__)
MAX_BYTES = 50_000_000
"""A larger file is refused unread."""

Parsed = tuple[dict[str, Any], list[Section]]
_HIDDEN = dict.fromkeys([0xFEFF, 0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)])


class Unreadable(Exception):
    """A file that cannot become a document, with the reason in words for the person who supplied it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name}: {reason}")
        self.path = path
        self.reason = reason


def parse(path: Path) -> Document:
    """Read one file. Raises `Unreadable` with the reason; no other exception leaves."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise Unreadable(path, f"not a known type ({', '.join(sorted(READERS))})")
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ValueError(f"too large ({size:,} bytes; at most {MAX_BYTES:,})")
        data = path.read_bytes()
        if not data.strip():
            raise ValueError("empty")
        fields, sections = reader(data)
        return _document(path, fields, sections)
    except UnicodeDecodeError as error:
        reason = f"wrong encoding: not UTF-8 at byte {error.start} (0x{error.object[error.start]:02x})"
        raise Unreadable(path, reason) from error
    except OSError as error:
        raise Unreadable(path, f"cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise Unreadable(path, str(error)) from error
    except Exception as error:  # a hostile file may bring a parser down in any way
        LOG.warning("Parsing %s failed.", path.name, exc_info=True)
        raise Unreadable(path, f"damaged ({type(error).__name__})") from error


def _document(path: Path, fields: dict[str, Any], sections: list[Section]) -> Document:
    """Fill in honest defaults for what the file does not say."""
    clean = [Section(path=tuple(_clean(p) for p in s.path), text=_clean(s.text)) for s in sections]
    kept = tuple(section for section in clean if section.text)
    if not kept:
        raise ValueError("no text")
    first = next((line for line in kept[0].text.splitlines() if line), "")
    title = _clean(str(fields.pop("title", ""))) or (kept[0].path or (first,))[0]
    title = title[:200]
    stripped = tuple(Section(path=s.path[1:], text=s.text) if s.path[:1] == (title,) else s for s in kept)
    known = {"id": path.stem, "source": path.name, **fields}
    return Document(title=title, sections=stripped, sha256=text_hash(stripped), **known)


def _clean(text: str) -> str:
    """Drop control and invisible characters, trailing blanks and runs of empty lines."""
    normal = unicodedata.normalize("NFC", text).translate(_HIDDEN)
    shown = "".join(c for c in normal if c in "\n\t" or unicodedata.category(c) != "Cc")
    lines: list[str] = []
    for line in (line.rstrip() for line in shown.splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip()


def _utf8(data: bytes) -> str:
    return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def _markdown(data: bytes) -> Parsed:
    fields, body = frontmatter.split(_utf8(data))
    return fields, markup.markdown(body)


def _html(data: bytes) -> Parsed:
    return markup.html(_utf8(data))


def _plain(data: bytes) -> Parsed:
    return {}, [Section(path=(), text=_utf8(data))]


READERS: dict[str, Callable[[bytes], Parsed]] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".html": _html,
    ".htm": _html,
    ".pdf": portable.pdf,
    ".txt": _plain,
}
"""How each type is read, by the ending of the file's name."""
