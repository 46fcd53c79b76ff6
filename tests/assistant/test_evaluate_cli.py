"""`opsplane evaluate`, `opsplane gate`, `opsplane diagnose`, over the sample bank."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import Result

from assistant.evaluate_cli import INCONCLUSIVE
from assistant.settings import Settings
from tests.assistant.test_main import Run
from tests.assistant.test_main import run as run

FEE = "How much is the overdraft fee?"
FACT, WRONG = '"$15"', '"$99"'


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


@pytest.mark.parametrize("name", ["gate", "evaluate", "diagnose", "dataset", "job"])
def test_each_has_help(run: Run, name: str) -> None:
    assert "Usage:" in run(name, "--help").stdout
