"""Delivers alerts through one channel in the background: again and again where that helps, lost ones on the record."""

import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from opsplane.access import SERVICE
from opsplane.control_events import AlertRaised, AlertUndelivered
from opsplane.ledger.store import Ledger

log = logging.getLogger(__name__)

TIMEOUT = 5.0
"""Seconds for a connection, and again for an answer."""
PAUSES = (1.0, 5.0, 25.0)
"""Seconds before each further attempt: one attempt more than there are pauses."""
WAITING = 100
"""So many alerts wait at most for those before them."""
FLUSH = 5.0
"""Seconds in which what waits is still delivered at the end."""


@dataclass(frozen=True)
class Failure:
    """Why an attempt did not deliver, in words without the address, which may hold a secret."""

    words: str
    again: bool = False
    pause: float = 0.0  # seconds that the server wants to be left alone


class Channel(Protocol):
    """A way to whoever is on call; used from one thread."""

    def attempt(self, event: AlertRaised) -> Failure | None:
        """Deliver an alert, or say why that did not work."""

    def close(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True)
class Patience:
    """How often and how long something is tried: a pause in seconds before each further attempt, and time to answer."""

    pauses: Sequence[float] = PAUSES
    timeout: float = TIMEOUT


class Delivery:
    """Hands alerts to a channel from a thread of its own, so that whoever raises one never waits."""

    def __init__(self, channel: Channel, ledger: Ledger, patience: Patience) -> None:
        self._channel, self._ledger, self._patience = channel, ledger, patience
        self._waiting: queue.Queue[AlertRaised | None] = queue.Queue(WAITING)
        self._over = threading.Event()
        self._end = float("inf")
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._thread.start()

    def put(self, event: AlertRaised) -> None:
        """Queue an alert; returns at once and never raises."""
        if self._over.is_set():
            self._give_up(event, 0, "the service is stopping")
            return
        try:
            self._waiting.put_nowait(event)
        except queue.Full:
            self._give_up(event, 0, f"{WAITING} others wait already")

    def stop(self) -> None:
        """Take nothing more; what waits is still delivered, for some seconds."""
        self._end = monotonic() + FLUSH
        self._over.set()
        try:
            self._waiting.put_nowait(None)
        except queue.Full:  # the thread ends by itself when nothing waits any more
            log.debug("many alerts wait at the end")

    def join(self) -> None:
        """Wait for that; what is left is on the record as not delivered."""
        self._thread.join(FLUSH + 2 * self._patience.timeout)
        while not self._waiting.empty():
            if event := self._waiting.get_nowait():
                self._give_up(event, 0, "the service stopped")

    def _run(self) -> None:
        while not (self._over.is_set() and self._waiting.empty()):
            event = self._waiting.get()
            if event is None:
                continue
            try:
                self._deliver(event)
            except Exception as error:  # noqa: BLE001 - it may name the address: its kind alone is logged
                log.error("an alert failed: %s", type(error).__name__)
                self._give_up(event, 1, type(error).__name__)
        self._channel.close()

    def _deliver(self, event: AlertRaised) -> None:
        """Attempt by attempt, until it is delivered, cannot be, or the end has come."""
        failure, attempts, pauses = Failure("the service stopped"), 0, self._patience.pauses
        for pause in (*pauses, 0.0):
            if monotonic() > self._end:
                break
            attempts += 1
            found = self._channel.attempt(event)
            if found is None:
                return
            failure = found
            if not failure.again or attempts > len(pauses):
                break
            if self._over.wait(max(pause, failure.pause)):
                break
        self._give_up(event, attempts, failure.words)

    def _give_up(self, event: AlertRaised, attempts: int, error: str) -> None:
        log.error("alert (%s, %s) was not delivered after %s attempts: %s", event.about, event.subject, attempts, error)
        lost = AlertUndelivered(about=event.about, subject=event.subject, attempts=attempts, error=error)
        try:
            self._ledger.submit(lost, SERVICE)  # nobody waits for it; a failure to write is logged by the record
        except Exception:
            log.exception("that an alert was not delivered could not be recorded")
