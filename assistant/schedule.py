"""What the product does by the clock: a table of jobs, and APScheduler behind it.

A job runs in one process at a time, over the whole installation: another service, cron, Composer and Cloud Scheduler
may all begin the same jobs. One that fails is logged and tried again at its next time; operators are told when it
failed `FAILURES` times in a row.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from opsplane.access import SERVICE
from opsplane.control_events import AlertRaised
from opsplane.errors import PlaneError
from opsplane.ledger.exclusive import exclusive
from opsplane.ledger.store import Ledger

log = logging.getLogger(__name__)

FAILURES = 3
"""So many failures in a row, and operators are told."""
GRACE = 300
"""A job whose time was missed by more seconds than this (the machine slept) waits for its next time."""
TOGETHER = 2
"""Jobs that run at a time in one process."""
ABOUT = "job_failing"
"""What the alert is about; its subject is the job's name."""
_LONGEST = 300

When = timedelta | time
"""Again and again after so long, or once a day at this time of the bank's day."""


@dataclass(frozen=True)
class Job:
    """One job: what it does, in words, and when. `work` returns what it did, in words."""

    name: str
    words: str
    when: When
    work: Callable[[], object]
    at_start: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a run ended: `elsewhere` says that another process was doing it, so that nothing was done here."""

    words: str
    elsewhere: bool = False


def once(job: Job, ledger: Ledger) -> Outcome:
    """Do a job now, unless another process does it; raises what the job raises."""
    with exclusive(ledger, job.name) as alone:
        if not alone:
            return Outcome("another process is doing this just now", elsewhere=True)
        done = job.work()
    return Outcome(str(done) if done is not None else "done")


class Schedule:
    """Runs jobs by the clock from its start to its `close`, which sets `over` and waits for what is under way.

    A job whose turn comes while it still runs is left out, and turns that were missed count as one.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        ledger: Ledger,
        alert: Callable[[AlertRaised], None],
        zone: tzinfo = UTC,
        over: threading.Event | None = None,
    ) -> None:
        self._ledger, self._alert, self._over = ledger, alert, over or threading.Event()
        self._failed: Counter[str] = Counter()
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it logs every turn; we log how it ended
        self._scheduler = BackgroundScheduler(
            timezone=zone,
            executors={"default": ThreadPoolExecutor(TOGETHER)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": GRACE},
        )
        for job in jobs:
            options: Mapping[str, object] = {"next_run_time": datetime.now(UTC)} if job.at_start else {}
            self._scheduler.add_job(self.run, _trigger(job.when, zone), (job,), id=job.name, **options)

    def start(self) -> None:
        """Begin; returns at once."""
        self._scheduler.start()

    def close(self) -> None:
        """Begin no job any more, tell those under way to stop, and wait for them."""
        self._over.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def run(self, job: Job) -> None:
        """One turn of a job; nothing that goes wrong leaves it."""
        if self._over.is_set():
            return
        try:
            outcome = once(job, self._ledger)
        except PlaneError as error:
            log.error("job %s failed and is tried again at its next time: %s", job.name, error)
            self._note(job, str(error))
        except Exception as error:
            log.exception("job %s failed and is tried again at its next time", job.name)
            self._note(job, type(error).__name__)
        else:
            log.info("job %s: %s", job.name, outcome.words)
            if not outcome.elsewhere:
                self._failed[job.name] = 0

    def _note(self, job: Job, why: str) -> None:
        """Count a failure; the alert is raised once until the job works again."""
        self._failed[job.name] += 1
        if self._failed[job.name] != FAILURES:
            return
        again = f"It is tried again {times(job.when)}"
        text = f"{job.words} has failed {FAILURES} times in a row: {why[:_LONGEST].rstrip('. ')}. {again}."
        event = AlertRaised(about=ABOUT, subject=job.name, text=text)
        try:
            self._ledger.append_now(event, SERVICE)
        except PlaneError as error:  # the channels are told all the same
            log.error("that job %s keeps failing could not be recorded: %s", job.name, error)
        self._alert(event)


def times(when: When) -> str:
    """When a job runs, in words."""
    return f"daily at {when:%H:%M}" if isinstance(when, time) else f"every {_span(when)}"


def _trigger(when: When, zone: tzinfo) -> IntervalTrigger | CronTrigger:
    if isinstance(when, time):
        return CronTrigger(hour=when.hour, minute=when.minute, timezone=zone)
    return IntervalTrigger(seconds=when.total_seconds(), timezone=zone)


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for length, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds % length == 0:
            number = seconds // length
            return word if number == 1 else f"{number} {word}s"
    return f"{seconds} seconds"
