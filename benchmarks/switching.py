"""Turns that search while a release's index is switched there and back and another process ingests: failed and mixed.

    python benchmarks/switching.py [--switches 20] [--threads 4] [--documents 200] [--seconds 0.5]

Two indexes of the same documents, cut differently, lie beside each other. Threads search without a pause through the
retriever that a turn is handed, each time with the release that serves at that moment. Meanwhile the release in force
is switched from one index to the other and back, and another process changes a document and ingests, again and again.
A turn is mixed where its passages do not all belong to the one generation that it names, or where that is not of its
release's index.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from assistant import passages  # noqa: E402 - the repository need not be installed
from knowledge import embedding  # noqa: E402
from knowledge.building import build  # noqa: E402
from knowledge.catalogue import Catalogue  # noqa: E402
from knowledge.chunk import Chunking  # noqa: E402
from knowledge.encoders import family  # noqa: E402
from knowledge.ingest import Options, ingest  # noqa: E402
from knowledge.library import Library  # noqa: E402
from knowledge.sources.folder import Folder  # noqa: E402
from knowledge.spec import IndexSpec  # noqa: E402
from opsplane.evidence import Retrieved  # noqa: E402
from opsplane.parts import Retrieve  # noqa: E402
from opsplane.release import Release  # noqa: E402
from tests import fakes  # noqa: E402

MODELS = ROOT / ".data" / "models"
LARGE = IndexSpec(embedding=embedding.ROUNDED)
SMALL = IndexSpec(embedding=embedding.ROUNDED, chunking=Chunking(max_tokens=64, min_tokens=0))
RELEASES = tuple(
    fakes.release(id=f"on-{spec.chunking.max_tokens}", retrieval={"index": spec.id}) for spec in (LARGE, SMALL)
)
TODAY = date(2026, 11, 23)


@dataclass
class Load:
    """Searches in threads until `over`, each with the release that is in force when it begins."""

    retrieve: Retrieve
    release: Release = RELEASES[0]
    over: threading.Event = field(default_factory=threading.Event)
    turns: list[tuple[str, Retrieved, float]] = field(default_factory=list)
    failed: list[Exception] = field(default_factory=list)
    ended: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def run(self) -> None:
        """Search, again and again."""
        for number in count():
            if self.over.is_set():
                return
            release, began = self.release, time.perf_counter()
            try:
                found = asyncio.run(_asked(self.retrieve, f"What is the fee for service {number % 17}?", release))
            except Exception as error:  # noqa: BLE001 - it is counted and told
                self.failed.append(error)
            else:
                self.turns.append((release.retrieval.index, found, time.perf_counter() - began))
            self.ended.release()


async def _asked(retrieve: Retrieve, query: str, release: Release) -> Retrieved:
    return await retrieve(query, release)


def write(corpus: Path, documents: int, edition: int = 0) -> None:
    """Documents of a few sections; the first says something else in every edition."""
    corpus.mkdir(exist_ok=True)
    for number in range(documents if not edition else 1):
        parts = [
            f"## Service {part}\n\nThe fee for service {part} is ${part + edition}.{number:02}. " * 6
            for part in range(5)
        ]
        (corpus / f"fees-{number}.md").write_text(
            f"# Fee schedule {number}\n\n" + "\n\n".join(parts) + f"\nEdition {edition}.\n"
        )


def prepare(folder: Path, documents: int) -> None:
    """A corpus and a library with two indexes of it."""
    write(folder / "corpus", documents)
    models = family(embedding.load(MODELS))
    ingest([Folder(folder / "corpus")], folder / "library", models, [LARGE], Options(at=0))
    build(folder / "library", LARGE.id, SMALL, models, Options(at=0))


def keep_ingesting(folder: Path) -> None:
    """Change a document and ingest, until killed; a line for each that is done. This is the other process."""
    models = family(embedding.load(MODELS))
    for edition in count(1):
        write(folder / "corpus", 1, edition)
        ingest([Folder(folder / "corpus")], folder / "library", models, [LARGE], Options(at=float(edition)))
        print(edition, flush=True)


def mixed(folder: Path, turns: list[tuple[str, Retrieved, float]]) -> int:
    """How many turns name another index than their release's, or hold a passage of another generation."""
    wrong = 0
    with closing(Catalogue(folder / "library" / "catalogue.db")) as catalogue:
        records = {one.name: one for one in catalogue.generations()}
        holds = {
            name: {id_ for cut in catalogue.cuts(one.index, list(one.documents.values())).values() for id_, _ in cut}
            for name, one in records.items()
        }
    for index, found, _ in turns:
        fits = found.index == index and found.generation in records and records[found.generation].index == index
        wrong += not (fits and found.passages and {one.id for one in found.passages} <= holds[found.generation])
    return wrong


def switch(folder: Path, switches: int, threads: int, hold: Callable[[Load], object]) -> tuple[Load, int]:
    """Switch there and back under load; the load, and how often the other process ingested meanwhile.

    `hold` waits between two switches.
    """
    models = family(embedding.load(MODELS))
    command = [sys.executable, __file__, "--ingest", str(folder)]
    with (
        closing(Library(folder / "library", models)) as library,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other,
    ):
        load = Load(passages.retriever(library, lambda: TODAY, frozenset))
        runners = [threading.Thread(target=load.run) for _ in range(threads)]
        for one in runners:
            one.start()
        assert other.stdout
        other.stdout.readline()  # it has begun
        for number in range(2 * switches):
            load.release = RELEASES[(number + 1) % 2]
            hold(load)
        load.over.set()
        for one in runners:
            one.join()
        other.kill()
        ingested = 1 + len(other.stdout.readlines())
    return load, ingested


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--switches", type=int, default=20, help="there and back")
    options.add_argument("--threads", type=int, default=4)
    options.add_argument("--documents", type=int, default=200)
    options.add_argument("--seconds", type=float, default=0.5, help="between two switches")
    options.add_argument("--ingest", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.ingest:
        keep_ingesting(given.ingest)
    with tempfile.TemporaryDirectory(prefix="opsplane-switching-") as name:
        folder = Path(name)
        prepare(folder, given.documents)
        load, ingested = switch(folder, given.switches, given.threads, lambda _: time.sleep(given.seconds))
        took = 1000 * np.array([seconds for _, _, seconds in load.turns])
        generations = {found.generation for _, found, _ in load.turns}
        print("| turns | switches | ingestions meanwhile | generations seen | failed | mixed | p50 ms | p99 ms |")
        print("|---|---|---|---|---|---|---|---|")
        cells = (
            len(load.turns),
            2 * given.switches,
            ingested,
            len(generations),
            len(load.failed),
            mixed(folder, load.turns),
        )
        print(f"| {' | '.join(map(str, cells))} | {np.median(took):.0f} | {np.percentile(took, 99):.0f} |")
    sys.exit(1 if load.failed or cells[-1] else 0)


if __name__ == "__main__":
    main()
