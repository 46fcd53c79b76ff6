"""The door to BigQuery: tables as they must be, and every refusal in a sentence that says what to do."""

import time
from contextlib import closing
from dataclasses import replace
from functools import partial

import pytest

from assistant.bigquery import Made, Warehouse
from assistant.bigquery_errors import ExportRefused, StillBuffered, Unreachable
from assistant.bigquery_tables import COSTS, EXCHANGES, SPEND, TABLES, Column
from assistant.settings import Settings
from opsplane.errors import InvalidRequest
from tests.vertex.bigquery import Local


def test_a_table_is_made_as_it_is_described(warehouse: Warehouse, server: Local) -> None:
    assert warehouse.lacks(EXCHANGES) is None
    assert [warehouse.ensure(EXCHANGES), warehouse.ensure(EXCHANGES)] == [Made.CREATED, Made.NOTHING]
    assert warehouse.lacks(EXCHANGES) == ()
    made = server.calls("/tables")[-1]
    assert made["timePartitioning"] == {"type": "DAY", "field": "day"}
    assert made["clustering"] == {"fields": ["release", "customer"]}
    assert all(one["description"] for one in made["schema"]["fields"])
    required = [one["name"] for one in made["schema"]["fields"] if one["mode"] == "REQUIRED"]
    assert required == ["ledger", "seq", "entry_hash", "day", "happened_at"]


def test_large_tables_are_not_read_without_saying_of_which_days(warehouse: Warehouse, server: Local) -> None:
    for table in TABLES:
        warehouse.ensure(table)
    made = {one["tableReference"]["tableId"]: one["requirePartitionFilter"] for one in server.calls("/tables")[-5:]}
    assert made == {"exchanges": False, "events": True, "scores": False, "costs": True, "words": True}


def test_a_new_column_is_added_to_a_table_that_is_there(warehouse: Warehouse) -> None:
    warehouse.ensure(replace(EXCHANGES, columns=EXCHANGES.columns[:-2]))
    assert warehouse.lacks(EXCHANGES) == ("flags", "withheld")
    assert warehouse.ensure(EXCHANGES) is Made.WIDENED
    assert warehouse.ensure(EXCHANGES) is Made.NOTHING


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (
            Column("seq", "STRING", "a text"),
            "Column seq of table costs is STRING NULLABLE in BigQuery and must be INT64",
        ),
        (Column("model", "STRING", "", "REPEATED"), "Column model of table costs is STRING REPEATED"),
        (Column("branch", "STRING", "", "REQUIRED"), "Column branch of table costs is REQUIRED in BigQuery"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_the_column(warehouse: Warehouse, column: Column, why: str) -> None:
    warehouse.ensure(replace(COSTS, columns=(column,)))
    with pytest.raises(ExportRefused, match=why):
        warehouse.ensure(COSTS)


def test_a_view_in_the_place_of_a_table_is_refused(warehouse: Warehouse) -> None:
    warehouse.ensure(COSTS)
    warehouse.show(SPEND, TABLES)
    with pytest.raises(ExportRefused, match="is no table but a view"):
        warehouse.ensure(replace(COSTS, name="spend"))


def test_a_dataset_that_is_not_there_is_named_with_its_settings(settings: Settings) -> None:
    with closing(Warehouse(settings.cloud, "nowhere", 3)) as warehouse:
        with pytest.raises(ExportRefused, match="Project wrenfield-local has no dataset nowhere: make it"):
            warehouse.ensure(COSTS)
        with pytest.raises(ExportRefused, match="OPSPLANE_BIGQUERY_DATASET or OPSPLANE_GOOGLE_PROJECT"):
            warehouse.region()


@pytest.mark.parametrize(
    ("where", "message", "role"),
    [
        ("/tables", "Access Denied: Table p:d.t: Permission bigquery.tables.get denied", "roles/bigquery.dataEditor"),
        (
            "/jobs",
            "Access Denied: Project p: User does not have bigquery.jobs.create permission",
            "roles/bigquery.jobUser",
        ),
    ],
)
def test_a_permission_that_is_missing_is_named_by_its_role(
    warehouse: Warehouse, server: Local, where: str, message: str, role: str
) -> None:
    server.fault("http", where=where, status=403, message=message)
    deed = partial(warehouse.ensure, COSTS) if where == "/tables" else partial(warehouse.rows, "count", "SELECT 1 AS n")
    with pytest.raises(ExportRefused, match=role):
        deed()


def test_append_without_permission_names_the_role(warehouse: Warehouse, server: Local) -> None:
    warehouse.ensure(COSTS)
    stream = warehouse.streams.open(warehouse.streams.begin(COSTS), COSTS)
    server.fault("denied")
    with pytest.raises(ExportRefused, match=r"may not append rows to costs.*bigquery\.dataEditor"):
        stream.append(0, [])
    stream.close()


def test_credentials_that_are_not_taken_and_too_much_to_do_are_told_apart(warehouse: Warehouse, server: Local) -> None:
    server.fault("http", where="/jobs", status=403, message="Quota exceeded: Your project exceeded quota for queries")
    with pytest.raises(Unreachable, match="too much to do"):
        warehouse.rows("count rows", "SELECT 1 AS one")
    server.fault("buffered", since="2026-01-01")
    with pytest.raises(StillBuffered, match="streaming buffer, too new to erase words"):
        warehouse.change("erase words", "UPDATE t SET a = NULL WHERE TRUE")


def test_nobody_there_is_told_soon_with_the_setting(settings: Settings) -> None:
    away = replace(settings, google_endpoint="http://127.0.0.1:9", bigquery_write_endpoint="127.0.0.1:9")
    began = time.monotonic()
    with closing(Warehouse(away.cloud, "audit", 0.5)) as warehouse:
        with pytest.raises(Unreachable, match=r"http://127.0.0.1:9 \(OPSPLANE_BIGQUERY_ENDPOINT\)"):
            warehouse.region()
        with pytest.raises(Unreachable, match="OPSPLANE_BIGQUERY_WRITE_ENDPOINT"):
            warehouse.streams.begin(COSTS)
    assert time.monotonic() - began < 20


def test_a_service_that_does_not_answer_is_given_up(settings: Settings, server: Local) -> None:
    server.fault("hangs sql", times=9, where="/datasets/")
    with (
        closing(Warehouse(settings.cloud, settings.bigquery_dataset, 0.3)) as warehouse,
        pytest.raises(Unreachable, match="cannot be reached"),
    ):
        warehouse.region()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"google_project": ""}, "OPSPLANE_GOOGLE_PROJECT"),
        ({"bigquery_dataset": "a-b"}, "OPSPLANE_BIGQUERY_DATASET: 'a-b' is no dataset's name"),
        ({"bigquery_endpoint": "https://bigquery.example"}, "is another address"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: Settings, change: dict[str, str], why: str) -> None:
    wrong = replace(settings, **change)  # type: ignore[arg-type]  # texts all of them
    with pytest.raises(InvalidRequest, match=why):
        Warehouse(wrong.cloud, wrong.bigquery_dataset)
