"""`opsplane dataset`, in the tests' own process."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from assistant import bootstrap, dataset_cli
from assistant.settings import Settings
from opsplane import casebook
from opsplane.casebook import Wanted
from opsplane.errors import InvalidRequest, NotFound
from opsplane.evaluation import dataset as files
from opsplane.exchange import Outcome
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

FEE = "What is the overdraft fee for each item?"
SET: dict[str, Any] = {"id": "fee", "kind": "fees", "question": FEE, "facts": ["$15"], "tags": ["a", "b"]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of datasets with one set, and an empty one of data."""
    monkeypatch.setenv("OPSPLANE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("OPSPLANE_DATASETS", str(tmp_path / "sets"))
    (tmp_path / "sets").mkdir()
    write(tmp_path / "sets" / "small.jsonl", SET, SET | {"id": "wire", "question": "Wire fee?", "kind": "wires"})
    return tmp_path


def write(path: Path, *rows: dict[str, Any]) -> None:
    told = [{"as_of": "2026-11-23"}, *rows] if "id" in rows[0] else rows
    path.write_text("\n".join(json.dumps(row) for row in told), encoding="utf-8")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and what was printed, on one line."""
    capsys.readouterr()
    code = dataset_cli.cli([*arguments], standalone_mode=False)
    return int(code or 0), " ".join(capsys.readouterr().out.split())


def test_sets_are_listed_with_cases_and_digest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = files.load(folder / "sets" / "small.jsonl")
    _, told = run(capsys, "list")
    assert f"small 2 2026-11-23 {found.digest[:12]}" in told
    _, told = run(capsys, "list", "--json")
    assert json.loads(told)[0] == {"name": "small", "cases": 2, "as_of": "2026-11-23", "digest": found.digest}
    assert run(capsys, "digest", "small") == (0, found.digest)


def test_a_set_and_a_case_are_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"fee fees answer {FEE}" in run(capsys, "show", "small")[1]
    assert "facts $15" in run(capsys, "show", "small", "--case", "fee")[1]
    assert json.loads(run(capsys, "show", "small", "--case", "fee", "--json")[1])["cases"] == [SET]
    with pytest.raises(InvalidRequest, match="has the id 'no'; known: fee, wire"):
        run(capsys, "show", "small", "--case", "no")


def test_a_sound_set_is_checked_and_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = run(capsys, "check", "small")
    assert code == 0
    for part in ("small: 2 cases", "fees 1", "wires 1", "answer 2", "a 2", "No problems."):
        assert part in told


def test_a_set_with_problems_ends_with_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder / "sets" / "bad.jsonl", SET, SET | {"id": "twin"}, SET | {"id": "who", "as": "nobody"})
    code, told = run(capsys, "check", "bad")
    assert code == 1
    for part in ("Problems: 2", "fee and twin ask nearly the same", "nobody is called 'nobody'"):
        assert part in told


@pytest.mark.parametrize("suffix", [".yaml", ".jsonl"])
def test_a_conversion_loses_nothing(folder: Path, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    target = folder / f"out{suffix}"
    assert run(capsys, "convert", "small", "--output", str(target))[0] == 0
    assert files.load(target).cases == files.load(folder / "sets" / "small.jsonl").cases


def test_a_set_is_not_converted_onto_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = str(folder / "sets" / "small.jsonl")
    with pytest.raises(InvalidRequest, match="the dataset's own place"):
        run(capsys, "convert", own, "--output", own)
    with pytest.raises(InvalidRequest, match="the dataset's own place"):
        run(capsys, "convert", "small", "--output", own)


def test_what_training_data_holds_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder / "train.jsonl", {"contents": [{"role": "user", "parts": [{"text": f"Question: {FEE}"}]}]})
    assert run(capsys, "contamination", "small")[0] == 0
    code, told = run(capsys, "contamination", "small", "--against", str(folder / "train.jsonl"))
    assert code == 1
    assert "fee: its question stands in a training example (exact): train.jsonl, line 1" in told
    _, told = run(capsys, "contamination", "small", "--against", str(folder / "train.jsonl"), "--json")
    assert json.loads(told)["matches"][0]["case"] == "fee"


def test_the_set_of_the_record_is_read_with_a_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(_make_case(folder / "data"))
    with pytest.raises(InvalidRequest, match="Say why with --reason"):
        run(capsys, "show", "record")
    told = run(capsys, "show", "record", "--reason", "case 4711")[1]
    assert "record-aaaaaaaa record answer What is the overdraft fee?" in told


async def _make_case(data: Path) -> None:
    with bootstrap.record(Settings(data=data)) as (ledger, _):
        await ledger.received(exchange("aaaaaaaa-1"))
        await ledger.answered(exchange("aaaaaaaa-1", outcome=Outcome.ANSWERED))
        await casebook.add(ledger, Wanted("aaaaaaaa-1"), actor=fakes.REVIEWER, why="case 4711")


def test_a_set_that_is_not_there_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotFound, match="There is no dataset 'no'"):
        run(capsys, "check", "no")


@pytest.mark.parametrize("command", ["list", "show", "check", "digest", "convert", "contamination"])
def test_everything_has_help(folder: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert "Usage:" in run(capsys, command, "--help")[1]
