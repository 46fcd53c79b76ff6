"""The one thread that writes: it gathers what waits, commits once, then acknowledges each."""

import asyncio
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

from sqlalchemy import Engine, Executable
from sqlalchemy.exc import SQLAlchemyError

from opsplane.errors import RecordUnavailable

log = logging.getLogger(__name__)

Write = tuple[Executable, dict[str, Any] | None]
_Job = tuple[Sequence[Write], "Future[None]"]
GROUP = 128
"""At most so many jobs share one commit."""


class Writer:
    """Group commit on an engine. A job's writes are committed together or not at all."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()
        self._open = True

    def submit(self, writes: Sequence[Write]) -> "Future[None]":
        """Queue one job; the future is done when it is durable, or holds `RecordUnavailable`."""
        future: Future[None] = Future()
        if self._open:
            self._jobs.put((writes, future))
        else:
            future.set_exception(RecordUnavailable("The record is closed."))
        return future

    async def write(self, writes: Sequence[Write]) -> None:
        """Queue one job and wait until it is durable; a cancelled caller does not undo it."""
        await asyncio.shield(asyncio.wrap_future(self.submit(writes)))

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
                return

    def _commit(self, group: list[_Job]) -> None:
        try:
            with self._engine.begin() as connection:
                for writes, _ in group:
                    for statement, values in writes:
                        connection.execute(statement, values)
        except (SQLAlchemyError, OSError) as error:
            if len(group) > 1:  # one bad job must not take its neighbours with it
                for job in group:
                    self._commit([job])
                return
            log.error("the record could not be written: %s", error)
            group[0][1].set_exception(RecordUnavailable(f"The record could not be written: {error}"))
            return
        for _, future in group:
            future.set_result(None)
