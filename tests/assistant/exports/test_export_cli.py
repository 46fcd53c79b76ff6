"""`opsplane export` on the terminal: what would be sent, what was, how far it has come, and what is wrong."""

import json
import os
import signal
import threading
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from assistant import bootstrap, export_cli, export_sending, jobs
from assistant.bigquery import Warehouse
from assistant.bigquery_tables import COSTS
from assistant.exporting import Planned
from assistant.settings import Settings
from opsplane.ledger.exclusive import exclusive
from tests.assistant.exports.turns import more
from tests.vertex.bigquery import Local

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `opsplane export …` with those settings in the environment."""
    names = ("data", "google_project", "google_credentials", "google_endpoint", "bigquery_write_endpoint")
    for name in (*names, "bigquery_dataset"):
        monkeypatch.setenv(f"OPSPLANE_{name.upper()}", str(getattr(settings, name)))
    return lambda *words: CliRunner().invoke(export_cli.cli, words)


def fill(settings: Settings, turns: int = 3) -> None:
    with bootstrap.record(settings) as (ledger, _):
        more(ledger, turns)


def test_a_dry_run_says_what_would_be_done_and_does_nothing(run: Run, settings: Settings, warehouse: Warehouse) -> None:
    fill(settings)
    told = run("bigquery", "--dry-run")
    assert told.exit_code == 0
    assert "exchanges  would be made; 3 entries to send" in told.stdout
    with pytest.raises(Exception, match="exchanges"):
        warehouse.rows("look", f"SELECT * FROM `{warehouse.name('exchanges')}`")


def test_once_sends_all_and_status_tells_of_it(run: Run, settings: Settings) -> None:
    fill(settings)
    told = run("bigquery", "--once")
    assert (told.exit_code, told.stdout.split()[1:]) == (0, ["rows", "to", "4", "tables,", "0", "entries", "behind"])
    assert run("bigquery").stdout == "0 rows to 4 tables, 0 entries behind\n"
    found = run("status", "--json")
    assert found.exit_code == 0
    tables = {one["table"].rpartition(".")[2]: one for one in json.loads(found.stdout)["tables"]}
    assert set(tables) == {"costs", "events", "exchanges", "scores"}
    assert (tables["exchanges"]["rows"], tables["exchanges"]["behind"]) == (3, 0)
    assert "Every" not in run("status").stdout
    assert "No erasure had to follow." in run("status").stdout


def test_what_is_wrong_is_said_and_kept(run: Run, settings: Settings, server: Local) -> None:
    fill(settings)
    server.fault("denied", times=1)
    told = run("bigquery")
    assert told.exit_code == 2
    assert "roles/bigquery.dataEditor" in " ".join(told.stderr.split())
    assert run("status").exit_code == 1
    assert "may not append rows to exchanges" in " ".join(run("status").stdout.split())
    assert run("bigquery").exit_code == 0
    assert run("status").exit_code == 0


def test_one_process_exports_at_a_time(run: Run, settings: Settings) -> None:
    fill(settings)
    with bootstrap.record(settings) as (ledger, _), exclusive(ledger, "export"):
        assert run("bigquery").stdout == "Another process is exporting just now.\n"


def test_views_are_made_by_their_names(run: Run, warehouse: Warehouse) -> None:
    assert run("views").stdout.split() == [warehouse.name(name) for name in ("spend", "quality", "safety")]


def test_it_follows_until_it_is_told_to_end(run: Run, settings: Settings, warehouse: Warehouse) -> None:
    fill(settings)
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
    assert run("bigquery", "--follow").exit_code == 0
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_the_job_is_there_where_a_dataset_is_named(settings: Settings) -> None:
    assert "export" in [one.name for one in jobs.listed(settings)]
    assert "export" not in [one.name for one in jobs.listed(Settings())]


def test_plans_tell_of_columns_to_come() -> None:
    assert export_sending._planned(Planned(COSTS, ("region",), 2)) == (
        "costs      would get the columns region; 2 entries to send"
    )
