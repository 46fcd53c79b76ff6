"""`/routing`: the policy in words, and where turns went."""

from datetime import timedelta
from typing import Any

import pytest

from assistant import routing_panel
from assistant.desk import Desk
from assistant.panels import Panel
from assistant.routing_commands import COMMANDS
from opsplane import routing
from opsplane.access import Actor
from opsplane.errors import NotFound, Refused
from opsplane.events import CommandRun
from opsplane.exchange import Outcome, Tier
from opsplane.ledger.routes import Routes, Turns
from opsplane.routing import RULES
from tests import fakes
from tests.opsplane.ledger.test_routes import LONG, turn


@pytest.fixture
def record_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/record.db"


async def run(desk: Desk, arguments: str = "", actor: Actor = fakes.OPERATOR) -> Panel:
    (command,) = COMMANDS
    return await command.run(arguments, actor, desk)


async def test_the_policy_is_told_in_words_before_any_turn(desk: Desk) -> None:
    panel = await run(desk)
    assert "Questions of 40 words or more go to Pro" in panel.text
    assert "No turn of the last 7 days on this release came to a model." in panel.text


async def test_shares_reasons_escalations_and_costs_are_told(desk: Desk) -> None:
    await turn(desk.ledger, 1, Tier.FLASH, routing.PLAIN)
    await turn(desk.ledger, 2, Tier.FLASH, routing.PLAIN)
    await turn(desk.ledger, 3, Tier.PRO, LONG)
    await turn(desk.ledger, 4, Tier.PRO, routing.ESCALATED.format(1), Outcome.ABSTAINED)
    text = (await run(desk)).text.replace("\\", "")
    assert "| flash | 2 | 50.0 % | 2 | $0.000300 | $0.000150 |" in text
    assert "| pro | 2 | 50.0 % | 1 | $0.000700 | $0.000350 |" in text
    assert "1 (25.0 %) were tried on Pro after Flash; 0 of them were answered so." in text
    assert "| pro | a long question | 1 | 25.0 % | 1 | $0.000300 | $0.000300 |" in text


async def test_a_week_ago_is_too_long_ago(desk: Desk) -> None:
    await turn(desk.ledger, 1, Tier.FLASH, routing.PLAIN)
    desk.ledger.clock.at = fakes.NOON + timedelta(days=8)  # type: ignore[attr-defined]  # the tests' own clock
    assert "No turn of the last 7 days" in (await run(desk)).text


async def test_reading_it_is_on_the_record(desk: Desk) -> None:
    await turn(desk.ledger, 1, Tier.FLASH, routing.PLAIN)
    await run(desk, "test-1")
    (entry,) = desk.ledger.events(["command_run"])
    assert entry.event == CommandRun(command="routing", arguments="test-1", rows=1, why="case 4711")


async def test_customers_and_unknown_releases_are_refused(desk: Desk) -> None:
    with pytest.raises(Refused):
        await run(desk, actor=fakes.CUSTOMER)
    with pytest.raises(NotFound):
        await run(desk, "no-such-release")
    assert len(desk.ledger.events(["command_refused"])) == 2


def told(**changes: Any) -> str:
    known: dict[str, Any] = {"tiers": {Tier.FLASH: Turns(9, 9, 0)}, "elsewhere": 0} | changes
    return routing_panel.panel(fakes.release(), Routes(**known)).text.replace("\\", "")


def test_tiers_that_cost_nothing_are_said_to() -> None:
    assert "Neither tier has cost anything" in told()


def test_where_reasons_are_of_some_turns_only_that_is_said() -> None:
    text = told(reasons={(Tier.FLASH, "plain"): Turns(4, 4, 0)}, read=4, elsewhere=3)
    assert "Reasons are those of 4 turns" in text
    assert "3 turns were on other releases." in text


@pytest.mark.parametrize("name", [*(rule.name for rule in RULES), "plain", "budget", "escalated", "other"])
def test_every_reason_has_words(name: str) -> None:
    assert "| pro |" in told(reasons={(Tier.PRO, name): Turns(1, 1, 0)}, read=1)
