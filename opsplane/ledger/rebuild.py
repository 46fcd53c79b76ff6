"""Making the read models and the text index anew from the entries, in one transaction: all of it, or nothing."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from opsplane.errors import RecordUnavailable
from opsplane.events import Event, QuestionAnswered, QuestionReceived
from opsplane.ledger import seal
from opsplane.ledger.database import cause, transaction
from opsplane.ledger.projection import Projection
from opsplane.ledger.readonly import stream
from opsplane.ledger.seal import Line
from opsplane.ledger.search import TextIndex
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import ENTRY, EXCHANGE, INBOX, REVIEW, SPEND
from opsplane.ledger.vault import Key, unseal
from opsplane.ledger.writer import Sealer

Progress = Callable[[str, int, int], None]
DERIVED = (REVIEW, SPEND, EXCHANGE)
_COLUMNS = ("at", "kind", "actor", "role", "exchange", "subject", "key", "payload", "sealed")
_BATCH = 1_000


class _Erased(Sealer):
    """For words whose key was destroyed: nothing is kept of them, and no new key is made."""

    def __init__(self, key: str) -> None:
        super().__init__({})
        self._key = key

    def words(self, *_: object) -> tuple[str, bytes]:
        """The name of the key that was, and nothing sealed."""
        return self._key, b""


def rebuild(ledger: Ledger, share: float, progress: Progress) -> int:
    """Make them anew and return how many entries were read; nobody can write meanwhile.

    `share` of the exchanges waits for reviewers by lot. Raises `RecordUnavailable` where it cannot be done: then
    nothing is changed.
    """
    try:
        with _alone(ledger) as connection:
            return _anew(connection, ledger, share, progress)
    except SQLAlchemyError as error:
        raise RecordUnavailable(f"The record cannot be written: {cause(error)}") from error


def _anew(connection: Connection, ledger: Ledger, share: float, progress: Progress) -> int:
    total = sum(connection.scalar(select(func.count()).select_from(table)) or 0 for table in (ENTRY, INBOX))
    for table in DERIVED:
        connection.execute(delete(table))
    ledger.index.clear(connection)
    projection, done, gone = Projection(ledger.index, share), 0, set[str]()
    for rows in _rows(connection):
        secrets = ledger.vault.secrets_of({row[6] for row in rows if row[6]})
        for row in rows:
            _put(connection, projection, row, secrets.get(row[6]))
            if row[6] and row[6] not in secrets:
                gone.add(row[4])
        done += len(rows)
        progress("Reading entries", done, total)
    _forget(connection, ledger.index, gone - {""})
    return done


def _forget(connection: Connection, index: TextIndex, exchanges: Collection[str]) -> None:
    """Of exchanges whose words were erased nothing is searched, and nothing waits for a reviewer."""
    for exchange in exchanges:
        number = connection.scalar(select(EXCHANGE.c.number).where(EXCHANGE.c.id == exchange, EXCHANGE.c.sealed == b""))
        if number is not None:
            index.remove(connection, number)
            connection.execute(delete(REVIEW).where(REVIEW.c.exchange == exchange, REVIEW.c.verdict == ""))


def _put(connection: Connection, projection: Projection, row: Sequence[Any], secret: bytes | None) -> None:
    at, kind, actor, role, exchange, subject, key, payload, sealed = row
    line = Line(at, kind, actor, role, exchange, subject, bytes(payload), b"")
    private: bytes | None = b""
    if key:
        private = unseal(secret, line.aad(key), bytes(sealed)) if secret else None
    sealer: Sealer = _Erased(key)
    if secret:
        sealer = Sealer({(subject, seal.period(at)): Key(key, secret)})
    if project := projection.of(_slim(seal.join(line.payload, private)), line):
        project(connection, sealer)


def _slim(event: Event) -> Event:
    """Without passages: their texts are not on the entry and stand in a table that is never made anew."""
    match event:
        case QuestionReceived(exchange=exchange) | QuestionAnswered(exchange=exchange):
            return event.model_copy(update={"exchange": exchange.model_copy(update={"evidence": ()})})
    return event


def _rows(connection: Connection) -> Iterator[list[Any]]:
    """Every entry in order, and then those that wait in the inbox."""
    for table, order in ((ENTRY, ENTRY.c.seq), (INBOX, INBOX.c.id)):
        yield from stream(connection, select(*(table.c[name] for name in _COLUMNS)).order_by(order), _BATCH)


@contextmanager
def _alone(ledger: Ledger) -> Iterator[Connection]:
    """A transaction in which everything written so far is seen, and nothing is written beside it."""
    if ledger.engine.dialect.name == "sqlite":
        with transaction(ledger.engine) as connection:
            yield connection
        return
    with ledger.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        tables = ", ".join(table.name for table in DERIVED)
        connection.exec_driver_sql(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
        yield connection
