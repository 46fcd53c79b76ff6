"""The chat's handlers: what Chainlit calls when people sign in, open a chat, write and leave.

Loaded by path from `web.create`, imported by nobody.
"""

import asyncio
import logging
from typing import cast

import chainlit as cl
from chainlit.chat_context import chat_contexts
from chainlit.data import get_data_layer
from chainlit.step import StepDict
from chainlit.types import CommandDict, ThreadDict
from fastapi import Request, Response

from assistant import chat, commands, handover_chat, herald
from assistant.citations import inert, words
from assistant.history import History, Rating
from assistant.page import Page, open_passage
from assistant.signin import Person
from assistant.web import SERVING
from opsplane import control
from opsplane.access import Actor, Role
from opsplane.errors import PlaneError, RecordUnavailable
from opsplane.events import FeedbackGiven, SignedIn, SignedOut, SignInRefused
from opsplane.ledger.database import connect

log = logging.getLogger(__name__)
SERVED = SERVING.get()
APP = SERVED.app

SIGNED_OUT = "You are signed out. Please reload the page and sign in again."

_STARTERS = {
    Role.CUSTOMER: (
        ("My balances", "What is my balance?", "wallet"),
        ("Overdraft fees", "What does an overdraft cost, and when is there no fee?", "receipt"),
        ("Lost card", "I lost my debit card. What should I do?", "card"),
        ("Wire cut-off", "What is the cut-off time for a domestic wire, and what does it cost?", "clock"),
    ),
    Role.OPERATOR: (
        ("Status", "/status", "pulse"),
        ("Releases", "/releases", "box"),
        ("The rollout", "/rollout", "receipt"),
    ),
    Role.APPROVER: (
        ("What waits for me", "/requests", "list"),
        ("Status", "/status", "pulse"),
        ("The rollout", "/rollout", "receipt"),
    ),
    Role.REVIEWER: (
        ("Latest exchanges", "/audit", "list"),
        ("Declined questions", "/audit outcome=declined", "shield"),
        ("What can I do?", "/help", "help"),
    ),
}


@cl.data_layer
def data_layer() -> History:
    """Chat history, beside the record."""
    return History(connect(APP.settings.database("chat")), APP.people.get, rated)


async def rated(rating: Rating) -> None:
    """Put a thumb on the record, or that it was taken back."""
    person = await asyncio.to_thread(APP.people.get, rating.person)
    if person is None or not rating.exchange:
        return
    event = FeedbackGiven(exchange=rating.exchange, value=rating.value, comment=rating.comment)
    await control.give_feedback(APP.parts.ledger, event, actor=person.actor)


@cl.password_auth_callback
async def sign_in(username: str, password: str) -> cl.User | None:
    """Check a password; that somebody signed in, or tried to, is recorded first."""
    person = await asyncio.to_thread(APP.people.verify, username, password)
    try:
        if person is None:
            await APP.parts.ledger.append(SignInRefused(name=username[:80]), Actor(id="anonymous", role=Role.SERVICE))
            return None
        await APP.parts.ledger.append(SignedIn(), person.actor)
    except RecordUnavailable:
        log.exception("nobody can sign in while the record is not available")
        return None
    return cl.User(identifier=person.name, display_name=person.display, metadata={"session": person.session})


@cl.on_logout
async def sign_out(request: Request, response: Response) -> dict[str, bool]:  # noqa: ARG001 - Chainlit's signature
    """End every session of this person, also those whose tokens were copied."""
    person: Person | None = request.state.person
    if person is not None:
        await asyncio.to_thread(APP.people.sign_out, person.name)
        try:
            await APP.parts.ledger.append(SignedOut(), person.actor)
        except RecordUnavailable:  # the session has ended, and that counts
            log.exception("a sign-out could not be recorded")
    return {"success": True}


@cl.set_starters
async def starters(user: cl.User | None, language: str | None = None) -> list[cl.Starter]:  # noqa: ARG001
    """First things to ask, by role."""
    person = await asyncio.to_thread(APP.people.get, user.identifier) if user else None
    if person is None:
        return []
    chosen = _STARTERS.get(person.role, ())
    return [cl.Starter(label=label, message=text, icon=f"/public/icons/{icon}.svg") for label, text, icon in chosen]


@cl.on_chat_start
async def start() -> None:
    """The first message says that an AI answers; the menu offers this person's commands."""
    person = await _person()
    if person is None:
        return
    await _offer_commands(person)
    try:
        text = await chat.welcomed(person.actor, cl.context.session.thread_id, APP)
        waiting = await handover_chat.waiting(person, APP)
    except RecordUnavailable:
        log.exception("the welcome cannot be recorded")
        text, waiting = chat.UNRECORDED, ""
    await cl.Message("\n\n".join(filter(None, (words(text), waiting))), type="system_message").send()


@cl.on_chat_resume
async def resume(thread: ThreadDict) -> None:
    """A conversation out of the history goes on; who speaks with a customer in it is shown the context once more."""
    person = await _person()
    if person is None:
        return
    await _offer_commands(person)
    try:
        if panel := await handover_chat.still(person, thread["id"], APP):
            thread["steps"].append(cast(StepDict, herald.message(thread["id"], inert(panel.text))))
    except PlaneError:
        log.exception("the context of a hand-over cannot be shown")


@cl.on_message
async def answer(message: cl.Message) -> None:
    """Meet one message; who writes, and in which role, is looked up afresh each time."""
    person = await _person()
    if person is None:
        await cl.Message(SIGNED_OUT).send()
        return
    page, session = Page(APP), cl.context.session
    try:
        with SERVED.herald.meeting(session) as turn:
            if files := SERVED.drops.take(session.id, (message.metadata or {}).get("files", ())):
                await message.update()  # what was typed beside releases gives way to their names
                typed = str((message.metadata or {}).get("typed", ""))
                await chat.take_in(files, typed, person.actor, session.thread_id, APP, page)
            else:
                given, talk = message.content, session.thread_id
                exchange = await chat.reply(given, person.actor, person.customer, talk, APP, page)
                if exchange:
                    await chat.call_person(exchange, person.actor, APP, page)
            turn.command = not page.asked
    except asyncio.CancelledError:
        await page.stopped()
        raise


@cl.on_window_message
async def click(wanted: object) -> None:
    """A click on a citation mark opens its passage; every other message to the window is none of ours."""
    if not isinstance(wanted, dict) or wanted.get("type") != "passage" or await _person() is None:
        return
    history = get_data_layer()
    thread = await history.get_thread(cl.context.session.thread_id) if history else None
    for element in (thread or {}).get("elements") or []:
        if (element["forId"], element["name"]) == (wanted.get("step"), wanted.get("mark")):
            await open_passage(element["name"], element["url"])


@cl.on_chat_end
async def end() -> None:
    """Chainlit would keep every message of a closed page in memory; files that were dropped there are gone too."""
    session = cl.context.session
    chat_contexts.pop(session.id, None)
    SERVED.drops.forget(session.id)
    if session.user:
        APP.desk.tray.empty(session.user.identifier, session.thread_id)


async def _person() -> Person | None:
    """The person behind this page, or None where the session has ended or the person was disabled."""
    token = getattr(cl.context.session, "token", None)
    return await asyncio.to_thread(SERVED.who, token) if token else None


async def _offer_commands(person: Person) -> None:
    menu = [
        CommandDict(
            id=one.name,
            description=one.description,
            icon=one.icon,
            button=False,
            persistent=False,
            selected=False,
        )
        for one in commands.for_role(person.role)
    ]
    await cl.context.emitter.set_commands(menu)
