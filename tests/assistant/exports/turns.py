"""Turns to export, and what is to be in BigQuery of a record."""

from collections import Counter
from typing import Any

from assistant.bigquery import Warehouse
from assistant.bigquery_tables import TABLES, WORDS, Table
from assistant.export_rows import Maker
from assistant.exporting import SECRET
from opsplane.events import QuestionAnswered, QuestionReceived
from opsplane.ledger.outbox import Outbox
from opsplane.ledger.store import Ledger
from tests import fakes
from tests.opsplane.ledger import records

NOT_WORDS = tuple(one for one in TABLES if one is not WORDS)


def more(ledger: Ledger, turns: int, first: int = 0, **changes: Any) -> None:
    """Some more turns of two customers on the record."""

    for number in range(first, first + turns):
        received, ended = records.turn(number, f"C-100{number % 2 + 1}", **changes)
        received, ended = (one.model_copy(update={"at": ledger.clock()}) for one in (received, ended))
        for event in (QuestionReceived(exchange=received), QuestionAnswered(exchange=ended)):
            ledger.append_now(event, received.actor, received.id, received.customer)
    ledger.settle()


def there(warehouse: Warehouse, table: Table) -> Counter[tuple[Any, ...]]:
    """How often each row is in a table, by its entry and its place among the entry's rows."""
    part = "part" if "part" in {one.name for one in table.columns} else "0"
    sql = f"SELECT seq, {part} AS part, entry_hash FROM `{warehouse.name(table.name)}`"
    return Counter((row["seq"], row["part"], row["entry_hash"]) for row in warehouse.rows("look", sql))


def due(ledger: Ledger, table: Table) -> Counter[tuple[Any, ...]]:
    """The same as it should be."""
    maker = Maker(ledger.id, ledger.vault.secret(SECRET), fakes.NOON.tzinfo or NotImplemented, 0)
    entries = Outbox(ledger).after(0, table.kinds, 1_000_000, ledger.last(), words=table.words)
    rows = (row for entry in entries for row in maker.rows(table.name, entry, None))
    return Counter((row["seq"], row.get("part", 0), row["entry_hash"]) for row in rows)


def once_each(ledger: Ledger, warehouse: Warehouse, tables: tuple[Table, ...] = NOT_WORDS) -> bool:
    """Whether every row of the record is in BigQuery once."""
    return all(there(warehouse, one) == due(ledger, one) for one in tables)
