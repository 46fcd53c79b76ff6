"""Sends the record to BigQuery: every row once, whatever dies when, and erasures after it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from time import monotonic

from assistant.bigquery import Warehouse
from assistant.bigquery_errors import ExportRefused, Unreachable
from assistant.bigquery_tables import TABLES, VIEWS, Table
from assistant.export_erasures import Erased, Followers
from assistant.export_lane import Lane, Limits, Means
from assistant.export_rows import Maker
from assistant.settings import Settings
from opsplane.errors import InvalidRequest, PlaneError
from opsplane.ledger.outbox import Outbox
from opsplane.ledger.seal import micros
from opsplane.ledger.store import Ledger

JOB = "export"
"""The job's name, and what the one process that sends holds with `exclusive`."""
SECRET = "export"  # noqa: S105 - the name of it
"""What pseudonyms are made with is called so in the vault."""
_LONGEST_PAUSE = 60.0  # seconds


@dataclass(frozen=True)
class Report:
    """What a run sent and erased, and what it could not do.

    `behind` counts the entries that are still to go, of those that were there when it began.
    """

    rows: int
    tables: int
    behind: int
    erased: Erased
    troubles: tuple[ExportRefused | Unreachable, ...] = ()

    def __str__(self) -> str:
        """In words."""
        told = [f"{self.rows} rows to {self.tables} tables, {self.behind} entries behind"]
        if self.erased.finished:
            told.append(f"{self.erased.finished} erasures followed in {self.erased.rows} rows")
        if self.erased.pending:
            told.append(f"{self.erased.pending} erasures pending")
        return ", ".join(told)


@dataclass(frozen=True)
class Planned:
    """What a run would do with a table: add these columns (None: make it), and send so many entries."""

    table: Table
    lacks: tuple[str, ...] | None
    entries: int


class Export:
    """One dataset's lanes. Whoever calls `run` holds the lock of `exclusive`; `words` sends customers' words too."""

    def __init__(self, means: Means, zone: tzinfo, *, words: bool = False) -> None:
        self._means, self._zone, self._words = means, zone, words
        self._lanes = [Lane(means, table) for table in TABLES]
        self._followers = Followers(means.ledger, means.outbox, means.warehouse)

    def run(self) -> Report:
        """Send what is on the record as of now, as long as a run may take; then let erasures follow.

        A table that BigQuery refuses does not hold up the others: why is in the report, and kept for `status`.
        """
        ledger = self._means.ledger
        ledger.settle()
        until, ends = ledger.last(), monotonic() + self._means.limits.seconds
        maker = Maker(ledger.id, ledger.vault.secret(SECRET), self._zone, micros(ledger.clock()))
        rows, erased, lanes = 0, Erased(), self._wanted()
        troubles: list[ExportRefused | Unreachable] = []
        for lane in lanes:
            try:
                rows += lane.send(maker, until if self._sends(lane) else 0, ends)
                if lane.table.words:
                    erased = self._followers.follow(lane.position, sending=self._words)
            except (ExportRefused, Unreachable) as error:
                lane.failed(error)
                troubles.append(error)
                if isinstance(error, Unreachable):  # and so are the other tables
                    break
        behind = sum(lane.behind(until) for lane in lanes if self._sends(lane))
        return Report(rows, len(lanes), behind, erased, tuple(troubles))

    def plan(self) -> list[Planned]:
        """What a run would do; raises `ExportRefused` for a table that is wrong."""
        lanes = [lane for lane in self._wanted() if self._sends(lane)]
        return [Planned(lane.table, self._means.warehouse.lacks(lane.table), lane.behind()) for lane in lanes]

    def views(self) -> list[str]:
        """Make or renew the views; their full names."""
        for lane in self._lanes:
            if not lane.table.words:
                self._means.warehouse.ensure(lane.table)
        return [self._means.warehouse.show(view, TABLES) for view in VIEWS]

    def close(self) -> None:
        """Let go of the connections."""
        for lane in self._lanes:
            lane.close()
        self._means.warehouse.close()

    def _sends(self, lane: Lane) -> bool:
        return self._words or not lane.table.words

    def _wanted(self) -> list[Lane]:
        """The lanes that count; that of words also where they are sent no longer and once were: erasures go on."""
        return [lane for lane in self._lanes if self._sends(lane) or lane.position.done]


@contextmanager
def opened(
    settings: Settings, ledger: Ledger, over: threading.Event | None = None, limits: Limits | None = None
) -> Iterator[Export]:
    """The export that the settings name; raises `InvalidRequest` where they name none."""
    if not settings.bigquery_dataset:
        raise InvalidRequest("OPSPLANE_BIGQUERY_DATASET is empty: there is nothing that the record is exported to.")
    warehouse = Warehouse(settings.cloud, settings.bigquery_dataset)
    means = Means(ledger, Outbox(ledger), warehouse, limits or Limits(), over or threading.Event())
    words = settings.bigquery_words
    with closing(Export(means, settings.zone, words=words)) as export:
        yield export


def job(settings: Settings, ledger: Ledger, over: threading.Event) -> Report:
    """One run by the clock; raises what kept a table from being sent, after the others were."""
    with opened(settings, ledger, over) as export:
        report = export.run()
    if report.troubles:
        raise report.troubles[0]
    return report


def follow(export: Export, over: threading.Event, every: float, tell: Callable[[Report | PlaneError], None]) -> None:
    """Run again and again until `over` is set; after a run that came to nothing the pause grows, up to a minute."""
    pause = every
    while not over.is_set():
        told: Report | PlaneError
        try:
            told = export.run()
        except PlaneError as error:  # the record, or another process: it is tried again as well
            told = error
        tell(told)
        well = isinstance(told, Report) and not told.troubles
        pause = every if well else min(max(pause, every) * 2, _LONGEST_PAUSE)
        over.wait(pause)
