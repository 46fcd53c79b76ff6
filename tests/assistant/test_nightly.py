"""Once a day, and again where it failed."""

import threading
from collections.abc import Callable
from datetime import date, timedelta

from assistant.nightly import Nightly


class Job:
    """Counts its runs, fails as often as told, and says when it has run so often."""

    def __init__(self, wanted: int, failures: int = 0) -> None:
        self.runs, self.wanted, self.failures = 0, wanted, failures
        self.enough = threading.Event()

    def __call__(self) -> None:
        self.runs += 1
        if self.runs >= self.wanted:
            self.enough.set()
        if self.runs <= self.failures:
            raise RuntimeError("not today")


def _days(step: timedelta) -> Callable[[], date]:
    day = [date(2026, 11, 23) - step]

    def today() -> date:
        day[0] += step
        return day[0]

    return today


def test_it_runs_on_every_new_day() -> None:
    job = Job(3)
    nightly = Nightly(job, _days(timedelta(days=1)), look=0)
    assert job.enough.wait(10)
    nightly.close()


def test_it_runs_once_on_the_same_day() -> None:
    looked = threading.Event()
    looks = []

    def today() -> date:
        looks.append(1)
        if len(looks) > 5:
            looked.set()
        return date(2026, 11, 23)

    job = Job(1)
    nightly = Nightly(job, today, look=0)
    assert looked.wait(10)
    nightly.close()
    assert job.runs == 1


def test_a_job_that_fails_is_tried_again() -> None:
    job = Job(2, failures=1)
    nightly = Nightly(job, _days(timedelta(0)), look=0)
    assert job.enough.wait(10)
    nightly.close()
    assert job.runs == 2
