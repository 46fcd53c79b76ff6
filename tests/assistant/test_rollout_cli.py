"""Rollouts from a terminal: told first, asked back, the same functions as in the chat."""

import io
from pathlib import Path

import pytest

from assistant import bootstrap
from assistant.settings import Settings
from opsplane import registry
from opsplane.plane import Plane
from opsplane.state import State
from tests.assistant.commandline import Run
from tests.assistant.test_release_cli import HERON, RELEASES, run

__all__ = ["run"]

SECOND = registry.load(RELEASES / "heron-7.yaml")


def state(tmp_path: Path) -> State:
    """The state, and heron-7 registered."""
    with bootstrap.record(Settings(data=tmp_path)) as (ledger, _):
        plane = Plane(ledger)
        plane.configure({"heron-6": HERON, "heron-7": SECOND}, "heron-6")
        return plane.state


@pytest.fixture
def alone(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """One person is enough, and heron-7 is registered."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\napprove: {start: false, early: false}\n")
    plans = tmp_path / "plans"
    plans.mkdir()
    plan = "id: short\nsteps: [{share: 50}]\nguardrails: [{metric: answered, harm: 0.2}]\n"
    (plans / "short.yaml").write_text(plan)
    monkeypatch.setenv("OPSPLANE_POLICY", str(policy))
    monkeypatch.setenv("OPSPLANE_PLANS", str(plans))
    state(tmp_path)
    return run


COMMANDS = ["rollout", "rollback", "freeze", "unfreeze", "killswitch"]
VERBS = ["start", "status", "advance", "promote", "pause", "resume", "abort", "conclude", "list", "plans", "report"]


@pytest.mark.parametrize("command", [*COMMANDS, *(f"rollout {verb}" for verb in VERBS)])
def test_everything_has_help(run: Run, command: str) -> None:
    told = run(*command.split(), "--help")
    assert told.code == 0
    assert "Usage:" in told.out


def test_a_rollout_begins_and_is_rolled_back(alone: Run, tmp_path: Path) -> None:
    told = alone("rollout", "start", "heron-7", "--plan", "short", "--reason", "shorter", "--yes")
    assert told.code == 0, told.err
    assert "50 % → everybody" in told.out
    assert state(tmp_path).rollout is not None
    assert "short" in alone("rollout", "status").out
    assert alone("rollback", "--reason", "complaints", "--yes").code == 0
    assert state(tmp_path).rollout is None


def test_without_a_yes_nothing_is_done_where_nobody_can_be_asked(
    alone: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    told = alone("killswitch", "on", "--reason", "fire")
    assert told.code == 2
    assert "say --yes" in told.err
    assert state(tmp_path).killed is None


def test_a_freeze_ends_and_is_lifted(alone: Run, tmp_path: Path) -> None:
    assert alone("freeze", "--for", "2h", "--reason", "holidays", "--yes").code == 0
    refused = alone("rollout", "start", "heron-7", "--plan", "short", "--yes")
    assert refused.code == 2
    assert "Changes are frozen until" in refused.err
    assert alone("unfreeze", "--yes").code == 0
    assert state(tmp_path).frozen is None


def test_the_plans_that_ship_and_every_rollout_are_listed(run: Run) -> None:
    assert "standard" in run("rollout", "plans").out
    assert "1 %" in run("rollout", "plans", "standard").out
    assert run("rollout", "list").code == 0


def test_a_report_is_printed_whole(alone: Run) -> None:
    alone("rollout", "start", "heron-7", "--plan", "short", "--yes")
    alone("rollout", "abort", "--reason", "enough", "--yes")
    page = alone("rollout", "report", "--html").out
    assert page.lower().startswith("<!doctype html>")
    assert "enough" in page


def test_by_the_policy_that_ships_a_second_person_is_asked(run: Run, tmp_path: Path) -> None:
    state(tmp_path)
    told = run("rollout", "start", "heron-7", "--plan", "standard", "--reason", "shorter", "--yes")
    assert told.code == 0, told.err
    assert state(tmp_path).rollout is None
    request = told.out.split("/approve ")[1].split()[0].strip("`.")
    refused = run("approve", request, "--as", "operator")
    assert "another person decides" in refused.err
    agreed = run("approve", request, "--as", "approver", "--yes")
    assert agreed.code == 0, agreed.err
    assert "operator asks to start a rollout of heron-7" in agreed.out
    assert state(tmp_path).rollout is not None


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("rollout start heron-9 --plan standard --yes", "Did you mean heron-"),
        ("rollout start heron-6 --plan standard --yes", "serves every customer already"),
        ("rollout start heron-6 --plan nonsense --yes", "Known plans: experiment, quick, shadow, standard"),
        ("rollout abort --yes", "No rollout is in progress"),
        ("rollback --yes", "No release served before"),
        ("killswitch maybe --yes", "/killswitch on or /killswitch off"),
        ("freeze --for soon --reason x --yes", "30m, 2h or 7d"),
        ("rollout status --as reviewer", "needs the role operator or approver"),
    ],
)
def test_what_cannot_be_is_told_in_words(run: Run, command: str, words: str) -> None:
    told = run(*command.split())
    assert told.code == 2
    assert words in told.err
    assert "Traceback" not in told.err


def test_a_broken_plan_stops_every_command_with_its_line(alone: Run, tmp_path: Path) -> None:
    (tmp_path / "plans" / "down.yaml").write_text("id: down\nsteps: [{share: 50}, {share: 5}]\nguardrails: []\n")
    told = alone("rollout", "status")
    assert told.code == 2
    assert "down.yaml: line" in told.err
    assert told.out == ""
