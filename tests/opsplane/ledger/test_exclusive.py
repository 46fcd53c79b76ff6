"""One process at a time does a job: who comes second is told, and a process that died holds nothing up."""

import subprocess
import sys
from pathlib import Path

import pytest

from opsplane.ledger.exclusive import exclusive
from opsplane.ledger.store import Ledger

ROOT = Path(__file__).parents[3]
HOLDS = """
import sys
from pathlib import Path
from opsplane.ledger.database import connect
from opsplane.ledger.exclusive import exclusive
from opsplane.ledger.store import Ledger
from tests import fakes
ledger = Ledger(connect(sys.argv[1]), fakes.Clock(), fakes.vault(Path(sys.argv[2]), fakes.Clock()))
with exclusive(ledger, "judge") as alone:
    print(alone, flush=True)
    sys.stdin.read()
"""


def test_a_second_one_is_told_and_does_not_wait(ledger: Ledger) -> None:
    with exclusive(ledger, "judge") as first, exclusive(ledger, "judge") as second, exclusive(ledger, "watch") as other:
        assert (first, second, other) == (True, False, True)
    with exclusive(ledger, "judge") as again:
        assert again


def test_it_is_given_back_where_the_job_fails(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError), exclusive(ledger, "judge"):
        raise RuntimeError("no")
    with exclusive(ledger, "judge") as again:
        assert again


def test_another_process_holds_it_until_it_dies(ledger: Ledger, record_url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDS, record_url, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:  # type: ignore[call-overload]  # named above
        assert process.stdout.readline() == "True\n"
        with exclusive(ledger, "judge") as mine:
            assert not mine
        process.kill()
        process.wait()
    for _ in range(500):  # PostgreSQL ends a session when it notices that the client is gone
        with exclusive(ledger, "judge") as mine:
            if mine:
                break
    assert mine
