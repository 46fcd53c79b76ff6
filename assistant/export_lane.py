"""One table's way into BigQuery: entries in their order become rows, rows become batches, each sent to its own place.

A batch is laid down in the outbox before it is sent. One whose answer was lost is sent to the same place again, and the
stream says that it has it. Where a stream has come to an end it is closed for good, so that nothing can arrive by it
any more; the table is asked how far the record has come in it, and another stream takes up from there.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from assistant.bigquery import Made, Warehouse
from assistant.bigquery_errors import ExportRefused, Unreachable
from assistant.bigquery_tables import Table
from assistant.bigquery_writer import MOST_BYTES, Appended, Stream, serialised
from assistant.export_rows import Maker
from opsplane.ledger.outbox import Outbox, Position
from opsplane.ledger.store import Ledger

log = logging.getLogger(__name__)

_NEWEST = "SELECT MAX(seq) AS seq FROM `{table}` WHERE day >= '1970-01-01' AND ledger = @ledger AND seq > @after"
_ANY = 1_000_000


@dataclass(frozen=True)
class Limits:
    """How much at a time: entries of a batch, seconds of a run, tries of a batch, seconds before the second of them."""

    entries: int = 500
    seconds: float = 240.0
    tries: int = 4
    pause: float = 0.5


@dataclass(frozen=True)
class Means:
    """What lanes send with; `over` is set when they are to stop."""

    ledger: Ledger
    outbox: Outbox
    warehouse: Warehouse
    limits: Limits = field(default_factory=Limits)
    over: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Batch:
    """Rows of the entries up to `until`."""

    until: int
    rows: list[bytes]


class Lane:
    """Sends to one table. Raises `ExportRefused`, `Unreachable`, `RecordUnavailable`, and `Conflict` beside another."""

    def __init__(self, means: Means, table: Table) -> None:
        self.table = table
        self.target = means.warehouse.name(table.name)
        self._means = means
        self._stream: Stream | None = None
        self._ready = self._empty = False
        self._renewed = 0

    @property
    def position(self) -> Position:
        """How far it has come."""
        return self._means.outbox.position(self.target)

    def behind(self, until: int | None = None) -> int:
        """How many entries are still to go, of all or of those up to `until`."""
        return self._means.outbox.behind(self.position, self.table.kinds, until)

    def send(self, maker: Maker, until: int, ends: float) -> int:
        """Send what is to be sent up to entry `until`, no longer than the monotonic clock says; how many rows."""
        position = self._prepared(self.position, maker)
        before, self._renewed = position.total, 0
        while position.done < until and not self._means.over.is_set() and time.monotonic() < ends:
            batch = self._next(maker, position.done, until)
            if batch is None:
                position = self._means.outbox.skip(position, until)
            elif not batch.rows:
                position = self._means.outbox.skip(position, batch.until)
            elif not position.stream:
                position = self._begun(position)
            else:
                position = self._means.outbox.intend(position, batch.until, len(batch.rows))
                position = self._delivered(position, batch.rows, fresh=True)
        if position.trouble:
            self._means.outbox.note(self.target, "")
        return position.total - before

    def failed(self, error: Exception) -> None:
        """Keep the reason; the next attempt begins with a look at the table."""
        self._ready = False
        self.close()
        self._means.outbox.note(self.target, str(error))

    def close(self) -> None:
        """Let go of the connection."""
        if self._stream:
            self._stream.close()
            self._stream = None

    def _prepared(self, position: Position, maker: Maker) -> Position:
        """The table as it must be, and nothing under way any more."""
        if not self._ready:
            made = self._means.warehouse.ensure(self.table)
            self._empty = made is Made.CREATED
            if self._empty and position != Position(self.target):
                if position.done:
                    log.warning("table %s was made anew: everything is sent to it once more", self.target)
                position = self._means.outbox.begin(position, "", 0)
            if made is Made.WIDENED and position.stream:  # it began without the new columns
                position = self._settled(position)
            self._ready = True
        if not position.until:
            return position
        rows = self._rows(maker, self._entries(position.done, position.until, _ANY))
        if len(rows) != position.batch:  # another version of the product had laid it down
            return self._settled(position)
        return self._delivered(position, rows, fresh=False)

    def _delivered(self, position: Position, rows: list[bytes], *, fresh: bool) -> Position:
        """Send a batch that is laid down. A `fresh` one cannot be there already: where it is, the stream is doubted."""
        limits = self._means.limits
        for tried in range(1, limits.tries + 1):
            if self._stream is None or self._stream.name != position.stream:
                self.close()
                self._stream = self._means.warehouse.streams.open(position.stream, self.table)
            try:
                told = self._stream.append(position.rows, rows)
            except Unreachable:
                if tried == limits.tries or self._means.over.wait(limits.pause * 2 ** (tried - 1)):
                    raise
                fresh = False
                continue
            if told is Appended.WRITTEN or (told is Appended.THERE and not fresh):
                return self._means.outbox.acknowledge(position)
            return self._settled(position, back=told is Appended.BEYOND)
        raise AssertionError("the last try ends above")

    def _begun(self, position: Position) -> Position:
        """A new stream, after what the table has of this record already."""
        self._renewed += 1
        if self._renewed > self._means.limits.tries:
            raise Unreachable(f"Write streams of {self.target} end as soon as they have begun.")
        done = position.done if self._empty else self._newest(position.done)
        self._empty = False
        stream = self._means.warehouse.streams.begin(self.table)
        return self._means.outbox.begin(position, stream, done)

    def _settled(self, position: Position, *, back: bool = False) -> Position:
        """End the stream, and see in the table how far it came; `back` where rows before its end may be missing."""
        log.warning("the write stream of %s is given up; another takes up after what is there", self.target)
        self.close()
        self._means.warehouse.streams.end(position.stream)
        there = self._newest(position.first if back else position.done)
        if 0 < position.until <= there:
            position = self._means.outbox.acknowledge(position)
        return self._means.outbox.begin(position, "", there)

    def _newest(self, after: int) -> int:
        """The last entry of this record after entry `after` that the table has a row of; `after` where it has none."""
        ledger, name = self._means.ledger, self.target
        deed = f"ask table {self.table.name} how far the record has come in it"
        found = self._means.warehouse.rows(deed, _NEWEST.format(table=name), ledger=ledger.id, after=after)
        there = int(found[0]["seq"] or after)
        if there > ledger.last():
            raise ExportRefused(
                f"{name} has rows of this record up to entry {there}, and the record ends with {ledger.last()}: it was "
                "brought back from a backup. Export into another dataset (OPSPLANE_BIGQUERY_DATASET)."
            )
        return there

    def _next(self, maker: Maker, after: int, until: int) -> Batch | None:
        """The next batch, no larger than a request may be; None where no entry up to `until` concerns the table."""
        entries = self._entries(after, until, self._means.limits.entries)
        rows: list[bytes] = []
        size, last = 0, after
        for entry, secret in entries:
            made = self._rows(maker, [(entry, secret)])
            size += sum(map(len, made))
            if rows and size > MOST_BYTES:
                break
            rows += made
            last = entry.seq
        return Batch(last, rows) if entries else None

    def _entries(self, after: int, until: int, limit: int) -> Sequence[tuple[Any, bytes | None]]:
        """Entries with the key that seals their words, where words are sent and the key lives."""
        words = self.table.words
        found = self._means.outbox.after(after, self.table.kinds, limit, until, words=words)
        secrets = self._means.ledger.vault.secrets_of({one.key for one in found if one.key}) if words else {}
        return [(one, secrets.get(one.key)) for one in found]

    def _rows(self, maker: Maker, entries: Sequence[tuple[Any, bytes | None]]) -> list[bytes]:
        made = (row for entry, secret in entries for row in maker.rows(self.table.name, entry, secret))
        return list(serialised(self.table, made))
