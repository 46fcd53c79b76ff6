"""Nothing that was acknowledged is lost: processes are killed, the power fails, the disk fails, the server is killed.

Each check is shown to find loss: ledgers that cheat, on the same paths, are caught in every run.
"""

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.durability.harness import PATIENCE, Disk, Nursery, Server, Trial
from tests.durability.wire import Wire
from tests.durability.worker import Order

FULL_QUEUE = 32
ENOUGH = 50  # refusals in a row that show that nothing gets through


@pytest.fixture
def on_sqlite(nursery: Nursery, tmp_path: Path) -> Trial:
    """A ledger in a folder of its own; its worker is killed, the machine goes on."""
    folder = tmp_path / "data"
    folder.mkdir()
    return Trial(nursery, Order(f"sqlite:///{folder}/record.db", str(folder)), random.Random(7))


@pytest.fixture
def on_postgresql(nursery: Nursery, server: Server, tmp_path: Path) -> Trial:
    """A ledger in a database of its own."""
    url = server.database(f"d{abs(hash(str(tmp_path))):x}")
    folder = tmp_path / "data"
    folder.mkdir()
    return Trial(nursery, Order(url, str(folder)), random.Random(7))


@pytest.fixture
def on_a_disk(shim: Path, on_sqlite: Trial, tmp_path: Path) -> Trial:
    """A ledger whose worker dies of a power cut."""
    return on_sqlite.with_disk(Disk(tmp_path / "data", tmp_path))


def _survives(trial: Trial, deaths: int, enough: int) -> None:
    for _ in range(deaths):
        assert trial.once() == []
    assert len(trial.acknowledged) >= enough


def _is_caught(trial: Trial) -> bool:
    """Whether a ledger that cheats is found out within ten deaths."""
    return any("lost" in complaint for _ in range(10) for complaint in trial.once())


def test_killed_processes_lose_nothing_on_sqlite(on_sqlite: Trial) -> None:
    _survives(on_sqlite, deaths=12, enough=300)


def test_killed_processes_lose_nothing_on_postgresql(on_postgresql: Trial) -> None:
    _survives(on_postgresql, deaths=10, enough=300)


def test_power_cuts_lose_nothing(on_a_disk: Trial) -> None:
    _survives(on_a_disk, deaths=15, enough=400)


def test_a_full_queue_that_is_killed_loses_nothing_on_sqlite(on_sqlite: Trial) -> None:
    _survives(on_sqlite.with_order(producers=FULL_QUEUE), deaths=5, enough=100)


def test_a_full_queue_that_is_killed_loses_nothing_on_postgresql(on_postgresql: Trial) -> None:
    _survives(on_postgresql.with_order(producers=FULL_QUEUE), deaths=5, enough=100)


def test_a_full_queue_loses_nothing_at_a_power_cut(on_a_disk: Trial) -> None:
    _survives(on_a_disk.with_order(producers=FULL_QUEUE), deaths=5, enough=100)


def test_checkpoints_survive_their_makers_on_sqlite(on_sqlite: Trial) -> None:
    trial = on_sqlite.with_order(checkpoints=True)
    _survives(trial, deaths=5, enough=50)
    assert len(trial.published) > 5


def test_checkpoints_survive_their_makers_on_postgresql(on_postgresql: Trial) -> None:
    trial = on_postgresql.with_order(checkpoints=True)
    _survives(trial, deaths=5, enough=50)
    assert len(trial.published) > 5


def test_checkpoints_survive_a_power_cut(on_a_disk: Trial) -> None:
    trial = on_a_disk.with_order(checkpoints=True)
    _survives(trial, deaths=8, enough=50)
    assert len(trial.published) > 8


def test_the_power_may_fail_at_any_step_of_a_ledgers_making(on_a_disk: Trial) -> None:
    """Power cuts instead of the first write or sync, and of later ones, on an empty folder each time."""
    assert on_a_disk.disk is not None
    for step in (*range(1, 40, 3), *range(40, 240, 20)):
        on_a_disk.disk.empty()
        on_a_disk.acknowledged.clear()
        run = on_a_disk.start(fuse=step)
        run.wait()
        assert on_a_disk.end(run) == [], f"after {step - 1} steps"


def test_an_acknowledgement_before_the_commit_is_caught(on_sqlite: Trial) -> None:
    assert _is_caught(on_sqlite.with_order(variant="early", producers=8))


def test_sqlite_that_does_not_wait_for_the_disk_is_caught_by_a_power_cut(on_a_disk: Trial) -> None:
    assert _is_caught(on_a_disk.with_order(variant="normal"))


def test_postgresql_that_does_not_wait_for_the_disk_is_caught(on_postgresql: Trial, server: Server) -> None:
    assert _is_caught(on_postgresql.with_order(variant="lazy", producers=4).with_server(server))


def test_a_killed_server_loses_nothing(on_postgresql: Trial, server: Server) -> None:
    trial = on_postgresql.with_order(producers=4).with_server(server)
    _survives(trial, deaths=2, enough=20)


def test_a_server_that_comes_back_was_never_answered_for(on_postgresql: Trial, server: Server) -> None:
    run = on_postgresql.with_order(producers=8).start()
    assert run.hear(PATIENCE, lambda heard: len(heard.acknowledged) > ENOUGH)
    server.kill()
    assert run.hear(PATIENCE, lambda heard: len(heard.refused) > ENOUGH)
    before = len(run.heard.acknowledged)
    run.hear(PATIENCE, lambda heard: len(heard.refused) > 2 * ENOUGH)
    assert len(run.heard.acknowledged) == before
    server.start()
    assert run.hear(PATIENCE, lambda heard: len(heard.acknowledged) > before + ENOUGH)
    assert on_postgresql.end(run) == []


def test_a_commit_whose_answer_is_lost_is_not_written_twice(on_postgresql: Trial, tmp_path: Path) -> None:
    wire = Wire(on_postgresql.order.url, tmp_path, what=b"INSERT INTO inbox")
    run = on_postgresql.with_order(url=wire.url, producers=8).start()
    assert run.hear(PATIENCE, lambda heard: bool(heard.acknowledged))
    for _ in range(5):
        wire.cut()
        enough = len(run.heard.acknowledged) + ENOUGH
        assert run.hear(PATIENCE, lambda heard, enough=enough: len(heard.acknowledged) > enough)  # type: ignore[misc]
    assert wire.cuts == 5
    assert on_postgresql.end(run) == []
    wire.close()


@pytest.mark.parametrize("fault", ["E", "S", "F"], ids=["EIO at sync", "ENOSPC at sync", "ENOSPC at write"])
@pytest.mark.parametrize("producers", [1, FULL_QUEUE])
def test_a_failing_disk_acknowledges_nothing_and_loses_nothing(on_a_disk: Trial, producers: int, fault: str) -> None:
    trial = on_a_disk.with_order(producers=producers)
    assert trial.disk is not None
    run = trial.start()
    assert run.hear(PATIENCE, lambda heard: len(heard.acknowledged) > ENOUGH)
    trial.disk.fail(fault)
    assert run.hear(PATIENCE, lambda heard: len(heard.refused) > producers + ENOUGH)
    before = len(run.heard.acknowledged)
    run.hear(PATIENCE, lambda heard: len(heard.refused) > producers + 2 * ENOUGH)
    assert len(run.heard.acknowledged) == before
    trial.disk.fail("")
    assert run.hear(PATIENCE, lambda heard: len(heard.acknowledged) > before + producers + ENOUGH)
    assert trial.end(run, stray=0.5) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes, where this process may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("NO SMALL DISK CAN BE MOUNTED HERE: a full one was tested by the shim alone")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_acknowledges_nothing_and_loses_nothing(nursery: Nursery, small_disk: Path) -> None:
    trial = Trial(nursery, Order(f"sqlite:///{small_disk}/record.db", str(small_disk)), random.Random(7))
    run = trial.start()
    assert run.hear(PATIENCE, lambda heard: len(heard.refused) > ENOUGH)
    before = len(run.heard.acknowledged)
    run.hear(PATIENCE, lambda heard: len(heard.refused) > 2 * ENOUGH)
    assert len(run.heard.acknowledged) == before > 0
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert run.hear(PATIENCE, lambda heard: len(heard.acknowledged) > before + ENOUGH)
    assert trial.end(run) == []
