"""The headings of a PDF: what its bookmarks name, or else what its letters set apart beyond doubt."""

from collections import Counter
from collections.abc import Iterable

from knowledge.pdffile import Bookmark
from knowledge.pdfpage import Line, Page, Ruled

Levels = dict[int, int]
"""The level of each line that is a heading, by the line's `id()`."""

_LARGER = 1.15
_LONGEST, _LONGEST_BOLD = 120, 80
_LEVELS = 4
_MOST = 0.35
_FEW = 3
_BOLD_TEXT = 0.3
_MATCHED = 3


def marked(bookmarks: Iterable[Bookmark], pages: list[Page]) -> Levels:
    """Headings by the file's bookmarks, where at least three of them stand word for word on their pages."""
    lines: dict[tuple[int, str], Line] = {}
    for page in pages:
        for line in page.lines:
            lines.setdefault((page.number, _plain(line.text)), line)
    found: Levels = {}
    for bookmark in bookmarks:
        named = lines.get((bookmark.page, _plain(bookmark.title)))
        if named:
            found[id(named)] = bookmark.level
    return found if len(found) >= _MATCHED else {}


def told(pages: list[Page]) -> Levels:
    """Headings by larger or bold letters; none where so many lines would be headings that it cannot be so."""
    lines = [line for page in pages for line in page.lines]
    weights: Counter[float] = Counter()
    for line in lines:
        weights[_size(line)] += len(line.text)
    if not weights:
        return {}
    body = max(weights, key=lambda size: (weights[size], -size))
    bold = sum(len(line.text) for line in lines if line.bold) < _BOLD_TEXT * weights.total()
    larger = sorted((size for size in weights if size >= _LARGER * body), reverse=True)
    found: Levels = {}
    for page in pages:
        before: Line | Ruled | None = None
        for item in page.items:
            if isinstance(item, Line) and _may_be(item):
                if _size(item) in larger:
                    found[id(item)] = min(larger.index(_size(item)) + 1, _LEVELS)
                elif bold and item.bold and _size(item) >= body and _apart(item, before, found):
                    found[id(item)] = _LEVELS + 1
            before = item
    return found if len(found) <= max(_FEW, _MOST * len(lines)) else {}


def _may_be(line: Line) -> bool:
    """Whether a line could be a heading at all: short, with letters, and no sentence."""
    letters = sum(character.isalpha() for character in line.text)
    return letters >= 2 and len(line.text) <= _LONGEST and not line.tabular and line.text[-1] not in ".,;"


def _apart(line: Line, before: Line | Ruled | None, found: Levels) -> bool:
    """Whether a bold line stands alone, as one that begins a part does."""
    if len(line.text) > _LONGEST_BOLD or line.text[-1] == ":" or line.text[0].islower():
        return False
    if not isinstance(before, Line) or id(before) in found or line.box.top < before.box.top:
        return True
    return line.box.top - before.box.bottom > 0.3 * line.size


def _size(line: Line) -> float:
    return round(line.size * 2) / 2


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
