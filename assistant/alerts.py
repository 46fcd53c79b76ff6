"""The alert channel: what the service did by itself, told to whoever is on call, through an incoming web hook.

An alert is a JSON object whose `text` Slack, Microsoft Teams and Mattermost show as a message. Whoever raises one never
waits for it; what could not be delivered is on the record.
"""

import html
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from email.utils import parsedate_to_datetime
from time import monotonic, time
from urllib.parse import urlsplit

import httpx

from opsplane import pins, requests
from opsplane.access import SERVICE
from opsplane.control_events import AlertRaised, AlertUndelivered
from opsplane.errors import InvalidRequest
from opsplane.ledger.store import Ledger
from opsplane.pins import Standing
from opsplane.plane import Plane
from opsplane.state import State

log = logging.getLogger(__name__)

TIMEOUT = 5.0
"""Seconds for a connection, and again for an answer."""
PAUSES = (1.0, 5.0, 25.0)
"""Seconds before each further attempt: one attempt more than there are pauses."""
LONGEST_PAUSE = 120.0
"""A server that wants to be left alone for longer is asked again after so many seconds."""
WAITING = 100
"""So many alerts wait at most for those before them."""
FLUSH = 5.0
"""Seconds in which what waits is still delivered at the end."""
RETIREMENT = "model_retirement"

_AGAIN = frozenset({408, 425, 429})
_SAID = (
    (httpx.ConnectTimeout, "no connection in time"),
    (httpx.TimeoutException, "no answer in time"),
    (httpx.ConnectError, "no connection"),
)


@dataclass(frozen=True)
class _Failure:
    """Why an attempt did not deliver, in words without the address, which may hold a secret."""

    words: str
    again: bool = False
    pause: float = 0.0  # seconds that the server wants to be left alone


class Alerts:
    """Logs each alert and posts it to `url` from a thread of its own; without a URL it is logged only.

    Raises `InvalidRequest` for a URL that cannot be used.
    """

    def __init__(self, url: str, ledger: Ledger, pauses: Sequence[float] = PAUSES, timeout: float = TIMEOUT) -> None:
        self._url = _sound(url)
        self._ledger = ledger
        self._pauses = pauses
        self._timeout = timeout
        self._waiting: queue.Queue[AlertRaised | None] = queue.Queue(WAITING)
        self._over = threading.Event()
        self._end = float("inf")
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        if url:
            for name in ("httpx", "httpcore"):  # they log addresses, and ours may hold a secret
                logging.getLogger(name).setLevel(logging.WARNING)
            self._thread.start()

    def __call__(self, event: AlertRaised) -> None:
        """Log an alert and queue it; returns at once and never raises."""
        log.warning("alert (%s, %s): %s", event.about, event.subject, " ".join(event.text.split()))
        if self._url and self._over.is_set():
            self._give_up(event, 0, "the service is stopping")
        elif self._url:
            try:
                self._waiting.put_nowait(event)
            except queue.Full:
                self._give_up(event, 0, f"{WAITING} others wait already")

    def close(self) -> None:
        """Deliver what waits, for some seconds; what is left is on the record as not delivered."""
        if not self._thread.is_alive():
            return
        self._end = monotonic() + FLUSH
        self._over.set()
        try:
            self._waiting.put_nowait(None)
        except queue.Full:  # the thread ends by itself when nothing waits any more
            log.debug("many alerts wait at the end")
        self._thread.join(FLUSH + 2 * self._timeout)
        while not self._waiting.empty():
            if event := self._waiting.get_nowait():
                self._give_up(event, 0, "the service stopped")

    def _run(self) -> None:
        with httpx.Client(timeout=self._timeout, follow_redirects=False) as client:
            while not (self._over.is_set() and self._waiting.empty()):
                event = self._waiting.get()
                if event is None:
                    continue
                try:
                    self._deliver(client, event)
                except Exception as error:  # noqa: BLE001 - it may name the address: its kind alone is logged
                    log.error("an alert failed: %s", type(error).__name__)
                    self._give_up(event, 1, type(error).__name__)

    def _deliver(self, client: httpx.Client, event: AlertRaised) -> None:
        """Attempt by attempt, until it is delivered, cannot be, or the end has come."""
        failure, attempts = _Failure("the service stopped"), 0
        for pause in (*self._pauses, 0.0):
            if monotonic() > self._end:
                break
            attempts += 1
            found = self._attempt(client, event)
            if found is None:
                return
            failure = found
            if not failure.again or attempts > len(self._pauses):
                break
            if self._over.wait(max(pause, failure.pause)):
                break
        self._give_up(event, attempts, failure.words)

    def _attempt(self, client: httpx.Client, event: AlertRaised) -> _Failure | None:
        body = {"text": html.escape(event.text, quote=False), "about": event.about, "subject": event.subject}
        try:
            with client.stream("POST", self._url, json=body) as answer:  # what it answers is not read
                return _failure(answer)
        except httpx.HTTPError as error:
            words = next((words for kind, words in _SAID if isinstance(error, kind)), "a broken connection")
            return _Failure(f"{words} ({type(error).__name__})", again=True)

    def _give_up(self, event: AlertRaised, attempts: int, error: str) -> None:
        log.error("alert (%s, %s) was not delivered after %s attempts: %s", event.about, event.subject, attempts, error)
        lost = AlertUndelivered(about=event.about, subject=event.subject, attempts=attempts, error=error)
        try:
            self._ledger.submit(lost, SERVICE)  # nobody waits for it; a failure to write is logged by the record
        except Exception:
            log.exception("that an alert was not delivered could not be recorded")


def _sound(url: str) -> str:
    try:
        sound = not url or (urlsplit(url).scheme in ("http", "https") and bool(httpx.URL(url).host))
    except (ValueError, httpx.InvalidURL):
        sound = False
    if not sound:
        raise InvalidRequest("OPSPLANE_ALERT_URL is not the http or https address of a web hook.")
    return url


def _failure(answer: httpx.Response) -> _Failure | None:
    """What an answer means; nothing where the alert was taken."""
    status = answer.status_code
    if answer.is_success:
        return None
    if answer.is_redirect:
        return _Failure(f"answer {status}: redirects are not followed")
    again = status in _AGAIN or answer.is_server_error
    return _Failure(f"answer {status}", again, _asked_pause(answer.headers.get("Retry-After", "")) if again else 0.0)


def _asked_pause(given: str) -> float:
    """Retry-After as seconds: a number of them, or a date."""
    if given.strip().isdecimal():
        return min(float(given), LONGEST_PAUSE)
    try:
        return min(max(parsedate_to_datetime(given).timestamp() - time(), 0.0), LONGEST_PAUSE)
    except (ValueError, OverflowError):
        return 0.0


def retirements(state: State, today: date) -> list[AlertRaised]:
    """An alert for each model, near or past its retirement, of the releases in front of customers."""
    serving = (state.stable, *(state.rollout.candidates if state.rollout else ()))
    found: dict[tuple[str, str], AlertRaised] = {}
    for release in (state.releases[digest] for digest in serving if digest in state.releases):
        models = [release.models.flash.name, release.models.pro.name]
        models += [release.lineage.base] if release.lineage else []
        for name in models:
            leaving = pins.retirement(name, today)
            if leaving and leaving.standing is not Standing.FINE:
                text = f"{release.short}: {leaving.sentence}"
                found[release.short, name] = AlertRaised(about=RETIREMENT, subject=release.short, text=text)
    return list(found.values())


def raise_retirements(
    plane: Plane, ledger: Ledger, alert: Callable[[AlertRaised], None], today: Callable[[], date]
) -> list[AlertRaised]:
    """Raise the alerts that were not raised before: once for each release, model and standing, and process."""
    with requests.alone(ledger):
        told = [one.event for one in ledger.events(["alert_raised"]) if isinstance(one.event, AlertRaised)]
        before = {(one.subject, _gist(one)) for one in told if one.about == RETIREMENT}
        new = [one for one in retirements(plane.state, today()) if (one.subject, _gist(one)) not in before]
        for event in new:
            ledger.append_now(event, SERVICE)
    for event in new:
        alert(event)
    return new


def _gist(event: AlertRaised) -> str:
    """Model, standing and date, without where that was read."""
    return event.text.partition(" (")[0]
