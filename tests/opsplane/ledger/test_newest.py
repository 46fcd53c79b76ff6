"""Entries come newest first, in batches, and no more are read than are wanted."""

from opsplane.events import CommandRun, SignedIn
from opsplane.ledger import newest
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import ENTRY
from tests import fakes

RUNS = ENTRY.c.kind == "command_run"


def told(ledger: Ledger, batch: int) -> list[list[str]]:
    batches = newest.entries(ledger, RUNS, batch)
    return [[one.event.command for one in each if isinstance(one.event, CommandRun)] for each in batches]


def test_they_come_newest_first_and_each_once(ledger: Ledger) -> None:
    assert told(ledger, 2) == []
    for number in range(5):
        ledger.append_now(CommandRun(command=str(number), arguments="words"), fakes.OPERATOR)
        ledger.append_now(SignedIn(), fakes.OPERATOR)
    ledger.settle()
    assert told(ledger, 2) == [["4", "3"], ["2", "1"], ["0"]]
    assert told(ledger, 5) == [["4", "3", "2", "1", "0"]]
