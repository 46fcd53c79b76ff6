"""One message in: a command, a question, or words for a person. No exception leaves."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Protocol
from uuid import uuid4

from assistant import commands, conversation, document_panels, handover_chat, release_commands, traced
from assistant.bootstrap import App
from assistant.dropped import Dropped
from assistant.panels import Panel, plain
from opsplane.access import Actor
from opsplane.errors import PlaneError, RecordUnavailable
from opsplane.events import Welcomed
from opsplane.evidence import Evidence, Sentence
from opsplane.exchange import Exchange, Question

log = logging.getLogger(__name__)

MEMORY = 6
"""How many earlier turns of a conversation are looked back on."""

UNRECORDED = (
    "I cannot answer just now because our record is not available, and nothing is answered without a record. "
    "Please try again later, or call 1-800-555-0142. If part of an answer is shown above, please do not rely on it."
)
SORRY = "Something went wrong on our side. Please try again, or call 1-800-555-0142."


class Screen(Protocol):
    """Where a message's effects show: the browser, the terminal, or a test."""

    async def step(self, name: str, detail: str) -> None:
        """A step of the turn ended."""

    async def say(self, sentence: Sentence, evidence: Sequence[Evidence]) -> None:
        """One verified sentence of the answer."""

    async def show(self, panel: Panel) -> None:
        """A command's panel, or an apology."""

    async def done(self, exchange: Exchange) -> None:
        """The turn is complete and on the record."""


async def reply(text: str, actor: Actor, customer: str, talk: str, app: App, screen: Screen) -> Exchange | None:
    """Meet one message of conversation `talk`; the turn, where it was a question and was answered.

    Only cancellation leaves; everything else is told on the screen.
    """
    async with _told_on(screen):
        if text.lstrip().startswith("/"):
            desk = replace(app.desk, step=screen.step)
            await screen.show(await commands.run(text, actor, desk, talk=talk, customer=customer))
        elif panel := await _met(text, actor, customer, talk, app, screen):
            await screen.show(panel)
        else:
            exchange = await ask(text, actor, customer, talk, app, screen)
            await screen.done(exchange)
            return exchange
    return None


async def call_person(exchange: Exchange, actor: Actor, app: App, screen: Screen) -> None:
    """Ask for a person where a turn wants one; only where the conversation stays open, so that one can answer."""
    async with _told_on(screen):
        if panel := await handover_chat.asked_for(exchange, actor, app):
            await screen.show(panel)


async def _met(text: str, actor: Actor, customer: str, talk: str, app: App, screen: Screen) -> Panel | None:
    """What is no question: words for a person, or the reason that a command waits for."""
    passed = await handover_chat.pass_on(text, actor, customer, talk, app)
    return passed or await commands.go_on(text, actor, replace(app.desk, step=screen.step), talk)


async def take_in(files: Sequence[Dropped], typed: str, actor: Actor, talk: str, app: App, screen: Screen) -> None:
    """Files that were dropped into conversation `talk`: releases are registered, documents wait for /ingest.

    That may be what was `typed` beside them. A release that will not do holds up no other.
    """
    for file in (one for one in files if one.is_release):
        async with _told_on(screen):
            await screen.show(await release_commands.register_text(file.text, file.name, actor, app.desk))
    documents = [one for one in files if not one.is_release]
    if not documents:
        return
    async with _told_on(screen):
        waiting = app.desk.tray.put(actor.id, talk, documents, app.clock())
        if typed.lstrip().lower().startswith("/ingest"):
            desk = replace(app.desk, step=screen.step)
            await screen.show(await commands.run(typed, actor, desk, talk=talk))
        else:
            await screen.show(document_panels.waiting(waiting))


@asynccontextmanager
async def _told_on(screen: Screen) -> AsyncIterator[None]:
    """The last door: what goes wrong is told, in words that may be shown."""
    try:
        yield
    except RecordUnavailable:
        log.exception("the record is not available")
        await screen.show(Panel(UNRECORDED))
    except PlaneError as error:
        await screen.show(Panel(plain(str(error))))
    except Exception:
        log.exception("a message could not be met")
        await screen.show(Panel(SORRY))


async def ask(text: str, actor: Actor, customer: str, talk: str, app: App, screen: Screen) -> Exchange:
    """One governed turn; raises what `turn.govern` raises."""
    earlier = await asyncio.to_thread(app.parts.ledger.earlier, talk, customer, MEMORY)
    question = Question(
        id=str(uuid4()),
        conversation=talk,
        customer=customer,
        actor=actor,
        text=text,
        standalone=conversation.standalone(text, earlier),
        earlier=earlier,
        at=app.clock(),
    )
    return await traced.turn(question, app.parts, screen, app.observer)


async def welcomed(actor: Actor, talk: str, app: App) -> str:
    """The first message, that an AI answers; that it was shown is recorded."""
    release = await asyncio.to_thread(app.parts.plane.stable)
    text = release.disclosures.welcome
    await app.parts.ledger.append(Welcomed(conversation=talk, text=text), actor)
    return text
