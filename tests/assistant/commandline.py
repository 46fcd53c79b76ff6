"""One command as the shell would run it, in the tests' own process."""

import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from assistant.__main__ import main


class Told(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Told]


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command, and tells its exit code and what it printed."""

    def invoke(*arguments: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["opsplane", *arguments])
        capsys.readouterr()
        try:
            main()
        except SystemExit as left:
            code = left.code
        else:
            code = 0
        printed = capsys.readouterr()
        return Told(int(code or 0), printed.out, printed.err)

    return invoke
