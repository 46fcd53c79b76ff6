"""Evaluations killed at random moments: `python -m benchmarks.run_kills [--kills 20] [--seed 7]`.

`opsplane evaluate` runs over some forty golden cases, with all scorers and the embedded judge, and is killed with
SIGKILL: by turns at any moment between its first write and its last, and in the very place of one of its writes to the
file of kept answers or to the report, which a preloaded library picks out. The same command then runs again to its end.
Its report must have the digest of a run that nobody killed, and no answer that was kept may be asked for again: it
would be another exchange, with an id of its own. Leaves with an error where any of that fails.

The command runs whole, in a process of its own for each kill and each second run. That process is forked from one which
has imported the product and opened nothing of it, since the imports take longer than the run; vectors of documents and
questions are on file from a run before, for the same reason.
"""

import argparse
import ctypes
import hashlib
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from signal import SIGKILL
from threading import Event
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from assistant import __main__ as terminal
from assistant import assessing, corpus, evaluating, scoring
from assistant.evaluating import Wanted
from assistant.panels import table
from assistant.settings import Settings
from assistant.workshop import Workshop
from knowledge import embedding
from knowledge.embedding import MiniLM
from knowledge.encoders import family
from knowledge.library import Library
from opsplane import spend
from opsplane.evaluation import dataset
from opsplane.evaluation.dataset import Dataset
from opsplane.evaluation.kept import Kept
from tests import library
from tests.durability import harness
from tests.durability.harness import Disk

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
EVERY = 7
"""One golden case of so many takes part: 39 of 270."""
ANSWER = 0.1
"""Seconds that an answer takes, about: within so many from a write the kill comes."""
_FRAME, _HEAD = 24 + 4096, 32
"""Bytes of a page in SQLite's write-ahead log with its header, and of the log's own header."""
_CONTEXT = get_context("fork")


class Lasting(MiniLM):
    """Every vector is for the next process too; the questions of the golden set are nobody's secret."""

    def encode(self, texts: Sequence[str], *, lasting: bool = True) -> NDArray[np.float32]:  # noqa: ARG002
        """As `MiniLM.encode`."""
        return super().encode(texts, lasting=True)


@dataclass(frozen=True)
class Killed:
    """What a kill left, and what came of the run after it."""

    kept: int
    torn: bool
    equal: bool
    twice: int


class Scene:
    """A data folder with documents and vectors, a dataset, and the command that is killed and runs again."""

    def __init__(self, scratch: Path) -> None:
        self._scratch, self._data, self._log = scratch, scratch / "data", scratch / "log"
        self._json, self._cases = scratch / "report.json", scratch / "cases.yaml"
        golden = dataset.load(GOLDEN)
        self.cases = Dataset(name="cases", as_of=golden.as_of, cases=golden.cases[::EVERY])
        dataset.save(self.cases, self._cases)
        self._disk = Disk(self._data / "evaluations", scratch)
        library.stock(self._data)
        (self._data / "models").unlink()  # a link to what all tests share
        shutil.copytree(library.MODELS, self._data / "models", ignore=shutil.ignore_patterns("*fp32*"))
        evaluating.code()  # once for all runs: somebody may be at work on the product
        _join(_CONTEXT.Process(target=self._warm))
        self.digest, self.writes = self._undisturbed()

    def killed(self, draw: random.Random, *, in_a_write: bool) -> Killed | None:
        """Kill a run at a write or thereabouts, and run again; None where the first had ended before."""
        self._clear()
        wanted, later = draw.randint(1, self.writes), draw.uniform(0, ANSWER)
        self._disk.light(wanted if in_a_write else 0)
        run = self._start()
        if not in_a_write:
            self._until(run, wanted)
            run.join(later)
            run.kill()
        run.join()
        if run.exitcode != -SIGKILL:
            return None
        log = self._disk.folder / "kept.db-wal"
        torn = log.is_file() and (log.stat().st_size - _HEAD) % _FRAME > 0
        before = self._kept()
        digest = self._again()
        told = re.search(r"(\d+) answers were known", self._log.read_text())
        known = int(told[1]) if told else -1
        after = self._kept()
        changed = sum(after.get(key) != value for key, value in before.items())
        return Killed(len(before), torn, digest == self.digest, max(changed, len(before) - known))

    def _undisturbed(self) -> tuple[str, int]:
        """The digest of a run that nobody kills, and how often it writes."""
        self._clear()
        return self._again(), self._disk.seen[0]

    def _again(self) -> str:
        self._disk.settle()
        _join(self._start())
        return hashlib.sha256(self._json.read_bytes()).hexdigest()

    def _clear(self) -> None:
        self._disk.empty()
        self._disk.settle()
        self._json.unlink(missing_ok=True)

    def _start(self) -> BaseProcess:
        run = _CONTEXT.Process(target=self._command)
        run.start()
        return run

    def _command(self) -> None:
        """The command, in a process that the preloaded library watches."""
        with self._log.open("wb") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        paths = (self._disk.folder, self._disk.shadow, self._disk.control)
        if ctypes.CDLL(None).powercut_watch(*(str(path).encode() for path in paths)):
            raise OSError("the preloaded library does not watch")
        given = ["evaluate", "--dataset", str(self._cases), "--json", str(self._json), "--data", str(self._data)]
        sys.argv = ["opsplane", *given]
        terminal.main()

    def _until(self, run: BaseProcess, writes: int) -> None:
        pause = Event()
        while run.is_alive() and self._disk.seen[0] < writes:
            pause.wait(0.001)

    def _kept(self) -> dict[str, str]:
        """The kept answers by key, read from a copy: the file itself is for the next run to mend."""
        copy = self._scratch / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self._disk.folder, copy)
        with closing(sqlite3.connect(copy / "kept.db")) as file:
            there = file.execute("SELECT count(*) FROM sqlite_master WHERE name = 'kept'").fetchone()[0]
            return dict(file.execute("SELECT key, value FROM kept")) if there else {}

    def _warm(self) -> None:
        """Put the vectors of all that a run looks at on file."""
        settings, models = Settings(data=self._data), self._data / "models"
        known, opened = models / "known.npz", embedding.load(models)
        model = Lasting(next(models.glob(f"{opened.name}*-[0-9].onnx")), embedding.published() / "tokenizer.json")
        model.recall(known)
        with closing(Library(corpus.folder(settings), family(model))) as opened_library, Kept(None) as nothing:
            shop = Workshop(settings, opened_library, model, spend.load())
            release = evaluating.release("", settings)
            bench = scoring.bench(shop, release)
            evaluating.run(shop, release, Wanted(self.cases, bench.scorers), nothing)
        model.keep(known)


def _join(process: BaseProcess) -> None:
    """Let it run to its end; raise `RuntimeError` where that is none."""
    if not process.pid:
        process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"A run ended with {process.exitcode}.")


def through(scene: Scene, kills: int, seed: int) -> dict[str, list[Killed]]:
    """So many kills, half of them at any moment and half in a write."""
    draw = random.Random(seed)
    found: dict[str, list[Killed]] = {"at any moment": [], "in a write": []}
    for number in range(3 * kills):
        name = list(found)[number % 2]
        if len(found[name]) < (kills + 1 - number % 2) // 2 and (one := scene.killed(draw, in_a_write=number % 2 == 1)):
            found[name].append(one)
    return found


def measured(scratch: Path, kills: int, seed: int) -> None:
    """Print what came of the kills; leave with an error where it is not what it must be."""
    began = perf_counter()
    scene = Scene(scratch)
    print(f"{len(scene.cases.cases)} cases, {scene.writes} writes; ready after {perf_counter() - began:.0f} s\n")
    found = through(scene, kills, seed)
    print(table(("Killed", "Kills", "Kept when killed", "Half a page left", "Equal digests", "Asked twice"), map(_row, *zip(*found.items(), strict=True))))
    print(f"\n{perf_counter() - began:.0f} s")
    every = [one for several in found.values() for one in several]
    if len(every) < kills or not all(one.equal and not one.twice for one in every):
        raise SystemExit("A kill changed what came of a run.")


def _row(name: str, several: Sequence[Killed]) -> tuple[str, ...]:
    kept = sorted(one.kept for one in several)
    return (
        name,
        str(len(several)),
        f"{kept[0]} to {kept[-1]} answers, {sum(kept)} in all" if kept else "",
        str(sum(one.torn for one in several)),
        f"{sum(one.equal for one in several)} of {len(several)}",
        str(sum(one.twice for one in several)),
    )


def main() -> None:
    """Build the library that picks out writes, and go through the kills in a process that has it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.folder:
        return measured(chosen.folder, chosen.kills, chosen.seed)
    with tempfile.TemporaryDirectory(prefix="opsplane-kills-") as folder:
        shim = harness.build(Path(folder))
        command = [sys.executable, "-m", "benchmarks.run_kills", *sys.argv[1:], "--folder", folder]
        done = subprocess.run(command, env=os.environ | {"LD_PRELOAD": str(shim)}, check=False)
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
