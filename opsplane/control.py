"""What a person may do: one function, one rule, one event. Chat, terminal and scheduler all come through here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from opsplane.access import Actor, Role
from opsplane.errors import InvalidRequest, NotFound, PlaneError
from opsplane.events import CommandRefused, CommandRun, FeedbackGiven
from opsplane.exchange import Exchange
from opsplane.ledger import audit
from opsplane.ledger.audit import AuditPage, AuditQuery
from opsplane.ledger.store import Entry, Ledger
from opsplane.plane import Plane, State
from opsplane.release import Release

STAFF = (Role.OPERATOR, Role.APPROVER)


@dataclass
class Tally:
    """How many rows a reading showed; filled in by the reading itself."""

    rows: int | None = None


@asynccontextmanager
async def recorded(ledger: Ledger, command: str, arguments: str, actor: Actor) -> AsyncIterator[Tally]:
    """Record the command when it is done, or its refusal with the reason; the refusal goes on to the person."""
    tally = Tally()
    try:
        yield tally
    except PlaneError as error:
        refusal = CommandRefused(command=command, arguments=arguments, reason=str(error))
        await ledger.append(refusal, actor)
        raise
    await ledger.append(CommandRun(command=command, arguments=arguments, rows=tally.rows), actor)


async def status(plane: Plane, ledger: Ledger, *, actor: Actor) -> tuple[State, AuditPage]:
    """What serves customers now, and the newest exchanges."""
    async with recorded(ledger, "status", "", actor) as tally:
        actor.must_be(*STAFF)
        state = await asyncio.to_thread(lambda: plane.state)
        latest = await asyncio.to_thread(audit.search, ledger, AuditQuery(size=5))
        tally.rows = len(latest.rows)
    return state, latest


async def releases(plane: Plane, ledger: Ledger, *, actor: Actor) -> State:
    """Every registered release."""
    async with recorded(ledger, "releases", "", actor) as tally:
        actor.must_be(*STAFF)
        state = await asyncio.to_thread(lambda: plane.state)
        tally.rows = len(state.registered)
    return state


async def release(plane: Plane, ledger: Ledger, name: str, *, actor: Actor) -> Release:
    """One release by id or digest; without a name the stable one."""
    async with recorded(ledger, "release", name, actor):
        actor.must_be(*STAFF)
        return await asyncio.to_thread(plane.find, name) if name else await asyncio.to_thread(plane.stable)


async def read_audit(ledger: Ledger, query: AuditQuery, arguments: str, *, actor: Actor) -> AuditPage:
    """A page of exchanges."""
    async with recorded(ledger, "audit", arguments, actor) as tally:
        actor.must_be(Role.REVIEWER)
        page = await asyncio.to_thread(audit.search, ledger, query)
        tally.rows = len(page.rows)
    return page


async def read_exchange(ledger: Ledger, identity: str, *, actor: Actor) -> tuple[Exchange, list[Entry]]:
    """Everything about one turn; the id may be shortened to the beginning that only it has."""
    async with recorded(ledger, "exchange", identity, actor) as tally:
        actor.must_be(Role.REVIEWER)
        if not identity:
            raise InvalidRequest("Which exchange? Give its id, as the table of /audit shows it.")
        whole = await asyncio.to_thread(audit.complete_id, ledger, identity)
        exchange = await asyncio.to_thread(ledger.exchange, whole)
        if exchange is None:
            raise NotFound(f"There is no exchange {identity!r} on the record.")
        tally.rows = 1
    return exchange, await asyncio.to_thread(ledger.story, whole)


async def give_feedback(ledger: Ledger, feedback: FeedbackGiven, *, actor: Actor) -> None:
    """A thumb up or down from the customer whose exchange it is."""
    exchange = await asyncio.to_thread(ledger.exchange, feedback.exchange)
    if exchange is None or exchange.actor.id != actor.id:
        raise NotFound("There is no such answer of yours.")
    await ledger.append(feedback, actor, feedback.exchange)
