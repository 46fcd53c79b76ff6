"""Chains what several processes put into the inbox of one PostgreSQL: whichever holds the lock does it for all."""

import logging
import threading

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from opsplane.errors import RecordUnavailable
from opsplane.ledger import chain
from opsplane.ledger.chain import Head, Sealed
from opsplane.ledger.database import cause
from opsplane.ledger.tables import INBOX

log = logging.getLogger(__name__)

LOCK = 0x0B5_1ED6E4
"""The advisory lock that makes one process the sequencer."""
BATCH = 2_000
POLL = 0.5  # seconds between looks for what other processes left


class Sequencer:
    """A thread that moves entries from the inbox to the end of the chain, in one transaction each time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._head: Head | None = None
        self._wake = threading.Event()
        self._open = True
        self._thread = threading.Thread(target=self._run, name="ledger-sequencer", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that something is in the inbox."""
        self._wake.set()

    def close(self) -> None:
        """Chain what is there, then stop."""
        self._open = False
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while self._open:
            self._wake.wait(POLL)
            self._wake.clear()
            self._drain()
        self._drain()

    def _drain(self) -> None:
        try:
            while self.move():
                pass
        except SQLAlchemyError as error:
            log.error("the inbox could not be chained: %s", cause(error))
            self._head = None

    def settle(self) -> None:
        """Wait until nothing that was in the inbox is left in it; raise `RecordUnavailable` where it cannot be."""
        try:
            while self.move(wait=True):
                pass
        except SQLAlchemyError as error:
            raise RecordUnavailable(f"The inbox cannot be chained: {cause(error)}") from error

    def move(self, *, wait: bool = False) -> int:
        """Chain up to `BATCH` waiting entries and tell how many; 0 where there are none.

        0 also where another process is at it, unless told to `wait` for that.
        """
        with self._engine.begin() as connection:
            if wait:
                connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
            elif not connection.scalar(select(func.pg_try_advisory_xact_lock(LOCK))):
                return 0
            rows = connection.execute(select(INBOX).order_by(INBOX.c.id).limit(BATCH)).all()
            if not rows:
                return 0
            lines = [Sealed._make((*row[1:8], bytes(row[8]), bytes(row[9]))) for row in rows]
            head = chain.extend(connection, chain.head(connection, self._head), lines)
            connection.execute(delete(INBOX).where(INBOX.c.id.in_([row[0] for row in rows])))
        self._head = head
        return len(rows)
