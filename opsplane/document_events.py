"""What happens to the documents that answers come from: served, withdrawn, reinstated; indexes evaluated and given up.

Documents are named `id@version`, or by their id alone where every version is meant.
"""

from typing import Literal

from opsplane.control_events import Act
from opsplane.event import EventValue


class DocumentsServed(EventValue):
    """From here on an index answers from another generation; `before` is the one until then, empty for the first.

    `why` is what brought it about. `report` is the SHA-256 of the whole report, of which the lists hold the beginning.
    """

    kind: Literal["documents_served"] = "documents_served"
    index: str
    generation: str
    before: str
    why: str
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    documents: int = 0
    refused: int = 0
    embedded: int = 0
    report: str = ""
    request: str = ""
    approved_by: str = ""


class DocumentWithdrawn(Act):
    """A document is answered from no longer, from the next turn on."""

    kind: Literal["document_withdrawn"] = "document_withdrawn"
    document: str


class DocumentReinstated(Act):
    """A document that was withdrawn is answered from again; two people agreed to that in `request`."""

    kind: Literal["document_reinstated"] = "document_reinstated"
    document: str
    request: str = ""
    approved_by: str = ""


class IndexEvaluated(EventValue):
    """An index was measured on golden questions beside one that it may replace; `report` is the report's SHA-256."""

    kind: Literal["index_evaluated"] = "index_evaluated"
    index: str
    generation: str
    against: str
    dataset: str
    report: str
    passed: bool
    summary: str


class IndexRetired(EventValue):
    """An index that no release needs any more was given up; `collected` tells that its data were deleted too."""

    kind: Literal["index_retired"] = "index_retired"
    index: str
    reason: str
    collected: bool = False


DocumentEvent = DocumentsServed | DocumentWithdrawn | DocumentReinstated | IndexEvaluated | IndexRetired
