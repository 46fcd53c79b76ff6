"""The numbers that Word counts by itself: "4.2", "(b)", "iii."."""

import re
from typing import Any

from docx.oxml import parse_xml

from knowledge.wordstyle import Style, qn

_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"))
_ROMAN_SMALL = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
_LARGEST = 3_999


class Numbering:
    """Counters of a document's lists, moved on paragraph by paragraph."""

    def __init__(self, part: Any) -> None:
        self._levels: dict[str, dict[int, tuple[str, str, int]]] = {}
        self._shared: dict[str, str] = {}
        self._counts: dict[str, list[int]] = {}
        for relation in part.rels.values():
            if relation.reltype.endswith("/numbering") and not relation.is_external:
                self._read(parse_xml(relation.target_part.blob))

    def _read(self, root: Any) -> None:
        abstract = {
            element.get(qn("w:abstractNumId")): {
                int(level.get(qn("w:ilvl"), "0")): _level(level) for level in element.iterchildren(qn("w:lvl"))
            }
            for element in root.iterchildren(qn("w:abstractNum"))
        }
        for element in root.iterchildren(qn("w:num")):
            mark, target = element.get(qn("w:numId"), ""), element.find(qn("w:abstractNumId"))
            kind = "" if target is None else target.get(qn("w:val"), "")
            self._levels[mark] = abstract.get(kind, {})
            restarted = element.find(f"{qn('w:lvlOverride')}/{qn('w:startOverride')}") is not None
            self._shared[mark] = mark if restarted else f"abstract {kind}"

    def next(self, style: Style) -> str | None:
        """The number of a paragraph in this style; "" for a bullet, None where it belongs to no list."""
        levels = self._levels.get(style.number)
        if not style.number or style.number == "0":
            return None
        if not levels or style.depth not in levels:
            return ""
        counts = self._counts.setdefault(self._shared[style.number], [0] * 9)
        form, pattern, start = levels[style.depth]
        counts[style.depth] = counts[style.depth] + 1 if counts[style.depth] else start
        counts[style.depth + 1 :] = [0] * (8 - style.depth)
        if form in ("bullet", "none"):
            return ""
        return re.sub(r"%([1-9])", lambda mark: self._told(levels, counts, int(mark[1]) - 1), pattern).strip()

    @staticmethod
    def _told(levels: dict[int, tuple[str, str, int]], counts: list[int], depth: int) -> str:
        form, _, start = levels.get(depth, ("decimal", "", 1))
        return _figure(counts[depth] or start, form)


def _level(element: Any) -> tuple[str, str, int]:
    """Form, pattern and first number of a level."""
    form, text, start = (element.find(qn(f"w:{name}")) for name in ("numFmt", "lvlText", "start"))
    first = "1" if start is None else start.get(qn("w:val"), "1")
    return (
        "decimal" if form is None else form.get(qn("w:val"), "decimal"),
        "" if text is None else text.get(qn("w:val"), "")[:100],
        int(first) if first.isdigit() else 1,
    )


def _figure(number: int, form: str) -> str:
    if not 0 < number <= _LARGEST:
        return str(number)
    if form.endswith("Letter"):
        text = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
    elif form.endswith("Roman"):
        text = _roman(number)
    else:
        return str(number)
    return text.upper() if form.startswith("upper") else text


def _roman(number: int) -> str:
    text = ""
    for value, letters in (*_ROMAN, *_ROMAN_SMALL):
        text += letters * (number // value)
        number %= value
    return text
