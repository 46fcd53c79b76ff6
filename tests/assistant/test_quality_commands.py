"""`/quality` is for staff who decide, and running it is on the record."""

from dataclasses import replace
from datetime import timedelta

import pytest

from assistant import quality_commands
from assistant.desk import Desk
from opsplane.access import Actor
from opsplane.errors import InvalidRequest, Refused
from opsplane.events import CommandRefused, CommandRun, QuestionAnswered
from opsplane.exchange import Outcome
from opsplane.policy import QualityWatch
from opsplane.quality.monitor import Monitor
from tests import fakes
from tests.opsplane.ledger.test_store import exchange


async def run(desk: Desk, arguments: str = "", actor: Actor = fakes.OPERATOR) -> str:
    [command] = quality_commands.COMMANDS
    watched = replace(desk, monitor=Monitor(desk.ledger, QualityWatch()))
    return (await command.run(arguments, actor, watched)).text


@pytest.mark.parametrize("actor", [fakes.OPERATOR, fakes.APPROVER, fakes.REVIEWER])
async def test_staff_see_it_and_it_is_on_the_record(desk: Desk, actor: Actor) -> None:
    at = desk.ledger.clock() - timedelta(hours=1)
    done = exchange("e1", outcome=Outcome.ANSWERED, topic="fees", at=at)
    await desk.ledger.append(QuestionAnswered(exchange=done), fakes.CUSTOMER, done.id, done.customer)
    desk.ledger.settle()
    assert "**1 exchanges** of about 1 customers" in await run(desk, actor=actor)
    [entry] = desk.ledger.events(["command_run"])
    assert isinstance(entry.event, CommandRun)
    assert (entry.event.command, entry.event.rows) == ("quality", 1)


async def test_customers_are_refused(desk: Desk) -> None:
    with pytest.raises(Refused):
        await run(desk, actor=fakes.CUSTOMER)


async def test_what_cannot_be_read_is_refused_in_words(desk: Desk) -> None:
    with pytest.raises(InvalidRequest, match="by=week"):
        await run(desk, "by=week")
    [entry] = desk.ledger.events(["command_refused"])
    assert isinstance(entry.event, CommandRefused)
