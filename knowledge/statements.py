"""The statements of a text: its sentences, and the rows of its tables with the header above them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.wording import vocabulary

_LINE = re.compile(r"[^\n]*\n?")
_OWN_LINE = re.compile(r"\s*(?:[-*•]\s|#{1,6}\s|\d{1,3}[.)]\s|\([A-Za-z0-9]{1,5}\)\s|☐)")
_RULED = frozenset("|:- \t")
_STOP = re.compile(r"""[.!?]["”')\]*]*\s+(?=["“'(*\[]*[A-Z0-9§])""")
_SHORT = vocabulary("a.m p.m u.s u.s.c e.g i.e no nos vs st mr mrs ms dr sec seq cf al fed reg")
_LONGEST_CELLS = 40


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence, or a row with its `cells` and the `header` of its table, at `start`:`end` of the text.

    `block` is the offset of the paragraph or table that holds it.
    """

    text: str
    start: int
    end: int
    block: int
    cells: tuple[str, ...] = ()
    header: tuple[str, ...] = ()


def of(text: str) -> Iterator[Statement]:
    """Statements in order. Lines of a paragraph are read as one; a list item or a row stands alone."""
    header: tuple[str, ...] = ()
    block = None
    for start, end in _blocks(text):
        if text[start] != "|":
            header, block = (), None
            yield from _sentences(text, start, end)
            continue
        line = text[start:end]
        if "-" in line and _RULED.issuperset(line):
            continue
        row = cells(line)
        if block is None:
            block, header = start, row
            continue
        yield Statement(line, start, end, block, row, header)


def cells(line: str) -> tuple[str, ...]:
    """The cells of a Markdown row, without emphasis; of a very wide row the first forty."""
    inner = line.strip().removeprefix("|").removesuffix("|")
    return tuple(cell.replace("*", "").strip() for cell in inner.split("|", _LONGEST_CELLS)[:_LONGEST_CELLS])


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Paragraphs, list items and table rows as spans without blanks around them."""
    opened = closed = 0
    for match in _LINE.finditer(text):
        line = match[0]
        bare = line.strip()
        alone = bare.startswith("|") or _OWN_LINE.match(line)
        if (not bare or alone) and closed > opened:
            yield opened, closed
            opened = closed = match.end()
        if not bare:
            continue
        begins = match.start() + len(line) - len(line.lstrip())
        if bare.startswith("|"):
            yield begins, begins + len(bare)
            opened = closed = match.end()
            continue
        opened = opened if closed > opened else begins
        closed = begins + len(bare)
    if closed > opened:
        yield opened, closed


def _sentences(text: str, start: int, end: int) -> Iterator[Statement]:
    opened = start
    for match in _STOP.finditer(text, start, end):
        word = text[max(opened, match.start() - 8) : match.start()].rpartition(" ")[2].lower().lstrip("(")
        if text[match.start()] == "." and (word in _SHORT or (word.isdigit() and match.start() - opened < 4)):
            continue
        yield Statement(text[opened : match.end()].rstrip(), opened, match.end(), start)
        opened = match.end()
    if opened < end:
        yield Statement(text[opened:end], opened, end, start)
