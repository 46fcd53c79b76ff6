"""The terminal: one turn or many, documents, the record, and errors in words."""

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assistant import corpus
from assistant.__main__ import cli, main
from assistant.settings import Settings

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command over the kept index with databases of its own."""
    monkeypatch.setenv("OPSPLANE_DATA", str(settings.data))
    monkeypatch.setenv("OPSPLANE_ANCHOR", str(tmp_path / "anchor"))
    for name in ("record", "keys", "chat", "bank"):
        monkeypatch.setenv(f"OPSPLANE_{name.upper()}_URL", f"sqlite:///{tmp_path / name}.db")
    monkeypatch.setenv("COLUMNS", "200")

    def invoke(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(cli, arguments, input=stdin, catch_exceptions=False)

    return invoke


@pytest.mark.parametrize(
    "command", ["", "serve", "ask", "ingest", "evaluate", "audit", "exchange", "people", "people add", "people list"]
)
def test_everything_has_help(run: Run, command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


def test_ask_prints_an_answer_with_its_sources(run: Run) -> None:
    result = run("ask", "How much is the overdraft fee?", "--as", "customer", "--today", "2026-11-23")
    assert result.exit_code == 0
    assert "$15" in result.stdout
    assert "in force since 2026-07-01" in result.stdout


def test_ask_as_json_prints_the_whole_exchange(run: Run) -> None:
    told = json.loads(run("ask", "What is my checking balance?", "--json").stdout)
    assert told["outcome"] == "answered"
    assert told["customer"] == "C-1001"
    assert told["tools"][0]["tool"] == "account_balances"
    assert told["answer"]


def test_the_past_is_answered_from_the_documents_of_then(run: Run) -> None:
    told = json.loads(run("ask", "How much is the overdraft fee?", "--json", "--today", "2026-03-03").stdout)
    assert "$29" in told["answer"]


def test_a_file_of_questions_gives_one_line_each(run: Run, tmp_path: Path) -> None:
    rows = [
        {"id": "a", "question": "What does a domestic wire cost?"},
        {"id": "b", "question": "and an international one?", "history": ["What does a domestic wire cost?"]},
        {"id": "c", "question": "What is my balance?", "as": "customer2"},
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    lines = [json.loads(line) for line in run("ask", "--file", str(file)).stdout.splitlines()]
    assert [line["line"] for line in lines] == ["a", "b", "c"]
    assert "international" in lines[1]["answer"].lower()
    assert lines[2]["customer"] == "C-1002"


def test_a_line_that_cannot_be_read_is_named(run: Run) -> None:
    result = CliRunner().invoke(cli, ["ask", "--file", "-"], input='{"question": "hi"}\n{"quest": 1}\n')
    assert result.exit_code != 0
    assert "line 2: question: Field required" in str(result.exception)


def test_the_record_is_searched_from_the_terminal(run: Run) -> None:
    run("ask", "What does a domestic wire cost?")
    why = ("--reason", "case 4711")
    listed = run("audit", "outcome=answered", "text=domestic wire", *why)
    assert "1 exchanges" in listed.stdout
    csv = run("audit", "--csv", *why).stdout_bytes.decode("utf-8-sig").splitlines()
    assert len(csv) == 2
    identity = csv[1].split(",")[0]
    assert json.loads(run("exchange", identity[:8], "--json", *why).stdout)["id"] == identity


def test_reading_the_record_needs_the_role_also_here(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["opsplane", "audit", "--as", "customer", "--reason", "case 4711"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert "needs the role reviewer" in capsys.readouterr().err


def test_documents_of_ones_own_make_a_library_of_their_own(
    run: Run, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, documents = tmp_path / "mine", tmp_path / "documents"
    documents.mkdir()
    shutil.copytree(settings.data / "models", data / "models")
    (documents / "umbrellas.md").write_text("# Umbrella loan\n\nThe fee for lending an umbrella is $7 a day.\n")
    (documents / "empty.md").write_text("")
    result = run("ingest", str(documents), "--data", str(data))
    assert result.exit_code == 1
    assert "empty.md" in result.stdout
    answer = run("ask", "What does it cost to borrow an umbrella?", "--data", str(data), "--json")
    assert "$7 a day" in json.loads(answer.stdout)["answer"]
    (documents / "parasols.txt").write_text("Parasols\n\nThe fee for lending a parasol is $9 a day.\n")
    run("ingest", str(documents / "parasols.txt"), "--data", str(data))
    assert corpus.sources(Settings(data=data)) == [str(documents)]
    answer = run("ask", "What does it cost to borrow a parasol?", "--data", str(data), "--json")
    assert "$9 a day" in json.loads(answer.stdout)["answer"]


@pytest.mark.parametrize(("setting", "file"), [("OPSPLANE_RELEASES", "."), ("OPSPLANE_BUDGETS", "torn.yaml")])
def test_a_corrupt_file_stops_the_start_before_anything_is_written_and_is_named(
    setting: str,
    file: str,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "torn.yaml").write_text("id: torn\nauthor: [")
    monkeypatch.setenv(setting, str(tmp_path / file))
    monkeypatch.setattr("sys.argv", ["opsplane", "serve"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert "torn.yaml: line" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["torn.yaml"]


@pytest.mark.parametrize("words", [("evaluate",), ("gate", "--judge", "none"), ("people", "list")])
def test_a_data_folder_that_cannot_be_is_told_in_one_line_and_is_no_verdict(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("sys.argv", ["opsplane", *words, "--data", str(tmp_path / "file" / "x")])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    told = capsys.readouterr().err
    assert "Not a directory" in told
    assert "Traceback" not in told


def test_people_are_added_listed_and_disabled(run: Run) -> None:
    assert "Nobody yet" in run("people", "list").stdout
    added = run("people", "add", "ann", "--role", "reviewer", stdin="secret words\nsecret words\n")
    assert "Added ann as reviewer" in added.stdout
    run("people", "disable", "ann")
    assert "disabled" in run("people", "list").stdout


def test_a_small_dataset_is_evaluated_through_the_real_turn(run: Run, tmp_path: Path) -> None:
    dataset = tmp_path / "two.yaml"
    dataset.write_text(
        """as_of: 2026-11-23
cases:
  - id: fee
    kind: version
    question: How much is the overdraft fee?
    facts: [$15]
    forbidden: [$29]
    documents: [overdraft-terms, fee-schedule-consumer]
  - {id: baking, kind: off-topic, question: "How do I bake a cake?", expect: decline}
"""
    )
    files = {name: str(tmp_path / f"report.{name}") for name in ("html", "json", "junit", "markdown")}
    report = run(
        "evaluate", "--dataset", str(dataset), *(part for name in files for part in (f"--{name}", files[name]))
    )
    assert "2 of 2 cases passed" in report.stdout
    assert "2 questions to be asked, at no cost" in report.stderr
    assert all(Path(path).stat().st_size for path in files.values())
    again = run("evaluate", "--dataset", str(dataset), "--json", "-")
    assert again.stdout.encode().rstrip() == Path(files["json"]).read_bytes()
    assert "2 answers were known from before; spent nothing" in again.stderr


def test_a_port_in_use_is_told_in_words(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr("sys.argv", ["opsplane", "serve", "--port", str(port)])
        with pytest.raises(SystemExit) as left:
            main()
    assert left.value.code == 2
    assert f"Port {port} on 127.0.0.1 cannot be used" in " ".join(capsys.readouterr().err.split())
