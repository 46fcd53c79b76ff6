"""Jobs by the clock: once at a time, told when they keep failing, and nothing under way after the end."""

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from assistant import schedule
from assistant.schedule import FAILURES, Job, Schedule
from opsplane.control_events import AlertRaised
from opsplane.errors import Conflict
from opsplane.ledger.exclusive import exclusive
from opsplane.ledger.store import Ledger

HOUR = timedelta(hours=1)


def job(work: Callable[[], object], *, name: str = "judge", at_start: bool = False) -> Job:
    return Job(name, "Judging a sample of live answers", HOUR, work, at_start)


class Flaky:
    """Fails as often as told."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.left, self.error, self.runs = failures, error, 0

    def __call__(self) -> str:
        self.runs += 1
        self.left -= 1
        if self.left >= 0:
            raise self.error
        return "three answers judged"


def _scheduled(ledger: Ledger, *jobs: Job) -> tuple[Schedule, list[AlertRaised]]:
    told: list[AlertRaised] = []
    return Schedule(jobs, ledger, told.append), told


def test_a_job_that_is_due_at_once_runs_in_the_background(ledger: Ledger) -> None:
    ran = threading.Event()
    plan, _ = _scheduled(ledger, job(ran.set, at_start=True), job(lambda: None, name="idle"))
    with closing(plan):
        plan.start()
        assert ran.wait(20)
    assert not plan._scheduler.running


def test_the_end_waits_for_what_is_under_way_and_tells_it_to_stop(ledger: Ledger) -> None:
    begun, over, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert over.wait(20)
        ended.set()

    plan = Schedule([job(work, at_start=True)], ledger, lambda _: None, over=over)
    plan.start()
    assert begun.wait(20)
    plan.close()
    assert ended.is_set()


def test_after_the_end_nothing_begins(ledger: Ledger) -> None:
    ran = threading.Event()
    plan, _ = _scheduled(ledger, job(ran.set))
    plan.close()
    plan.run(job(ran.set))
    assert not ran.is_set()


def test_jobs_come_once_at_a_time_and_missed_turns_count_as_one(ledger: Ledger) -> None:
    plan, _ = _scheduled(ledger, job(lambda: None))
    plan._scheduler.start(paused=True)
    (made,) = plan._scheduler.get_jobs()
    plan.close()
    assert (made.coalesce, made.max_instances, made.misfire_grace_time) == (True, 1, schedule.GRACE)


def test_a_daily_job_goes_by_the_banks_day() -> None:
    trigger = schedule._trigger(time(3, 30), ZoneInfo("America/New_York"))
    due = trigger.get_next_fire_time(None, datetime(2026, 11, 23, 17, 0, tzinfo=UTC))
    assert due.astimezone(UTC) == datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (timedelta(minutes=5), "every 5 minutes"),
        (HOUR, "every hour"),
        (timedelta(minutes=90), "every 90 minutes"),
        (timedelta(days=2), "every 2 days"),
        (timedelta(seconds=7), "every 7 seconds"),
        (time(3, 30), "daily at 03:30"),
    ],
)
def test_times_are_told_in_words(when: schedule.When, words: str) -> None:
    assert schedule.times(when) == words


@pytest.mark.parametrize(
    ("error", "why"),
    [(Conflict("The judge cannot be had."), "The judge cannot be had."), (KeyError("C-1001"), "KeyError.")],
)
def test_operators_are_told_once_when_a_job_keeps_failing(
    ledger: Ledger, caplog: pytest.LogCaptureFixture, error: Exception, why: str
) -> None:
    work = Flaky(FAILURES + 2, error)
    plan, told = _scheduled(ledger)
    for _ in range(FAILURES + 2):
        plan.run(job(work))
    text = f"Judging a sample of live answers has failed 3 times in a row: {why} It is tried again every hour."
    assert told == [AlertRaised(about="job_failing", subject="judge", text=text)]
    assert [one.event for one in ledger.events(["alert_raised"])] == told
    assert len([one for one in caplog.records if one.levelno >= logging.ERROR]) == FAILURES + 2


def test_a_job_that_worked_in_between_begins_anew(ledger: Ledger) -> None:
    plan, told = _scheduled(ledger)
    for work in (Flaky(FAILURES - 1, RuntimeError()), Flaky(FAILURES - 1, RuntimeError())):
        for _ in range(FAILURES):
            plan.run(job(work))
    assert told == []
    for _ in range(2):  # an alert, an hour of peace, and another
        failing = Flaky(FAILURES, RuntimeError())
        for _ in range(FAILURES + 1):
            plan.run(job(failing))
    assert len(told) == 2


def test_what_another_process_does_is_left_to_it(ledger: Ledger) -> None:
    work = Flaky(0, RuntimeError())
    with exclusive(ledger, "judge"):
        outcome = schedule.once(job(work), ledger)
        other = schedule.once(job(work, name="watch"), ledger)
    assert (outcome.elsewhere, outcome.words) == (True, "another process is doing this just now")
    assert (other.elsewhere, other.words, work.runs) == (False, "three answers judged", 1)
