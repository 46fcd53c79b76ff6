"""What keeps customers' words, and how far each erasure has come, folded from the events on the record. Pure.

What protects acts at once; what destroys, or ends a protection, waits for a second person.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from opsplane import approval
from opsplane.access import Actor
from opsplane.approval import Requests, State
from opsplane.custody_events import (
    CustomerErased,
    ErasureBegun,
    ErasureKeysDestroyed,
    ErasureStopped,
    RetentionApplied,
    RetentionBegun,
    RetentionSet,
)
from opsplane.ledger.store import Entry

KINDS = (
    *approval.KINDS,
    "erasure_begun",
    "erasure_stopped",
    "erasure_keys_destroyed",
    "customer_erased",
    "retention_set",
)
"""The kinds of event that decide what is kept."""
RUNS = ("retention_begun", "retention_applied")
"""The kinds of event of retention runs; long, for they name every key."""
YEARS = 7
"""So long content is kept where nobody has lengthened it."""
HOLD, RELEASE, ERASE, RETENTION = "hold", "release_hold", "erase", "retention"
"""The actions, as they stand on the record."""


@dataclass(frozen=True)
class Hold:
    """Nothing of this customer may be destroyed. `confirmed` by a second person, or still to be."""

    id: str  # of the request that placed it
    customer: str
    by: Actor
    since: datetime
    reason: str
    confirmed: bool

    def __str__(self) -> str:
        """Since when and by whom, for a refusal."""
        unconfirmed = "" if self.confirmed else ", not confirmed yet"
        return f"{self.id}, since {self.since:%Y-%m-%d %H:%M} UTC by {self.by.id}{unconfirmed}"


class Stage(StrEnum):
    """How far an erasure has come since it was approved."""

    BEGUN = "begun"
    STOPPED = "stopped"  # a hold was on the record before it began
    DONE = "done"


@dataclass(frozen=True)
class Erasure:
    """An erasure that was begun; `holds` are those that were in force by then: with any it must not go on."""

    request: str
    customer: str
    stage: Stage
    keys: tuple[str, ...]
    holds: tuple[Hold, ...] = ()
    destroyed: bool = False  # the keys are
    told: bool = False  # that it is done, or was stopped, is on the record
    at: datetime | None = None
    result: CustomerErased | None = None


@dataclass(frozen=True)
class Protection:
    """What the events so far amount to."""

    requests: Requests
    holds: tuple[Hold, ...]
    erasures: dict[str, Erasure]
    years: int
    settled: frozenset[str]  # the requests whose retention is set

    def holding(self, customer: str) -> tuple[Hold, ...]:
        """The holds that a customer is under."""
        return tuple(one for one in self.holds if one.customer == customer)

    @property
    def years_kept(self) -> int:
        """So many years are kept as of now: a lengthening that is still to be decided protects already."""
        asked = (one for one in self.requests.values() if one.action == RETENTION)
        kept = [int(one.details["years"]) for one in asked if one.state in (State.OPEN, State.APPROVED)]
        return max([self.years, *kept])


def fold(entries: Iterable[Entry], now: datetime) -> Protection:
    """The protection after these events."""
    requests: Requests = {}
    erasures: dict[str, Erasure] = {}
    years, settled = YEARS, set()
    for entry in entries:
        match entry.event:
            case ErasureBegun() | ErasureKeysDestroyed() | ErasureStopped() | CustomerErased() as event:
                erasures[event.request] = _erasure(erasures.get(event.request), event, entry, requests)
            case RetentionSet(request=request, years=wanted):
                years = max(years, wanted)
                settled.add(request)
            case _:
                approval.step(requests, entry)
    current = {name: approval.lapsed(one, now) for name, one in requests.items()}
    return Protection(current, holds(current), erasures, years, frozenset(settled))


def cut_off(entries: Iterable[Entry]) -> list[RetentionBegun]:
    """Retention runs that were begun and not ended, from the events of the kinds `RUNS`."""
    begun: dict[str, RetentionBegun] = {}
    for entry in entries:
        match entry.event:
            case RetentionBegun(run=run) as event:
                begun[run] = event
            case RetentionApplied(run=run):
                begun.pop(run, None)
    return list(begun.values())


def holds(requests: Requests) -> tuple[Hold, ...]:
    """The holds in force: placed, not rejected, and not released by two people."""
    released = {
        name
        for one in requests.values()
        if one.action == RELEASE and one.state is State.APPROVED
        for name in one.details["holds"].split()
    }
    placed = (one for name, one in requests.items() if one.action == HOLD and name not in released)
    return tuple(
        Hold(one.id, one.subject, one.maker, one.at, one.reason, one.state is State.APPROVED)
        for one in placed
        if one.state in (State.OPEN, State.APPROVED)
    )


def _erasure(
    before: Erasure | None,
    event: ErasureBegun | ErasureKeysDestroyed | ErasureStopped | CustomerErased,
    entry: Entry,
    requests: Requests,
) -> Erasure:
    match event:
        case ErasureBegun() if before is None:
            held = tuple(one for one in holds(requests) if one.customer == event.customer)
            stage = Stage.STOPPED if held else Stage.BEGUN
            return Erasure(event.request, event.customer, stage, event.keys, held)
        case ErasureKeysDestroyed() if before is not None:
            return replace(before, keys=tuple(sorted({*before.keys, *event.keys})), destroyed=True)
        case CustomerErased():
            return Erasure(event.request, event.customer, Stage.DONE, event.keys, (), True, True, entry.at, event)
        case ErasureStopped():
            known = before or Erasure(event.request, event.customer, Stage.STOPPED, ())
            return replace(known, stage=Stage.STOPPED, told=True, at=entry.at)
    return before or Erasure(event.request, event.customer, Stage.BEGUN, event.keys)
