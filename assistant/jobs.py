"""The table of jobs: what the product does by itself, when, and what does it.

Cron, Composer and Cloud Scheduler run the same jobs by `opsplane job run`; `OPSPLANE_SCHEDULE=0` leaves them to those.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import time, timedelta

from assistant.bootstrap import App
from assistant.evaluation_commands import evaluations_of
from assistant.evaluator import NOBODY, Evaluator
from assistant.live_judging import JOB, LiveJudging
from assistant.schedule import Job, Schedule, When
from assistant.settings import Settings
from opsplane.access import SERVICE
from opsplane.control_events import AlertRaised
from opsplane.ledger.store import Ledger
from opsplane.quality.monitor import ABOUT, Monitor

Alert = Callable[[AlertRaised], None]
SOON = timedelta(minutes=5)
NIGHT = time(3, 30)
"""When nobody is up: the bank's time."""


@dataclass(frozen=True)
class Works:
    """What the jobs are done with; `over` is set when the service stops."""

    app: App
    alert: Alert
    evaluations: Evaluator
    monitor: Monitor
    over: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Listed:
    """A job as people are told of it."""

    name: str
    words: str
    when: When
    at_start: bool = False


def listed(settings: Settings) -> list[Listed]:
    """Every job under these settings."""
    found = [
        Listed(JOB, "Judging a sample of live answers and whatever was flagged", SOON),
        Listed("watch", "Watching live quality, and raising alarms", SOON, at_start=True),
        Listed("calibrate", "Holding the judge against what people said", NIGHT),
    ]
    if settings.golden_minutes:
        every = timedelta(minutes=settings.golden_minutes)
        found.append(Listed("golden", "Running the golden set on the release that serves", every))
    if settings.bigquery_dataset:
        found.append(Listed("export", "Sending the record to BigQuery", SOON))
    return found


def jobs(works: Works) -> dict[str, Job]:
    """The jobs by name."""
    desk, policy = works.app.desk, works.evaluations.policy
    judged: dict[str, LiveJudging] = {}  # what it remembers of one look helps the next, while the judge is the same

    def judge() -> object:
        court = works.evaluations.court()
        if court is None:
            return NOBODY
        if court.judge.identity not in judged:
            judged.clear()
            judged[court.judge.identity] = LiveJudging(desk.ledger, court, policy.sampling, desk.zone, works.over)
        return judged[court.judge.identity].look()

    deeds: dict[str, Callable[[], object]] = {
        JOB: judge,
        "watch": lambda: watch(works.monitor, desk.ledger, works.alert),
        "calibrate": lambda: works.evaluations.calibrate(works.alert),
        "golden": lambda: works.evaluations.golden(works.alert),
        "export": lambda: export(works),
    }
    plan = listed(works.app.settings)
    return {one.name: Job(one.name, one.words, one.when, deeds[one.name], one.at_start) for one in plan}


def watch(monitor: Monitor, ledger: Ledger, alert: Alert) -> str:
    """Raise an alert for each alarm that nobody was told of; raises `RecordUnavailable`."""
    ledger.settle()
    alarms = monitor.look(ledger.clock())
    for one in alarms:
        event = AlertRaised(about=ABOUT, subject=one.series, text=one.text)
        ledger.append_now(event, SERVICE)
        alert(event)
    return f"{len(alarms)} alarms raised"


def export(works: Works) -> object:
    """Send the record to BigQuery; raises what kept a table from it."""
    # Google's clients take a second to import, and most installations export nothing.
    from assistant import exporting  # noqa: PLC0415

    return exporting.job(works.app.settings, works.app.desk.ledger, works.over)


def works_of(app: App) -> Works:
    """What the jobs of a product are done with."""
    evaluations = evaluations_of(app.desk)
    monitor = app.desk.monitor or Monitor(app.desk.ledger, evaluations.policy.quality)
    return Works(app, app.alert, evaluations, monitor)


@contextmanager
def scheduled(works: Works) -> Iterator[None]:
    """While the product serves: its jobs by the clock, where the settings want that."""
    if not works.app.settings.schedule:
        yield
        return
    desk = works.app.desk
    with closing(Schedule(list(jobs(works).values()), desk.ledger, works.alert, desk.zone, works.over)) as schedule:
        schedule.start()
        yield
