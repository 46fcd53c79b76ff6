"""Opening a database so that what was committed stays committed."""

import sqlite3
from importlib import import_module
from types import ModuleType
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from opsplane.errors import RecordUnavailable

BUSY_MS = 3_000


def connect(url: str, busy_ms: int = BUSY_MS) -> Engine:
    """An engine for an SQLite or PostgreSQL URL; raise `RecordUnavailable` where it cannot hold a record.

    `busy_ms` is how long a locked SQLite database is waited for.
    """
    try:
        backend = make_url(url).get_backend_name()
    except ArgumentError as error:
        raise RecordUnavailable(f"not a database URL: {url!r}") from error
    if backend == "sqlite":
        engine = create_engine(url, module=_sqlite(), connect_args={"timeout": busy_ms / 1000})
        event.listen(engine, "connect", _durable)
        return engine
    if backend == "postgresql":
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        _refuse_lossy(engine)
        return engine
    raise RecordUnavailable(f"the record needs SQLite or PostgreSQL, not {backend}")


def _sqlite() -> ModuleType:
    """The newest SQLite at hand: old ones (3.7.0 to 3.51.2) can corrupt a write-ahead log when it is reset.

    A process must open a file through one SQLite library only: locks of the two are blind to each other.
    """
    try:
        return import_module("pysqlite3")
    except ImportError:
        return sqlite3


def _durable(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "recursive_triggers=ON"):
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
