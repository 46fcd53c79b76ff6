"""The table of jobs, and what they do with the product."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from assistant import jobs
from assistant.bootstrap import App
from assistant.evaluations import equipped
from assistant.evaluator import NOBODY
from assistant.settings import Settings
from opsplane.control_events import AlertRaised
from opsplane.errors import InvalidRequest
from opsplane.ledger.store import Ledger
from opsplane.policy import QualityWatch
from opsplane.quality.alarm import Alarm
from opsplane.quality.monitor import Monitor
from tests import fakes

ALARM = Alarm(
    series="grounded",
    at=fakes.NOON,
    since=fakes.NOON - timedelta(hours=6),
    before=0.97,
    after=0.88,
    difference=-0.09,
    low=-0.14,
    high=-0.04,
    log_e=7.0,
    threshold=6.0,
)


class Watches(Monitor):
    """A monitor that has seen what it is given."""

    def __init__(self, ledger: Ledger, alarms: Sequence[Alarm]) -> None:
        super().__init__(ledger, QualityWatch())
        self.seen = list(alarms)

    def look(self, now: datetime) -> list[Alarm]:
        """What was not told before."""
        found, self.seen = self.seen, []
        return found


def test_every_job_is_listed_and_the_golden_set_only_where_it_is_wanted() -> None:
    settings = Settings(data=Path("x"))
    assert [one.name for one in jobs.listed(settings)] == ["judge", "watch", "calibrate", "golden"]
    assert "golden" not in [one.name for one in jobs.listed(replace(settings, golden_minutes=0))]
    (golden,) = [one for one in jobs.listed(replace(settings, golden_minutes=90)) if one.name == "golden"]
    assert golden.when == timedelta(minutes=90)


def test_an_alarm_is_an_alert_on_the_record_and_in_the_channels(ledger: Ledger) -> None:
    told: list[AlertRaised] = []
    monitor = Watches(ledger, [ALARM])
    assert [jobs.watch(monitor, ledger, told.append) for _ in range(2)] == ["1 alarms raised", "0 alarms raised"]
    assert [one.event for one in ledger.events(["alert_raised"])] == told
    assert (told[0].about, told[0].subject, told[0].text) == ("quality_fell", "grounded", ALARM.text)


def test_the_product_has_a_judge_and_knows_every_job(app: App) -> None:
    works = jobs.works_of(equipped(app))
    found = jobs.jobs(works)
    assert list(found) == ["judge", "watch", "calibrate", "golden"]
    court = works.evaluations.court()
    assert court is not None
    assert court.judge.identity.startswith("embedded/")
    assert str(found["judge"].work()).endswith("pairs compared")
    assert str(found["watch"].work()).endswith("alarms raised")


def test_where_nobody_judges_the_other_jobs_go_on(app: App) -> None:
    found = jobs.jobs(jobs.works_of(equipped(replace(app, settings=replace(app.settings, judge="none")))))
    assert found["judge"].work() == found["calibrate"].work() == NOBODY
    assert str(found["watch"].work()).endswith("alarms raised")


@pytest.mark.parametrize(("judge", "why"), [("openai:gpt-5", "no price"), ("somebody", "no price")])
def test_a_judge_that_cannot_be_had_stops_its_own_jobs_alone(app: App, judge: str, why: str) -> None:
    found = jobs.jobs(jobs.works_of(equipped(replace(app, settings=replace(app.settings, judge=judge)))))
    with pytest.raises(InvalidRequest, match=why):
        found["judge"].work()
    assert str(found["watch"].work()).endswith("alarms raised")


@pytest.mark.parametrize("wanted", [True, False])
def test_jobs_run_by_themselves_where_the_settings_want_that(app: App, wanted: bool) -> None:
    set_so = replace(app, settings=replace(app.settings, schedule=wanted))
    with jobs.scheduled(jobs.works_of(equipped(set_so))):
        assert ("APScheduler" in {one.name for one in threading.enumerate()}) == wanted
    assert "APScheduler" not in {one.name for one in threading.enumerate()}
