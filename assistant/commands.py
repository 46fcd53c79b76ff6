"""Slash commands: what is typed or picked becomes one call into `opsplane.control`."""

import difflib
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import ValidationError

from assistant import panels
from assistant.panels import Panel
from opsplane import control
from opsplane.access import Actor, Role
from opsplane.errors import InvalidRequest, NotFound
from opsplane.ledger.audit import AuditQuery
from opsplane.ledger.store import Ledger
from opsplane.plane import Plane

MOST_ROWS = 10_000
"""At most so many rows go into one CSV file."""


@dataclass(frozen=True)
class Desk:
    """What commands work on."""

    plane: Plane
    ledger: Ledger


@dataclass(frozen=True)
class Command:
    """One slash command; `roles` empty means everybody."""

    name: str
    usage: str
    description: str
    icon: str  # a Lucide icon name
    roles: tuple[Role, ...]
    run: Callable[[str, Actor, Desk], Awaitable[Panel]]

    def open_to(self, role: Role) -> bool:
        """Whether people of this role may run it."""
        return not self.roles or role in self.roles


async def _help(_arguments: str, actor: Actor, desk: Desk) -> Panel:
    async with control.recorded(desk.ledger, "help", "", actor):
        rows = [(one.usage, one.description) for one in for_role(actor.role)]
    text = "Type a question, or one of these commands:" if len(rows) > 1 else "Just type your question."
    return Panel(f"### What you can do here\n\n{text}\n\n{panels.table(('Command', 'What it does'), rows)}")


async def _status(_arguments: str, actor: Actor, desk: Desk) -> Panel:
    return panels.status(*await control.status(desk.plane, desk.ledger, actor=actor))


async def _releases(_arguments: str, actor: Actor, desk: Desk) -> Panel:
    return panels.releases(await control.releases(desk.plane, desk.ledger, actor=actor))


async def _release(arguments: str, actor: Actor, desk: Desk) -> Panel:
    return panels.release(await control.release(desk.plane, desk.ledger, arguments.strip(), actor=actor))


async def _audit(arguments: str, actor: Actor, desk: Desk) -> Panel:
    query = await _query(arguments, actor, desk)
    page = await control.read_audit(desk.ledger, query, arguments, actor=actor)
    everything = query.model_copy(update={"page": 1, "size": MOST_ROWS})
    rows = page.rows
    if page.total > len(rows):
        rows = (await control.read_audit(desk.ledger, everything, f"{arguments} (csv)", actor=actor)).rows
    return panels.audit(page, arguments, rows)


async def _exchange(arguments: str, actor: Actor, desk: Desk) -> Panel:
    return panels.exchange(*await control.read_exchange(desk.ledger, arguments.strip(), actor=actor))


_STAFF = control.STAFF
COMMANDS = {
    one.name: one
    for one in (
        Command("help", "/help", "What you can do here", "circle-help", (), _help),
        Command("status", "/status", "What serves customers now", "activity", _STAFF, _status),
        Command("releases", "/releases", "Every registered release", "package", _STAFF, _releases),
        Command("release", "/release [id or digest]", "What a release contains", "package-open", _STAFF, _release),
        Command(
            "audit",
            "/audit [customer=…] [since=2026-11-01] [until=…] [outcome=…] [release=…] [rule=…] [text=…] [page=…]",
            "Search the record; the table can be downloaded as CSV",
            "list-filter",
            (Role.REVIEWER,),
            _audit,
        ),
        Command("exchange", "/exchange <id>", "Everything about one turn", "file-search", (Role.REVIEWER,), _exchange),
    )
}


def for_role(role: Role) -> list[Command]:
    """The commands that people of this role may run."""
    return [one for one in COMMANDS.values() if one.open_to(role)]


async def run(text: str, actor: Actor, desk: Desk) -> Panel:
    """Run what was typed after the slash; raise `PlaneError` where it cannot be, and record that."""
    name, _, arguments = text.strip().removeprefix("/").partition(" ")
    command = COMMANDS.get(name.lower())
    if command is None:
        async with control.recorded(desk.ledger, name[:40], arguments[:200], actor):
            raise NotFound(_nearest(name, actor))
    return await command.run(arguments, actor, desk)


def _nearest(name: str, actor: Actor) -> str:
    allowed = [one.name for one in for_role(actor.role)]
    near = difflib.get_close_matches(name.lower(), allowed, n=1, cutoff=0.5)
    hint = f" Did you mean /{near[0]}?" if near else ""
    return f"There is no command /{name[:40]}.{hint} /help lists what you can do."


async def _query(arguments: str, actor: Actor, desk: Desk) -> AuditQuery:
    try:
        return parse_query(arguments)
    except InvalidRequest:
        async with control.recorded(desk.ledger, "audit", arguments[:200], actor):
            actor.must_be(Role.REVIEWER)
            raise


def parse_query(arguments: str) -> AuditQuery:
    """`name=value` filters as an `AuditQuery`; raise `InvalidRequest` that names the filter and its values."""
    fields = [name for name in AuditQuery.model_fields if name != "size"]
    values: dict[str, str] = {}
    try:
        words = shlex.split(arguments)
    except ValueError as error:
        raise InvalidRequest(f"A quotation mark is not closed in: {arguments[:80]}") from error
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in fields:
            raise InvalidRequest(f"{word[:40]!r} is not a filter. Filters: {', '.join(f'{f}=…' for f in fields)}")
        values[name] = value
    try:
        return AuditQuery.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        raise InvalidRequest(f"{problem['loc'][0]}={problem['input']}: {problem['msg']}") from error
