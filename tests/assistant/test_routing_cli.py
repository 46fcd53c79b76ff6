"""`opsplane routing frontier`, over the sample bank."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assistant import routing_cli
from opsplane.errors import InvalidRequest
from tests.assistant.conftest import ROOT
from tests.assistant.test_evaluate_cli import FACT, dataset
from tests.assistant.test_main import Run
from tests.assistant.test_main import run as run

RELEASES = ROOT / "assistant" / "releases"


@pytest.fixture
def frontier(run: Run) -> Run:
    """Runs the command with the settings of `run`."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(routing_cli.cli, ("frontier", *arguments), catch_exceptions=False)

    return invoke


def words(result: Result) -> str:
    return re.sub(r"\s+", " ", result.stdout + result.stderr)


def test_both_tiers_are_free_here_and_that_is_said(frontier: Run, tmp_path: Path) -> None:
    page = tmp_path / "new" / "frontier.html"
    given = ("heron-6", "--dataset", dataset(tmp_path / "set.yaml", FACT), "--html", str(page))
    result = frontier(*given)
    assert result.exit_code == 0
    told = words(result)
    assert "24 cases on two tiers, 48 questions to be asked, at no cost." in told
    assert "Both tiers cost nothing here" in told
    assert "routing: pro_from_words: 100000" in told
    assert page.read_text().startswith("<!DOCTYPE html>")
    again = words(frontier(*given, "--json"))
    assert "48 answers were known from before; spent nothing." in again


def test_json_is_all_that_is_printed(frontier: Run, tmp_path: Path) -> None:
    result = frontier("heron-6", "--dataset", dataset(tmp_path / "set.yaml", FACT, 2), "--json")
    found = json.loads(result.stdout)
    assert (found["release"], found["cases"], found["chosen"]) == ("heron-6", 2, None)


@pytest.fixture
def priced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """A release whose Pro costs something, on two questions."""
    text = (RELEASES / "heron-6.yaml").read_text().replace("id: heron-6", "id: priced")
    text = re.sub(r"  pro: \{.*\}", '  pro: {name: "google_genai:gemini-4-argon"}', text)
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "priced.yaml").write_text(text)
    monkeypatch.setenv("OPSPLANE_RELEASES", str(tmp_path / "releases"))
    return ("priced", "--dataset", dataset(tmp_path / "set.yaml", FACT, 2))


def test_nothing_is_spent_without_a_word(frontier: Run, priced: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest, match="say --yes"):
        frontier(*priced)


def test_a_limit_that_is_reached_is_told_and_no_end(frontier: Run, priced: tuple[str, ...]) -> None:
    result = frontier(*priced, "--yes", "--at-most", "0")
    assert result.exit_code == 3
    assert "The limit of $0.000000 was reached." in words(result)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--measure", "fakts"), "There is no scorer 'fakts'. Did you mean facts"),
        (("--judge", "foo"), "neither embedded nor provider:model"),
        (("--at-most", "inf"), "--at-most is an amount in dollars"),
        (("--budget", "inf"), "--budget is an amount in dollars"),
        (("--html", "/proc/x/y.html"), "/proc/x/y.html cannot be written"),
        (("--measure", "judge", "--judge", "none"), "nobody judges"),
    ],
)
def test_what_cannot_be_is_refused(frontier: Run, tmp_path: Path, given: tuple[str, ...], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        frontier("heron-6", *given, "--dataset", dataset(tmp_path / "set.yaml", FACT, 1))
