"""What a person may do: one function, one rule, one event. Chat, terminal and scheduler all come through here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from opsplane.access import Actor, Role
from opsplane.errors import InvalidRequest, NotFound, PlaneError
from opsplane.events import CommandRefused, CommandRun, FeedbackGiven
from opsplane.ledger import audit
from opsplane.ledger.audit import AuditPage, AuditQuery
from opsplane.ledger.store import Ledger
from opsplane.plane import Plane
from opsplane.release import Release
from opsplane.state import State

STAFF = (Role.OPERATOR, Role.APPROVER)


@dataclass
class Tally:
    """How many rows a reading showed; filled in by the reading itself."""

    rows: int | None = None


@asynccontextmanager
async def refusals(ledger: Ledger, command: str, arguments: str, actor: Actor, unread: str = "") -> AsyncIterator[None]:
    """Record a refusal with the reason; it goes on to the person.

    What is recorded as the reason stays readable for good. Where it may quote what was typed, `unread` is recorded
    instead.
    """
    try:
        yield
    except PlaneError as error:
        reason = unread if unread and isinstance(error, InvalidRequest) else str(error)
        await ledger.append(CommandRefused(command=command, arguments=arguments, reason=reason), actor)
        raise


@asynccontextmanager
async def recorded(ledger: Ledger, command: str, arguments: str, actor: Actor, why: str = "") -> AsyncIterator[Tally]:
    """Record the command when it is done, or its refusal; `why` is the reason that was given for reading."""
    tally = Tally()
    async with refusals(ledger, command, arguments, actor):
        yield tally
    await ledger.append(CommandRun(command=command, arguments=arguments, rows=tally.rows, why=why), actor)


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


async def give_feedback(ledger: Ledger, feedback: FeedbackGiven, *, actor: Actor) -> None:
    """A thumb up or down from the customer whose exchange it is."""
    exchange = await asyncio.to_thread(ledger.exchange, feedback.exchange)
    if exchange is None or exchange.actor.id != actor.id:
        raise NotFound("There is no such answer of yours.")
    await ledger.append(feedback, actor, feedback.exchange, exchange.customer)
