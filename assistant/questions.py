"""Questions and commands from the terminal: one or many, as a named person, through the same turn as the chat."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant import chat, commands
from assistant.bootstrap import App
from assistant.panels import Panel
from assistant.signin import Person, demo_person
from assistant.terminal import TerminalScreen
from opsplane.errors import InvalidRequest, NotFound
from opsplane.exchange import Exchange

log = logging.getLogger(__name__)


class Line(BaseModel):
    """One line of a questions file."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str
    id: str = ""
    as_: str = Field(alias="as", default="")
    history: tuple[str, ...] = ()


def clock_on(day: str, zone: ZoneInfo) -> Callable[[], datetime]:
    """A clock that stands at noon of a day; raise `InvalidRequest` for anything but YYYY-MM-DD."""
    try:
        noon = datetime.combine(date.fromisoformat(day), time(12), zone).astimezone(UTC)
    except ValueError as error:
        raise InvalidRequest(f"--today: {day!r} is not a date like 2026-11-23") from error
    return lambda: noon


def person(app: App, name: str) -> Person:
    """A person by sign-in name; the demo people are known at the terminal even where they may not sign in."""
    found = app.people.get(name) or demo_person(name)
    if found is None:
        raise NotFound(f"Nobody is called {name!r}. `opsplane people list` shows who is known.")
    return found


async def ask_one(app: App, text: str, name: str, screen: TerminalScreen) -> None:
    """One message of a new conversation, as the chat would meet it."""
    who = person(app, name)
    await chat.reply(text, who.actor, who.customer, str(uuid4()), app, screen)
    await _settled(app)


async def exchange_of(app: App, name: str, conversation: str, text: str) -> Exchange:
    """One governed turn; raises what the turn raises."""
    who = person(app, name)
    screen = TerminalScreen.silent()
    exchange = await chat.ask(text, who.actor, who.customer, conversation, app, screen)
    await _settled(app)
    return exchange


async def _settled(app: App) -> None:
    """A candidate that answers unseen may need longer than the answer that is shown."""
    if app.parts.aftermath:
        await app.parts.aftermath.settle()


async def command(app: App, text: str, name: str) -> Panel:
    """One slash command."""
    return await commands.run(text, person(app, name).actor, app.desk)


def read(file: Path) -> Iterator[Line]:
    """The lines of a questions file; raise `InvalidRequest` with the line's number where one cannot be read."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{file}: cannot be read: {error}") from error
    for number, row in enumerate(text.splitlines(), start=1):
        if not row.strip():
            continue
        try:
            yield Line.model_validate_json(row)
        except ValidationError as error:
            problem = error.errors()[0]
            field = ".".join(str(part) for part in problem["loc"]) or "JSON"
            raise InvalidRequest(f"{file}: line {number}: {field}: {problem['msg']}") from error


async def ask_all(app: App, lines: Iterator[Line], name: str, out: TextIO) -> int:
    """Ask each line in a conversation of its own and print its exchange as one JSON line; how many failed."""
    failed = 0
    for line in lines:
        conversation = str(uuid4())
        for earlier in line.history:
            await exchange_of(app, line.as_ or name, conversation, earlier)
        exchange = await exchange_of(app, line.as_ or name, conversation, line.question)
        failed += exchange.outcome.value == "failed"
        out.write(json.dumps({"line": line.id} | as_json(exchange)) + "\n")
        out.flush()
    return failed


def as_json(exchange: Exchange) -> dict[str, Any]:
    """The whole exchange, with the answer as shown in one piece."""
    marked = (s.text + "".join(f" [{n}]" for n in s.cites) for s in exchange.sentences)
    return {"answer": " ".join(marked)} | exchange.model_dump(mode="json")
