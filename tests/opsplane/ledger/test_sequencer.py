"""Several processes write to one PostgreSQL: everything is chained once, whoever does it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from opsplane.events import CommandRun
from opsplane.ledger import sequencer
from opsplane.ledger.database import connect
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import ENTRY, INBOX
from opsplane.ledger.vault import Vault
from tests import fakes


@pytest.fixture
def two(record_url: str, vault: Vault) -> Iterator[tuple[Ledger, Ledger]]:
    if not record_url.startswith("postgresql"):
        pytest.skip("SQLite has one writer at a time and no inbox")
    both = Ledger(connect(record_url), fakes.Clock(), vault), Ledger(connect(record_url), fakes.Clock(), vault)
    yield both
    for one in both:
        one.close()


async def test_two_processes_share_one_chain(two: tuple[Ledger, Ledger]) -> None:
    runs = [CommandRun(command=str(number), arguments="") for number in range(200)]
    await asyncio.gather(*(two[n % 2].append(run, fakes.OPERATOR) for n, run in enumerate(runs)))
    two[0].settle()
    entries = two[1].events(["command_run"])
    assert {entry.event for entry in entries} == set(runs)
    rows = two[0].read(select(ENTRY.c.seq).order_by(ENTRY.c.seq))
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert two[0].id == two[1].id


def test_what_waits_in_the_inbox_is_read_already(two: tuple[Ledger, Ledger]) -> None:
    with two[0].engine.connect() as holder, holder.begin():
        holder.execute(select(func.pg_advisory_xact_lock(sequencer.LOCK)))  # nobody can chain now
        two[0].append_now(CommandRun(command="status", arguments=""), fakes.OPERATOR)
        assert [entry.seq for entry in two[1].events(["command_run"])] == [0]
        assert two[1].count(["command_run"]) == 1
    two[1].settle()
    assert [entry.seq > 0 for entry in two[1].events(["command_run"])] == [True]
    assert two[1].read(select(func.count()).select_from(INBOX))[0][0] == 0


def test_what_a_dead_process_left_is_chained_by_the_next(
    two: tuple[Ledger, Ledger], record_url: str, tmp_path: Path
) -> None:
    del tmp_path
    with two[0].engine.begin() as connection:
        values = {"at": 1, "kind": "signed_in", "actor": "a", "role": "customer", "exchange": "", "subject": ""}
        row = values | {"key": "", "payload": b'{"kind":"signed_in"}', "sealed": b""}
        connection.execute(INBOX.insert(), row)
    two[1].settle()
    assert len(two[1].events(["signed_in"])) == 1
