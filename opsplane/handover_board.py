"""Every hand-over of late as of now: read on from where the last look at the record ended."""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from opsplane.event import EventValue
from opsplane.events import EVENTS
from opsplane.events import KINDS as EVERY_KIND
from opsplane.handover import KINDS, Handover, Handovers, Stage, step
from opsplane.ledger.seal import micros
from opsplane.ledger.store import Ledger, Public
from opsplane.ledger.tables import ENTRY

WAIT = timedelta(minutes=30)
"""How long a customer waits for a person before being told how else to reach one."""
LONGEST_WAIT = timedelta(days=1)
_LOOK_BACK = 2 * LONGEST_WAIT  # what began earlier is over
_BATCH = 1_000  # entries of one query
_KEPT = 1_000  # hand-overs that are over and still known


@dataclass(frozen=True)
class News:
    """Something that counted: the event without its words, and the hand-over before (None: it is new) and after it."""

    seq: int
    at: datetime
    event: EventValue
    before: Handover | None
    after: Handover


class Board:
    """Hand-overs by id. On PostgreSQL what is not chained yet is not seen: whoever must know settles the record first.

    `wait` is how long customers wait for a person.
    """

    def __init__(self, wait: timedelta = WAIT) -> None:
        self.wait = min(wait, LONGEST_WAIT)
        self._lock = threading.Lock()
        self._seq = -1
        self._known: Handovers = {}

    def look(self, ledger: Ledger) -> Handovers:
        """The hand-overs as of now."""
        self.news(ledger)
        return self._known

    def news(self, ledger: Ledger) -> list[News]:
        """What came onto the record since the last look, oldest first; of a first look, everything of late."""
        with self._lock:
            if self._seq < 0:
                self._seq = _number_at(ledger, ledger.clock() - _LOOK_BACK)
            told: list[News] = []
            while rows := ledger.follow(self._seq, KINDS, _BATCH):
                known = dict(self._known)  # who was given the old ones keeps them
                told += [one for row in rows if (one := _counted(row, known))]
                self._seq, self._known = rows[-1].seq, _pruned(known)
            return told


def _counted(row: Public, known: dict[str, Handover]) -> News | None:
    """Take an entry in; None where it changes nothing."""
    event = EVENTS.validate_python(EVERY_KIND[row.kind].erased | dict(row.payload))
    name = str(row.payload["handover"])
    before = known.get(name)
    after = step(before, event, row.at)
    if after is None:
        return None
    known[name] = after
    return News(row.seq, row.at, event, before, after)


def _pruned(known: dict[str, Handover]) -> Handovers:
    over = [name for name, one in known.items() if one.stage is Stage.OVER]
    for name in over[:-_KEPT]:
        del known[name]
    return known


def _number_at(ledger: Ledger, at: datetime) -> int:
    """The number of the last entry before that time, by halving: entries are numbered in the order of time, nearly."""
    wanted, low, high = micros(at), 0, ledger.last()
    while low < high:
        middle = (low + high + 1) // 2
        found = ledger.read(select(ENTRY.c.at).where(ENTRY.c.seq >= middle).order_by(ENTRY.c.seq).limit(1))
        low, high = (middle, high) if found and found[0].at < wanted else (low, middle - 1)
    return low
