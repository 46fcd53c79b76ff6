"""The alert channels: what the service did by itself, told to whoever is on call, by a web hook and by e-mail.

An alert is a JSON object whose `text` Slack, Microsoft Teams and Mattermost show as a message. Whoever raises one never
waits for it; what could not be delivered is on the record.
"""

import html
import logging
from collections.abc import Callable
from datetime import date
from email.utils import parsedate_to_datetime
from time import time
from urllib.parse import urlsplit

import httpx

from assistant import alert_mail
from assistant.delivery import Channel, Delivery, Failure, Patience
from opsplane import pins, requests
from opsplane.access import SERVICE
from opsplane.control_events import AlertRaised
from opsplane.errors import InvalidRequest
from opsplane.ledger.store import Ledger
from opsplane.pins import Standing
from opsplane.plane import Plane
from opsplane.state import State

log = logging.getLogger(__name__)

LONGEST_PAUSE = 120.0
"""A server that wants to be left alone for longer is asked again after so many seconds."""
RETIREMENT = "model_retirement"

_AGAIN = frozenset({408, 425, 429})
_SAID = (
    (httpx.ConnectTimeout, "no connection in time"),
    (httpx.TimeoutException, "no answer in time"),
    (httpx.ConnectError, "no connection"),
)


class Alerts:
    """Logs each alert, posts it to the web hook `url` and sends it by the mail server of `email`; either may be empty.

    Each channel has a thread of its own. Raises `InvalidRequest` for an address that cannot be used.
    """

    def __init__(self, url: str, ledger: Ledger, email: str = "", patience: Patience | None = None) -> None:
        patience, channels = patience or Patience(), list[Channel]()
        if _sound(url):
            channels.append(Hook(url, patience.timeout))
        if email:
            channels.append(alert_mail.opened(email, patience.timeout))
        self._deliveries = [Delivery(one, ledger, patience) for one in channels]

    def __call__(self, event: AlertRaised) -> None:
        """Log an alert and queue it; returns at once and never raises."""
        log.warning("alert (%s, %s): %s", event.about, event.subject, " ".join(event.text.split()))
        for delivery in self._deliveries:
            delivery.put(event)

    def close(self) -> None:
        """Deliver what waits, for some seconds; what is left is on the record as not delivered."""
        for delivery in self._deliveries:
            delivery.stop()
        for delivery in self._deliveries:
            delivery.join()


class Hook:
    """A web hook as a channel."""

    def __init__(self, url: str, timeout: float) -> None:
        for name in ("httpx", "httpcore"):  # they log addresses, and ours may hold a secret
            logging.getLogger(name).setLevel(logging.WARNING)
        self._url = url
        self._client = httpx.Client(timeout=timeout, follow_redirects=False)

    def attempt(self, event: AlertRaised) -> Failure | None:
        """Post an alert."""
        body = {"text": html.escape(event.text, quote=False), "about": event.about, "subject": event.subject}
        try:
            with self._client.stream("POST", self._url, json=body) as answer:  # what it answers is not read
                return _failure(answer)
        except httpx.HTTPError as error:
            words = next((words for kind, words in _SAID if isinstance(error, kind)), "a broken connection")
            return Failure(f"{words} ({type(error).__name__})", again=True)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _sound(url: str) -> str:
    try:
        sound = not url or (urlsplit(url).scheme in ("http", "https") and bool(httpx.URL(url).host))
    except (ValueError, httpx.InvalidURL):
        sound = False
    if not sound:
        raise InvalidRequest("OPSPLANE_ALERT_URL is not the http or https address of a web hook.")
    return url


def _failure(answer: httpx.Response) -> Failure | None:
    """What an answer means; nothing where the alert was taken."""
    status = answer.status_code
    if answer.is_success:
        return None
    if answer.is_redirect:
        return Failure(f"answer {status}: redirects are not followed")
    again = status in _AGAIN or answer.is_server_error
    return Failure(f"answer {status}", again, _asked_pause(answer.headers.get("Retry-After", "")) if again else 0.0)


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
