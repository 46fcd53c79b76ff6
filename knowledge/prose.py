"""The lines of a paged file put together again: paragraphs, words that a line end broke, tables that a page end cut."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from knowledge import table
from knowledge.document import Section
from knowledge.outline import Outline
from knowledge.pdfpage import Line, Page, Ruled

_BULLET = re.compile(r"[•▪●◦■‣·–*-]\s+")
_ITEM = re.compile(r"(?:[•▪●◦■‣·–*-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)])\s")
_ENDS = re.compile(r"[.!?:;][\"'”’)\]]*$")
_LEADERS = re.compile(r"(?:\s?[._…]){4,}\s?")
_BROKEN = re.compile(r"([^\W\d_]+)-$")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_COLUMN = 60
_SHORT = 0.15
_APART = 0.9
_CLOSE = 1.45
_SAME_SIZE = 1.0


@dataclass
class Prose:
    """Sections of a paged file while its lines come in; `words` are those of the whole file, in small letters."""

    words: frozenset[str]
    outline: Outline = field(default_factory=Outline)
    _now: int = 1
    _right: dict[int, float] = field(default_factory=dict)
    _open: list[tuple[Line, bool]] = field(default_factory=list)
    _began: int = 1
    _ended: int = 1
    _apart: bool = True
    _title: tuple[int, list[Line]] | None = None
    _cut: tuple[int, list[str]] | None = None

    def turn(self, page: Page) -> None:
        """Begin a page. A paragraph may go on over it."""
        self._now = page.number
        self._right = {}
        for item in page.items:
            if isinstance(item, Line):
                column = int(item.box.x0 // _COLUMN)
                self._right[column] = max(self._right.get(column, 0.0), item.box.x1)

    def heading(self, level: int, line: Line) -> None:
        """A line of a heading; one that follows closely in the same size belongs to it."""
        self._flush()
        before = self._title
        if before and before[0] == level and 0 <= line.box.top - before[1][-1].box.top < _CLOSE * line.size:
            before[1].append(line)
            return
        self._entitle()
        self._cut = None
        self._title = (level, [line])
        self.outline.turn(self._now)

    def line(self, line: Line) -> None:
        """A line of text."""
        self._entitle()
        self._cut = None
        apart = not self._open or self._now != self._ended or self._gap(line) > _APART * line.size
        if self._open and not self._continues(line, apart=apart):
            self._flush()
        if not self._open:
            self._began, self._apart = self._now, apart
        self._open.append((line, self._full(line)))
        self._ended = self._now

    def table(self, ruled: Ruled) -> None:
        """A table; one that opens a page after a table of as many columns is given its header again."""
        self._entitle()
        self._flush()
        rows = ruled.rows
        if (
            self._cut
            and self._cut[0] == self._now - 1
            and len(self._cut[1]) == len(rows[0])
            and self._cut[1] != rows[0]
        ):
            rows = [self._cut[1], *rows]
        self.outline.turn(self._now)
        self.outline.lines += ["", *table.markdown(rows), ""]
        self._cut = (self._now, rows[0])

    def sections(self, *, by_page: bool) -> list[Section]:
        """All sections, one for every page that a heading's text runs over; `by_page` names them after their pages."""
        self._entitle()
        self._flush()
        found = self.outline.close()
        if not by_page:
            return found
        return [section.model_copy(update={"path": (f"Page {section.page}",)}) for section in found]

    def _entitle(self) -> None:
        if self._title:
            level, lines = self._title
            self.outline.heading(level, " ".join(line.text for line in lines))
            self._title = None

    def _gap(self, line: Line) -> float:
        return line.box.top - self._open[-1][0].box.bottom

    def _full(self, line: Line) -> bool:
        """Whether a line reaches the right edge of its column, so that its sentence may go on."""
        column = int(line.box.x0 // _COLUMN)
        right = max(self._right.get(place, 0.0) for place in (column - 1, column, column + 1))
        return line.box.x1 >= right - _SHORT * (right - line.box.x0)

    def _continues(self, line: Line, *, apart: bool) -> bool:
        """Whether a line goes on with the open paragraph."""
        before, full = self._open[-1]
        broken = _BROKEN.search(before.text) and line.text[:1].islower()
        if not (full or broken) or line.tabular or before.tabular or _ITEM.match(line.text):
            return False
        if abs(line.size - before.size) > _SAME_SIZE:
            return False
        moved = self._now != self._ended or line.box.top < before.box.top
        return not _ENDS.search(before.text) if moved else not apart

    def _flush(self) -> None:
        """End the open paragraph, on the page on which it began."""
        if not self._open:
            return
        text = ""
        for line, _ in self._open:
            text = self._joined(text, _LEADERS.sub(" ... ", line.text).strip())
        self._open = []
        self.outline.turn(self._began)
        text = _BULLET.sub("- ", text, count=1) if _BULLET.match(text) else text
        self.outline.lines += ["", text] if self._apart else [text]

    def _joined(self, text: str, after: str) -> str:
        """Two lines as one; a word that the line end broke is whole, unless the file has it with its hyphen."""
        broken, rest = _BROKEN.search(text), _WORD.match(after)
        if not broken or not rest or not after[0].islower():
            return f"{text} {after}" if text else after
        first, last = broken[1].lower(), rest[0].lower()
        kept = f"{first}-{last}" in self.words and f"{first}{last}" not in self.words
        return text + after if kept else text[:-1] + after


def words(lines: Iterable[Line]) -> frozenset[str]:
    """The words of a file in small letters, to tell a broken word from one with a hyphen."""
    return frozenset(word.lower() for line in lines for word in _WORD.findall(line.text))
