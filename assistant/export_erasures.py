"""Erasures follow the record into BigQuery: what destroyed keys had sealed loses its words there too.

What is erased is told by the record alone: a legal hold that stopped an erasure stopped it before any key was
destroyed, and so nothing follows. BigQuery may refuse to change rows of the last half hour; older ones are changed at
once, and the erasure stays pending until nothing of it is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from assistant.bigquery import Warehouse
from assistant.bigquery_errors import StillBuffered
from assistant.bigquery_tables import WORDS
from opsplane.access import SERVICE
from opsplane.events import CommandRun
from opsplane.ledger.database import batches
from opsplane.ledger.outbox import Outbox, Pending, Position
from opsplane.ledger.store import Ledger

BUFFERED = timedelta(minutes=90)
"""So long rows may stay in the streaming buffer."""
COMMAND = "export erase"
"""What it is called on the record, with the number of rows."""
_KEYS = 2_000  # named in one statement
_COUNT = (
    "SELECT COUNT(*) AS held, COUNTIF(question IS NOT NULL OR answer IS NOT NULL) AS told FROM `{table}` "
    "WHERE day >= '1970-01-01' AND ledger = @ledger AND `key` IN UNNEST(@keys)"
)
_UPDATE = (
    "UPDATE `{table}` SET question = NULL, answer = NULL, erased = @now "
    "WHERE day >= '1970-01-01' AND ledger = @ledger AND `key` IN UNNEST(@keys) AND erased IS NULL AND written < @before"
)


@dataclass(frozen=True)
class Erased:
    """Erasures that were followed now, the rows that have no words any more, and erasures that still wait."""

    finished: int = 0
    rows: int = 0
    pending: int = 0


@dataclass(frozen=True)
class Followers:
    """What erasures are carried out with, in one table."""

    ledger: Ledger
    outbox: Outbox
    warehouse: Warehouse

    def follow(self, position: Position, *, sending: bool) -> Erased:
        """Carry out every erasure that the table has the rows of; what cannot be changed yet stays pending.

        Words that were read while a key lived can still arrive until the table has come past the entry that tells of
        its destruction. `sending` says that it still gets rows. Raises `Unreachable` or `ExportRefused`.
        """
        target, done = position.target, Erased()
        for pending in self.outbox.destroyed(target):
            reached = position.done >= pending.seq or not (sending or position.until)
            after = self._carry_out(pending) if reached else pending
            rows = after.rows if after.finished else 0
            ended = bool(after.finished)
            done = Erased(done.finished + ended, done.rows + rows, done.pending + (not ended))
        return done

    def _carry_out(self, pending: Pending) -> Pending:
        """Set the words to NULL, count them, and say on the record that it is done."""
        now, gone = self.ledger.clock(), self.outbox.keys(pending)
        held = told = 0
        late = ""
        for keys in batches(gone, _KEYS):
            late = self._erase(pending.target, keys, now) or late
            found = self._rows(pending.target, keys)
            held, told = held + found[0], told + found[1]
        if told and not late:
            late = f"{told} rows have their words still"
        if gone and not late:  # on the record first: once it is finished here nobody looks at it again
            self.ledger.append_now(CommandRun(command=COMMAND, arguments=pending.about, rows=held), SERVICE)
        return self.outbox.tried(pending, held - told, late)

    def _erase(self, table: str, keys: Sequence[str], now: datetime) -> str:
        """Nothing, or why some rows are still to be changed."""
        deed, sql = f"erase words in table {WORDS.name}", _UPDATE.format(table=table)
        values = {"ledger": self.ledger.id, "keys": list(keys), "now": now}
        try:
            self.warehouse.change(deed, sql, **values, before=now + BUFFERED)
        except StillBuffered as error:
            try:
                self.warehouse.change(deed, sql, **values, before=now - BUFFERED)
            except StillBuffered:
                return str(error)
            return str(error)
        return ""

    def _rows(self, table: str, keys: Sequence[str]) -> tuple[int, int]:
        """Rows of these keys, and how many of them have words."""
        deed, sql = f"count erased words in table {WORDS.name}", _COUNT.format(table=table)
        (found,) = self.warehouse.rows(deed, sql, ledger=self.ledger.id, keys=list(keys))
        return int(found["held"]), int(found["told"])
