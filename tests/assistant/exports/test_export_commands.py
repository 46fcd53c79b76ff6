"""`/exports`: staff see how far the record has come in BigQuery, and which erasures wait."""

import pytest

from assistant import export_commands
from assistant.bigquery_tables import EXCHANGES
from assistant.desk import Desk
from opsplane.access import Actor
from opsplane.custody_events import ErasureKeysDestroyed
from opsplane.errors import Refused
from opsplane.events import CommandRun
from opsplane.ledger.outbox import Outbox, Position
from tests import fakes
from tests.assistant.exports.turns import more

WORDS = "p.d.words"


async def panel(desk: Desk, actor: Actor = fakes.OPERATOR) -> str:
    [command] = export_commands.COMMANDS
    return (await command.run("", actor, desk)).text.replace("\\", "")


@pytest.mark.parametrize("actor", [fakes.OPERATOR, fakes.APPROVER, fakes.REVIEWER])
async def test_before_anything_is_sent_it_says_how(desk: Desk, actor: Actor) -> None:
    assert "Nothing was sent anywhere yet. OPSPLANE_BIGQUERY_DATASET names a dataset" in await panel(desk, actor)
    [entry] = desk.ledger.events(["command_run"])
    assert isinstance(entry.event, CommandRun)
    assert (entry.event.command, entry.event.rows) == ("exports", 0)


async def test_it_tells_how_far_behind_each_table_is_and_what_is_wrong(desk: Desk) -> None:
    more(desk.ledger, 2)
    outbox = Outbox(desk.ledger)
    first = outbox.after(0, EXCHANGES.kinds, 1, desk.ledger.last())[0]
    begun = outbox.begin(Position("p.d.exchanges"), "stream", 0)
    outbox.acknowledge(outbox.intend(begun, first.seq, 1))
    outbox.note("p.d.events", "The export may not create table events.")
    told = await panel(desk)
    assert f"| exchanges | 1 | 2026-11-23 17:00:00 | {first.seq} | 1 | 2026-11-23 17:00:00 |" in told
    assert "**events:** The export may not create table events." in told
    assert "No erasure had to follow." in told


async def test_pending_erasures_are_told_with_the_reason(desk: Desk) -> None:
    outbox = Outbox(desk.ledger)
    outbox.begin(Position(WORDS), "stream", 0)
    event = ErasureKeysDestroyed(request="r-1", customer="C", keys=("k",))
    desk.ledger.append_now(event, fakes.REVIEWER, subject="C")
    desk.ledger.settle()
    (found,) = outbox.destroyed(WORDS)
    assert "not tried yet" in await panel(desk)
    tried = outbox.tried(found, 0, "in the streaming buffer")
    told = await panel(desk)
    assert "**1 erasures pending**" in told
    assert f"| r-1 | {found.seq} | 0 | pending | 1 | in the streaming buffer |" in told
    outbox.tried(tried, 3, "")
    assert "Every erasure has followed; 1 done." in await panel(desk)


async def test_customers_are_refused(desk: Desk) -> None:
    with pytest.raises(Refused):
        await panel(desk, fakes.CUSTOMER)
