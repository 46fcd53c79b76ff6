"""A PDF as a whole: opened, refused where nobody could read it, and taken page by page."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from pypdfium2 import PdfDocument, PdfiumError

from knowledge import pdfpage
from knowledge.pdfpage import Page
from knowledge.reading import SAVE_AGAIN, Unfit

PAGES = 3_000
_TAIL = 4_096
_BOOKMARKS = 3_000
_DEEPEST = 6


class Bookmark(NamedTuple):
    """An entry of the file's own table of contents: its page, its level from 1, its words."""

    page: int
    level: int
    title: str


@dataclass(frozen=True)
class File:
    """The pages of a PDF, the title that it states, and its bookmarks."""

    pages: list[Page]
    title: str
    bookmarks: list[Bookmark]


def read(data: bytes) -> File:
    """Read a file. Raises `Unfit` for one that is encrypted, truncated, damaged or too long."""
    if b"%%EOF" not in data[-_TAIL:] and b"startxref" not in data[-_TAIL:]:
        raise Unfit("truncated: the end of the file is missing; fetch it again")
    try:
        document = PdfDocument(data)
    except PdfiumError as error:
        if "password" in str(error).lower():
            raise Unfit("encrypted: save a copy without a password") from error
        raise Unfit(f"damaged PDF; {SAVE_AGAIN}") from error
    try:
        pages = list(_pages(document))
        title = str(document.get_metadata_dict().get("Title", "")).strip()
        return File(pages, title, list(_bookmarks(document)))
    finally:
        document.close()


def _pages(document: PdfDocument) -> Iterator[Page]:
    if len(document) > PAGES:
        raise Unfit(f"{len(document):,} pages, at most {PAGES:,} are read: split it")
    for place in range(len(document)):
        try:
            source = document[place]
        except PdfiumError as error:
            raise Unfit(f"damaged: page {place + 1} cannot be read; {SAVE_AGAIN}") from error
        try:
            yield pdfpage.page(source, place + 1)
        finally:
            source.close()


def _bookmarks(document: PdfDocument) -> Iterator[Bookmark]:
    for bookmark in islice(document.get_toc(max_depth=_DEEPEST), _BOOKMARKS):
        target = bookmark.get_dest()
        place = target.get_index() if target else None
        if place is not None:
            yield Bookmark(place + 1, bookmark.level + 1, bookmark.get_title())
