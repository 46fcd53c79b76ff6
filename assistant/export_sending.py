"""One `opsplane export bigquery` from beginning to end, on the terminal."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from assistant import bootstrap, exporting, shell
from assistant.exporting import Export, Planned, Report
from assistant.settings import Settings
from assistant.shell import out
from opsplane.errors import PlaneError
from opsplane.ledger.exclusive import exclusive
from opsplane.ledger.store import Ledger

EVERY = 5.0
"""Seconds between two looks at the record with --follow."""


def send(settings: Settings, *, follow: bool, dry_run: bool) -> int:
    """Send, or say what would be sent; the exit code."""
    with (
        bootstrap.record(settings) as (ledger, _),
        stopped() as over,
        exporting.opened(settings, ledger, over) as export,
    ):
        if not dry_run:
            return _sent(export, ledger, over, follow=follow)
        for one in export.plan():
            out.print(_planned(one), markup=False, highlight=False)
    return shell.FINE


def views(settings: Settings) -> list[str]:
    """Make or renew the views; their full names."""
    with bootstrap.record(settings) as (ledger, _), exporting.opened(settings, ledger) as export:
        return export.views()


def _sent(export: Export, ledger: Ledger, over: threading.Event, *, follow: bool) -> int:
    """Send, unless another process does; the exit code."""
    with exclusive(ledger, exporting.JOB) as alone:
        if not alone:
            out.print("Another process is exporting just now.")
            return shell.FINE
        if follow:
            exporting.follow(export, over, EVERY, _tell)
            return shell.FINE
        report = export.run()
        while report.behind and report.rows and not report.troubles and not over.is_set():  # a run has its time
            _tell(report)
            report = export.run()
    _tell(report)
    if not report.rows and not report.troubles:
        out.print(str(report), markup=False, highlight=False)
    return shell.COULD_NOT if report.troubles or report.behind else shell.FINE


def _tell(told: Report | PlaneError) -> None:
    """What went wrong, and what was sent, if anything was."""
    if isinstance(told, PlaneError):
        shell.complain(str(told))
        return
    for trouble in told.troubles:
        shell.complain(str(trouble))
    if told.rows or told.erased.finished:
        out.print(str(told), markup=False, highlight=False)


def _planned(one: Planned) -> str:
    made = "would be made" if one.lacks is None else "is there"
    if one.lacks:
        made = f"would get the columns {', '.join(one.lacks)}"
    return f"{one.table.name:<10} {made}; {one.entries} entries to send"


@contextmanager
def stopped() -> Iterator[threading.Event]:
    """An event that Ctrl-C and the system's own request to end set, so that a batch under way is ended well."""
    over = threading.Event()
    wanted = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(one, lambda *_: over.set()) for one in wanted]
    try:
        yield over
    finally:
        for one, handler in zip(wanted, before, strict=True):
            signal.signal(one, handler)
