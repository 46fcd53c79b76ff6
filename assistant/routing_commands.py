"""`/routing`: how a release chooses between Flash and Pro, and where the last days' turns went."""

import asyncio
from datetime import timedelta

from assistant import routing_panel
from assistant.desk import Command, Desk
from assistant.panels import Panel
from opsplane import control
from opsplane.access import Actor, Role
from opsplane.ledger import routes

_READERS = (Role.OPERATOR, Role.APPROVER, Role.REVIEWER)


async def _routing(arguments: str, actor: Actor, desk: Desk) -> Panel:
    async with control.recorded(desk.ledger, "routing", arguments, actor, desk.why) as tally:
        actor.must_be(*_READERS)
        name = arguments.strip()
        release = await asyncio.to_thread(desk.plane.find, name) if name else await asyncio.to_thread(desk.plane.stable)
        begun = desk.ledger.clock() - timedelta(days=routing_panel.DAYS)
        found = await asyncio.to_thread(routes.since, desk.ledger, release.digest, begun)
        tally.rows = found.number
    return routing_panel.panel(release, found)


COMMANDS: tuple[Command, ...] = (
    Command(
        "routing",
        "/routing [release]",
        "Flash or Pro: the policy in words, where the last week's turns went and why, and what each tier cost",
        "split",
        _READERS,
        _routing,
    ),
)
