"""A message of somebody who speaks with a person, or should: it goes to the other side instead of the assistant."""

import asyncio

from assistant import queue_panels
from assistant.bootstrap import App
from assistant.panels import Panel
from assistant.signin import Person
from opsplane import handover, handover_context, handover_deeds
from opsplane.access import Actor, Role
from opsplane.exchange import Exchange
from opsplane.handover import STAFF, Stage


def display(app: App, name: str) -> str:
    """How people are told who a staff member is."""
    person = app.people.get(name)
    return person.display if person else name


async def pass_on(text: str, actor: Actor, customer: str, talk: str, app: App) -> Panel | None:
    """Pass a plain message on to the person, or the customer, whom it is for; None where it is the assistant's.

    Raises `InvalidRequest` for one that is too long, `Conflict` where the conversation has just ended.
    """
    ledger, board = app.desk.ledger, app.desk.handovers
    if actor.role not in (Role.CUSTOMER, *STAFF):
        return None
    known = await asyncio.to_thread(board.look, ledger)
    theirs = actor.role is Role.CUSTOMER
    one = handover.of_customer(known, talk, customer) if theirs else handover.of_staff(known, talk, actor.id)
    if one is None or one.stage is not Stage.TAKEN:
        return None
    await handover_deeds.say(ledger, board, one, text, actor=actor)
    return queue_panels.passed_on(await asyncio.to_thread(display, app, one.by) if theirs else one.customer)


async def asked_for(exchange: Exchange, actor: Actor, app: App) -> Panel | None:
    """Ask for a person where a turn's finding wants one; None where none does, or nobody could answer here."""
    finding, desk = handover_deeds.wanted(exchange), app.desk
    if finding is None or actor.role is not Role.CUSTOMER or not exchange.conversation:
        return None
    event = handover_deeds.asked(exchange, finding, desk.ledger.clock() + desk.handovers.wait)
    return queue_panels.asked(await handover_deeds.ask(desk.ledger, desk.handovers, event, actor=actor))


async def still(person: Person, talk: str, app: App) -> Panel | None:
    """The context once more where a staff member comes back to the chat in which they speak with a customer."""
    if person.role not in STAFF:
        return None
    known = await asyncio.to_thread(app.desk.handovers.look, app.desk.ledger)
    one = handover.of_staff(known, talk, person.name)
    if one is None:
        return None
    context = await handover_context.read(app.desk.ledger, app.desk.handovers, one.short, actor=person.actor)
    return queue_panels.context(context)


async def waiting(person: Person, app: App) -> str:
    """To staff who open a chat: that customers wait, or nothing."""
    if person.role not in STAFF:
        return ""
    known = await asyncio.to_thread(app.desk.handovers.look, app.desk.ledger)
    number = len(handover.waiting(known, app.desk.ledger.clock()))
    return f"{number} customers wait for a person: `/queue`" if number > 1 else _ONE if number else ""


_ONE = "One customer waits for a person: `/queue`"
