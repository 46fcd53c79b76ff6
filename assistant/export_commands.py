"""`/exports`: how far the record has come in BigQuery, and the erasures that are still to follow it there."""

import asyncio

from assistant import export_panels
from assistant.desk import Command, Desk
from assistant.panels import Panel
from opsplane import control
from opsplane.access import Actor, Role

_READERS = (Role.OPERATOR, Role.APPROVER, Role.REVIEWER)


async def _exports(arguments: str, actor: Actor, desk: Desk) -> Panel:
    async with control.recorded(desk.ledger, "exports", arguments, actor, desk.why) as tally:
        actor.must_be(*_READERS)
        found = await asyncio.to_thread(export_panels.read, desk.ledger)
        tally.rows = len(found.tables)
    return export_panels.panel(found)


COMMANDS: tuple[Command, ...] = (
    Command(
        "exports",
        "/exports",
        "How far the record has come in BigQuery, and erasures still to follow it there",
        "database",
        _READERS,
        _exports,
    ),
)
