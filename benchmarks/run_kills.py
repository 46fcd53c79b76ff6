"""Evaluations killed at random moments: `python -m benchmarks.run_kills [--kills 20] [--seed 7]`.

`opsplane evaluate` runs over 39 golden cases, scored by the rules and by the embedded judge, and is killed (SIGKILL):
half of the times at any moment between its first write and its last, half of the times in the very place of one of its
writes to the file of kept answers or to the report, which a preloaded library picks out. The same command then runs
again to its end. Its report must have the digest of a run that nobody killed, no answer that was kept may be asked for
again (it would be another exchange, with an id of its own), and nothing may be left of the killed run's own record.
Leaves with an error where any of that fails.

The command runs whole, in a process of its own for each kill and each second run. That process is forked from one which
has imported the product and opened nothing of it, since the imports take longer than the run; vectors of documents and
questions are on file from a run before, for the same reason. Two runs are under way at a time.
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
from multiprocessing.connection import Connection
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
from opsplane.guardrails import language
from tests import library
from tests.durability import harness
from tests.durability.harness import Disk

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
EVERY = 7
"""One golden case of so many takes part."""
SCORERS = (*assessing.RULES, scoring.JUDGE)
ANSWER = 0.2
"""Seconds that an answer takes, about: a kill at any moment comes within so many of a write."""
_FRAME, _HEAD = 24 + 4096, 32
"""Bytes of a page in SQLite's write-ahead log with its header, and of the log's own header."""
_CONTEXT = get_context("fork")


class Lasting(MiniLM):
    """Every vector is for the next process too: the questions of the golden set are nobody's secret."""

    def encode(self, texts: Sequence[str], *, lasting: bool = True) -> NDArray[np.float32]:
        """As `MiniLM.encode`."""
        return super().encode(texts, lasting=lasting)


@dataclass(frozen=True)
class Killed:
    """What a kill left, and what came of the run after it."""

    kept: int
    torn: bool
    equal: bool
    twice: int
    left: int  # folders of records that were to be thrown away


def prepare(folder: Path) -> None:
    """Documents, cases, and the vectors of all that a run looks at."""
    golden, settings = dataset.load(GOLDEN), Settings(data=folder / "data")
    cases = Dataset(name="cases", as_of=golden.as_of, cases=golden.cases[::EVERY])
    models = settings.data / "models"
    models.parent.mkdir(parents=True)
    dataset.save(cases, folder / "cases.yaml")
    library.stock(settings.data)
    models.unlink()  # a link to what all tests share
    shutil.copytree(library.MODELS, models, ignore=shutil.ignore_patterns("*fp32*"))
    name = embedding.load(models).name
    model = Lasting(max(models.glob(f"{name}*.onnx")), embedding.published() / "tokenizer.json")
    model.recall(models / "known.npz")
    with closing(Library(corpus.folder(settings), family(model))) as opened, Kept(None) as nothing:
        shop = Workshop(settings, opened, model, spend.load())
        release = evaluating.release("", settings)
        evaluating.run(shop, release, Wanted(cases, scoring.bench(shop, release, SCORERS).scorers), nothing)
    model.keep(models / "known.npz")
    shutil.rmtree(settings.data / "evaluations")


class Scene:
    """A folder that was prepared, and the command that is killed there and runs again."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._log, self._json = folder, folder / "log", folder / "report.json"
        self._disk = Disk(folder / "data" / "evaluations", folder)
        self._apart = folder / "apart"
        self._clear()
        self.digest = self._again()
        self.writes = self._disk.seen[0]

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
        known, after = int(told[1]) if told else -1, self._kept()
        changed = sum(after.get(key) != value for key, value in before.items())
        left = sum(one.is_dir() for one in self._apart.iterdir())
        return Killed(len(before), torn, digest == self.digest, max(changed, len(before) - known), left)

    def _again(self) -> str:
        """The digest of the report of a run to the end; raise `RuntimeError` where it came to none."""
        self._disk.settle()
        run = self._start()
        run.join()
        if run.exitcode:
            raise RuntimeError(f"A run ended with {run.exitcode}:\n{self._log.read_text()}")
        return hashlib.sha256(self._json.read_bytes()).hexdigest()

    def _clear(self) -> None:
        link = self._disk.folder / "apart"
        link.unlink(missing_ok=True)
        self._disk.empty()
        shutil.rmtree(self._apart, ignore_errors=True)
        self._apart.mkdir()
        link.symlink_to(self._apart)  # the record of a run, which writes ten times as often, is not what is aimed at
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
        cases, data = self._folder / "cases.yaml", self._folder / "data"
        given = ("--dataset", cases, "--scorers", ",".join(SCORERS), "--json", self._json, "--data", data)
        sys.argv = ["opsplane", "evaluate", *map(str, given)]
        terminal.main()

    def _until(self, run: BaseProcess, writes: int) -> None:
        pause = Event()
        while run.is_alive() and self._disk.seen[0] < writes:
            pause.wait(0.001)

    def _kept(self) -> dict[str, str]:
        """The kept answers by key, read from a copy: the file itself is for the next run to mend."""
        copy = self._folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for one in ("kept.db", "kept.db-wal"):
            if (self._disk.folder / one).is_file():
                shutil.copy(self._disk.folder / one, copy)
        with closing(sqlite3.connect(copy / "kept.db")) as file:
            there = file.execute("SELECT count(*) FROM sqlite_master WHERE name = 'kept'").fetchone()[0]
            return dict(file.execute("SELECT key, value FROM kept")) if there else {}


def through(folder: Path, kills: int, seed: int, tell: Connection, *, in_a_write: bool) -> None:
    """Tell of so many kills, at any moment or each in a write."""
    scene, draw = Scene(folder), random.Random(seed)
    found: list[Killed] = []
    for _ in range(3 * kills):
        if len(found) < kills and (one := scene.killed(draw, in_a_write=in_a_write)):
            found.append(one)
    tell.send(found)


def measured(folder: Path, kills: int, seed: int) -> bool:
    """Print what came of the kills; whether it is what it must be."""
    began = perf_counter()
    evaluating.code()  # once for all runs: somebody may be at work on the product
    language.tell("Wie hoch ist die Gebuehr dafuer?")  # its model takes a second to load, in every process
    first = _CONTEXT.Process(target=prepare, args=(folder / "first",))
    first.start()
    first.join()
    shutil.copytree(folder / "first", folder / "second", symlinks=True)
    rows = {}
    for name, place, in_a_write, share in (
        ("at any moment", "first", False, (kills + 1) // 2),
        ("in a write", "second", True, kills // 2),
    ):
        receive, send = _CONTEXT.Pipe(duplex=False)
        given = (folder / place, share, seed + in_a_write, send)
        _CONTEXT.Process(target=through, args=given, kwargs={"in_a_write": in_a_write}).start()
        send.close()
        rows[name] = receive
    found: dict[str, list[Killed]] = {name: receive.recv() for name, receive in rows.items()}
    heads = ("Killed", "Kills", "Kept when killed", "Half a page left", "Equal digests", "Asked twice", "Left behind")
    print(table(heads, [_row(name, several) for name, several in found.items()]))
    print(f"\n{perf_counter() - began:.0f} s")
    every = [one for several in found.values() for one in several]
    return len(every) == kills and all(one.equal and not one.twice and not one.left for one in every)


def _row(name: str, several: Sequence[Killed]) -> tuple[str, ...]:
    kept = sorted(one.kept for one in several)
    return (
        name,
        str(len(several)),
        f"{kept[0]} to {kept[-1]} answers, {sum(kept)} in all" if kept else "",
        str(sum(one.torn for one in several)),
        f"{sum(one.equal for one in several)} of {len(several)}",
        str(sum(one.twice for one in several)),
        str(sum(one.left for one in several)),
    )


def main() -> None:
    """Build the library that picks out writes, and go through the kills in a process that has it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.folder:
        raise SystemExit(0 if measured(chosen.folder, chosen.kills, chosen.seed) else "A kill changed what came of it.")
    with tempfile.TemporaryDirectory(prefix="opsplane-kills-") as folder:
        shim = harness.build(Path(folder))
        command = [sys.executable, "-m", "benchmarks.run_kills", *sys.argv[1:], "--folder", folder]
        done = subprocess.run(command, env=os.environ | {"LD_PRELOAD": str(shim)}, check=False)
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
