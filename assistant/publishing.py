"""What an ingestion put in front of customers, on the record."""

from knowledge.report import Fate, IngestReport
from opsplane.access import SERVICE, Actor
from opsplane.document_events import DocumentsServed
from opsplane.ledger.store import Ledger

LISTED = 50
"""Documents of each kind that are named on the record; the report's hash stands for all."""


def record(report: IngestReport, why: str, ledger: Ledger, actor: Actor = SERVICE) -> None:
    """Put on the record every index that answers from another generation now."""
    for one in report.indexes:
        if one.fate is not Fate.SERVED:
            continue
        event = DocumentsServed(
            index=one.index,
            generation=one.generation,
            before=one.before,
            why=why,
            added=report.added[:LISTED],
            changed=report.changed[:LISTED],
            removed=report.removed[:LISTED],
            documents=len(report.added) + len(report.changed) + len(report.unchanged),
            refused=len(report.refused),
            embedded=one.embedded,
            report=report.digest,
        )
        ledger.append_now(event, actor)
