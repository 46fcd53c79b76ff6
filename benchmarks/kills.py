"""Ingestions killed at a random moment, ours and LangChain's, and what is left once the source has moved on."""

import hashlib
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks import lawbooks
from benchmarks.ensemble import part
from benchmarks.ingestion import Counting, documents
from benchmarks.projected import Projected
from knowledge.base import Bases
from knowledge.ingest import Options, ingest
from knowledge.library import Library, Reader
from knowledge.projection import Projection
from knowledge.rank import SearchPlan
from knowledge.sources.folder import Folder
from knowledge.spec import IndexSpec

LARGEST = 12_000
"""Bytes of a section that takes part."""
MOVED = 4
"""States that the source moves on to."""
BEFORE, DURING, AFTER = "2016-11-14", "2019-04-01", "2013-10-28"
ASKED = (
    "How long do I have to report an unauthorized transfer?",
    "What must a receipt at a terminal show?",
    "When may a preauthorized transfer be stopped?",
    "Which disclosures are given before the first transfer?",
    "gift card expiration",
)
_CONTEXT = get_context("fork")  # a child begins with everything imported, so that a kill costs no start

Step = Callable[[], None]


@dataclass(frozen=True)
class Held:
    """What an index holds: the chunks that a search could find, and a digest of everything."""

    chunks: frozenset[str]
    digest: str


class Side(Protocol):
    """An ingestion under test."""

    @property
    def folder(self) -> Path:
        """Where it may write."""
        ...

    def take(self, source: Path, folder: Path, step: Step) -> None:
        """Make the files in `source` the whole content of the index in `folder`; `step` is called on the way."""

    def held(self, folder: Path) -> Held:
        """What the index in `folder` holds."""
        ...


@dataclass(frozen=True)
class Ours:
    """The product's own."""

    folder: Path
    encoder: Projected

    def take(self, source: Path, folder: Path, step: Step) -> None:
        """The real ingestion, a step for each time that it tells its progress."""
        encoders, spec = {self.encoder.name: self.encoder}, IndexSpec(embedding=self.encoder.name)
        ingest([Folder(source)], folder, encoders, [spec], Options(at=time.time()), lambda *_: step())

    def held(self, folder: Path) -> Held:
        """Documents, ids, texts' hashes, vectors, and what searches find."""
        digest = hashlib.sha256()
        with closing(Library(folder, {self.encoder.name: self.encoder})) as library, closing(Bases(folder)) as bases:
            record = library.catalogue.generation(library.generation())
            if record is None:
                raise LookupError(f"{folder} serves nothing.")
            opened = Projection(folder, library.catalogue, bases).open(record, self.encoder.name)
            cuts = library.catalogue.cuts(record.index, list(record.documents.values()))
            told = [sorted(record.documents.items()), opened.ids, [cuts[one] for one in record.documents.values()]]
            digest.update(repr(told).encode())
            digest.update(np.ascontiguousarray(opened.vectors(opened.row)).tobytes())
            reader = Reader(lawbooks.AFTER, frozenset({"customer"}))
            for question in ASKED:
                hits = library.search(question, reader, SearchPlan()).hits
                digest.update(repr([(hit.chunk.id, round(hit.score, 5)) for hit in hits]).encode())
            return Held(frozenset(opened.ids), digest.hexdigest())


@dataclass(frozen=True)
class Theirs:
    """LangChain's `index()` over Chroma, with its SQL record manager and cleanup "full"."""

    folder: Path

    def take(self, source: Path, folder: Path, step: Step) -> None:
        """Its `index()`, a step for each call of the embedding."""
        folder.mkdir(exist_ok=True)
        manager = part("langchain_classic.indexes", "SQLRecordManager")(
            "b", db_url=f"sqlite:///{folder / 'records.db'}"
        )
        manager.create_schema()
        pieces = documents(sorted(source.rglob("*.md")), dated=False, owner="")
        step()
        part("langchain_core.indexing", "index")(
            pieces, manager, self._store(folder, step), cleanup="full", source_id_key="source", key_encoder="sha256"
        )

    def held(self, folder: Path) -> Held:
        """The ids of its documents, which are hashes of text and metadata."""
        ids = sorted(self._store(folder, lambda: None).get(include=[])["ids"])
        return Held(frozenset(ids), hashlib.sha256(repr(ids).encode()).hexdigest())

    def _store(self, folder: Path, step: Step) -> Any:
        class Stepping(Counting):
            def embed_documents(self, texts: list[str]) -> list[list[float]]:
                step()
                return super().embed_documents(texts)

        return part("langchain_chroma", "Chroma")("bench", Stepping(), str(folder / "chroma"))


@dataclass(frozen=True)
class Trials:
    """What came of so many kills."""

    kills: int
    equal: int
    stale: Sequence[int]


@dataclass(frozen=True)
class _Scene:
    """The states that the source passes through, and how long an undisturbed run takes."""

    side: Side

    @cached_property
    def base(self) -> Path:
        return lawbooks.lay(_sections(BEFORE), self.side.folder / "before")

    @cached_property
    def next(self) -> Path:
        return lawbooks.lay(_sections(DURING), self.side.folder / "during")

    @cached_property
    def moved(self) -> list[Path]:
        """An earlier version with some sections edited and some gone."""
        found = []
        for number in range(MOVED):
            draw = random.Random(number)
            folder = lawbooks.lay(_sections(AFTER), self.side.folder / f"moved-{number}")
            for path in sorted(folder.rglob("*.md")):
                if draw.random() < 0.15:
                    path.unlink()
                elif draw.random() < 0.4:
                    lawbooks.edit(path, draw)
            found.append(folder)
        return found

    @cached_property
    def clean(self) -> list[Held]:
        """What a build of each of these states alone holds."""
        return [self._built(source, self.side.folder / f"clean-{n}") for n, source in enumerate(self.moved)]

    def _built(self, source: Path, folder: Path) -> Held:
        apart(lambda: self.side.take(source, folder, lambda: None))
        found: Held = apart(lambda: self.side.held(folder))
        return found

    @cached_property
    def start(self) -> Path:
        """The index of the first state."""
        folder = self.side.folder / "start"
        apart(lambda: self.side.take(self.base, folder, lambda: None))
        return folder

    @cached_property
    def whole(self) -> tuple[int, float]:
        """Steps and seconds of an undisturbed second run."""
        folder = self.side.folder / "undisturbed"
        shutil.copytree(self.start, folder)

        def counted() -> tuple[int, float]:
            steps: list[int] = []
            began = time.perf_counter()
            self.side.take(self.next, folder, lambda: steps.append(1))
            return len(steps), time.perf_counter() - began

        found: tuple[int, float] = apart(counted)
        return found


def through(side: Side, count: int) -> Trials:
    """Kill so many runs, and compare what each library holds after the next run with a clean build."""
    scene, draw = _Scene(side), random.Random(61)
    clean, folder = scene.clean, side.folder / "library"
    kills, equal, stale = 0, 0, []
    tries = 0
    while kills < count and tries < 3 * count:
        tries += 1
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(scene.start, folder)
        if not _killed(scene, folder, draw, by_step=tries % 2 == 0):
            continue
        kills += 1
        place = tries % MOVED
        apart(lambda: side.take(scene.moved[place], folder, lambda: None))  # noqa: B023 - runs before the next round
        found: Held = apart(lambda: side.held(folder))
        stale.append(len(found.chunks - clean[place].chunks))
        equal += found.digest == clean[place].digest
    return Trials(kills, equal, stale)


def table(name: str, found: Trials) -> str:
    """A row."""
    some = sum(number > 0 for number in found.stale)
    stale = f"{max(found.stale, default=0)} (in {some} of {found.kills} runs)"
    return f"| {name} | {found.kills} | {found.equal} of {found.kills} | {stale} |"


def apart(deed: Callable[[], Any]) -> Any:
    """What a function gives, run in a process of its own; raise `RuntimeError` where that failed."""
    receive, send = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_tell, args=(deed, send))
    process.start()
    send.close()
    try:
        return receive.recv()
    except EOFError as error:
        raise RuntimeError("The process of a benchmark failed; its error stands above.") from error
    finally:
        process.join()


def _tell(deed: Callable[[], Any], send: Connection) -> None:
    send.send(deed())


def _killed(scene: _Scene, folder: Path, draw: random.Random, *, by_step: bool) -> bool:
    """Begin the second run and kill it, at a step or after a time; whether it died of that and not at its end."""
    steps, seconds = scene.whole
    last = draw.randint(1, steps) if by_step else steps + 1
    wait = draw.uniform(0, seconds)
    seen: list[int] = []

    def step() -> None:
        seen.append(1)
        if len(seen) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    process = _CONTEXT.Process(target=scene.side.take, args=(scene.next, folder, step))
    process.start()
    if not by_step:
        process.join(wait)
        process.kill()
    process.join()
    return process.exitcode == -signal.SIGKILL


def _sections(version: str) -> list[Path]:
    return sorted(one for one in lawbooks.versions()[version].glob("*.md") if one.stat().st_size <= LARGEST)
