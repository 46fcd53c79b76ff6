"""Hand-overs to a person, folded from the events on the record. Pure: equal events and times, equal hand-overs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from opsplane.access import Role
from opsplane.errors import InvalidRequest, NotFound
from opsplane.event import EventValue
from opsplane.handover_events import (
    HandoverAsked,
    HandoverClosed,
    HandoverLapsed,
    HandoverReturned,
    HandoverSaid,
    HandoverTaken,
)

STAFF = (Role.OPERATOR, Role.REVIEWER)
"""Who takes customers over."""
LOOKERS = (*STAFF, Role.APPROVER)
"""Who may see that customers wait."""
KINDS = (
    "handover_asked",
    "handover_taken",
    "handover_said",
    "handover_returned",
    "handover_closed",
    "handover_lapsed",
)
"""The kinds of event that hand-overs are folded from."""
URGENT = frozenset({"fraud", "self_harm", "coercion"})
"""Parts of a finding's code that put a customer before all others."""
SILENCE = timedelta(hours=1)
"""A conversation in which neither side says anything for so long is over."""
ABSENT = timedelta(minutes=10)
"""Whom a staff member has not answered for so long, a colleague may take over."""
SHORTEST = 4
"""The fewest characters by which a hand-over may be named."""


class Stage(StrEnum):
    """How far a hand-over is."""

    WAITING = "waiting"  # the assistant still answers
    TAKEN = "taken"  # the customer speaks with a person
    OVER = "over"


@dataclass(frozen=True)
class Handover:
    """One hand-over. `by` and `talk` are the staff member and their conversation, empty while nobody has taken it.

    `since` is when it came to this stage, `spoken` when either side last did something, `answered` when staff did.
    """

    id: str
    conversation: str
    customer: str
    exchange: str
    code: str
    urgent: bool
    at: datetime
    until: datetime
    since: datetime
    spoken: datetime
    answered: datetime
    stage: Stage = Stage.WAITING
    by: str = ""
    talk: str = ""

    @property
    def short(self) -> str:
        """The id as people see and type it."""
        return self.id[:8]

    def due(self, now: datetime) -> Literal["", "nobody", "silence"]:
        """Why it has lapsed by now, or nothing."""
        if self.stage is Stage.WAITING and now >= self.until:
            return "nobody"
        return "silence" if self.stage is Stage.TAKEN and now >= self.spoken + SILENCE else ""


Handovers = Mapping[str, Handover]
"""By id, in the order in which they were asked for."""


def urgent(code: str) -> bool:
    """Whether what a code says puts a customer before all others."""
    return not URGENT.isdisjoint(code.split("."))


def step(before: Handover | None, event: EventValue, at: datetime) -> Handover | None:
    """The hand-over after one more event about it; None where the event changes nothing.

    Of two people who take the same one, the first on the record has it.
    """
    if isinstance(event, HandoverAsked):
        return _asked(before, event, at)
    if before is None or before.stage is Stage.OVER:
        return None
    match event:
        case HandoverTaken():
            return _taken(before, event, at) if may_take(before, event.by, at) else None
        case HandoverSaid(side=side, by=by) if before.stage is Stage.TAKEN and (side == "customer" or by == before.by):
            return replace(before, spoken=at, answered=at if side == "staff" else before.answered)
        case HandoverReturned(by=by, until=until) if before.stage is Stage.TAKEN and by == before.by:
            again = datetime.fromisoformat(until)
            return replace(before, stage=Stage.WAITING, by="", talk="", since=at, until=again)
        case HandoverClosed(side=side, by=by) if side == "customer" or by == before.by:
            return replace(before, stage=Stage.OVER, since=at)
        case HandoverLapsed() if before.due(at):
            return replace(before, stage=Stage.OVER, since=at)
    return None


def may_take(one: Handover, person: str, at: datetime) -> bool:
    """Whether this person may take it now: it waits, it is theirs already, or a colleague has fallen silent."""
    waits = one.stage is Stage.WAITING
    return waits or (one.stage is Stage.TAKEN and (one.by == person or at >= one.answered + ABSENT))


def waiting(known: Handovers, now: datetime) -> list[Handover]:
    """Those that wait, the urgent ones first and then the oldest."""
    found = (one for one in known.values() if one.stage is Stage.WAITING and not one.due(now))
    return sorted(found, key=lambda one: (not one.urgent, one.at))


def number(known: Handovers, wanted: Handover, now: datetime) -> int:
    """The place in the queue, from 1; 0 for one that does not wait."""
    ids = [one.id for one in waiting(known, now)]
    return ids.index(wanted.id) + 1 if wanted.id in ids else 0


def taken(known: Handovers) -> list[Handover]:
    """Those in which a customer speaks with a person, the oldest first."""
    return sorted((one for one in known.values() if one.stage is Stage.TAKEN), key=lambda one: one.since)


def of_customer(known: Handovers, conversation: str, customer: str) -> Handover | None:
    """The customer's hand-over in a conversation that is not over, or None."""
    where = (one for one in known.values() if one.conversation == conversation and one.customer == customer)
    return next((one for one in where if one.stage is not Stage.OVER), None)


def of_staff(known: Handovers, talk: str, person: str) -> Handover | None:
    """The hand-over that a staff member speaks in here, or None."""
    return next((one for one in taken(known) if (one.talk, one.by) == (talk, person)), None)


def find(known: Handovers, beginning: str) -> Handover:
    """The hand-over of that id, which may be shortened; raise `InvalidRequest` or `NotFound` in words."""
    if len(beginning) < SHORTEST:
        raise InvalidRequest(f"Which one? Give its id, as /queue shows it, or at least {SHORTEST} letters of it.")
    found = [one for name, one in known.items() if name.startswith(beginning)]
    if len(found) > 1:
        raise InvalidRequest("Several begin like that; give more of the id.")
    if not found:
        raise NotFound("Nobody of that id waits. /queue lists who does.")
    return found[0]


def _asked(before: Handover | None, event: HandoverAsked, at: datetime) -> Handover | None:
    if before is not None:
        more = before.stage is not Stage.OVER and event.urgent and not before.urgent
        return replace(before, urgent=True, code=event.code) if more else None
    return Handover(
        id=event.handover,
        conversation=event.conversation,
        customer=event.customer,
        exchange=event.exchange,
        code=event.code,
        urgent=event.urgent,
        at=at,
        until=datetime.fromisoformat(event.until),
        since=at,
        spoken=at,
        answered=at,
    )


def _taken(before: Handover, event: HandoverTaken, at: datetime) -> Handover:
    return replace(before, stage=Stage.TAKEN, by=event.by, talk=event.talk, since=at, spoken=at, answered=at)
