"""A document of the bank: what it says, to whom, and from when to when it holds."""

import hashlib
from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

UNDATED = date(1900, 1, 1)
"""`effective_from` of a document that does not say since when it holds."""


class Kind(StrEnum):
    """What sort of document it is; ranking may trust one kind more than another."""

    DOCUMENT = "document"
    TERMS = "terms"
    FEES = "fees"
    RATES = "rates"
    PRODUCT = "product"
    DISCLOSURE = "disclosure"
    NOTICE = "notice"
    POLICY = "policy"
    PROCEDURE = "procedure"
    GUIDE = "guide"
    FAQ = "faq"
    RIGHTS = "rights"
    REGULATION = "regulation"
    INTERPRETATION = "interpretation"
    APPENDIX = "appendix"
    MARKETING = "marketing"


class Section(BaseModel):
    """A stretch of text under one heading; `path` is the headings above it, outermost first.

    `page` is the page of the file on which it begins, counted from 1; None where the file has no pages.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: tuple[str, ...]
    text: str
    page: int | None = None


class Document(BaseModel):
    """One version of a document. `effective_to` is the last day on which it holds; None means no end.

    `supersedes` are ids of other documents, which end on the day before this one begins.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    kind: Kind = Kind.DOCUMENT
    audience: str = "customer"
    version: str = "1"
    effective_from: date = UNDATED
    effective_to: date | None = None
    supersedes: tuple[str, ...] = ()
    owner: str = ""
    source: str
    sections: tuple[Section, ...]
    sha256: str

    @property
    def name(self) -> str:
        """The id with the version, as reports print it."""
        return f"{self.id}@{self.version}"

    def in_force(self, on: date) -> bool:
        """Whether this version holds on the day `on`."""
        return self.effective_from <= on and (self.effective_to is None or on <= self.effective_to)


def text_hash(sections: Iterable[Section]) -> str:
    """SHA-256 of headings and text, whatever the metadata say."""
    digest = hashlib.sha256()
    for section in sections:
        digest.update("\x1f".join((*section.path, section.text)).encode())
        digest.update(b"\x1e")
    return digest.hexdigest()


def fingerprint(document: Document) -> str:
    """SHA-256 of all of a document, its metadata too."""
    return hashlib.sha256(document.model_dump_json().encode()).hexdigest()
