"""Which tier answered, why and at what cost, since a moment: counted in the database, reasons read off the entries."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import case, func, select

from opsplane import routing
from opsplane.exchange import Outcome, Tier
from opsplane.ledger.seal import micros
from opsplane.ledger.tables import ENTRY, EXCHANGE

MOST, _BATCH = 5_000, 500
"""Reasons are read of at most so many turns, the newest, and so many at a time."""


class Record(Protocol):
    """What queries are put to: the ledger."""

    def read(self, statement: Any) -> Sequence[Any]:
        """Run one query; raise `RecordUnavailable` where the database does not answer."""
        ...


@dataclass
class Turns:
    """Some turns: how many, how many of these were answered, and micro-dollars."""

    number: int = 0
    answered: int = 0
    micros: int = 0

    def plus(self, outcome: str, cost: int) -> None:
        """One more."""
        self.number += 1
        self.answered += outcome == Outcome.ANSWERED.value
        self.micros += cost


@dataclass(frozen=True)
class Routes:
    """The turns of a release that a model was asked in, by tier, and `reasons` by tier and rule (`routing.why`).

    Reasons are those of the newest `read` turns; `elsewhere` counts the turns of other releases.
    """

    tiers: Mapping[Tier, Turns]
    elsewhere: int
    reasons: Mapping[tuple[Tier, str], Turns] = field(default_factory=dict)
    read: int = 0

    @property
    def number(self) -> int:
        """How many turns there were."""
        return sum(one.number for one in self.tiers.values())


def since(record: Record, digest: str, at: datetime) -> Routes:
    """What happened from `at` on under a release; raises as `read` does. Its time grows with the turns since then."""
    row, begin = EXCHANGE.c, micros(at)
    mine = row.digest == digest
    where = row.number >= _first(record, begin), row.at >= begin, row.tier != ""
    answered = func.sum(case((row.outcome == Outcome.ANSWERED.value, 1), else_=0))
    sums = select(row.tier, mine, func.count(), answered, func.sum(row.cost_micros)).where(*where)
    rows = record.read(sums.group_by(row.tier, mine))
    tiers = {Tier(one[0]): Turns(*map(int, one[2:])) for one in rows if one[1]}
    reasons = _reasons(record, digest, begin) if tiers else {}
    elsewhere = sum(int(one[2]) for one in rows if not one[1])
    return Routes(tiers, elsewhere, reasons, sum(one.number for one in reasons.values()))


def _first(record: Record, begin: int) -> int:
    """The number of the first exchange since then, found by halves: exchanges are numbered as they came in."""
    ends = record.read(select(func.min(EXCHANGE.c.number), func.max(EXCHANGE.c.number)))[0]
    low, high = int(ends[0] or 0), int(ends[1] or 0)
    while low < high:
        middle = (low + high) // 2
        later = select(EXCHANGE.c.at).where(EXCHANGE.c.number >= middle).order_by(EXCHANGE.c.number).limit(1)
        if record.read(later)[0][0] < begin:
            low = middle + 1
        else:
            high = middle
    return low


def _reasons(record: Record, digest: str, begin: int) -> dict[tuple[Tier, str], Turns]:
    """The reasons of the newest turns, out of the public part of their entries."""
    found: dict[tuple[Tier, str], Turns] = {}
    entry, read, before = ENTRY.c, 0, 0
    newest = select(entry.seq, entry.at, entry.payload).where(entry.kind == "question_answered")
    newest = newest.order_by(entry.seq.desc()).limit(_BATCH)
    while rows := record.read(newest.where(entry.seq < before) if before else newest):
        for row in rows:
            told = json.loads(bytes(row.payload))["exchange"]
            route = told.get("route")
            if route and told["digest"] == digest and row.at >= begin:
                key = Tier(route["tier"]), routing.why(route["reason"])
                found.setdefault(key, Turns()).plus(told["outcome"], told["cost_micros"])
        read += len(rows)
        before = rows[-1].seq
        if read >= MOST or len(rows) < _BATCH or rows[-1].at < begin:
            break
    return found
