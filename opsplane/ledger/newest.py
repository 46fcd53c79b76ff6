"""Entries of some sort, newest first and a batch at a time, for whoever looks until enough is found."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, select

from opsplane.ledger.chain import Sealed
from opsplane.ledger.store import Entry, Ledger, opened
from opsplane.ledger.tables import ENTRY


def entries(ledger: Ledger, where: ColumnElement[bool], batch: int) -> Iterator[list[Entry]]:
    """The chained entries that fit, opened, in lists of at most `batch`; raise `RecordUnavailable`."""
    columns = ENTRY.c.seq, *(ENTRY.c[name] for name in Sealed._fields)
    among, before = select(*columns).where(where).order_by(ENTRY.c.seq.desc()).limit(batch), 0
    while rows := ledger.read(among.where(ENTRY.c.seq < before) if before else among):
        secrets = ledger.vault.secrets_of({row.key for row in rows if row.key})
        yield [opened(row, secrets.get(row.key)) for row in rows]
        if len(rows) < batch:
            return
        before = rows[-1].seq
