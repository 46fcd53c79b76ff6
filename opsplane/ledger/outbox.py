"""The outbox: which entries go to a table elsewhere next, and how far each table has come.

A batch is laid down here before it is sent: the write stream, the row it begins at and the last entry in it. So a
process that died can send the very same batch to the very same place again, and the other side can tell that it has it.
Every change names the state it starts from; where another process was quicker it changes nothing and raises `Conflict`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from opsplane.custody_events import ErasureKeysDestroyed, RetentionApplied
from opsplane.errors import Conflict, RecordUnavailable
from opsplane.ledger.database import cause, transaction, upsert
from opsplane.ledger.seal import micros
from opsplane.ledger.store import Entry, Ledger, opened
from opsplane.ledger.tables import ENTRY, OUTBOX, OUTBOX_ERASURE

DESTROYED = ("erasure_keys_destroyed", "retention_applied")
"""The kinds of event that tell of keys that are gone."""
_ENTRY = tuple(ENTRY.c[name] for name in ("seq", "at", "kind", "actor", "role", "exchange", "subject"))
_ROW = (*_ENTRY, ENTRY.c.key, ENTRY.c.payload, ENTRY.c.hash)
_LONGEST = 500


@dataclass(frozen=True)
class Kinds:
    """Kinds of event that concern a table: these alone, or all but these."""

    names: tuple[str, ...]
    but: bool = False


@dataclass(frozen=True)
class Position:
    """How far one table has come; see `tables.OutboxRow` for the fields."""

    target: str
    done: int = 0
    stream: str = ""
    first: int = 0
    rows: int = 0
    until: int = 0
    batch: int = 0
    total: int = 0
    at: int = 0
    trouble: str = ""


@dataclass(frozen=True)
class Pending:
    """An erasure that is to follow the record elsewhere, or did; see `tables.OutboxErasureRow` for the fields."""

    target: str
    seq: int
    about: str
    rows: int = 0
    tries: int = 0
    at: int = 0
    finished: int = 0
    why: str = ""


class Outbox:
    """Reads what goes next and keeps the positions; every failure of the database is `RecordUnavailable`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def positions(self) -> list[Position]:
        """Every table that anything was ever sent to, by name."""
        return [Position(*row) for row in self._ledger.read(select(OUTBOX).order_by(OUTBOX.c.target))]

    def position(self, target: str) -> Position:
        """Where one table stands, at the beginning where it is new."""
        found = self._ledger.read(select(OUTBOX).where(OUTBOX.c.target == target))
        return Position(*found[0]) if found else Position(target)

    def after(self, seq: int, kinds: Kinds, limit: int, until: int, *, words: bool = False) -> Sequence[Any]:
        """The next chained entries of these kinds after entry `seq` and up to `until`, at most `limit` of them.

        Rows of the entry table, with what is sealed where `words` are wanted.
        """
        where = _of(kinds), ENTRY.c.seq > seq, ENTRY.c.seq <= until
        columns = (*_ROW, ENTRY.c.sealed) if words else _ROW
        return self._ledger.read(select(*columns).where(*where).order_by(ENTRY.c.seq).limit(limit))

    def behind(self, position: Position, kinds: Kinds, until: int | None = None) -> int:
        """How many chained entries are still to be sent to a table, of all or of those up to `until`."""
        where = [_of(kinds), ENTRY.c.seq > position.done]
        if until is not None:
            where.append(ENTRY.c.seq <= until)
        return int(self._ledger.read(select(func.count()).select_from(ENTRY).where(*where))[0][0])

    def begin(self, before: Position, stream: str, done: int) -> Position:
        """A new write stream, or none yet, that takes up after entry `done`; nothing is under way in it."""
        return self._move(before, replace(before, done=done, stream=stream, first=done, rows=0, until=0, batch=0))

    def intend(self, before: Position, until: int, batch: int) -> Position:
        """Lay down that a batch of so many rows, of the entries up to `until`, goes next."""
        return self._move(before, replace(before, until=until, batch=batch))

    def acknowledge(self, before: Position) -> Position:
        """The batch that was under way is there."""
        rows, total = before.rows + before.batch, before.total + before.batch
        now = micros(self._ledger.clock())
        after = replace(before, done=before.until, rows=rows, total=total, until=0, batch=0, at=now, trouble="")
        return self._move(before, after)

    def skip(self, before: Position, done: int) -> Position:
        """Nothing up to entry `done` concerns this table."""
        return before if done <= before.done else self._move(before, replace(before, done=done))

    def note(self, target: str, trouble: str) -> None:
        """Keep why an attempt came to nothing, for whoever looks; empty where it came to something."""
        with _writing(self._ledger) as connection:
            row = {"target": target, "trouble": trouble[:_LONGEST]}
            fresh = asdict(Position(target)) | row
            statement = upsert(connection, OUTBOX).values(fresh)
            connection.execute(statement.on_conflict_do_update(index_elements=["target"], set_=row))

    def destroyed(self, target: str) -> list[Pending]:
        """Take up what the record says of destroyed keys since last time; every erasure that is not finished."""
        mine = OUTBOX_ERASURE.c.target == target
        order = OUTBOX_ERASURE.c.seq.desc()
        newest = self._ledger.read(select(OUTBOX_ERASURE.c.seq).where(mine).order_by(order).limit(1))
        found = self._ledger.follow(newest[0].seq if newest else 0, DESTROYED, limit=1_000)
        rows = [asdict(Pending(target, one.seq, _about(one.payload))) for one in found]
        if rows:
            with _writing(self._ledger) as connection:
                connection.execute(upsert(connection, OUTBOX_ERASURE).on_conflict_do_nothing(), rows)
        return [one for one in self.erasures() if one.target == target and not one.finished]

    def erasures(self) -> list[Pending]:
        """Every erasure by table and number, done or not."""
        order = OUTBOX_ERASURE.c.target, OUTBOX_ERASURE.c.seq
        return [Pending(*row) for row in self._ledger.read(select(OUTBOX_ERASURE).order_by(*order))]

    def keys(self, erasure: Pending) -> tuple[str, ...]:
        """The keys that are gone with it."""
        event = self._entry(erasure.seq).event
        return event.keys if isinstance(event, ErasureKeysDestroyed | RetentionApplied) else ()

    def tried(self, erasure: Pending, rows: int, why: str) -> Pending:
        """It was tried once more: so many rows have no words any more; it is finished unless there is a `why`."""
        now = micros(self._ledger.clock())
        tries, finished = erasure.tries + 1, 0 if why else now
        after = replace(erasure, rows=rows, tries=tries, at=now, finished=finished, why=why[:_LONGEST])
        with _writing(self._ledger) as connection:
            where = OUTBOX_ERASURE.c.target == erasure.target, OUTBOX_ERASURE.c.seq == erasure.seq
            connection.execute(update(OUTBOX_ERASURE).where(*where).values(asdict(after)))
        return after

    def _move(self, before: Position, after: Position) -> Position:
        with _writing(self._ledger) as connection:
            if before == Position(before.target):
                connection.execute(upsert(connection, OUTBOX).on_conflict_do_nothing(), asdict(before))
            same = (OUTBOX.c[name] == getattr(before, name) for name in ("target", "done", "stream", "rows", "until"))
            if connection.execute(update(OUTBOX).where(*same).values(asdict(after))).rowcount != 1:
                raise Conflict(f"Another process sends to {before.target} at this moment; this one leaves it to that.")
        return after

    def _entry(self, seq: int) -> Entry:
        statement = select(*_ROW, ENTRY.c.sealed).where(ENTRY.c.seq == seq)
        return opened(self._ledger.read(statement)[0], None)


@contextmanager
def _writing(ledger: Ledger) -> Iterator[Connection]:
    """A transaction whose failure is `RecordUnavailable`."""
    try:
        with transaction(ledger.engine) as connection:
            yield connection
    except SQLAlchemyError as error:
        raise RecordUnavailable(f"The outbox cannot be written: {cause(error)}") from error


def _of(kinds: Kinds) -> ColumnElement[bool]:
    return ENTRY.c.kind.not_in(kinds.names) if kinds.but else ENTRY.c.kind.in_(kinds.names)


def _about(payload: Any) -> str:
    return str(payload.get("request") or payload.get("run") or "")
