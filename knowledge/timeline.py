"""When each version of a document holds: a version ends where the next begins, or where another supersedes it."""

import re
from collections.abc import Sequence
from datetime import date, timedelta

from knowledge.document import Document
from knowledge.report import Note, Refusal

_DAY = timedelta(days=1)


def settle(documents: Sequence[Document]) -> tuple[list[Document], list[Refusal], list[Note]]:
    """The documents, each with the day on which it ends, by id and date.

    What cannot hold beside another is refused: of two versions of an id that begin on the same day the later version
    stands, and nothing begins that another document superseded before. What was shortened is noted.
    """
    refused: list[Refusal] = []
    notes: list[Note] = []
    settled: list[Document] = []
    ordered = sorted(documents, key=_order)
    superseding: dict[str, list[Document]] = {}
    for document in ordered:
        for other in document.supersedes:
            superseding.setdefault(other, []).append(document)
    for place, document in enumerate(ordered):
        following = ordered[place + 1] if place + 1 < len(ordered) else None
        after = [following] if following and following.id == document.id else []
        others = [one for one in superseding.get(document.id, ()) if one.id != document.id]
        if reason := _refusal(document, after, others):
            refused.append(Refusal(name=document.name, reason=reason))
            continue
        for by in (*after, *(other for other in others if other.effective_from > document.effective_from)):
            document = _ended(document, by, notes)
        settled.append(document)
    return settled, refused, notes


def _refusal(document: Document, after: Sequence[Document], others: Sequence[Document]) -> str:
    """Why a document cannot hold on any day; "" where it can."""
    begins = document.effective_from
    for other in after:
        if other.effective_from == begins:
            return f"{other.name} begins on the same day ({begins}) and is the later version: both cannot be in force"
    for other in others:
        if other.effective_from <= begins and other.id not in document.supersedes:
            return f"{other.name} supersedes it from {other.effective_from} on, before it begins"
    return ""


def _ended(document: Document, by: Document, notes: list[Note]) -> Document:
    """The document ending at the latest on the day before `by` begins; a stated end that is later is noted."""
    last = by.effective_from - _DAY
    if document.effective_to is not None and document.effective_to <= last:
        return document
    if document.effective_to is not None:
        told = f"says that it holds until {document.effective_to}, but {by.name} begins on {by.effective_from}"
        notes.append(Note(name=document.name, text=f"{told}: it ends on {last}"))
    return document.model_copy(update={"effective_to": last})


def _order(document: Document) -> tuple[str, int, list[tuple[int, str]]]:
    """By id, date and version, where version 10 follows version 9."""
    parts = [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", document.version)]
    return document.id, document.effective_from.toordinal(), parts


def changes(documents: Sequence[Document], after: date) -> list[tuple[date, str, str]]:
    """What goes live or ends by itself after a day: (day, document name, "begins" or "ends"), earliest first."""
    days: list[tuple[date, str, str]] = []
    for one in documents:
        if one.effective_from > after:
            days.append((one.effective_from, one.name, "begins"))
        if one.effective_to is not None and one.effective_to >= after:
            days.append((one.effective_to + _DAY, one.name, "ends"))
    return sorted(days)
