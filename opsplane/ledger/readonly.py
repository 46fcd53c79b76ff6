"""Opening a record to read it and nothing else: until it is verified, nothing may be written to it."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, Select, bindparam, create_engine, func, make_url, select
from sqlalchemy.exc import SQLAlchemyError

from opsplane.errors import RecordUnavailable
from opsplane.ledger.database import cause, connect
from opsplane.ledger.tables import ENTRY


def open_readonly(url: str) -> Engine:
    """An engine that cannot write; raise `RecordUnavailable` where there is no such database."""
    engine = connect(url)
    if engine.dialect.name != "sqlite":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    file = Path(make_url(url).database or ":memory:")
    if not file.is_file():
        raise RecordUnavailable(f"There is no record at {file}.")
    module: Any = engine.dialect.loaded_dbapi
    address = f"{file.absolute().as_uri()}?mode=ro"
    return create_engine(
        "sqlite://", module=module, creator=lambda: module.connect(address, uri=True), poolclass=NullPool
    )


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One connection that sees the record as it stands at its first query, whatever is written meanwhile."""
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")
            yield connection
    except SQLAlchemyError as error:
        raise RecordUnavailable(f"The record cannot be read: {cause(error)}") from error


def stream(connection: Connection, statement: Select[Any], size: int = 256) -> Iterator[list[Any]]:
    """A query's rows as plain tuples of the driver, in lists of `size`; on PostgreSQL the server keeps the rest."""
    query = str(statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    driver: Any = connection.connection.driver_connection
    options = {"name": f"stream_{next(_NUMBERS)}"} if connection.dialect.name == "postgresql" else {}
    with translated(connection), closing(driver.cursor(**options)) as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(size):
            yield rows


_NUMBERS = itertools.count()
Unreadable = Callable[[int, str], object]
"""Hears of an entry that the database cannot give, by number, and why."""
_CHUNK = 256  # few enough that their memory is used again at once
_NEXT = select(ENTRY).where(ENTRY.c.seq > bindparam("after")).order_by(ENTRY.c.seq).limit(bindparam("many"))
_SPAN = select(ENTRY).where(ENTRY.c.seq.between(bindparam("first"), bindparam("last"))).order_by(ENTRY.c.seq)


def entries(connection: Connection, after: int, unreadable: Unreadable) -> Iterator[list[Any]]:
    """Every entry after number `after`, in order and in lists, as the driver gives them.

    Where the database itself is damaged, what can be read is read. Text that is not UTF-8 comes with surrogate escapes.
    """
    last = _last(connection)
    while True:
        try:
            rows = _read(connection, _NEXT, after=after, many=_CHUNK)
            until = rows[-1][0] if rows else last
        except RecordUnavailable:
            until = min(after + _CHUNK, last)
            tolerate(connection)
            rows = _halved(connection, after + 1, until, unreadable)
        if rows:
            yield rows
        if until <= after or until >= last:
            return
        after = until


def _last(connection: Connection) -> int:
    try:
        with translated(connection):
            return int(connection.scalar(select(func.coalesce(func.max(ENTRY.c.seq), 0))) or 0)
    except RecordUnavailable:
        return _CHUNK  # as far as one look goes


def _halved(connection: Connection, first: int, last: int, unreadable: Unreadable) -> list[Any]:
    """Halve what cannot be read until it is a single entry."""
    if first > last:
        return []
    try:
        return _read(connection, _SPAN, first=first, last=last)
    except RecordUnavailable as error:
        if first == last:
            unreadable(first, str(error))
            return []
    middle = (first + last) // 2
    lower = _halved(connection, first, middle, unreadable)
    return [*lower, *_halved(connection, middle + 1, last, unreadable)]


def _read(connection: Connection, query: Any, **values: int) -> list[Any]:
    with translated(connection):
        cursor: Any = connection.execute(query, values).cursor
        found: list[Any] = cursor.fetchall()
    return found


def tolerate(connection: Connection) -> None:
    """SQLite gives text as it stands in the file; Python refuses what is not UTF-8 unless it is told otherwise."""
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.text_factory = lambda data: data.decode("utf-8", "surrogateescape")


@contextmanager
def translated(connection: Connection) -> Iterator[None]:
    """What SQLAlchemy or the driver raises as `RecordUnavailable`."""
    driver: Any = connection.dialect.loaded_dbapi
    try:
        yield
    except (SQLAlchemyError, driver.Error) as error:
        raise RecordUnavailable(f"The record cannot be read: {cause(error)}") from error
