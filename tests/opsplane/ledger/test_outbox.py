"""The outbox on both databases: what goes next, and positions that only their holder can move."""

import pytest

from opsplane.custody_events import ErasureKeysDestroyed
from opsplane.errors import Conflict
from opsplane.ledger.database import connect, transaction
from opsplane.ledger.outbox import Kinds, Outbox, Pending, Position
from opsplane.ledger.store import Ledger
from opsplane.ledger.vault import Vault
from tests import fakes
from tests.opsplane.ledger import records

ANSWERED = Kinds(("question_answered",))
TARGET = "project.dataset.exchanges"


@pytest.fixture
def outbox(ledger: Ledger) -> Outbox:
    records.fill(ledger, 4)
    return Outbox(ledger)


def test_entries_go_in_their_order_and_their_kinds(ledger: Ledger, outbox: Outbox) -> None:
    last = ledger.last()
    found = outbox.after(0, ANSWERED, 3, last)
    assert [one.kind for one in found] == ["question_answered"] * 3
    assert [one.seq for one in found] == sorted(one.seq for one in found)
    (rest,) = outbox.after(found[-1].seq, ANSWERED, 3, last)
    assert outbox.after(0, ANSWERED, 9, rest.seq - 1) == found
    others = outbox.after(0, Kinds(ANSWERED.names, but=True), 99, last)
    assert len(others) + 4 == last
    assert outbox.behind(Position(TARGET, done=found[0].seq), ANSWERED) == 3
    assert outbox.behind(Position(TARGET), ANSWERED, until=found[1].seq) == 2


def test_what_is_sealed_is_read_only_where_it_is_wanted(ledger: Ledger, outbox: Outbox) -> None:
    assert not hasattr(outbox.after(0, ANSWERED, 1, ledger.last())[0], "sealed")
    assert outbox.after(0, ANSWERED, 1, ledger.last(), words=True)[0].sealed


def test_a_batch_is_laid_down_then_acknowledged(outbox: Outbox) -> None:
    assert outbox.position(TARGET) == Position(TARGET)
    begun = outbox.begin(Position(TARGET), "stream-1", 3)
    waiting = outbox.intend(begun, until=9, batch=2)
    assert outbox.position(TARGET) == waiting
    assert (waiting.done, waiting.first, waiting.until, waiting.batch) == (3, 3, 9, 2)
    there = outbox.acknowledge(waiting)
    assert outbox.positions() == [there]
    assert (there.done, there.rows, there.until, there.batch, there.total) == (9, 2, 0, 0, 2)
    again = outbox.begin(there, "stream-2", 9)
    assert (again.first, again.rows, again.total) == (9, 0, 2)
    assert outbox.skip(again, 12).done == 12
    assert outbox.skip(again, 4) == again


def test_who_was_overtaken_changes_nothing(outbox: Outbox) -> None:
    begun = outbox.begin(Position(TARGET), "stream-1", 0)
    outbox.intend(begun, until=9, batch=2)
    with pytest.raises(Conflict, match="Another process sends"):
        outbox.intend(begun, until=7, batch=1)
    with pytest.raises(Conflict, match="Another process sends"):
        outbox.begin(begun, "stream-2", 0)
    assert outbox.position(TARGET).until == 9


def test_why_nothing_was_sent_is_kept_until_something_is(outbox: Outbox) -> None:
    outbox.note(TARGET, "denied " * 200)
    assert outbox.position(TARGET).trouble.startswith("denied")
    assert len(outbox.position(TARGET).trouble) == 500
    begun = outbox.intend(outbox.begin(outbox.position(TARGET), "stream-1", 0), 5, 1)
    assert outbox.acknowledge(begun).trouble == ""


def test_destroyed_keys_are_taken_up_once_and_wait_until_they_are_done(ledger: Ledger, outbox: Outbox) -> None:
    event = ErasureKeysDestroyed(request="r-1", customer="C-1001", keys=("k1", "k2"))
    ledger.append_now(event, fakes.REVIEWER, subject="C-1001")
    ledger.settle()
    (pending,) = outbox.destroyed(TARGET)
    assert (pending.seq, pending.about) == (ledger.last(), "r-1")
    assert outbox.keys(pending) == ("k1", "k2")
    tried = outbox.tried(pending, 1, "too new")
    assert outbox.destroyed(TARGET) == [tried]
    assert (tried.tries, tried.finished) == (1, 0)
    done = outbox.tried(tried, 3, "")
    assert outbox.destroyed(TARGET) == []
    assert outbox.erasures() == [done]
    assert done.finished
    assert outbox.destroyed("another") == [Pending("another", pending.seq, "r-1")]


def test_a_record_of_the_schema_before_gets_its_tables(record_url: str, vault: Vault) -> None:
    Ledger(connect(record_url), fakes.Clock(), vault).close()
    engine = connect(record_url)
    with transaction(engine) as connection:
        for statement in ("DROP TABLE outbox", "DROP TABLE outbox_erasure"):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0002'")
    opened = Ledger(engine, fakes.Clock(), vault)
    assert Outbox(opened).begin(Position(TARGET), "stream-1", 0).stream == "stream-1"
    opened.close()
