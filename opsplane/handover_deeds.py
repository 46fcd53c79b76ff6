"""What customers and staff do about a hand-over to a person: one function, one rule, one event.

Whoever looks and then acts does so alone in this process, and on PostgreSQL in all of them; between processes on one
SQLite file the order on the record decides, and who was second is told.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from opsplane import handover
from opsplane.access import SERVICE, Actor, Role
from opsplane.control import recorded
from opsplane.errors import Conflict, InvalidRequest, NotFound
from opsplane.exchange import Exchange
from opsplane.finding import Action, Finding
from opsplane.guardrails import pii
from opsplane.handover import LOOKERS, STAFF, Handover, Handovers, Stage
from opsplane.handover_board import Board
from opsplane.handover_events import (
    HandoverAsked,
    HandoverClosed,
    HandoverEvent,
    HandoverLapsed,
    HandoverReturned,
    HandoverSaid,
    HandoverTaken,
)
from opsplane.ledger.store import Ledger
from opsplane.requests import alone

LONGEST = 4_000
"""Characters of one message between a customer and a person."""
LONGEST_SUMMARY = 500
PERSON = "person"
"""The fixed reply that tells how to reach a person."""
BY_COMMAND = "customer.asked"
"""The code of a hand-over that the customer asked for by a command."""

Ending = Literal["", "solved", "unsolved"]
ENDINGS: dict[str, Ending] = {"": "", "solved": "solved", "unsolved": "unsolved"}
"""How a staff member may say that it ended."""


@dataclass(frozen=True)
class Place:
    """A customer's hand-over, its number in the queue (0: somebody has taken it), and whether it was just asked for."""

    handover: Handover
    number: int
    new: bool


@dataclass(frozen=True)
class Queue:
    """Who waits, the urgent ones first and then the oldest, and who speaks with whom, at a moment."""

    at: datetime
    waiting: tuple[Handover, ...]
    taken: tuple[Handover, ...]


def wanted(exchange: Exchange) -> Finding | None:
    """The finding of a turn that asks for a person: the most urgent, or the reply that tells how to reach one."""
    found = [one for one in exchange.findings if one.person or (one.action is Action.REPLY and one.reply == PERSON)]
    return next((one for one in found if handover.urgent(one.code)), found[0] if found else None)


def asked(exchange: Exchange, finding: Finding, until: datetime) -> HandoverAsked:
    """What goes on the record where a finding of a turn asks for a person; its words are masked already."""
    return HandoverAsked(
        handover=exchange.id,
        conversation=exchange.conversation,
        customer=exchange.customer,
        exchange=exchange.id,
        code=finding.code,
        urgent=handover.urgent(finding.code),
        until=until.isoformat(),
        summary=exchange.question[:LONGEST_SUMMARY],
    )


async def ask(ledger: Ledger, board: Board, event: HandoverAsked, *, actor: Actor) -> Place:
    """Put a customer into the queue; one who is there already stays, and becomes urgent where this is."""
    actor.must_be(Role.CUSTOMER)
    return await asyncio.to_thread(_ask, ledger, board, event, actor)


async def waiting(ledger: Ledger, board: Board, *, actor: Actor) -> Queue:
    """The queue; nothing of what customers wrote is in it."""
    async with recorded(ledger, "queue", "", actor) as tally:
        actor.must_be(*LOOKERS)
        known, now = await asyncio.to_thread(_known, ledger, board), ledger.clock()
        queue = Queue(now, tuple(handover.waiting(known, now)), tuple(handover.taken(known)))
        tally.rows = len(queue.waiting) + len(queue.taken)
    return queue


async def take(ledger: Ledger, board: Board, identity: str, talk: str, *, actor: Actor) -> Handover:
    """Take a customer over in the conversation `talk`. Of two who do, one has it and the other gets `Conflict`."""
    async with recorded(ledger, "queue", f"take {identity[:64]}", actor):
        actor.must_be(*STAFF)
        if not talk:
            raise InvalidRequest("Customers are taken over in the chat, where you answer them.")
        return await asyncio.to_thread(_take, ledger, board, identity, talk, actor)


async def say(ledger: Ledger, board: Board, one: Handover, text: str, *, actor: Actor) -> None:
    """Pass words on to the other side, masked as everything on the record is; raise `Conflict` where it is over."""
    if not text.strip():
        raise InvalidRequest("There is nothing to pass on.")
    if len(text) > LONGEST:
        raise InvalidRequest(f"A message has at most {LONGEST:,} characters. It was not passed on.")
    await asyncio.to_thread(_say, ledger, board, one, pii.mask(text), actor)


async def leave(ledger: Ledger, board: Board, talk: str, *, actor: Actor) -> Place:
    """Put the customer whom one speaks with here back into the queue, in the old place."""
    async with recorded(ledger, "queue", "leave", actor):
        actor.must_be(*STAFF)
        return await asyncio.to_thread(_leave, ledger, board, talk, actor)


async def end(ledger: Ledger, board: Board, talk: str, customer: str, outcome: Ending, *, actor: Actor) -> Handover:
    """Let the assistant answer again; `customer` is empty for staff. The customer may end what nobody has taken."""
    async with recorded(ledger, "end", outcome, actor):
        actor.must_be(Role.CUSTOMER, *STAFF)
        return await asyncio.to_thread(_end, ledger, board, (talk, customer), outcome, actor)


def lapse(ledger: Ledger, board: Board) -> None:
    """Say on the record which hand-overs nobody took in time, and which have fallen silent."""
    with alone(ledger):
        _lapse(ledger, board)


def _known(ledger: Ledger, board: Board) -> Handovers:
    """The hand-overs with everything that is durable."""
    ledger.settle()
    return board.look(ledger)


def _done(ledger: Ledger, board: Board, event: HandoverEvent, one: str, customer: str, actor: Actor) -> Handovers:
    """Put an event on the record; the hand-overs with it, and with what others did meanwhile."""
    ledger.append_now(event, actor, one, customer)
    return _known(ledger, board)


def _ask(ledger: Ledger, board: Board, event: HandoverAsked, actor: Actor) -> Place:
    with alone(ledger):
        known = _lapse(ledger, board)
        before = handover.of_customer(known, event.conversation, event.customer)
        if before is None or (event.urgent and not before.urgent):
            name = before.id if before else event.handover
            told = event.model_copy(update={"handover": name})
            known = _done(ledger, board, told, name, event.customer, actor)
        one = handover.of_customer(known, event.conversation, event.customer)
    if one is None:
        raise Conflict("This turn has been handed over before. Ask for a person with /person.")
    return Place(one, handover.number(known, one, ledger.clock()), before is None)


def _take(ledger: Ledger, board: Board, identity: str, talk: str, actor: Actor) -> Handover:
    with alone(ledger):
        known = _known(ledger, board)
        one = handover.find(known, identity)
        here = handover.of_staff(known, talk, actor.id)
        if here and here.id != one.id:
            raise Conflict(f"You speak with {here.customer} in this chat: /end or /queue leave first, or open another.")
        _must_be_free(one, actor, ledger.clock())
        event = HandoverTaken(handover=one.id, by=actor.id, talk=talk)
        after = _done(ledger, board, event, one.id, one.customer, actor)[one.id]
    if (after.stage, after.by, after.talk) != (Stage.TAKEN, actor.id, talk):
        raise Conflict(f"{after.by or 'Somebody'} was quicker: {one.short} is not yours.")
    return after


def _must_be_free(one: Handover, actor: Actor, now: datetime) -> None:
    """Raise `Conflict` for one that is over, or that a colleague has and answers."""
    if one.stage is Stage.OVER or one.due(now):
        raise Conflict(f"{one.short} is over: {one.customer} does not wait any longer.")
    if not handover.may_take(one, actor.id, now):
        raise Conflict(f"{one.by} took {one.short} over at {one.since:%H:%M} UTC and answers.")


def _say(ledger: Ledger, board: Board, one: Handover, text: str, actor: Actor) -> None:
    side: Literal["customer", "staff"] = "customer" if actor.role is Role.CUSTOMER else "staff"
    _must_be_on(_known(ledger, board)[one.id], side, actor, "Your message was not passed on.")
    event = HandoverSaid(handover=one.id, side=side, by=actor.id, text=text)
    after = _done(ledger, board, event, one.id, one.customer, actor)[one.id]
    _must_be_on(after, side, actor, "Whether your last message was read is not certain.")


def _must_be_on(one: Handover, side: str, actor: Actor, told: str) -> None:
    if one.stage is not Stage.TAKEN or (side == "staff" and one.by != actor.id):
        raise Conflict(f"The conversation was ended meanwhile. {told}")


def _leave(ledger: Ledger, board: Board, talk: str, actor: Actor) -> Place:
    with alone(ledger):
        one = _mine(_known(ledger, board), talk, actor)
        until = ledger.clock() + board.wait
        event = HandoverReturned(handover=one.id, by=actor.id, until=until.isoformat())
        known = _done(ledger, board, event, one.id, one.customer, actor)
    return Place(known[one.id], handover.number(known, known[one.id], ledger.clock()), False)


def _end(ledger: Ledger, board: Board, whose: tuple[str, str], outcome: Ending, actor: Actor) -> Handover:
    talk, customer = whose
    with alone(ledger):
        known = _known(ledger, board)
        if actor.role is not Role.CUSTOMER:
            one = _mine(known, talk, actor)
            event = HandoverClosed(handover=one.id, side="staff", by=actor.id, outcome=outcome or "ended")
        else:
            found = handover.of_customer(known, talk, customer)
            if found is None:
                raise NotFound("No person has been asked in this conversation. /person asks for one.")
            one, waits = found, found.stage is Stage.WAITING
            ended: Literal["withdrawn", "ended"] = "withdrawn" if waits else "ended"
            event = HandoverClosed(handover=one.id, side="customer", by=actor.id, outcome=ended)
        _done(ledger, board, event, one.id, one.customer, actor)
    return one


def _mine(known: Handovers, talk: str, actor: Actor) -> Handover:
    one = handover.of_staff(known, talk, actor.id)
    if one is None:
        raise NotFound("You speak with no customer in this chat. /queue lists who waits.")
    return one


def _lapse(ledger: Ledger, board: Board) -> Handovers:
    known, now = _known(ledger, board), ledger.clock()
    for one in [one for one in known.values() if one.due(now)]:
        if why := one.due(now):
            event = HandoverLapsed(handover=one.id, why=why)
            known = _done(ledger, board, event, one.id, one.customer, SERVICE)
    return known
