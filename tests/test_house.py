"""The rules of the house: who may import whom, how long things may be, and that the README tells everything."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from assistant.__main__ import cli
from assistant.commands import COMMANDS
from assistant.settings import Settings

ROOT = Path(__file__).parents[1]
PACKAGES = ("assistant", "opsplane", "knowledge")
SOURCES = sorted(path for package in (*PACKAGES, "tests", "benchmarks") for path in (ROOT / package).rglob("*.py"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
LONGEST_FILE, LONGEST_FUNCTION = 400, 50


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_imports_keep_the_dependency_rule() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]  # in here it would turn loggers off
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in _functions(ast.parse(text))
        if node.end_lineno and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert not long


def test_chainlit_is_imported_only_by_what_renders_for_it() -> None:
    doors = {"app.py", "web.py", "history.py", "chat_tables.py", "citations.py", "page.py", "sockets.py", "guard.py"}
    importers = {
        path.name
        for path in SOURCES
        if path.relative_to(ROOT).parts[0] in PACKAGES
        and re.search(r"^\s*(import|from) chainlit", path.read_text(), re.MULTILINE)
    }
    assert importers <= doors


def _commands(group: typer.Typer, before: str = "opsplane") -> Iterator[str]:
    for command in group.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "")
        yield f"{before} {name}"
    for sub in group.registered_groups:
        if sub.typer_instance:
            yield from _commands(sub.typer_instance, f"{before} {sub.name}")


@pytest.mark.parametrize("command", [*_commands(cli), *(f"/{name}" for name in COMMANDS)])
def test_the_readme_names_every_command(command: str) -> None:
    assert f"`{command}" in README


@pytest.mark.parametrize("name", list(Settings.__dataclass_fields__))
def test_the_readme_names_every_setting(name: str) -> None:
    assert f"`OPSPLANE_{name.upper()}`" in README
