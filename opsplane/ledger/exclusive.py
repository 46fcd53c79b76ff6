"""One process at a time does a job over a record: whoever comes second is told so and does not wait.

`requests.alone` is for moments and waits; this is for jobs that take minutes and that several processes begin by the
clock: the service, another service beside it, cron. The lock ends with the process that holds it, however that ends.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from opsplane.errors import RecordUnavailable
from opsplane.ledger.database import cause
from opsplane.ledger.store import Ledger


@contextmanager
def exclusive(ledger: Ledger, job: str) -> Iterator[bool]:
    """Whether nobody else does this job over this record; held until it is left.

    Raises `RecordUnavailable` where the database does not answer, or no lock can be made beside it.
    """
    if ledger.engine.dialect.name == "sqlite":
        with _beside(ledger, job) as held:
            yield held
    else:
        with _within(ledger, job) as held:
            yield held


@contextmanager
def _beside(ledger: Ledger, job: str) -> Iterator[bool]:
    """A lock on a small database of its own: the operating system takes it back when the process dies."""
    file = ledger.engine.url.database
    if file in (None, "", ":memory:"):  # no other process has it
        yield True
        return
    try:
        lock = sqlite3.connect(f"{Path(str(file))}.{job}.lock", timeout=0, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise RecordUnavailable(f"No lock for {job} can be made beside the record: {error}") from error
    with closing(lock):
        try:
            lock.execute("BEGIN EXCLUSIVE")
            held = True
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise RecordUnavailable(f"No lock for {job} can be made beside the record: {error}") from error
            held = False
        yield held


@contextmanager
def _within(ledger: Ledger, job: str) -> Iterator[bool]:
    """An advisory lock of a session of its own, which no transaction keeps open."""
    digest = hashlib.sha256(f"opsplane-job/1\n{ledger.id}\n{job}".encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    try:
        connection = ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    except SQLAlchemyError as error:
        raise RecordUnavailable(f"The record cannot be read: {cause(error)}") from error
    try:
        held = _take(connection, number)
        try:
            yield held
        finally:
            with suppress(SQLAlchemyError):  # a session that is lost has lost its lock
                connection.scalar(select(func.pg_advisory_unlock_all()))
    finally:
        connection.invalidate()  # ends the session, and the lock with it, whatever state it is in
        connection.close()


def _take(connection: Connection, number: int) -> bool:
    try:
        return bool(connection.scalar(select(func.pg_try_advisory_lock(number))))
    except SQLAlchemyError as error:
        raise RecordUnavailable(f"The record cannot be read: {cause(error)}") from error
