"""Commands about hand-overs to a person: /queue for staff, /person for customers, /end for both."""

import asyncio
from uuid import uuid4

from assistant import queue_panels
from assistant.desk import Command, Desk
from assistant.panels import Panel
from opsplane import control, handover, handover_context, handover_deeds
from opsplane.access import Actor, Role
from opsplane.errors import Conflict, InvalidRequest
from opsplane.guardrails import pii
from opsplane.handover import LOOKERS, STAFF
from opsplane.handover_deeds import BY_COMMAND, ENDINGS, LONGEST_SUMMARY
from opsplane.handover_events import HandoverAsked

_HOW = (
    "/queue lists who waits; /queue take <id> takes a customer over in this chat; /queue <id> shows once more what "
    "helps to answer; /queue leave puts the customer back."
)
_UNREAD = "The command could not be read."
_BESIDE = frozenset({"queue", "end", "help"})
"""What a staff member can do in the chat in which a customer listens."""


async def must_be_free(command: str, actor: Actor, desk: Desk, talk: str) -> None:
    """Raise `Conflict` where a customer listens in this chat: no answer to a command's question may reach them."""
    if actor.role not in STAFF or not talk or command in _BESIDE:
        return
    known = await asyncio.to_thread(desk.handovers.look, desk.ledger)
    if one := handover.of_staff(known, talk, actor.id):
        async with control.refusals(desk.ledger, command, "", actor):
            raise Conflict(
                f"You speak with {one.customer} in this chat. Open another one for /{command}, or /end first."
            )


async def _queue(given: str, actor: Actor, desk: Desk) -> Panel:
    ledger, board = desk.ledger, desk.handovers
    match given.split():
        case []:
            return queue_panels.queue(await handover_deeds.waiting(ledger, board, actor=actor))
        case ["take", identity]:
            one = await handover_deeds.take(ledger, board, identity, desk.talk, actor=actor)
            return queue_panels.context(await handover_context.read(ledger, board, one.short, actor=actor))
        case ["leave"]:
            return queue_panels.left(await handover_deeds.leave(ledger, board, desk.talk, actor=actor))
        case [identity] if identity != "take":
            return queue_panels.context(await handover_context.read(ledger, board, identity, actor=actor))
    async with control.refusals(ledger, "queue", given[:80], actor, _UNREAD):
        actor.must_be(*LOOKERS)
        raise InvalidRequest(_HOW)


async def _person(given: str, actor: Actor, desk: Desk) -> Panel:
    async with control.recorded(desk.ledger, "person", "", actor):
        actor.must_be(Role.CUSTOMER)
        if not desk.talk:
            raise InvalidRequest("A person is asked in the chat, where they can answer.")
        event = HandoverAsked(
            handover=str(uuid4()),
            conversation=desk.talk,
            customer=desk.customer,
            code=BY_COMMAND,
            until=(desk.ledger.clock() + desk.handovers.wait).isoformat(),
            summary=pii.mask(" ".join(given.split()))[:LONGEST_SUMMARY],
        )
        place = await handover_deeds.ask(desk.ledger, desk.handovers, event, actor=actor)
    return queue_panels.asked(place)


async def _end(given: str, actor: Actor, desk: Desk) -> Panel:
    outcome = ENDINGS.get(given.strip().lower())
    if outcome is None:
        async with control.refusals(desk.ledger, "end", "", actor, _UNREAD):
            raise InvalidRequest("/end ends the conversation with a person; staff may add `solved` or `unsolved`.")
    one = await handover_deeds.end(desk.ledger, desk.handovers, desk.talk, desk.customer, outcome, actor=actor)
    return queue_panels.ended(one, staff=actor.role is not Role.CUSTOMER)


COMMANDS: tuple[Command, ...] = (
    Command("person", "/person [why]", "Ask for a person of the bank in this chat", "user", (Role.CUSTOMER,), _person),
    Command(
        "end",
        "/end [solved | unsolved]",
        "End the conversation with a person; the assistant answers again",
        "log-out",
        (Role.CUSTOMER, *STAFF),
        _end,
    ),
    Command(
        "queue",
        "/queue [take <id> | <id> | leave]",
        "Customers who wait for a person; take one over in this chat",
        "users",
        LOOKERS,
        _queue,
    ),
)
