"""One page of a PDF: its lines of text with size and place, and its ruled tables."""

import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium
from pdfplumber import table as ruling
from pypdfium2 import PdfiumError, PdfObject, PdfPage, PdfTextPage

_THIN = 2.0
_SHORTEST = 3.0
_EDGES = 1_500
"""A page with more rulings is a drawing, and its tables are not looked for."""
_CROSSINGS = 2_500
_OBJECTS = 20_000
_SMALLEST = 1.5
_PALE = 250
_TABULAR = 2.5
"""A gap of so many letter heights inside a line sets columns apart."""
_BOLD = ("bold", "black", "heavy", "semibold", "demi")
_SOFT_HYPHEN = 2
"""What stands for a hyphen where a line ends in the middle of a word."""
_LINE_END = 10
_LINE_ENDS = frozenset({_LINE_END, 13, _SOFT_HYPHEN})
_BLANKS = frozenset({9, 10, 13, 32, 160})


class Box(NamedTuple):
    """A rectangle on the page as it is shown, in points from its upper left corner."""

    x0: float
    top: float
    x1: float
    bottom: float

    def holds(self, other: "Box") -> bool:
        """Whether the middle of the other box lies in this one."""
        x, y = (other.x0 + other.x1) / 2, (other.top + other.bottom) / 2
        return self.x0 <= x <= self.x1 and self.top <= y <= self.bottom


@dataclass(frozen=True)
class Word:
    """A word with its place, the size of its letters, and whether they are bold."""

    text: str
    box: Box
    size: float
    bold: bool


@dataclass(frozen=True)
class Line:
    """A line of text; `tabular` where wide gaps part its words as columns do."""

    text: str
    box: Box
    size: float
    bold: bool
    tabular: bool = False


@dataclass(frozen=True)
class Ruled:
    """A table between ruled lines; `rows` hold the text of its cells."""

    rows: list[list[str]]
    box: Box


@dataclass
class Page:
    """What a page shows, in reading order; `hidden` counts words that a reader would not see."""

    number: int
    height: float
    items: list[Line | Ruled] = field(default_factory=list)
    pictured: bool = False
    hidden: int = 0

    @property
    def lines(self) -> list[Line]:
        """The lines of text outside of tables."""
        return [item for item in self.items if isinstance(item, Line)]


def page(source: PdfPage, number: int) -> Page:
    """Read a page of an open file."""
    view = _View(source)
    drawn = _Drawn(view)
    for count, thing in enumerate(source.get_objects()):
        if count == _OBJECTS:
            break
        drawn.take(thing)
    result = Page(number, view.height, pictured=drawn.pictured)
    letters = source.get_textpage()
    try:
        found = list(_Letters(letters, view).lines())
        lines = [_seen(words, view, drawn) for words in found]
    finally:
        letters.close()
    result.hidden = sum(map(len, found)) - sum(map(len, lines))
    tables = _tables(drawn, [word for words in lines for word in words])
    told: set[int] = set()
    for words in filter(None, lines):
        line = _line(words)
        inside = next((place for place, ruled in enumerate(tables) if ruled.box.holds(line.box)), None)
        if inside is None:
            result.items.append(line)
        elif inside not in told:
            told.add(inside)
            result.items.append(tables[inside])
    return result


class _View:
    """From the page's own coordinates to those of the page as it is shown, turned and cut."""

    def __init__(self, source: PdfPage) -> None:
        self.source = source
        self.left, self.low, self.right, self.high = source.get_bbox()
        self.turned = source.get_rotation()
        sides = (self.right - self.left, self.high - self.low)
        self.width, self.height = sides if self.turned in (0, 180) else sides[::-1]

    def box(self, left: float, low: float, right: float, high: float) -> Box:
        """A rectangle as it is shown."""
        x0, x1 = sorted((left - self.left, right - self.left))
        y0, y1 = sorted((low - self.low, high - self.low))
        if self.turned == 90:
            return Box(y0, x0, y1, x1)
        if self.turned == 180:
            return Box(self.width - x1, y0, self.width - x0, y1)
        if self.turned == 270:
            return Box(self.width - y1, self.height - x1, self.width - y0, self.height - x0)
        return Box(x0, self.height - y1, x1, self.height - y0)

    def shows(self, box: Box) -> bool:
        """Whether a box lies on the page at all."""
        return box.x1 > 0 and box.bottom > 0 and box.x0 < self.width and box.top < self.height


class _Drawn:
    """Rulings, coloured areas and pictures of a page."""

    def __init__(self, view: _View) -> None:
        self.view = view
        self.edges: list[dict[str, Any]] = []
        self.areas: list[Box] = []
        self.pictured = False

    def take(self, thing: PdfObject) -> None:
        """Keep what matters of one object on the page."""
        if thing.type not in (pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_SHADING):
            return
        self.pictured = self.pictured or thing.type != pdfium.FPDF_PAGEOBJ_PATH
        if thing.level or len(self.edges) > _EDGES or len(self.areas) > _EDGES:
            return  # inside a form, places are the form's own
        try:
            box = self.view.box(*thing.get_bounds())
        except PdfiumError:
            return  # a path without points
        if thing.type == pdfium.FPDF_PAGEOBJ_PATH:
            self._rule(thing, box)
        else:
            self.areas.append(box)

    def _rule(self, thing: PdfObject, box: Box) -> None:
        """The straight lines of a path: a thin filled area is one, so are the sides of a drawn rectangle."""
        filling, stroked = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDFPath_GetDrawMode(thing.raw, filling, stroked)
        thin = box.x1 - box.x0 <= _THIN or box.bottom - box.top <= _THIN
        if filling.value and not thin and _coloured(thing):
            self.areas.append(box)
        segments = pdfium.FPDFPath_CountSegments(thing.raw)
        if stroked.value and not thin and segments > 5:
            self.edges += self._sides(thing, segments)
        elif stroked.value or (filling.value and thin):
            self.edges += _around(box) if not thin else _along(box)

    def _sides(self, thing: PdfObject, segments: int) -> Iterator[dict[str, Any]]:
        """The level and the upright strokes of a path of many."""
        matrix = thing.get_matrix()
        before: tuple[float, float] | None = None
        for place in range(min(segments, _EDGES)):
            segment = pdfium.FPDFPath_GetPathSegment(thing.raw, place)
            x, y = ctypes.c_float(), ctypes.c_float()
            pdfium.FPDFPathSegment_GetPoint(segment, x, y)
            point = matrix.on_point(x.value, y.value)
            if before and pdfium.FPDFPathSegment_GetType(segment) == pdfium.FPDF_SEGMENT_LINETO:
                yield from _along(self.view.box(*before, *point))
            before = point


def _coloured(thing: PdfObject) -> bool:
    """Whether an area is filled with something darker than paper."""
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    pdfium.FPDFPageObj_GetFillColor(thing.raw, red, green, blue, alpha)
    return alpha.value > 0 and min(red.value, green.value, blue.value) < _PALE


def _along(box: Box) -> list[dict[str, Any]]:
    """A thin box as the edge that it draws; a slanting or short one draws none."""
    wide, high = box.x1 - box.x0, box.bottom - box.top
    if max(wide, high) < _SHORTEST or min(wide, high) > _THIN:
        return []
    x, y = (box.x0 + box.x1) / 2, (box.top + box.bottom) / 2
    if wide > high:
        return [_edge("h", Box(box.x0, y, box.x1, y))]
    return [_edge("v", Box(x, box.top, x, box.bottom))]


def _around(box: Box) -> list[dict[str, Any]]:
    """The four sides of a rectangle."""
    sides = (
        ("h", Box(box.x0, box.top, box.x1, box.top)),
        ("h", Box(box.x0, box.bottom, box.x1, box.bottom)),
        ("v", Box(box.x0, box.top, box.x0, box.bottom)),
        ("v", Box(box.x1, box.top, box.x1, box.bottom)),
    )
    return [_edge(way, side) for way, side in sides]


def _edge(orientation: str, box: Box) -> dict[str, Any]:
    """An edge in the terms of the library that finds cells between edges."""
    sizes = {"width": box.x1 - box.x0, "height": box.bottom - box.top}
    return {"orientation": orientation, "object_type": "line", **box._asdict(), **sizes}


class _Letters:
    """The letters of a page, asked one by one of the library through the same few cells of memory."""

    def __init__(self, source: PdfTextPage, view: _View) -> None:
        self.view = view
        self._raw = source.raw
        self._size = source.count_chars()
        self._sides = tuple(ctypes.c_double() for _ in range(4))
        self._tones = tuple(ctypes.c_uint() for _ in range(4))
        self._face, self._flags = ctypes.create_string_buffer(128), ctypes.c_int()
        self._matrix = pdfium.FS_MATRIX()
        self._bold: dict[bytes, bool] = {}

    def lines(self) -> Iterator[list[tuple[Word, bool]]]:
        """The words of each line, and whether each is as white as paper."""
        words: list[tuple[Word, bool]] = []
        codes: list[int] = []
        start = 0
        for place in range(self._size + 1):
            code = pdfium.FPDFText_GetUnicode(self._raw, place) if place < self._size else _LINE_END
            if code not in _BLANKS:
                start = start if codes else place
                codes.append(ord("-") if code == _SOFT_HYPHEN else code)
                if code != _SOFT_HYPHEN:
                    continue
            if codes:
                words.append((self._word(codes, start, place - 1), self._pale(start)))
                codes = []
            if code in _LINE_ENDS and words:
                yield words
                words = []

    def _word(self, codes: list[int], start: int, end: int) -> Word:
        """A word out of its letters' codes, which come as UTF-16 on some systems."""
        text = "".join([chr(code) for code in codes if code < 0x110000])
        if not text.isascii():
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
        first, last = self._box(start), self._box(end)
        box = Box(
            min(first.x0, last.x0), min(first.top, last.top), max(first.x1, last.x1), max(first.bottom, last.bottom)
        )
        return Word(text, box, self._height(start), self._is_bold(start))

    def _height(self, place: int) -> float:
        """The size of a letter as it is shown: many writers set size 1 and scale the text."""
        size = float(pdfium.FPDFText_GetFontSize(self._raw, place))
        if not pdfium.FPDFText_GetMatrix(self._raw, place, self._matrix):
            return size
        return size * math.hypot(self._matrix.c, self._matrix.d)

    def _box(self, place: int) -> Box:
        left, right, low, high = self._sides
        pdfium.FPDFText_GetCharBox(self._raw, place, left, right, low, high)
        return self.view.box(left.value, low.value, right.value, high.value)

    def _is_bold(self, place: int) -> bool:
        """Whether a letter is set in a bold face, by the name of the face."""
        pdfium.FPDFText_GetFontInfo(self._raw, place, self._face, 128, self._flags)
        name = self._face.value
        if name not in self._bold:
            self._bold[name] = any(mark in name.decode("utf-8", "ignore").lower() for mark in _BOLD)
        return self._bold[name]

    def _pale(self, place: int) -> bool:
        pdfium.FPDFText_GetFillColor(self._raw, place, *self._tones)
        red, green, blue, alpha = self._tones
        return alpha.value == 0 or min(red.value, green.value, blue.value) > _PALE


def _seen(words: list[tuple[Word, bool]], view: _View, drawn: _Drawn) -> list[Word]:
    """The words of a line that are there for the eye: on the page, large enough, and not white on white."""
    return [
        word
        for word, pale in words
        if view.shows(word.box)
        and word.size >= _SMALLEST
        and (not pale or any(area.holds(word.box) for area in drawn.areas))
    ]


def _line(words: list[Word]) -> Line:
    boxes = [word.box for word in words]
    box = Box(
        min(b.x0 for b in boxes), min(b.top for b in boxes), max(b.x1 for b in boxes), max(b.bottom for b in boxes)
    )
    size = sorted(word.size for word in words)[len(words) // 2]
    gaps = (after.box.x0 - before.box.x1 for before, after in pairwise(words))
    return Line(
        " ".join(word.text for word in words),
        box,
        size,
        all(word.bold for word in words),
        tabular=any(gap > _TABULAR * size for gap in gaps),
    )


def _tables(drawn: _Drawn, words: list[Word]) -> list[Ruled]:
    """The tables that the rulings make, where they have at least two rows, two columns and some text."""
    edges = ruling.merge_edges(drawn.edges, 3, 3, 3, 3) if len(drawn.edges) <= _EDGES else []
    level = sum(edge["orientation"] == "h" for edge in edges)
    if not level or level * (len(edges) - level) > _CROSSINGS:
        return []
    cells = ruling.intersections_to_cells(ruling.edges_to_intersections(edges, 3, 3))
    found = (_ruled([Box(*cell) for cell in group], words) for group in ruling.cells_to_tables(cells))
    return [table for table in found if table]


def _ruled(cells: list[Box], words: list[Word]) -> Ruled | None:
    """A table out of its cells: text that spans rows stands in each of them, text that spans columns once."""
    tops, lefts = sorted({cell.top for cell in cells}), sorted({cell.x0 for cell in cells})
    box = Box(lefts[0], tops[0], max(cell.x1 for cell in cells), max(cell.bottom for cell in cells))
    inside = [word for word in words if box.holds(word.box)]
    if len(tops) < 2 or len(lefts) < 2 or not inside:
        return None
    rows = [[""] * len(lefts) for _ in tops]
    for cell in cells:
        text = " ".join(word.text for word in inside if cell.holds(word.box))
        for place, top in enumerate(tops):
            if cell.top <= top < cell.bottom - 1:
                rows[place][lefts.index(cell.x0)] = text
    return Ruled(rows, box)
