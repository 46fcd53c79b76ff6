"""Several processes at one job of embedding, on one machine or on several that share its folder.

python -m knowledge.workers JOB [--workers N] [--models FOLDER]
"""

import argparse
import os
import socket
import subprocess
import sys
import uuid
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic, sleep

from knowledge import embedding
from knowledge.embedding import MiniLM
from knowledge.encoder import Encoder
from knowledge.shards import BadJob, Incomplete, Local, Plan, finish, missing, planned, result
from knowledge.vectors import Progress

EXPIRY = 20.0
"""Seconds after which a claim that nobody renews is free again."""
MODELS = Path(".data/models")
_POLL = 0.5


class Claims:
    """Who is at which shard: a file for each, renewed while its owner lives.

    A claim spares double work and guards nothing: two workers that both believe to own a shard write the same result.
    """

    def __init__(self, job: Path, expiry: float = EXPIRY) -> None:
        self.me = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._job = job
        self._expiry = expiry
        self._beaten = 0.0

    def take(self, shard: str) -> bool:
        """Claim a shard that nobody has, or whose owner has not been heard of."""
        claim = self._file(shard)
        try:
            if abs(claim.stat().st_mtime - self._now()) < self._expiry:
                return False
            claim.rename(claim.with_suffix(f".{self.me}"))  # of several who see it stale, one succeeds
            claim.with_suffix(f".{self.me}").unlink()
        except FileNotFoundError:
            pass  # free, or taken over by another just now
        try:
            with claim.open("x") as out:
                out.write(self.me)
        except FileExistsError:
            return False
        self._beaten = monotonic()
        return True

    def beat(self, shard: str) -> None:
        """Renew a claim, a few times before it expires."""
        if monotonic() - self._beaten > self._expiry / 4:
            with suppress(FileNotFoundError):  # taken over: no matter
                os.utime(self._file(shard))
            self._beaten = monotonic()

    def drop(self, shard: str) -> None:
        """Give a claim back."""
        self._file(shard).unlink(missing_ok=True)

    def _file(self, shard: str) -> Path:
        return self._job / f"{shard}.claim"

    def _now(self) -> float:
        """The time by the clock that dates the claims: the folder's, whatever machine serves it."""
        probe = self._job / f".clock-{self.me}"
        probe.touch()
        now = probe.stat().st_mtime
        probe.unlink()
        return now


def encoder(plan: Plan, models: Path) -> MiniLM:
    """The model that a job is planned for. Raises `knowledge.shards.BadJob` where it is none that runs here."""
    if plan.model not in (embedding.ROUNDED, embedding.EXACT):
        raise BadJob(f"The job is for the model {plan.model}, which does not run here: plan it for another.")
    return embedding.load(models, exact=plan.model == embedding.EXACT)


def work(job: Path, model: Encoder, claims: Claims, pause: Callable[[float], object] = sleep) -> int:
    """Embed what is open in a job until all of it is done, by whomever; how many rows this worker computed.

    Raises `knowledge.shards.BadJob`.
    """
    folder = Local(job)
    shards = planned(folder, model.name).shards
    start = zlib.crc32(claims.me.encode()) % max(1, len(shards))  # workers begin apart from each other
    left, computed = [*shards[start:], *shards[:start]], 0
    while left:
        held = []
        for shard in left:
            if result(shard, folder, model.name) is not None:
                claims.drop(shard.name)  # its owner was killed just after
                continue
            if not claims.take(shard.name):
                held.append(shard)
                continue
            try:
                computed += finish(shard, folder, model, partial(claims.beat, shard.name))
            finally:
                claims.drop(shard.name)
        if len(held) == len(left):
            pause(_POLL)
        left = held
    return computed


def run(
    job: Path,
    progress: Progress,
    *,
    models: Path = MODELS,
    workers: int = 0,
    expiry: float = EXPIRY,
) -> None:
    """Let processes of this machine finish a job, one for each core unless told otherwise.

    Raises `knowledge.shards.BadJob`, also where they ended before the job was done.
    """
    plan = planned(Local(job))
    encoder(plan, models)  # its graph is built once, not by each
    sizes = {f"{shard.name}.vectors": shard.rows for shard in plan.shards}
    command = [sys.executable, "-m", "knowledge.workers", str(job), "--models", str(models), "--expiry", str(expiry)]
    count = workers or os.cpu_count() or 1
    started = [subprocess.Popen([*command, "--alone"]) for _ in range(count)]  # noqa: S603 - ourselves, no shell
    try:
        while any(process.poll() is None for process in started):
            there = {path.name for path in job.glob("*.vectors")}
            progress(sum(rows for name, rows in sizes.items() if name in there), plan.rows)
            sleep(_POLL)
    finally:
        for process in started:
            process.terminate()
            process.wait()
    left = missing(plan, Local(job))
    if left:
        raise Incomplete(left)
    progress(plan.rows, plan.rows)


def _told(done: int, total: int) -> None:
    sys.stderr.write(f"\r{done} of {total} texts embedded" + "\n" * (done == total))


def main() -> int:
    """The command; 1 where the job cannot be done, with the reason on standard error."""
    options = argparse.ArgumentParser(
        prog="python -m knowledge.workers", description="Embed a job in several processes."
    )
    options.add_argument("job", type=Path, help="the job's folder, as it was planned")
    options.add_argument("--workers", type=int, default=0, help="processes; one for each core unless given")
    options.add_argument("--models", type=Path, default=MODELS, help="where the model's graph is kept")
    options.add_argument("--expiry", type=float, default=EXPIRY, help="seconds until a dead worker's claim is free")
    options.add_argument("--alone", action="store_true", help="work in this process")
    told = options.parse_args()
    try:
        if told.alone:
            work(told.job, encoder(planned(Local(told.job)), told.models), Claims(told.job, told.expiry))
        else:
            run(told.job, _told, models=told.models, workers=told.workers, expiry=told.expiry)
    except BadJob as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
