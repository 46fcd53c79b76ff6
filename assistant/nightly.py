"""What is done once a day while the product serves: words whose retention has run out are destroyed."""

import logging
import threading
from collections.abc import Callable
from datetime import date

log = logging.getLogger(__name__)

LOOK = 600.0
"""Seconds between two looks at the calendar."""


class Nightly:
    """A thread that runs a job at its start and then once on every new day; a job that fails is tried again."""

    def __init__(self, job: Callable[[], object], today: Callable[[], date], look: float = LOOK) -> None:
        self._job, self._today, self._look = job, today, look
        self._done: date | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nightly", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, after a job that is running."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._look_once()
            if self._over.wait(self._look):
                return

    def _look_once(self) -> None:
        today = self._today()
        if today == self._done:
            return
        try:
            self._job()
            self._done = today
        except Exception:
            log.exception("the nightly job failed and will be tried again")
