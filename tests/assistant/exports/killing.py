"""Exports that are killed (SIGKILL) in the middle: at any moment, just before a batch is written, and just after.

The exporter runs in a process forked from one that has imported it and opened nothing, since the imports take longer
than a run. Just before and after is seen to by the server, which knows the moment.
"""

import random
import signal
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

from sqlalchemy import select

from assistant import exporting
from assistant.bigquery import CALL_SECONDS, Warehouse
from assistant.bigquery_errors import Where
from assistant.bigquery_writer import Appended, Stream, Streams
from assistant.export_lane import Limits, Means
from assistant.exporting import Export
from assistant.settings import Settings
from opsplane.events import FeedbackGiven
from opsplane.ledger.database import connect
from opsplane.ledger.exclusive import exclusive
from opsplane.ledger.outbox import Outbox
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import OUTBOX
from opsplane.ledger.vault import Vault
from tests import fakes
from tests.assistant.exports.turns import more
from tests.vertex.bigquery import Local

_CONTEXT = get_context("forkserver")
_WAYS = ("at any moment", "kill before", "kill after")
_LIMITS = Limits(entries=3, pause=0.001)
_UNDER_WAY = select(OUTBOX.c.target).where(OUTBOX.c.until > 0)
_ENDS = 30.0  # seconds that a run may take, and an exporter to come up


@dataclass
class Tally:
    """How often an exporter was killed each way, in how many a batch was under way, and what ended streams."""

    killed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_WAYS, 0))
    under_way: int = 0
    ended: int = 0
    survived: int = 0


def opened(settings: Settings) -> tuple[Ledger, Vault]:
    """The record in the settings' folder."""
    clock = fakes.Clock()
    held = fakes.vault(settings.data, clock)
    return Ledger(connect(settings.database("record")), clock, held), held


class AtTheEnd(Stream):
    """Sends a batch to wherever the stream ends, as if no batch could have arrived before."""

    def append(self, offset: int | None, rows: list[bytes]) -> Appended:
        """As `Stream.append`, but for the place."""
        return super().append(None, rows)


class Careless(Streams):
    """Opens streams that are not told of offsets: what a check of exporters has to find out."""

    stream = AtTheEnd


def export(settings: Settings, ready: Any, careful: bool) -> None:
    """One exporter, from its start to its end or its death."""
    ledger, held = opened(settings)
    with closing(held), closing(ledger), exclusive(ledger, exporting.JOB) as alone:
        assert alone
        warehouse = Warehouse(settings.cloud, settings.bigquery_dataset)
        if not careful:
            where = Where(settings.google_project, settings.bigquery_dataset)
            warehouse.streams = Careless(settings.cloud, where, CALL_SECONDS)
        with closing(Export(Means(ledger, Outbox(ledger), warehouse, _LIMITS), settings.zone, words=True)) as sending:
            ready.set()
            report = sending.run()
    assert not report.troubles, report.troubles
    assert not report.behind


class Killing:
    """A record that grows, and its exporters that die."""

    def __init__(self, ledger: Ledger, settings: Settings, server: Local, seed: int, *, careful: bool = True) -> None:
        self._ledger, self._settings, self._server, self._careful = ledger, settings, server, careful
        self._draw, self._turns = random.Random(seed), 0
        self.tally = Tally()
        _CONTEXT.set_forkserver_preload([__name__])

    def kill(self, way: str, *, ends: bool = False) -> bool:
        """Some more turns, and an exporter that is killed as it sends them; where it `ends`, a stream does too.

        False where it had come to its own end before that.
        """
        added = self._draw.randint(4, 9)
        more(self._ledger, added, first=self._turns)
        self._turns += added
        thumb = FeedbackGiven(exchange=f"exchange-{self._turns - 1:04}", value=1)
        self._ledger.append_now(thumb, fakes.CUSTOMER, thumb.exchange, "C-1001")
        ready = _CONTEXT.Event()
        process = _CONTEXT.Process(target=export, args=(self._settings, ready, self._careful))
        process.start()
        if ends:
            self._server.fault(self._draw.choice(("finalised", "gone")), after=self._draw.randint(0, 9))
            self.tally.ended += 1
        if way != "at any moment":
            self._server.fault(way, pid=process.pid, after=self._draw.randint(0, 9))
        assert ready.wait(_ENDS)
        if way == "at any moment":
            process.join(self._draw.uniform(0, 0.5))
            process.kill()
        process.join(_ENDS)
        self._server.well()
        if process.exitcode == -signal.SIGKILL:
            self.tally.killed[way] += 1
        else:
            assert process.exitcode == 0, process.exitcode
            self.tally.survived += 1
        self.tally.under_way += bool(self._ledger.read(_UNDER_WAY))
        return process.exitcode != 0

    def finish(self) -> None:
        """One run that nobody kills."""
        ready = _CONTEXT.Event()
        process = _CONTEXT.Process(target=export, args=(self._settings, ready, self._careful))
        process.start()
        process.join(2 * _ENDS)
        assert process.exitcode == 0


def ways(draw: random.Random, kills: int) -> list[str]:
    """So many ways, each as often as the others, in any order."""
    found = [_WAYS[number % len(_WAYS)] for number in range(kills)]
    draw.shuffle(found)
    return found
