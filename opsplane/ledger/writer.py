"""The one thread of a process that writes: it gathers what waits, commits once, then acknowledges each.

On SQLite it chains what it writes. On PostgreSQL, where several processes may write, it puts entries into the inbox,
durable and in nobody's way; the sequencer chains them a moment later.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue

from sqlalchemy import Connection, Engine, insert

from opsplane.errors import RecordUnavailable
from opsplane.ledger import chain
from opsplane.ledger.chain import Head, Sealed
from opsplane.ledger.database import Transactions, cause
from opsplane.ledger.seal import Line, period
from opsplane.ledger.tables import INBOX
from opsplane.ledger.vault import Key, Vault, seal

log = logging.getLogger(__name__)

GROUP = 512
"""At most so many jobs share one commit."""


class Sealer:
    """Seals under the customers' keys of one group of jobs."""

    def __init__(self, keys: dict[tuple[str, str], Key]) -> None:
        self._keys = keys

    def line(self, line: Line) -> Sealed:
        """The line with its private part sealed."""
        head = (line.at, line.kind, line.actor, line.role, line.exchange, line.subject)
        if not line.private:
            return Sealed(*head, "", line.payload, b"")
        key = self._keys[line.subject, period(line.at)]
        return Sealed(*head, key.id, line.payload, seal(key.secret, line.aad(key.id), line.private))

    def words(self, subject: str, at: int, aad: Callable[[str], bytes], data: bytes) -> tuple[str, bytes]:
        """Key id and sealed bytes of what a read model holds of this customer."""
        key = self._keys[subject, period(at)]
        return key.id, seal(key.secret, aad(key.id), data)


Project = Callable[[Connection, Sealer], None]
"""Brings the read models up to date in the same transaction."""


@dataclass(frozen=True)
class Job:
    """What is committed together or not at all. `done` tells, or holds `RecordUnavailable`."""

    lines: Sequence[Line]
    project: Project | None = None
    done: "Future[None]" = field(default_factory=Future)


class Writer:
    """Group commit. `chained` is called after each commit that left something in the inbox."""

    def __init__(self, engine: Engine, vault: Vault, chained: Callable[[], None]) -> None:
        self._engine = engine
        self._vault = vault
        self._chained = chained
        self._direct = engine.dialect.name == "sqlite"
        self._head: Head | None = None
        self._transactions = Transactions(engine)
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()
        self._open = True

    def submit(self, job: Job) -> "Future[None]":
        """Queue one job; the future is done when it is durable, or holds `RecordUnavailable`."""
        if self._open:
            self._jobs.put(job)
        else:
            job.done.set_exception(RecordUnavailable("The record is closed."))
        return job.done

    async def write(self, job: Job) -> None:
        """Queue one job and wait until it is durable; a cancelled caller does not undo it."""
        await asyncio.shield(asyncio.wrap_future(self.submit(job)))

    def close(self) -> None:
        """Write what waits, then stop."""
        self._open = False
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._jobs.get()) is not None:
            group, last = [first], False
            while len(group) < GROUP and not self._jobs.empty():
                job = self._jobs.get()
                if job is None:
                    last = True
                    break
                group.append(job)
            self._commit(group)
            if last:
                break
        self._transactions.drop()

    def _commit(self, group: list[Job]) -> None:
        try:
            head = self._write(group)
        except Exception as error:  # noqa: BLE001 - logged below; whoever waits must not wait for ever
            self._transactions.drop()
            if len(group) > 1 and not self._transactions.doubtful:
                for job in group:  # one bad job must not take its neighbours with it
                    self._commit([job])
                return
            log.error("the record could not be written: %s", cause(error))
            for job in group:  # after a doubtful commit they may stand on the record: once, and not acknowledged
                job.done.set_exception(RecordUnavailable(f"The record could not be written: {cause(error)}"))
            return
        self._head = head
        for job in group:
            job.done.set_result(None)
        if not self._direct:
            self._chained()

    def _write(self, group: list[Job]) -> Head | None:
        lines = [line for job in group for line in job.lines]
        wanted = {(line.subject, period(line.at)) for line in lines if line.private}
        sealer = Sealer(self._vault.keys_for(wanted) if wanted else {})
        sealed = [sealer.line(line) for line in lines]
        with self._transactions.begin() as connection:
            head = self._put(connection, sealed)
            for job in group:
                if job.project:
                    job.project(connection, sealer)
        return head

    def _put(self, connection: Connection, lines: Sequence[Sealed]) -> Head | None:
        if self._direct:
            return chain.extend(connection, chain.head(connection, self._head), lines)
        connection.execute(insert(INBOX), [line._asdict() for line in lines])
        return None
