"""`/cost`: what was spent, where the month will end, and how the budgets stand."""

import asyncio

from assistant import cost_panel
from assistant.desk import Command, Desk
from assistant.panels import Panel
from opsplane import control
from opsplane.access import Actor, Role

_READERS = (Role.OPERATOR, Role.APPROVER, Role.REVIEWER)


async def _cost(arguments: str, actor: Actor, desk: Desk) -> Panel:
    async with control.recorded(desk.ledger, "cost", arguments, actor, desk.why) as tally:
        actor.must_be(*_READERS)
        query = cost_panel.parse(arguments)
        at = desk.ledger.clock()
        found = await asyncio.to_thread(cost_panel.read, desk.ledger, query, desk.zone, at)
        standings = await asyncio.to_thread(desk.budget.standings, query.customer, at)
        tally.rows = len(found.report.rows)
    return cost_panel.panel(found, standings)


COMMANDS: tuple[Command, ...] = (
    Command(
        "cost",
        "/cost [by=day|month|customer|release|model|purpose] [since=…] [until=…] [customer=…] [release=…] [model=…] "
        "[purpose=…]",
        "What it cost, where the month will end, and how the budgets stand",
        "coins",
        _READERS,
        _cost,
    ),
)
