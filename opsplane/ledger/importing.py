"""Carrying the rows of the first schema over into the chain, sealed; the first tables are gone afterwards.

They held words in the clear and were not chained: leaving a second copy would undo erasure. What they were is told by
the `ledger_imported` event, which holds the hash of all their bytes.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, inspect, text

from opsplane.access import SERVICE, Actor
from opsplane.errors import RecordUnavailable
from opsplane.events import EVENTS, Event, LedgerImported, LedgerOpened, QuestionReceived
from opsplane.ledger import chain, seal
from opsplane.ledger.database import batches
from opsplane.ledger.projection import Projection
from opsplane.ledger.seal import Line, moment, period
from opsplane.ledger.vault import Vault
from opsplane.ledger.writer import Sealer


def carry_over(connection: Connection, vault: Vault, projection: Projection, clock: Callable[[], datetime]) -> None:
    """Chain every row of the first schema, oldest first; raise `RecordUnavailable` naming a row that cannot be read."""
    if "v1_ledger" not in inspect(connection).get_table_names():
        return
    connection.exec_driver_sql("INSERT INTO passage SELECT sha256, text FROM v1_passage")
    events = list(_events(connection))
    digest = hashlib.sha256("".join(payload for _, _, payload in events).encode()).hexdigest()
    begun: tuple[Event, ...] = (
        LedgerOpened(ledger=secrets.token_hex(16)),
        LedgerImported(rows=len(events), sha256=digest),
    )
    lines = [(one, seal.line(one, SERVICE, clock())) for one in begun]
    lines += [(event, line) for event, line, _ in events]
    head = chain.head(connection, None)
    for batch in batches(lines):
        sealer = Sealer(vault.keys_for({(line.subject, period(line.at)) for _, line in batch if line.private}))
        head = chain.extend(connection, head, [sealer.line(line) for _, line in batch])
        for event, line in batch:
            if project := projection.of(event, line):
                project(connection, sealer)
    for table in ("v1_ledger", "v1_exchange", "v1_passage"):
        connection.exec_driver_sql(f"DROP TABLE {table}")


def _events(connection: Connection) -> Iterator[tuple[Event, Line, str]]:
    customers: dict[str, str] = {}
    for row in connection.execute(text("SELECT * FROM v1_ledger ORDER BY seq")):
        event = _read(row)
        if isinstance(event, QuestionReceived):
            customers[event.exchange.id] = event.exchange.customer
        exchange = row.exchange or ""
        subject = customers.get(exchange, "")
        actor = Actor(id=row.actor, role=row.role)
        yield event, seal.line(event, actor, moment(row.at), exchange=exchange, subject=subject), row.payload


def _read(row: Any) -> Event:
    try:
        return EVENTS.validate_json(row.payload)
    except ValidationError as error:
        raise RecordUnavailable(
            f"Row {row.seq} of the record's first version cannot be read; nothing was changed: {error}"
        ) from error
