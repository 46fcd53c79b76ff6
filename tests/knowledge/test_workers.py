import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from knowledge.embedding import MiniLM
from knowledge.shards import BadJob, Local, collect, finish, missing, plan
from knowledge.vectors import Row
from knowledge.workers import Claims, run, work
from tests.embedder import Embedder
from tests.knowledge.conftest import MODELS

ROWS = [Row.of(f"Section {number}. The fee for service {number} is ${number}.") for number in range(120)]


def _old(claim: Path) -> None:
    """As if its owner had been silent for an hour."""
    os.utime(claim, (claim.stat().st_atime, claim.stat().st_mtime - 3600))


def _never(seconds: float) -> None:
    raise AssertionError("nothing to wait for")


def test_a_shard_is_claimed_by_one_and_free_when_given_back(tmp_path: Path) -> None:
    one, two = Claims(tmp_path), Claims(tmp_path)
    assert [one.take("shard-00001"), two.take("shard-00001"), two.take("shard-00002")] == [True, False, True]
    one.drop("shard-00001")
    assert two.take("shard-00001")
    assert {path.name for path in tmp_path.iterdir()} == {"shard-00001.claim", "shard-00002.claim"}


def test_the_claim_of_the_dead_is_taken_over_and_of_the_living_is_not(tmp_path: Path) -> None:
    dead, heir, third = Claims(tmp_path), Claims(tmp_path), Claims(tmp_path)
    assert dead.take("shard-00001")
    _old(tmp_path / "shard-00001.claim")
    assert [heir.take("shard-00001"), third.take("shard-00001")] == [True, False]
    assert (tmp_path / "shard-00001.claim").read_text() == heir.me


def test_a_beat_renews_a_claim_and_revives_none(tmp_path: Path) -> None:
    claims = Claims(tmp_path, expiry=0.0)
    assert claims.take("shard-00001")
    _old(tmp_path / "shard-00001.claim")
    claims.beat("shard-00001")
    assert not Claims(tmp_path).take("shard-00001")
    claims.drop("shard-00001")
    claims.beat("shard-00001")
    assert not (tmp_path / "shard-00001.claim").exists()


def test_workers_share_a_job_and_nothing_is_embedded_twice(tmp_path: Path) -> None:
    plan(ROWS, tmp_path, "drawn", per_shard=8)
    models = [Embedder() for _ in range(4)]
    threads = [Thread(target=work, args=(tmp_path, model, Claims(tmp_path), lambda seconds: None)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(text for model in models for text in model.asked) == sorted(row.text for row in ROWS)
    assert len(list(collect(tmp_path))) == len(ROWS)
    assert not list(tmp_path.glob("*.claim"))


def test_a_worker_waits_for_the_shard_of_another_and_takes_it_when_that_one_dies(tmp_path: Path) -> None:
    first = plan(ROWS[:16], tmp_path, "drawn", per_shard=4).shards[0].name
    assert Claims(tmp_path).take(first)
    waited: list[float] = []

    def dies(seconds: float) -> None:
        waited.append(seconds)
        _old(tmp_path / f"{first}.claim")

    assert work(tmp_path, Embedder(), Claims(tmp_path), dies) == 16
    assert len(waited) == 1


def test_a_claim_on_finished_work_keeps_nobody_waiting(tmp_path: Path) -> None:
    whole = plan(ROWS[:16], tmp_path, "drawn")
    finish(whole.shards[0], Local(tmp_path), Embedder())
    assert Claims(tmp_path).take(whole.shards[0].name)
    assert work(tmp_path, Embedder(), Claims(tmp_path), _never) == 0
    assert not list(tmp_path.glob("*.claim"))


def test_two_who_believe_to_own_a_shard_write_the_same(tmp_path: Path) -> None:
    shard = plan(ROWS[:16], tmp_path, "drawn").shards[0]
    finish(shard, Local(tmp_path), Embedder(), lambda: None)
    one = (tmp_path / "shard-00000.vectors").read_bytes()

    class Late(Local):
        def read(self, name: str) -> bytes | None:
            return None if name.endswith(".vectors") else super().read(name)

    assert finish(shard, Late(tmp_path), Embedder()) == 16
    assert (tmp_path / "shard-00000.vectors").read_bytes() == one


def test_a_worker_of_another_model_is_refused(tmp_path: Path) -> None:
    plan(ROWS, tmp_path, "another")
    with pytest.raises(BadJob, match="for the model another"):
        work(tmp_path, Embedder(), Claims(tmp_path), _never)


def test_a_job_for_a_model_that_does_not_run_here_is_refused(tmp_path: Path) -> None:
    plan(ROWS, tmp_path, "textembedding-large")
    with pytest.raises(BadJob, match="textembedding-large, which does not run here"):
        run(tmp_path, lambda done, total: None, models=MODELS)


def test_processes_finish_a_job_with_the_vectors_of_one(tmp_path: Path, minilm: MiniLM) -> None:
    plan(ROWS[:40], tmp_path, minilm.name, per_shard=8)
    told: list[tuple[int, int]] = []
    run(tmp_path, lambda done, total: told.append((done, total)), models=MODELS, workers=2)
    texts = {row.sha256: row.text for row in ROWS}
    found = list(collect(tmp_path))
    assert len(found) == 40
    assert all(np.array_equal(item.vector, minilm.encode([texts[item.sha256]])[0]) for item in found)
    assert told[-1] == (40, 40)


def test_a_job_killed_at_any_moment_resumes_to_the_same_files(tmp_path: Path, minilm: MiniLM) -> None:
    job, clean = tmp_path / "job", tmp_path / "clean"
    whole = plan(ROWS[:60], job, minilm.name, per_shard=8)
    plan(ROWS[:60], clean, minilm.name, per_shard=8)
    work(clean, minilm, Claims(clean), _never)
    for seed in range(3):
        _killed(job, random.Random(seed).randint(1, 2) + len(whole.shards) - len(missing(whole, Local(job))))
        for claim in job.glob("*.claim"):
            _old(claim)
    work(job, minilm, Claims(job), _never)
    for name in {path.name for path in clean.iterdir()}:
        assert (job / name).read_bytes() == (clean / name).read_bytes()
    assert len({item.sha256 for item in collect(job)}) == len(list(collect(job))) == 60


def _killed(job: Path, results: int) -> None:
    """Two workers, both killed as soon as so many results are there, wherever they are then."""
    command = [sys.executable, "-m", "knowledge.workers", str(job), "--models", str(MODELS), "--alone"]
    workers = [subprocess.Popen(command) for _ in range(2)]
    while len(list(job.glob("*.vectors"))) < results and workers[0].poll() is None:
        with suppress(subprocess.TimeoutExpired):
            workers[0].wait(0.01)
    for worker in workers:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
