"""`/quality`: what is watched about live answers, what fell, and how it went."""

import asyncio

from assistant import quality_panels
from assistant.desk import Command, Desk
from assistant.panels import Panel
from opsplane import control
from opsplane.access import Actor, Role
from opsplane.errors import InvalidRequest

_READERS = (Role.OPERATOR, Role.APPROVER, Role.REVIEWER)


async def _quality(arguments: str, actor: Actor, desk: Desk) -> Panel:
    async with control.recorded(desk.ledger, "quality", arguments, actor, desk.why) as tally:
        actor.must_be(*_READERS)
        query, monitor, at = quality_panels.parse(arguments), desk.monitor, desk.ledger.clock()
        if monitor is None:
            raise InvalidRequest("Live quality is not watched here.")
        await asyncio.to_thread(monitor.look, at)
        found = await asyncio.to_thread(quality_panels.read, monitor, query, desk.zone, at)
        tally.rows = found.whole.exchanges
    return quality_panels.panel(found)


COMMANDS: tuple[Command, ...] = (
    Command(
        "quality",
        "/quality [since=…] [until=…] [topic=…] [by=topic|release|hour|day]",
        "How good live answers are, what fell and after what: scores, safety, time and cost",
        "heart-pulse",
        _READERS,
        _quality,
    ),
)
