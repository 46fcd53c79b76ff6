"""`opsplane job`: the jobs listed, and one of them run from outside."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assistant import job_cli
from assistant.bootstrap import App
from assistant.schedule import Job
from opsplane.errors import Conflict, NotFound
from opsplane.ledger.exclusive import exclusive
from tests import library


def _run(*words: str) -> Result:
    return CliRunner().invoke(job_cli.cli, words)


def _job(work: Callable[[], object]) -> Job:
    return Job("watch", "Watching", timedelta(minutes=5), work)


def test_every_job_is_listed_with_its_time(tmp_path: Path) -> None:
    told = _run("list", "--data", str(tmp_path))
    assert told.exit_code == 0
    assert "judge      every 5 minutes    Judging a sample of live answers" in told.stdout
    assert "golden     every hour" in told.stdout
    assert "While the product serves they run by themselves." in told.stdout


def test_the_list_is_json_for_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSPLANE_SCHEDULE", "0")
    told = json.loads(_run("list", "--data", str(tmp_path), "--json").stdout)
    assert told["by_service"] is False
    assert [one["name"] for one in told["jobs"]] == ["judge", "watch", "calibrate", "golden"]


def test_a_job_that_does_not_exist_is_said_with_those_that_do(tmp_path: Path) -> None:
    told = _run("run", "jugde", "--data", str(tmp_path))
    assert isinstance(told.exception, NotFound)
    assert str(told.exception) == "There is no job 'jugde'; there are judge, watch, calibrate, golden."


def test_a_job_runs_from_outside(tmp_path: Path) -> None:
    library.stock(tmp_path)
    told = _run("run", "watch", "--data", str(tmp_path))
    assert (told.exit_code, told.stdout) == (0, "watch: 0 alarms raised\n")


def test_exit_codes_tell_how_it_ended(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        raise Conflict("The judge cannot be had.")

    assert job_cli.done(_job(lambda: "3 alarms raised"), app) == 0
    assert job_cli.done(_job(fails), app) == 2
    with exclusive(app.desk.ledger, "watch"):
        assert job_cli.done(_job(fails), app) == 0
    told = capsys.readouterr()
    assert told.out == "watch: 3 alarms raised\nwatch: another process is doing this just now\n"
    assert "The job watch failed: The judge cannot be had." in " ".join(told.err.split())
