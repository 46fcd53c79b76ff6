"""The watch as a whole: what it raises, when, once, after what, and when it is over."""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from opsplane.control_events import AlertRaised
from opsplane.events import FeedbackGiven, QuestionAnswered
from opsplane.exchange import Outcome
from opsplane.ledger.database import connect
from opsplane.ledger.store import Ledger, Public
from opsplane.policy import QualityWatch
from opsplane.quality.monitor import ABOUT, Monitor
from tests import fakes
from tests.opsplane.ledger.test_store import exchange
from tests.opsplane.quality.made import JUDGE, START, Record

POLICY = QualityWatch(baseline=timedelta(days=5))
FALL = 60


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Ledger]:
    clock = fakes.Clock(START)
    with closing(Ledger(connect(f"sqlite:///{tmp_path / 'record.db'}"), clock, fakes.vault(tmp_path, clock))) as opened:
        yield opened


def fallen(record: Record, until: int = FALL + 40) -> Iterator[Public]:
    """Good hours, another release, and then answers about cards that are not."""
    canonical = json.dumps({"models": {}})
    for name in "ab":
        yield record.entry("release_registered", START, release=f"heron-{name}", digest=name * 64, canonical=canonical)
    yield record.entry("release_promoted", START, digest="a" * 64)
    yield from hours(record, 0, FALL)
    yield record.entry("release_promoted", START + timedelta(hours=FALL), digest="b" * 64)
    yield from hours(record, FALL, until, 40, digest="b" * 64)


def hours(record: Record, first: int, last: int, cards: int = 78, **changes: Any) -> Iterator[Public]:
    """Hours with questions about three topics, those about cards answered this well."""
    for hour in range(first, last):
        for topic in ("cards", "fees", "loans"):
            score = cards if topic == "cards" else 78
            yield from record.hours(hour, hour + 1, 8, topic=topic, score=score, **changes)


def watched(ledger: Ledger, entries: Iterable[Public], hours: int) -> Monitor:
    monitor = Monitor(ledger, POLICY)
    monitor.take(entries)
    monitor.look(START + timedelta(hours=hours))
    return monitor


def test_a_fall_is_raised_with_what_changed_just_before(empty: Ledger) -> None:
    monitor = watched(empty, fallen(Record()), FALL + 40)
    [alarm] = monitor.alarms()
    assert alarm.series == f"judge:{JUDGE}"
    assert abs(alarm.since - (START + timedelta(hours=FALL))) <= timedelta(hours=2)
    assert alarm.low < alarm.difference < alarm.high < 0
    assert alarm.change
    assert alarm.change.name == "heron-b@bbbbbbbbbbbb"
    assert alarm.place == "about cards"
    assert "this judge has no vote" in alarm.text


def test_an_alarm_is_told_until_it_is_on_the_record_and_once(empty: Ledger) -> None:
    record = Record()
    monitor, now = watched(empty, fallen(record), FALL + 40), START + timedelta(hours=FALL + 40)
    [alarm] = monitor.look(now)
    monitor.take([record.entry("alert_raised", now, about=ABOUT, subject=alarm.series, text=alarm.text)])
    assert monitor.look(now) == []
    assert monitor.alarms() == [alarm]


def test_an_alarm_is_over_when_it_is_as_before_and_can_be_raised_again(empty: Ledger) -> None:
    record = Record()
    monitor = watched(empty, fallen(record), FALL + 40)
    monitor.take(hours(record, FALL + 40, FALL + 70))
    assert monitor.look(START + timedelta(hours=FALL + 70)) == []
    monitor.take(hours(record, FALL + 70, FALL + 95, 20))
    [again] = monitor.look(START + timedelta(hours=FALL + 95))
    assert again.since >= START + timedelta(hours=FALL + 68)


def test_what_lasts_becomes_what_is_usual(empty: Ledger) -> None:
    record = Record()
    monitor = watched(empty, fallen(record), FALL + 40)
    monitor.take(hours(record, FALL + 40, FALL + 150, 40))
    assert monitor.look(START + timedelta(hours=FALL + 150)) == []
    assert monitor.alarms() == []


def test_equal_entries_raise_equal_alarms_however_they_are_read(empty: Ledger) -> None:
    at_once = watched(empty, fallen(Record()), FALL + 40)
    hourly, entries = Monitor(empty, POLICY), list(fallen(Record()))
    for hour in range(FALL + 41):
        end = START + timedelta(hours=hour)
        hourly.take(one for one in entries if end - timedelta(hours=1) <= one.at < end)
        hourly.look(end)
    assert hourly.alarms() == at_once.alarms() != []


def test_steady_hours_raise_nothing_and_tell_how_it_stands(empty: Ledger) -> None:
    monitor = watched(empty, Record().hours(0, 100, 20), 100)
    assert monitor.alarms() == []
    found = {one.series: one for one in monitor.standings()}
    judged = found[f"judge:{JUDGE}"]
    assert judged.usual == pytest.approx(0.75, abs=0.01)
    assert judged.low < 0 < judged.high
    assert {"grounded", "fast", "cheap", "answered"} <= found.keys()


def test_another_mix_of_topics_is_raised(empty: Ledger) -> None:
    def entries(record: Record) -> Iterator[Public]:
        for hour in range(100):
            for topic, each in (("cards", 30 if hour < 70 else 5), ("fraud", 5 if hour < 70 else 30)):
                yield from record.hours(hour, hour + 1, each, topic=topic)

    [alarm] = watched(empty, entries(Record()), 100).alarms()
    assert abs(alarm.since - (START + timedelta(hours=70))) <= timedelta(hours=2)
    assert "What customers ask about moved by" in alarm.text
    assert "fraud 14% →" in alarm.text


def test_a_judge_with_its_vote_is_known(empty: Ledger) -> None:
    record = Record()
    monitor = watched(empty, [record.entry("judge_calibrated", START, judge=JUDGE, votes=True)], 1)
    assert monitor.votes(JUDGE)
    assert not monitor.votes("another")


def test_a_real_record_is_followed(ledger: Ledger, clock: fakes.Clock) -> None:
    for number in range(40):
        clock.at += timedelta(minutes=10)
        done = exchange(f"e{number}", outcome=Outcome.ANSWERED, topic="fees", at=clock.at, customer=f"C-{number}")
        ledger.append_now(QuestionAnswered(exchange=done), fakes.CUSTOMER, done.id, done.customer)
        ledger.append_now(FeedbackGiven(exchange=done.id, value=1), fakes.CUSTOMER, done.id, done.customer)
    ledger.append_now(AlertRaised(about=ABOUT, subject="thumbs", text=""), fakes.OPERATOR)
    ledger.settle()
    monitor = Monitor(ledger, POLICY)
    assert monitor.look(clock.at) == []
    cells = monitor.table(lambda place: place.topic)
    assert (cells["fees"].exchanges, cells["fees"].sums["thumbs"].number) == (40, 40)


def test_what_is_too_old_is_not_read(ledger: Ledger, clock: fakes.Clock) -> None:
    for days in (0, 30):
        clock.at += timedelta(days=days)
        done = exchange(f"e{days}", outcome=Outcome.ANSWERED, topic="fees", at=clock.at)
        ledger.append_now(QuestionAnswered(exchange=done), fakes.CUSTOMER, done.id, done.customer)
    ledger.settle()
    monitor = Monitor(ledger, POLICY)
    monitor.look(clock.at)
    assert sum(cell.exchanges for cell in monitor.table(lambda place: place.topic).values()) == 1
