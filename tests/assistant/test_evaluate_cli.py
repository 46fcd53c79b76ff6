"""`opsplane evaluate`, `opsplane gate`, `opsplane diagnose`, over the sample bank."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import Result

from assistant.evaluate_cli import INCONCLUSIVE
from assistant.settings import Settings
from opsplane.errors import InvalidRequest, NotFound
from tests.assistant.test_main import Run
from tests.assistant.test_main import run as run

FEE = "How much is the overdraft fee?"
FACT, WRONG, APART = '"$15"', '"$99"', '["$15", "15 dollars apiece"]'


def dataset(path: Path, fact: str, cases: int = 24) -> str:
    """So many cases that ask for one fact."""
    documents = "[overdraft-terms, fee-schedule-consumer]"
    rows = [
        f'  - {{id: q{number}, kind: fees, question: "{FEE}", facts: [{fact}], documents: {documents}}}'
        for number in range(cases)
    ]
    path.write_text("\n".join(["as_of: 2026-11-23", "cases:", *rows]) + "\n")
    return str(path)


def policy(path: Path, demands: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(f"version: 1\ngate:\n  dataset: golden\n  measures: {{facts: {demands}}}\n")
    monkeypatch.setenv("OPSPLANE_POLICY", str(path))


def words(result: Result) -> str:
    return re.sub(r"\s+", " ", result.stdout + result.stderr)


def test_a_gate_that_is_passed_ends_with_zero(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy(tmp_path / "policy.yaml", "{least: 0.8, margin: 0.1}", monkeypatch)
    result = run("gate", "heron-7", "--dataset", dataset(tmp_path / "set.yaml", FACT), "--judge", "none")
    assert result.exit_code == 0, words(result)


def test_a_gate_that_is_missed_ends_with_one_and_names_the_measure(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy(tmp_path / "policy.yaml", "{least: 0.8}", monkeypatch)
    junit = tmp_path / "gate.xml"
    given = ("--dataset", dataset(tmp_path / "set.yaml", WRONG), "--judge", "none", "--junit", str(junit))
    result = run("gate", "heron-7", *given)
    assert result.exit_code == 1
    assert "failed" in words(result)
    assert "<failure" in junit.read_text()


def test_too_few_cases_are_neither(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy(tmp_path / "policy.yaml", "{least: 0.8}", monkeypatch)
    result = run("gate", "--dataset", dataset(tmp_path / "set.yaml", FACT, 5), "--judge", "none")
    assert result.exit_code == INCONCLUSIVE


def test_a_judge_without_a_vote_cannot_pass_a_gate(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policy.yaml").write_text("version: 1\ngate: {dataset: golden, measures: {judge: {least: 0.1}}}\n")
    monkeypatch.setenv("OPSPLANE_POLICY", str(tmp_path / "policy.yaml"))
    result = run("gate", "--dataset", dataset(tmp_path / "set.yaml", FACT))
    assert result.exit_code == INCONCLUSIVE
    assert "has no vote" in words(result)


def test_a_report_is_put_on_the_release_with_what_the_gate_said(run: Run, tmp_path: Path) -> None:
    assert run("release", "register", "heron-7").exit_code == 0
    given = ("--dataset", dataset(tmp_path / "set.yaml", FACT, 3), "--record", "--json", str(tmp_path / "r.json"))
    result = run("gate", "heron-7", *given)
    assert "Recorded for heron-7: not passed." in words(result)
    assert json.loads((tmp_path / "r.json").read_text())["release"] == "heron-7"
    assert json.loads((tmp_path / "r.timings.json").read_text())["means"]


def test_a_diagnosis_says_what_to_change(run: Run, tmp_path: Path) -> None:
    result = run("diagnose", "--dataset", dataset(tmp_path / "set.yaml", WRONG, 3))
    assert result.exit_code == 0
    assert "no document says it" in words(result)
    assert "Write or ingest what is missing" in words(result)


def test_the_scorers_are_listed(run: Run) -> None:
    assert {"facts", "faithfulness", "judge"} <= set(run("evaluate", "--scorers", "list").stdout.split())


def test_only_some_scorers_may_be_asked_for(run: Run, tmp_path: Path, settings: Settings) -> None:
    given = ("--dataset", dataset(tmp_path / "set.yaml", FACT, 2), "--scorers", "facts,cost", "--json", "-")
    told = json.loads(run("evaluate", *given).stdout)
    assert [one["name"] for one in told["measures"]] == ["facts", "cost"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--scorers", "fakts"), "There is no scorer 'fakts'. Did you mean facts"),
        (("--judge", "foo"), "neither embedded nor provider:model"),
        (("--judge", "embedded,none"), "neither embedded nor provider:model"),
        (("--pairs",), "name the other with --compare"),
        (("--pairs", "--compare", "heron-6", "--judge", "none"), "nobody judges here"),
        (("--at-most", "inf"), "an amount in dollars"),
        (("--html", "/proc/x/y.html"), "/proc/x/y.html cannot be written"),
        (("--record", "--as", "nobody-here"), "Nobody is called"),
    ],
)
def test_what_cannot_be_is_refused_before_documents_and_models_are_loaded(
    run: Run, tmp_path: Path, given: tuple[str, ...], told: str
) -> None:
    with pytest.raises((InvalidRequest, NotFound), match=told):
        run("evaluate", *given, "--dataset", dataset(tmp_path / "set.yaml", FACT, 1), "--data", str(tmp_path / "none"))
    assert not (tmp_path / "none" / "models").exists()


def test_a_file_that_turns_out_unwritable_costs_neither_the_report_nor_the_others(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy(tmp_path / "policy.yaml", "{least: 0.8}", monkeypatch)
    junit = tmp_path / "ok.xml"
    given = ("--dataset", dataset(tmp_path / "set.yaml", FACT, 2), "--judge", "none", "--junit", str(junit))
    result = run("gate", *given, "--html", "/dev/full")
    assert result.exit_code == 2
    assert "/dev/full cannot be written" in words(result)
    assert "2 of 2 cases passed" in words(result)
    assert "<testsuite" in junit.read_text()


def test_a_shelf_that_cannot_be_written_is_a_warning(run: Run, tmp_path: Path, settings: Settings) -> None:
    shelf, aside = settings.data / "evaluations" / "reports", tmp_path / "aside"
    shelf.parent.mkdir(parents=True, exist_ok=True)
    if shelf.exists():
        shelf.rename(aside)
    shelf.write_text("")
    try:
        result = run("evaluate", "--dataset", dataset(tmp_path / "set.yaml", FACT, 1), "--judge", "none")
    finally:
        shelf.unlink()
        if aside.exists():
            aside.rename(shelf)
    assert result.exit_code == 0
    assert "warning: the report is not kept" in words(result)
    assert "1 of 1 cases passed" in words(result)


def test_what_costs_nothing_runs_with_nothing_to_spend(run: Run, tmp_path: Path) -> None:
    given = ("--dataset", dataset(tmp_path / "set.yaml", FACT, 2), "--at-most", "0", "--compare", "heron-6")
    result = run("evaluate", "heron-7", *given)
    assert result.exit_code == 0
    assert "2 of 2 cases passed" in words(result)
    assert "limit" not in result.stderr


def test_a_release_against_itself_is_asked_once(run: Run, tmp_path: Path) -> None:
    result = run("gate", "heron-7", "--against", "heron-7", "--dataset", dataset(tmp_path / "set.yaml", APART, 23))
    assert "23 cases, 23 questions to be asked, at no cost." in words(result)


def test_what_a_judge_costs_is_told_and_a_limit_of_nothing_ends_the_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "none")
    given = ("--dataset", dataset(tmp_path / "set.yaml", FACT, 2), "--at-most", "0")
    result = run("evaluate", *given, "--judge", "google_genai:gemini-3.8-flash")
    assert "questions to be asked, for about $0.0" in words(result)
    assert "The limit of $0.000000 was reached." in words(result)
    assert result.exit_code == INCONCLUSIVE
    result = run("evaluate", *given, "--judge", "google_genai:unheard-of")
    assert "; the price of google_genai:unheard-of is not known." in words(result)


@pytest.mark.parametrize("name", ["gate", "evaluate", "diagnose", "dataset", "job"])
def test_each_has_help(run: Run, name: str) -> None:
    assert "Usage:" in run(name, "--help").stdout
