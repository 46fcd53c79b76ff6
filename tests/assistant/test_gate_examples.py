"""The examples for build servers: they are YAML, they run when a release file changes, and we know every option."""

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from assistant.__main__ import cli

OPSPLANE = """#!/usr/bin/env bash
echo "${@: -1}: $(cat "assistant/releases/${@: -1}.yaml"), beside $(cat assistant/releases/serving.yaml)" >> gated
"""
"""Stands in for the command: it writes down what is gated, and beside what."""
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


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(("git", *who, *arguments), cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, name: str, text: str) -> None:
    (folder / f"assistant/releases/{name}.yaml").write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "-m", name)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A shallow clone of a change of the release that serves; meanwhile the target branch got another release."""
    origin, change = tmp_path / "origin", tmp_path / "change"
    (origin / "assistant/releases").mkdir(parents=True)
    git(origin, "init")
    commit(origin, "heron-6", "old")
    git(origin, "checkout", "-b", "change")
    commit(origin, "heron-6", "new")
    git(origin, "checkout", "main")
    commit(origin, "heron-7", "elsewhere")
    git(tmp_path, "clone", "--depth=1", "--branch=change", "--no-single-branch", origin.as_uri(), str(change))
    (change / ".venv/bin").mkdir(parents=True)
    (change / ".venv/bin/opsplane").write_text(OPSPLANE)
    (change / ".venv/bin/opsplane").chmod(0o755)
    return change


@pytest.mark.parametrize("path", [GITHUB, CLOUD_BUILD], ids=lambda path: path.name)
def test_a_change_of_the_release_that_serves_is_held_against_what_the_target_branch_has(
    path: Path, checkout: Path
) -> None:
    (script,) = [one for one in scripts(path) if "opsplane gate" in one]
    base = "main"
    if path is GITHUB:  # its action fetches the whole history
        git(checkout, "fetch", "--unshallow")
        base = git(checkout, "rev-parse", "origin/main")
    environment = {"PATH": os.environ["PATH"], "BASE": base, "AGAINST": "heron-6"}
    subprocess.run(("bash", "-e", "-c", script), cwd=checkout, check=True, env=environment)
    assert (checkout / "gated").read_text() == "heron-6: new, beside old\n"


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
