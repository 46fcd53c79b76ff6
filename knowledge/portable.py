"""PDF files: text under its headings or its pages, tables as Markdown rows, without what repeats on every page."""

import re
from itertools import groupby
from statistics import median

from knowledge import headings, pdffile
from knowledge.document import Section
from knowledge.pdffile import Bookmark
from knowledge.pdfpage import Line, Page, Ruled
from knowledge.prose import Prose, words
from knowledge.reading import Reading, Unfit, counted

_EDGE = 3
_REPEATED = 0.4
_FEWEST = 3
_PLACE = re.compile(r"(?:page\s*)?\d+(?:\s*(?:of|/)\s*\d+)?|[-–—]\s*\d+\s*[-–—]", re.IGNORECASE)
_FIGURES = re.compile(r"\d+")
_PRICED = re.compile(r"[$€£%]")
_PRODUCED = re.compile(r"^microsoft (?:word|excel|powerpoint) - ", re.IGNORECASE)
_FILED = re.compile(r".*\.(?:docx?|pdf|xlsx?|pptx?|indd|rtf)", re.IGNORECASE)
_NAMELESS = ("", "untitled", "(anonymous)", "unspecified", "document", "title")


def pdf(data: bytes) -> Reading:
    """Every page's text with the number of the page. Raises `Unfit` for encrypted, damaged or scanned files."""
    file = pdffile.read(data)
    pages = file.pages
    if not any(page.items for page in pages):
        raise Unfit("no text: probably scanned pages; run character recognition first")
    notes = _notes(pages)
    sections = _sections(pages, file.bookmarks)
    title = _PRODUCED.sub("", file.title)
    if title.lower() in _NAMELESS or _FILED.fullmatch(title):
        title = _first(pages)
    return Reading(sections, {"title": title}, notes)


def _notes(pages: list[Page]) -> list[str]:
    scanned = [page.number for page in pages if not page.items and page.pictured]
    blank = [page.number for page in pages if not page.items and not page.pictured]
    hidden = sum(page.hidden for page in pages)
    notes = [f"{_named(scanned)} no text (scanned?)"] if scanned else []
    notes += [f"{_named(blank)} no text (blank)"] if blank else []
    return [*notes, f"{counted(hidden, 'word')} of hidden text left out"] if hidden else notes


def _named(numbers: list[int]) -> str:
    """ "pages 3-4 and 7 hold": runs of numbers, of many the first."""
    runs = [[n for _, n in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    told = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    told = told if len(told) <= 10 else [*told[:10], f"{len(told) - 10} other runs"]
    listed = " and ".join([", ".join(told[:-1]), told[-1]]) if len(told) > 1 else told[0]
    return f"page {listed} holds" if len(numbers) == 1 else f"pages {listed} hold"


def _sections(pages: list[Page], bookmarks: list[Bookmark]) -> list[Section]:
    """Sections under the headings, one for every page they run over; the pages where there are no headings."""
    furniture = _furniture(pages)
    for page in pages:
        page.items = [item for item in page.items if id(item) not in furniture]
    levels = headings.marked(bookmarks, pages) or headings.told(pages)
    prose = Prose(words(line for page in pages for line in page.lines))
    for page in pages:
        prose.turn(page)
        for item in page.items:
            if isinstance(item, Ruled):
                prose.table(item)
            elif id(item) in levels:
                prose.heading(levels[id(item)], item)
            else:
                prose.line(item)
    return prose.sections(by_page=not levels)


def _furniture(pages: list[Page]) -> set[int]:
    """Lines at the upper and lower ends of pages that repeat on others, and the numbers of pages."""
    places: dict[tuple[str, int], list[Line]] = {}
    dropped: set[int] = set()
    for page in pages:
        ordered = sorted(page.lines, key=lambda line: line.box.top)
        plain = median([line.size for line in ordered] or [0.0])
        for line in {id(line): line for line in (*ordered[:_EDGE], *ordered[-_EDGE:])}.values():
            text = _mask(line.text) if line.size <= plain else line.text
            places.setdefault((text, round(line.box.top / 6)), []).append(line)
        for line in (*ordered[:1], *ordered[-1:]):
            if _PLACE.fullmatch(line.text.strip()) and len(ordered) > 1:
                dropped.add(id(line))
    for lines in places.values():
        if len(lines) >= max(_FEWEST, _REPEATED * len(pages)):
            dropped.update(map(id, lines))
    return dropped


def _mask(text: str) -> str:
    """A line with its numbers made alike, as page numbers are; not where they are amounts or in a sentence."""
    figures = _FIGURES.findall(text)
    return (
        text if _PRICED.search(text) or len(figures) > 3 or text.endswith((".", ";", ":")) else _FIGURES.sub("#", text)
    )


def _first(pages: list[Page]) -> str:
    """The largest line of the first page with text, or its first."""
    lines = next((page.lines for page in pages if page.lines), [])
    if not lines:
        return ""
    largest = max(line.size for line in lines)
    plain = min(line.size for line in lines)
    return next(line.text for line in lines if line.size == largest or largest - plain < 1)
