"""Opening a database so that what was committed stays committed, and what SQLite and PostgreSQL say differently."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table, create_engine, event, func, make_url, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DatabaseError, SQLAlchemyError

from opsplane.errors import RecordUnavailable

T = TypeVar("T")

BUSY_MS = 3_000
BATCH = 500
"""So many rows are named in one statement."""


def connect(url: str, busy_ms: int = BUSY_MS) -> Engine:
    """An engine for an SQLite or PostgreSQL URL; raise `RecordUnavailable` where it cannot hold a record.

    `busy_ms` is how long a locked SQLite database is waited for.
    """
    try:
        backend = make_url(url).get_backend_name()
    except ArgumentError as error:
        raise RecordUnavailable(f"not a database URL: {url!r}") from error
    if backend == "sqlite":
        engine = create_engine(url, module=_driver(), connect_args={"timeout": busy_ms / 1000})
        event.listen(engine, "connect", _durable)
        return engine
    if backend == "postgresql":
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        _refuse_lossy(engine)
        return engine
    raise RecordUnavailable(f"the record needs SQLite or PostgreSQL, not {backend}")


@contextmanager
def transaction(engine: Engine, lock: int = 0) -> Iterator[Connection]:
    """A transaction that holds SQLite's one write lock from its beginning, so that what it reads stays true.

    On PostgreSQL it waits for the advisory lock of this number, if one is given, and holds it to its end.
    """
    transactions = Transactions(engine)
    try:
        with transactions.begin() as connection:
            if lock and engine.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(lock)))
            yield connection
    finally:
        transactions.drop()


class Transactions:
    """The same one after the other on one connection, for a thread that writes often; `drop` after a failure.

    `doubtful` tells after a failure that the commit itself was under way: what it held may be durable or not.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._direct = engine.dialect.name == "sqlite"
        self._connection: Connection | None = None
        self.doubtful = False

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction, committed at the end unless something was raised."""
        self.doubtful = False
        if self._connection is None:
            options = {"isolation_level": "AUTOCOMMIT"} if self._direct else {}
            self._connection = self._engine.connect().execution_options(**options)
        with self._sqlite(self._connection) if self._direct else self._other(self._connection):
            yield self._connection

    def drop(self) -> None:
        """Give the connection back; the next transaction opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _other(self, connection: Connection) -> Iterator[None]:
        transaction_ = connection.begin()
        try:
            yield
        except BaseException:
            transaction_.rollback()
            raise
        self.doubtful = True
        transaction_.commit()
        self.doubtful = False

    @contextmanager
    def _sqlite(self, connection: Connection) -> Iterator[None]:
        cursor = connection.connection.cursor()
        with _translated():
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.doubtful = True
                cursor.execute("COMMIT")
                self.doubtful = False
            except BaseException:
                with suppress(_driver().Error):  # SQLite has rolled back by itself where the disk failed
                    cursor.execute("ROLLBACK")
                raise
            finally:
                cursor.close()


@contextmanager
def _translated() -> Iterator[None]:
    """SQLite's own errors as SQLAlchemy's."""
    try:
        yield
    except _driver().Error as error:
        raise DatabaseError(None, None, error) from error


def upsert(connection: Connection, table: Table) -> Any:
    """An insertion that can say `on_conflict_do_nothing` or `on_conflict_do_update`, as both databases know it."""
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """The items in lists of at most `size`, in their order: a statement has room for so many parameters."""
    rest = list(items)
    for start in range(0, len(rest), size):
        yield rest[start : start + size]


def scrub(engine: Engine, *tables: str) -> bool:
    """Clear what was overwritten out of SQLite's write-ahead log; False while somebody's reading prevents it.

    PostgreSQL is told to vacuum the tables; its own log and archives keep old pages until they are recycled.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "sqlite":
            return bool(connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0] == 0)
        for table in tables:
            connection.exec_driver_sql(f"VACUUM {table}")
    return True


def cause(error: Exception) -> str:
    """What went wrong, without the statement and its values: they hold what people wrote."""
    return str(getattr(error, "orig", None) or error)


def _driver() -> ModuleType:
    """The newest SQLite at hand: old ones (3.7.0 to 3.51.2) can corrupt a write-ahead log when it is reset.

    A process must open a file through one SQLite library only: locks of the two are blind to each other.
    """
    try:
        return import_module("pysqlite3")
    except ImportError:
        return sqlite3


def _durable(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "recursive_triggers=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _refuse_lossy(engine: Engine) -> None:
    try:
        with engine.connect() as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                if connection.execute(text(f"SHOW {setting}")).scalar() == "off":
                    raise RecordUnavailable(f"PostgreSQL runs with {setting}=off and would lose acknowledged rows")
    except SQLAlchemyError as error:
        raise RecordUnavailable(f"PostgreSQL cannot be reached: {error}") from error
