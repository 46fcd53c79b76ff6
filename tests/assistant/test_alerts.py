"""Alerts go out in the background, again and again where that helps, and what gets lost is on the record."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from time import monotonic
from typing import Any

import pytest

from assistant import alerts
from assistant.alerts import Alerts, raise_retirements, retirements
from assistant.delivery import WAITING, Patience
from opsplane.access import SERVICE
from opsplane.control_events import AlertRaised, RolloutStarted
from opsplane.errors import InvalidRequest
from opsplane.events import ReleaseRegistered
from opsplane.ledger.store import Ledger
from opsplane.plane import Plane
from opsplane.release import Release
from tests import fakes, loopback

ALERT = AlertRaised(about="rollout_aborted", subject="3fa9", text="Rollout 3fa9 was aborted: <b> & more.")
SECRET = "T0123/B4567/wHoMeVeR"
NO_PAUSES = Patience((0.0, 0.0, 0.0))
GONE = "google_genai:gemini-2.5-pro"  # retired on 20 October 2026
LEAVING = "google_genai:gemini-3.1-flash-lite"  # promised until 7 May 2027

Behaviour = tuple[int, dict[str, str]]


@dataclass
class Hook:
    """A web hook of our own: `answers` are used up one by one, then it takes everything."""

    url: str = ""
    answers: list[Behaviour] = field(default_factory=list)
    hangs: threading.Event | None = None  # until it is set
    got: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)


@contextmanager
def hooked(*answers: Behaviour, hangs: threading.Event | None = None) -> Iterator[Hook]:
    """A server on a free port of this machine, until the end of the block."""
    state = Hook(answers=list(answers), hangs=hangs)

    class Handler(loopback.Quiet):
        def do_POST(self) -> None:  # noqa: N802  # the server calls it so
            state.times.append(monotonic())
            state.paths.append(self.path)
            state.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            state.arrived.set()
            if state.hangs:
                state.hangs.wait(20)
            status, headers = state.answers.pop(0) if state.answers else (200, {})
            with suppress(ConnectionError):  # who waited may have gone
                self.send_response(status)
                for name, value in {"Content-Length": "2", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"ok")

    with loopback.serving(Handler) as url:
        state.url = f"{url}/services/{SECRET}"
        try:
            yield state
        finally:
            if hangs:
                hangs.set()


def _lost(ledger: Ledger) -> list[tuple[int, str]]:
    events = (one.event.model_dump() for one in ledger.events(["alert_undelivered"]))
    return [(event["attempts"], event["error"]) for event in events]


def _told(url: str, ledger: Ledger) -> list[tuple[int, str]]:
    """Raise an alert and wait until it is delivered or lost; what is on the record as lost."""
    channel = Alerts(url, ledger, patience=NO_PAUSES)
    channel(ALERT)
    channel.close()
    return _lost(ledger)


def _wait(until: Callable[[], bool]) -> None:
    end, pause = monotonic() + 10, threading.Event()
    while not until() and monotonic() < end:
        pause.wait(0.005)
    assert until()


def test_an_alert_is_posted_as_json_that_chats_understand(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    with hooked() as hook:
        assert _told(hook.url, ledger) == []
    text = "Rollout 3fa9 was aborted: &lt;b&gt; &amp; more."
    assert hook.got == [{"text": text, "about": "rollout_aborted", "subject": "3fa9"}]
    assert [one.levelname for one in caplog.records] == ["WARNING"]
    assert ALERT.text in caplog.text


def test_without_an_address_an_alert_is_logged(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    assert _told("", ledger) == []
    assert ALERT.text in caplog.text


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_that_recovers_gets_the_alert(ledger: Ledger, status: int) -> None:
    with hooked((status, {}), (status, {})) as hook:
        channel = Alerts(hook.url, ledger, patience=NO_PAUSES)
        channel(ALERT)
        _wait(lambda: len(hook.got) == 3)
        channel.close()
    assert _lost(ledger) == []


@pytest.mark.parametrize(
    ("status", "attempts", "error"),
    [
        (500, 4, "answer 500"),
        (429, 4, "answer 429"),
        (404, 1, "answer 404"),
        (302, 1, "answer 302: redirects are not followed"),
    ],
)
def test_what_cannot_be_delivered_is_on_the_record(ledger: Ledger, status: int, attempts: int, error: str) -> None:
    with hooked(*[(status, {"Location": "/elsewhere"})] * 9) as hook:
        channel = Alerts(hook.url, ledger, patience=NO_PAUSES)
        channel(ALERT)
        _wait(lambda: _lost(ledger) == [(attempts, error)])
        channel.close()
    assert len(hook.got) == attempts
    assert "/elsewhere" not in hook.paths


@pytest.mark.parametrize("dated", [False, True])
def test_a_server_is_left_alone_for_as_long_as_it_asks(ledger: Ledger, dated: bool) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)  # whole seconds: 1 to 2 from now
    with hooked((429, {"Retry-After": until if dated else "1"})) as hook:
        channel = Alerts(hook.url, ledger, patience=NO_PAUSES)
        channel(ALERT)
        _wait(lambda: len(hook.got) == 2)
        channel.close()
    assert hook.times[1] - hook.times[0] > 0.9
    assert _lost(ledger) == []


@pytest.mark.parametrize("given", ["", "soon", "-3", "99999999999999999999", "Mon, 99 Nov 2026 99:00:00 GMT"])
def test_a_strange_wish_to_be_left_alone_holds_nothing_up_for_long(given: str) -> None:
    assert 0 <= alerts._asked_pause(given) <= alerts.LONGEST_PAUSE


def test_a_server_that_hangs_is_given_up(ledger: Ledger) -> None:
    with hooked(hangs=threading.Event()) as hook:
        channel = Alerts(hook.url, ledger, patience=Patience((0.0,), timeout=0.05))
        channel(ALERT)
        _wait(lambda: _lost(ledger) == [(2, "no answer in time (ReadTimeout)")])
        channel.close()


def test_nothing_tells_the_address(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with hooked((404, {})) as hook:
        channel = Alerts(hook.url, ledger, patience=NO_PAUSES)
        channel(ALERT)
        _wait(lambda: len(_lost(ledger)) == 1)
        channel.close()
    assert Alerts(f"http://127.0.0.1:1/{SECRET}", ledger, patience=Patience(()))(ALERT) is None
    _wait(lambda: len(_lost(ledger)) == 2)
    assert _lost(ledger)[1] == (1, "no connection (ConnectError)")
    assert SECRET not in caplog.text


def test_whoever_raises_an_alert_never_waits(ledger: Ledger) -> None:
    with hooked(hangs=threading.Event()) as hook:
        channel = Alerts(hook.url, ledger, patience=Patience((), timeout=0.2))
        channel(ALERT)
        assert hook.arrived.wait(10)
        began = monotonic()
        for _ in range(WAITING + 5):
            channel(ALERT)
        assert monotonic() - began < 1
        _wait(lambda: _lost(ledger)[:5] == [(0, "100 others wait already")] * 5)
        channel._deliveries[0]._end = 0.0  # no time is left at the end
        channel._deliveries[0]._over.set()
        _wait(lambda: len(_lost(ledger)) == WAITING + 6)


def test_what_waits_is_delivered_at_the_end(ledger: Ledger) -> None:
    with hooked() as hook:
        channel = Alerts(hook.url, ledger)
        for _ in range(5):
            channel(ALERT)
        channel.close()
        channel(ALERT)
    assert len(hook.got) == 5
    _wait(lambda: _lost(ledger) == [(0, "the service is stopping")])


def test_the_end_does_not_wait_for_a_pause(ledger: Ledger) -> None:
    with hooked((503, {})) as hook:
        channel = Alerts(hook.url, ledger, patience=Patience((60.0,)))
        channel(ALERT)
        assert hook.arrived.wait(10)
        channel.close()
    _wait(lambda: _lost(ledger) == [(1, "answer 503")])


@pytest.mark.parametrize("url", ["ftp://hooks.example/x", "hooks.example", "http://", "http://[", "file:///etc/passwd"])
def test_an_address_that_is_none_stops_the_start_and_is_not_repeated(ledger: Ledger, url: str) -> None:
    with pytest.raises(InvalidRequest, match="OPSPLANE_ALERT_URL") as refusal:
        Alerts(url, ledger)
    assert url not in str(refusal.value)


def _release(name: str, flash: str, pro: str = "embedded:extractive") -> Release:
    return fakes.release(id=name, models={"flash": {"name": flash}, "pro": {"name": pro}})


def _rolled_out(ledger: Ledger, stable: Release, *candidates: Release) -> Plane:
    """A plane whose stable release has a rollout beside it."""
    plane = Plane(ledger)
    plane.configure({one.id: one for one in (stable, *candidates)}, stable.id)
    started = RolloutStarted(
        rollout="3fa9",
        candidates=tuple(one.digest for one in candidates),
        stable=stable.digest,
        plan=fakes.plan().model_dump_json(),
        salt="salt",
    )
    ledger.append_now(started, SERVICE)
    return plane


def test_models_of_releases_in_front_of_customers_are_looked_at(ledger: Ledger) -> None:
    stable, candidate = _release("old-1", GONE, GONE), _release("new-1", LEAVING)
    plane = _rolled_out(ledger, stable, candidate)
    ledger.append_now(
        ReleaseRegistered(
            release="idle-1",
            digest=_release("idle-1", GONE).digest,
            canonical=_release("idle-1", GONE).canonical().decode(),
        ),
        SERVICE,
    )
    found = retirements(plane.state, date(2027, 5, 1))
    assert [(one.about, one.subject) for one in found] == [
        ("model_retirement", stable.short),
        ("model_retirement", candidate.short),
    ]
    assert f"{stable.short}: {GONE} was retired on 2026-10-20" in found[0].text
    assert f"{LEAVING} may be retired from 2027-05-07" in found[1].text


def test_a_model_that_stays_raises_nothing(ledger: Ledger) -> None:
    plane = _rolled_out(ledger, _release("old-1", "embedded:extractive"), _release("new-1", LEAVING))
    assert retirements(plane.state, date(2026, 11, 23)) == []


def test_the_model_that_a_tuned_one_was_made_of_counts(ledger: Ledger) -> None:
    lineage = {"base": GONE, "data_sha256": "0" * 64, "examples": 900, "method": "supervised", "trained": "2026-09-01"}
    plane = Plane(ledger)
    plane.configure({"tuned-1": fakes.release(id="tuned-1", lineage=lineage)}, "tuned-1")
    assert [GONE in one.text for one in retirements(plane.state, date(2026, 11, 23))] == [True]


def test_an_alert_is_raised_once_also_after_a_restart(ledger: Ledger) -> None:
    raised: list[AlertRaised] = []
    plane = Plane(ledger)
    plane.configure({"old-1": _release("old-1", GONE)}, "old-1")
    for _ in range(2):
        raise_retirements(Plane(ledger), ledger, raised.append, lambda: date(2026, 11, 23))
    assert [one.event for one in ledger.events(["alert_raised"])] == raised
    assert len(raised) == 1


def test_a_model_that_went_from_near_to_retired_raises_another(ledger: Ledger) -> None:
    plane = Plane(ledger)
    plane.configure({"old-1": _release("old-1", GONE)}, "old-1")
    days = [date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 21), date(2026, 10, 22)]
    raised: list[AlertRaised] = []
    while days:
        raise_retirements(plane, ledger, raised.append, lambda: days.pop(0))
    assert [one.text.partition(" (")[0] for one in raised] == [
        f"{plane.stable().short}: {GONE} is retired on 2026-10-20",
        f"{plane.stable().short}: {GONE} was retired on 2026-10-20",
    ]
