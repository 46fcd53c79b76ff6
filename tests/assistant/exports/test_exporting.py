"""Every row arrives once, whatever befalls the calls between."""

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from assistant import exporting
from assistant.bigquery import Warehouse
from assistant.bigquery_errors import ExportRefused
from assistant.bigquery_tables import TABLES
from assistant.export_lane import Limits
from assistant.exporting import Report
from assistant.settings import Settings
from opsplane.errors import InvalidRequest, PlaneError
from opsplane.ledger.database import connect, transaction
from opsplane.ledger.outbox import Outbox
from opsplane.ledger.store import Ledger
from opsplane.ledger.vault import Vault
from tests import fakes
from tests.assistant.exports.conftest import Opened
from tests.assistant.exports.turns import more, once_each
from tests.opsplane.ledger import records
from tests.vertex.bigquery import Local


def test_the_whole_record_is_sent_once_and_then_nothing(ledger: Ledger, export: Opened, warehouse: Warehouse) -> None:
    records.fill(ledger, 12)
    sending = export(words=True)
    assert str(sending.run()) == f"{12 * 3 + 15 + 1} rows to 5 tables, 0 entries behind"
    assert sending.run().rows == export(words=True).run().rows == 0
    assert once_each(ledger, warehouse, TABLES)


def test_what_comes_later_goes_by_the_same_streams(ledger: Ledger, export: Opened, warehouse: Warehouse) -> None:
    more(ledger, 3)
    export().run()
    streams = {one.target: one.stream for one in Outbox(ledger).positions() if one.rows}
    more(ledger, 9, first=3)
    export().run()
    assert streams == {one.target: one.stream for one in Outbox(ledger).positions() if one.target in streams}
    assert once_each(ledger, warehouse)


@pytest.mark.parametrize("fault", ["lost", "unavailable", "finalised", "gone", "forgets"])
def test_a_call_that_goes_wrong_loses_nothing_and_sends_nothing_twice(
    ledger: Ledger, export: Opened, warehouse: Warehouse, server: Local, fault: str
) -> None:
    more(ledger, 12)
    for after in (0, 2, 2):
        server.fault(fault, after=after)
    assert export().run().behind == 0
    assert once_each(ledger, warehouse)
    assert server.unused() == 0


def test_a_batch_under_way_when_the_answers_stop_is_sent_again_later(
    ledger: Ledger, export: Opened, warehouse: Warehouse, server: Local
) -> None:
    more(ledger, 8)
    server.fault("lost")
    report = export(tries=1).run()
    assert "cannot be reached" in str(report.troubles[0])
    waiting = Outbox(ledger).position(warehouse.name("exchanges"))
    assert (waiting.done, waiting.batch) == (0, 5)
    assert "cannot be reached" in waiting.trouble
    assert export().run().troubles == ()
    assert once_each(ledger, warehouse)
    assert Outbox(ledger).position(warehouse.name("exchanges")).trouble == ""


def test_a_server_that_does_not_answer_is_given_up_in_time(ledger: Ledger, export: Opened, server: Local) -> None:
    more(ledger, 2)
    server.fault("hangs", times=1)
    began = time.monotonic()
    report = export(call=0.5, tries=1).run()
    assert "no answer within 0.5 seconds" in str(report.troubles[0])
    assert time.monotonic() - began < 20


def test_a_batch_laid_down_by_another_version_is_not_taken_for_ours(
    ledger: Ledger, export: Opened, warehouse: Warehouse, server: Local
) -> None:
    more(ledger, 8)
    server.fault("lost", times=1)
    export(tries=1).run()
    with transaction(ledger.engine) as connection:
        connection.execute(text("UPDATE outbox SET batch = 4 WHERE batch > 0"))
    export().run()
    assert once_each(ledger, warehouse)


def test_an_outbox_brought_back_from_a_backup_sends_nothing_twice(
    ledger: Ledger, export: Opened, warehouse: Warehouse
) -> None:
    more(ledger, 4)
    export().run()
    with ledger.engine.connect() as connection:
        before = connection.execute(text("SELECT * FROM outbox")).mappings().all()
    more(ledger, 7, first=4)
    export().run()
    with transaction(ledger.engine) as connection:
        connection.execute(text("DELETE FROM outbox"))
        names = ", ".join(f":{name}" for name in before[0])
        connection.execute(text(f"INSERT INTO outbox VALUES ({names})"), [dict(row) for row in before])
    more(ledger, 3, first=11)
    assert export(entries=4).run().behind == 0
    assert once_each(ledger, warehouse)


def test_an_outbox_that_is_lost_begins_after_what_is_there(
    ledger: Ledger, export: Opened, warehouse: Warehouse
) -> None:
    more(ledger, 4)
    export().run()
    with transaction(ledger.engine) as connection:
        connection.execute(text("DELETE FROM outbox"))
    more(ledger, 4, first=4)
    export().run()
    assert once_each(ledger, warehouse)


def test_a_record_shorter_than_what_was_sent_of_it_is_refused(
    ledger: Ledger, export: Opened, warehouse: Warehouse
) -> None:
    export().run()
    more(ledger, 1)
    row = f"('{ledger.id}', 900, 'x', DATE '2026-11-23', TIMESTAMP '2026-11-23')"
    table = warehouse.name("exchanges")
    warehouse.change("add", f"INSERT INTO `{table}` (ledger, seq, entry_hash, day, happened_at) VALUES {row}")
    (trouble,) = export().run().troubles
    assert isinstance(trouble, ExportRefused)
    assert "brought back from a backup" in str(trouble)


def test_a_table_that_was_dropped_gets_everything_again(
    ledger: Ledger, export: Opened, warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    more(ledger, 6)
    export().run()
    warehouse.change("drop", f"DROP TABLE `{warehouse.name('costs')}`")
    export().run()
    assert once_each(ledger, warehouse)
    assert "made anew" in caplog.text


def test_one_table_that_is_wrong_does_not_hold_up_the_others(
    ledger: Ledger, export: Opened, warehouse: Warehouse
) -> None:
    more(ledger, 3)
    warehouse.change("make", f"CREATE TABLE `{warehouse.name('events')}` (seq STRING)")
    report = export().run()
    assert report.rows == 6
    assert "Column seq of table events is STRING NULLABLE in BigQuery and must be INT64" in str(report.troubles[0])


def test_a_run_has_its_time_and_goes_on_the_next_time(ledger: Ledger, export: Opened, warehouse: Warehouse) -> None:
    more(ledger, 6)
    report = export(seconds=-1.0).run()
    assert (report.rows, report.behind) == (0, 6 + 7 + 6)
    assert export().run().behind == 0
    assert once_each(ledger, warehouse)


def test_it_goes_on_until_it_is_told_to_stop(ledger: Ledger, export: Opened, warehouse: Warehouse) -> None:
    over, told = threading.Event(), list[Report | PlaneError]()

    def tell(report: Report | PlaneError) -> None:
        told.append(report)
        more(ledger, 2, first=2 * len(told))
        if len(told) == 3:
            over.set()

    exporting.follow(export(), over, 0.001, tell)
    assert [one.behind for one in told if isinstance(one, Report)] == [0, 0, 0]
    export().run()
    assert once_each(ledger, warehouse)


def test_what_goes_wrong_on_the_way_does_not_end_it(ledger: Ledger, export: Opened, server: Local) -> None:
    over, told = threading.Event(), list[Report | PlaneError]()

    def tell(report: Report | PlaneError) -> None:
        told.append(report)
        if len(told) == 2:
            over.set()

    more(ledger, 1)
    server.fault("unavailable", times=1)
    exporting.follow(export(tries=1), over, 0.001, tell)
    assert [len(one.troubles) for one in told if isinstance(one, Report)] == [1, 0]


def test_on_postgresql_it_is_the_same(
    postgres: str, settings: Settings, vault: Vault, warehouse: Warehouse, tmp_path: Path
) -> None:
    name = f"export{abs(hash(str(tmp_path))):x}"
    engine = connect(postgres)
    with transaction(engine) as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    engine.dispose()
    url = make_url(postgres).update_query_dict({"options": f"-csearch_path={name}"})
    record = Ledger(connect(url.render_as_string(hide_password=False)), fakes.Clock(), vault)
    records.fill(record, 6)
    with exporting.opened(settings, record, limits=Limits(entries=4)) as sending:
        assert (sending.run().behind, sending.run().rows) == (0, 0)
    assert once_each(record, warehouse)
    record.close()


def test_without_a_dataset_there_is_no_export(ledger: Ledger) -> None:
    with (
        pytest.raises(InvalidRequest, match="OPSPLANE_BIGQUERY_DATASET is empty"),
        exporting.opened(Settings(google_project="p"), ledger),
    ):
        pass


def test_the_job_says_what_it_did_and_raises_what_kept_it(ledger: Ledger, settings: Settings, server: Local) -> None:
    over = threading.Event()
    more(ledger, 1)
    assert str(exporting.job(settings, ledger, over)).startswith("4 rows to 4 tables")
    server.fault("http", where="/datasets/", status=403, message="Access Denied: Dataset d: Permission denied")
    with pytest.raises(ExportRefused, match=r"roles/bigquery\.dataEditor"):
        exporting.job(settings, ledger, over)
