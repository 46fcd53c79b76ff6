"""The examples for build servers: they are YAML, they run when a release file changes, and we know every option."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from assistant.__main__ import cli

ROOT = Path(__file__).parents[2]
GITHUB, CLOUD_BUILD = ROOT / ".github/workflows/gate.yml", ROOT / "deploy/cloudbuild/gate.yaml"
WANTED = {"--dataset", "--against", "--junit", "--html", "--json"}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def scripts(path: Path) -> list[str]:
    told = read(path)
    steps = told["steps"] if "steps" in told else told["jobs"]["gate"]["steps"]
    return [step.get("run") or step.get("script") or "" for step in steps]


def call(path: Path) -> list[str]:
    """What follows `opsplane gate` in the example's script, with a release in place of the shell's variables."""
    whole = "\n".join(scripts(path)).replace("\\\n", " ")
    (line,) = re.findall(r"opsplane gate (.*?) \|\|", whole)
    return shlex.split(re.sub(r"\$\w+", "heron-7", line))


@pytest.mark.parametrize("path", [GITHUB, CLOUD_BUILD], ids=lambda path: path.name)
def test_the_command_line_is_one_that_we_know(path: Path) -> None:
    commands = typer.main.get_command(cli)
    assert isinstance(commands, typer.core.TyperGroup)
    assert "gate" in commands.commands, "there is no command `opsplane gate`"
    arguments = call(path)
    assert set(arguments) >= WANTED
    context = commands.commands["gate"].make_context("gate", arguments)
    assert "heron-7" in context.params.values()


@pytest.mark.parametrize("path", [GITHUB, CLOUD_BUILD], ids=lambda path: path.name)
def test_a_failed_git_is_no_pass_and_the_verdict_is_told(path: Path) -> None:
    whole = "\n".join(scripts(path))
    assert "changed=$(git diff" in whole  # its failure ends the script; in the head of a loop it would not
    assert re.search(r'exit "\$(verdict|\(cat reports/verdict\))"', whole)


def test_the_action_runs_for_release_files_and_keeps_the_reports() -> None:
    told = read(GITHUB)
    assert told[True]["pull_request"]["paths"] == ["assistant/releases/*.yaml"]  # YAML 1.1 reads `on` as true
    assert told["permissions"] == {"contents": "read"}
    last = told["jobs"]["gate"]["steps"][-1]
    assert (last["if"], last["with"]["path"]) == ("${{ !cancelled() }}", "reports/")
    assert last["uses"].startswith("actions/upload-artifact@v")


def test_cloud_build_keeps_the_reports_before_it_tells_the_verdict() -> None:
    assert [step["id"] for step in read(CLOUD_BUILD)["steps"]] == ["set-up", "gate", "keep", "verdict"]
    assert "--included-files='assistant/releases/*.yaml'" in CLOUD_BUILD.read_text(encoding="utf-8")
