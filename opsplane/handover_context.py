"""What a staff member is shown of a customer whom they took over; that it was read is on the record."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from opsplane import handover
from opsplane.access import Actor
from opsplane.control import recorded
from opsplane.errors import Refused
from opsplane.exchange import Exchange
from opsplane.handover import STAFF, Handover, Stage
from opsplane.handover_board import Board
from opsplane.handover_events import HandoverAsked, HandoverSaid
from opsplane.ledger.seal import moment
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import EXCHANGE

TURNS = 6
"""So many of the conversation's last turns are shown."""


@dataclass(frozen=True)
class Turn:
    """A turn between the customer and the assistant; `answer` is empty where nothing was shown."""

    at: datetime
    outcome: str
    question: str
    answer: str


@dataclass(frozen=True)
class Line:
    """What one side said since a person took over."""

    seq: int
    at: datetime
    event: HandoverSaid


@dataclass(frozen=True)
class Context:
    """A hand-over with the turn that it came of (None: asked for by a command), the last turns, and what was said."""

    handover: Handover
    summary: str
    exchange: Exchange | None
    turns: tuple[Turn, ...]
    said: tuple[Line, ...]


async def read(ledger: Ledger, board: Board, identity: str, *, actor: Actor) -> Context:
    """The context of a customer whom the actor has taken over; raise `Refused` for any other."""
    async with recorded(ledger, "queue", identity[:64], actor, f"hand-over {identity[:64]}") as tally:
        actor.must_be(*STAFF)
        known = await asyncio.to_thread(board.look, ledger)
        one = handover.find(known, identity)
        if one.stage is not Stage.TAKEN or one.by != actor.id:
            raise Refused(f"Only who has taken {one.short} over reads it: /queue take {one.short}")
        context = await asyncio.to_thread(_context, ledger, one)
        tally.rows = len(context.turns) + len(context.said)
    return context


def lines(ledger: Ledger, identity: str) -> list[Line]:
    """What was said in a hand-over, oldest first."""
    story = ledger.story(identity)
    return [Line(entry.seq, entry.at, entry.event) for entry in story if isinstance(entry.event, HandoverSaid)]


def _context(ledger: Ledger, one: Handover) -> Context:
    asked = [entry.event for entry in ledger.story(one.id) if isinstance(entry.event, HandoverAsked)]
    return Context(
        handover=one,
        summary=next((event.summary for event in asked if event.summary), ""),
        exchange=ledger.exchange(one.exchange) if one.exchange else None,
        turns=tuple(_turns(ledger, one)),
        said=tuple(lines(ledger, one.id)),
    )


def _turns(ledger: Ledger, one: Handover) -> list[Turn]:
    """The last turns, oldest first, however they ended."""
    columns = EXCHANGE.c.id, EXCHANGE.c.key, EXCHANGE.c.sealed, EXCHANGE.c.at, EXCHANGE.c.outcome
    where = EXCHANGE.c.conversation == one.conversation, EXCHANGE.c.customer == one.customer
    rows = ledger.read(select(*columns).where(*where).order_by(EXCHANGE.c.number.desc()).limit(TURNS))
    told = ledger.contents(rows)
    turns = ((row, told[row.id]) for row in reversed(rows))
    return [Turn(moment(row.at), row.outcome, words.question, words.answer) for row, words in turns]
