"""A run of an evaluation that is killed, and the run after it. Its process is this file, run as a module."""

import signal
import subprocess
import sys
from pathlib import Path

from assistant import evaluating, workshop
from assistant.evaluating import Outcome, Wanted
from assistant.settings import Settings
from assistant.workshop import Workshop
from opsplane.evaluation.dataset import load
from opsplane.evaluation.kept import Kept
from opsplane.evaluation.run import Standing

ROOT = Path(__file__).parents[2]
SET = """
as_of: 2026-11-23
cases:
  - {id: fee, kind: fees, question: "How much is the overdraft fee?", facts: [$15], documents: [overdraft-terms]}
  - {id: check, kind: fees, question: "How much is a cashier's check?", facts: [$10]}
  - {id: balance, kind: account, question: "What is my checking balance?", documents: [account_balances]}
  - {id: cake, kind: off-topic, question: "How do I bake a cake?", expect: decline}
  - {id: hello, kind: greeting, question: "Hello!", expect: decline}
  - {id: thanks, kind: greeting, question: "Thank you!", expect: decline}
"""


def run(shop: Workshop, cases: Path, kept: Path | None, told: evaluating.Told = lambda _: None) -> Outcome:
    """The cases in the real turn, two at a time."""
    with Kept(kept) as known:
        wanted = Wanted(load(cases), (), together=2, told=told)
        return evaluating.run(shop, evaluating.release("", shop.settings), wanted, known)


def test_after_a_kill_only_the_rest_is_asked_and_the_report_is_the_same(settings: Settings, tmp_path: Path) -> None:
    cases, kept = tmp_path / "cases.yaml", tmp_path / "kept.db"
    cases.write_text(SET)
    command = [sys.executable, "-m", __name__, str(settings.data), str(cases), str(kept)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "2 of 6\n"
        process.kill()
    assert process.returncode == -signal.SIGKILL
    with workshop.opened(settings, lambda *_: None) as shop:
        second, whole = run(shop, cases, kept), run(shop, cases, None)
    assert second.known == 2
    assert len(second.report.rows) == 6
    assert second.report.digest == whole.report.digest


def hold(standing: Standing) -> None:
    """Wait in the middle of the run for whoever kills it: two answers are kept, one is under way."""
    if standing.done == 2:
        sys.stdout.write(f"{standing.done} of {standing.of}\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    data, its_cases, its_kept = map(Path, sys.argv[1:])
    with workshop.opened(Settings(data=data), lambda *_: None) as its_shop:
        run(its_shop, its_cases, its_kept, hold)
