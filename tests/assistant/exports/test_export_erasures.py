"""An erasure on the record takes the words in BigQuery with it, and a hold keeps them."""

from datetime import timedelta

import pytest

from assistant.bigquery import Warehouse
from assistant.export_erasures import COMMAND
from opsplane import custody
from opsplane.erasure import Custodian
from opsplane.errors import Conflict
from opsplane.events import CommandRun
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.outbox import Outbox
from opsplane.ledger.store import Ledger
from tests import fakes
from tests.assistant.exports.conftest import Opened
from tests.assistant.exports.turns import more, once_each
from tests.opsplane.custodians import Chats, approve, erase, hold
from tests.vertex.bigquery import Local


@pytest.fixture
def custodian(ledger: Ledger, notary: Notary) -> Custodian:
    return Custodian(ledger, notary.signer, Chats())


def told(warehouse: Warehouse) -> list[tuple[bool, bool, bool]]:
    """Of each turn, in order: whether it has a question, an answer, and a time of erasure."""
    sql = f"SELECT question, answer, erased FROM `{warehouse.name('words')}` ORDER BY seq"
    found = warehouse.rows("look", sql)
    return [(bool(row["question"]), bool(row["answer"]), row["erased"] is not None) for row in found]


WHOLE, GONE = (True, True, False), (False, False, True)


async def test_the_words_of_an_erased_customer_go_and_the_rows_stay(
    ledger: Ledger, export: Opened, warehouse: Warehouse, custodian: Custodian
) -> None:
    more(ledger, 6)
    export(words=True).run()
    assert told(warehouse) == [WHOLE] * 6
    await approve(custodian, (await erase(custodian)).id)
    report = export(words=True).run()
    assert (report.erased.finished, report.erased.rows, report.erased.pending) == (1, 3, 0)
    assert told(warehouse) == [GONE, WHOLE] * 3
    (said,) = [one.event for one in ledger.events(["command_run"]) if getattr(one.event, "command", "") == COMMAND]
    assert isinstance(said, CommandRun)
    assert said.rows == 3
    assert export(words=True).run().erased.finished == 0


async def test_words_that_were_not_sent_before_the_erasure_never_are(
    ledger: Ledger, export: Opened, warehouse: Warehouse, custodian: Custodian
) -> None:
    more(ledger, 4)
    await approve(custodian, (await erase(custodian)).id)
    more(ledger, 2, first=4)  # the customer came back
    report = export(words=True).run()
    assert told(warehouse) == [GONE, WHOLE, GONE, WHOLE, WHOLE, WHOLE]
    assert (report.erased.finished, report.erased.rows) == (1, 2)


async def test_rows_in_the_streaming_buffer_are_pending_and_older_ones_go_at_once(
    ledger: Ledger, export: Opened, warehouse: Warehouse, custodian: Custodian, server: Local, clock: fakes.Clock
) -> None:
    more(ledger, 2)
    export(words=True).run()
    clock.at += timedelta(hours=3)
    more(ledger, 2, first=2)
    export(words=True).run()
    await approve(custodian, (await erase(custodian)).id)
    server.fault("buffered", since="2026-11-23T19:30:00")
    assert export(words=True).run().erased.pending == 1
    assert told(warehouse) == [GONE, WHOLE, WHOLE, WHOLE]
    (waits,) = Outbox(ledger).erasures()
    assert (waits.rows, waits.tries, waits.finished) == (1, 1, 0)
    assert "streaming buffer" in waits.why
    server.well()
    assert export(words=True).run().erased.finished == 1
    assert told(warehouse) == [GONE, WHOLE, GONE, WHOLE]


async def test_a_customer_under_hold_keeps_the_words_there_too(
    ledger: Ledger, export: Opened, warehouse: Warehouse, custodian: Custodian
) -> None:
    more(ledger, 2)
    export(words=True).run()
    wanted = await erase(custodian)
    await hold(custodian)
    with pytest.raises(Conflict):
        await approve(custodian, wanted.id)
    report = export(words=True).run()
    assert report.erased.pending == report.erased.finished == 0
    assert told(warehouse) == [WHOLE] * 2


def test_words_whose_retention_is_over_go_too(
    ledger: Ledger, export: Opened, warehouse: Warehouse, custodian: Custodian, clock: fakes.Clock
) -> None:
    more(ledger, 2)
    export(words=True).run()
    clock.at += timedelta(days=8 * 365)
    custody.apply(custodian)
    assert export(words=True).run().erased.rows == 2
    assert told(warehouse) == [GONE] * 2


async def test_erasures_follow_also_where_words_are_sent_no_longer(
    ledger: Ledger, export: Opened, warehouse: Warehouse, custodian: Custodian
) -> None:
    more(ledger, 2)
    export(words=True).run()
    more(ledger, 2, first=2)
    await approve(custodian, (await erase(custodian)).id)
    assert export().run().erased.rows == 1
    assert told(warehouse) == [GONE, WHOLE]
    export().run()  # that it was done is on the record, and goes there too
    assert once_each(ledger, warehouse)


async def test_where_no_words_were_ever_sent_nothing_is_to_follow(
    ledger: Ledger, export: Opened, custodian: Custodian
) -> None:
    more(ledger, 2)
    await approve(custodian, (await erase(custodian)).id)
    export().run()
    assert Outbox(ledger).erasures() == []


async def test_words_that_arrive_after_the_keys_were_destroyed_are_erased(
    ledger: Ledger, export: Opened, warehouse: Warehouse, custodian: Custodian, server: Local
) -> None:
    more(ledger, 2)
    server.fault("lost", where="/words/")
    export(words=True, tries=1).run()  # it arrived, and the outbox does not know
    assert told(warehouse) == [WHOLE] * 2
    await approve(custodian, (await erase(custodian)).id)
    report = export(words=True).run()
    assert (report.troubles, report.erased.rows) == ((), 1)
    assert told(warehouse) == [GONE, WHOLE]
