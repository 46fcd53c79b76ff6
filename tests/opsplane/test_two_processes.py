"""Two processes on one record, one of them under load: what is acknowledged in one is in force in the other."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from opsplane import steering
from opsplane.errors import Conflict
from opsplane.events import QuestionAnswered, QuestionReceived
from opsplane.exchange import Outcome
from opsplane.intent import Helm, Intent, commit, propose
from opsplane.ledger.database import connect
from opsplane.ledger.store import Ledger
from opsplane.ledger.vault import Vault
from opsplane.policy import Approvals, Policy
from opsplane.rollouts.watcher import Watcher
from opsplane.state import State
from tests import fakes
from tests.opsplane.helms import ONE, TWO, helm, serve
from tests.opsplane.rollouts.test_watcher import CROWD, started

ROOT = Path(__file__).parents[2]
ALONE = Policy(version=1, approve=Approvals(start=False, early=False))
ENOUGH = 12  # turns on each side of the command


@contextmanager
def turner(url: str, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """The other process, already answering."""
    command = [sys.executable, "-m", "tests.opsplane.turner", url, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def turns(process: "subprocess.Popen[str]", count: int) -> list[tuple[float, str]]:
    """The next turns of the other process: when each began, and its release."""
    assert process.stdout is not None
    lines = (process.stdout.readline().split() for _ in range(count))
    return [(float(began), release) for began, release in lines]


def until(process: "subprocess.Popen[str]", moment: float) -> list[tuple[float, str]]:
    """Its turns until enough of them have begun after that moment."""
    found: list[tuple[float, str]] = []
    while sum(began > moment for began, _ in found) < ENOUGH:
        found += turns(process, 1)
    return found


async def do(at: Helm, make: Callable[[State], Intent]) -> None:
    intent = await propose(at, "rollback", "", make, actor=fakes.OPERATOR)
    await commit(at, intent, actor=fakes.OPERATOR)


@pytest.mark.timeout(120)
async def test_after_a_rollback_is_acknowledged_no_turn_begins_on_the_old_release(
    ledger: Ledger, record_url: str, tmp_path: Path
) -> None:
    at = helm(ledger, policy=ALONE)

    def start(state: State) -> Intent:
        return steering.start(state, at, ["test-2"], "test", "")

    await do(at, start)
    await do(at, lambda state: steering.promote(state, at, "", early=True))
    with turner(record_url, tmp_path) as other:
        before = turns(other, ENOUGH)
        await do(at, lambda state: steering.rollback(state, at, "test-1", "complaints"))
        acknowledged = time.monotonic()
        after = until(other, acknowledged)
    assert {release for _, release in before} == {TWO.id}
    assert {release for began, release in after if began > acknowledged} == {ONE.id}
    assert not _received_after(ledger)


async def test_of_two_operators_on_two_servers_one_wins_and_the_other_is_told(
    ledger: Ledger, record_url: str, vault: Vault
) -> None:
    here = helm(ledger, policy=ALONE)
    with closing(Ledger(connect(record_url), ledger.clock, vault)) as other:
        there = helm(other, policy=ALONE)
        mine, theirs = [
            await propose(at, "rollout", "", partial(_start, at, name), actor=fakes.OPERATOR)
            for at, name in ((here, "test-2"), (there, "test-3"))
        ]
        done = await asyncio.gather(
            commit(here, mine, actor=fakes.OPERATOR),
            commit(there, theirs, actor=fakes.APPROVER),
            return_exceptions=True,
        )
    refused = [one for one in done if isinstance(one, Conflict)]
    assert len(refused) == 1
    assert "Nothing was done" in str(refused[0])
    assert here.plane.state.rollout is not None
    assert ledger.count(["rollout_started"]) - len(here.plane.state.void) == 1


def _start(at: Helm, name: str, state: State) -> Intent:
    return steering.start(state, at, [name], "test", "")


def _received_after(ledger: Ledger) -> list[str]:
    """Exchanges received after the rollback, by the record's own order, and answered by what was rolled back."""
    ledger.settle()
    restored = ledger.events(["release_restored"])[0].seq
    entries = ledger.events(["question_received", "question_answered"])
    late = {one.event.exchange.id for one in entries if isinstance(one.event, QuestionReceived) and one.seq > restored}
    answered = [one.event.exchange for one in entries if isinstance(one.event, QuestionAnswered)]
    return [one.id for one in answered if one.id in late and one.digest != ONE.digest]


def test_of_two_processes_that_watch_one_acts(ledger: Ledger, record_url: str, vault: Vault) -> None:
    at = started(ledger)
    serve(at, CROWD, {"candidate": Outcome.FAILED})
    other = Ledger(connect(record_url), ledger.clock, vault)
    with closing(other):
        there = Watcher(helm(other, policy=ALONE))
        Watcher(at).look()
        there.look()
    assert at.ledger.count(["rollout_aborted"]) == 1


def test_the_evidence_is_the_same_in_every_process(ledger: Ledger, record_url: str, vault: Vault) -> None:
    at = started(ledger)
    watcher = Watcher(at)
    for size in (50, 200, 400):
        serve(at, CROWD[:size], {"candidate": Outcome.ANSWERED})
        watcher.watched()  # bit by bit here, at once there
    with closing(Ledger(connect(record_url), ledger.clock, vault)) as other:
        there = Watcher(helm(other, policy=ALONE)).watched()
    here = watcher.watched()
    assert here is not None
    assert there is not None
    assert here.summary == there.summary
