"""Documents into new generations of every index: all of it or nothing, and only changed text is embedded."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from knowledge import intake, study
from knowledge.base import Bases
from knowledge.catalogue import Built, Catalogue, Cut
from knowledge.catalogue import Generation as Record
from knowledge.change import changes
from knowledge.chunk import Chunk, cut, windows
from knowledge.document import Document, fingerprint
from knowledge.encoder import Encoder
from knowledge.enrich import enriched
from knowledge.index import lexical
from knowledge.index.chroma import beside
from knowledge.index.store import Opener
from knowledge.intake import Intake, Progress
from knowledge.projection import Projection
from knowledge.references import Titles
from knowledge.report import Fate, IndexReport, IngestReport
from knowledge.sources.source import Source
from knowledge.spec import IndexSpec
from knowledge.vectors import Row, run_here, sha256

_AT_ONCE = 50  # documents whose chunks are written in one transaction
KEPT = 3
"""Generations of an index that stay on disk: the one served and two to return to."""


class Busy(Exception):
    """Another ingestion into the same folder is under way."""


@dataclass(frozen=True)
class Options:
    """How an ingestion is to be made.

    `at` is the time, in seconds since 1970. With `dry_run` nothing is written; with `stage` new generations wait to be
    served. An index of `small` windows or more, of which more than the share `large` would change, is left as it is,
    and a new edition of it is built beside it. `why` goes on the record of what was served. On the day `on`, and when
    something begins after it, documents are compared for what they disagree about. `store` opens the store of vectors.
    """

    at: float
    dry_run: bool = False
    stage: bool = False
    large: float = 1.0
    small: int = 0
    why: str = "ingested"
    threads: int = 0
    on: date | None = None
    store: Opener = beside


@contextmanager
def alone(folder: Path, wait: float = 0.0) -> Iterator[None]:
    """Hold a library's lock, which the operating system takes back when the process dies.

    Raises `Busy` where another holds it for `wait` seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = sqlite3.connect(folder / "ingest.lock", timeout=wait, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        yield
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        raise Busy(f"Another ingestion into {folder} is under way.") from error
    finally:
        lock.close()


def ingest(
    sources: Sequence[Source],
    folder: Path,
    encoders: Mapping[str, Encoder],
    specs: Sequence[IndexSpec],
    options: Options,
    progress: Progress = lambda *_: None,
) -> IngestReport:
    """Make what the sources hold the whole content of the library in `folder`, in every index that is in use.

    What is not among them leaves the library. Files that cannot be read and duplicates are reported and left out. Old
    generations serve until the new ones are complete; where no document can be read they go on serving. `specs` are
    indexes to be built where they do not exist. Raises `Busy` while another process ingests into the folder, and
    `SourceMissing` where a source is not there: then nothing changes.
    """
    with (
        alone(folder),
        closing(Catalogue(folder / "catalogue.db")) as catalogue,
        closing(Bases(folder, options.store)) as bases,
    ):
        gathered = intake.gather(sources, catalogue, progress, keep=not options.dry_run)
        run = Ingestion(catalogue, Projection(folder, catalogue, bases), encoders, options, progress)
        return run.take(gathered, specs)


def unembedded(
    sources: Sequence[Source],
    folder: Path,
    encoders: Mapping[str, Encoder],
    specs: Sequence[IndexSpec],
    options: Options,
    progress: Progress = lambda *_: None,
) -> dict[str, list[Row]]:
    """What an ingestion would have to embed, by the name of the model: for embedding it elsewhere and beforehand.

    Documents are read and cut, which the ingestion then need not do again; nothing is served. Raises as `ingest` does.
    """
    with (
        alone(folder),
        closing(Catalogue(folder / "catalogue.db")) as catalogue,
        closing(Bases(folder, options.store)) as bases,
    ):
        gathered = intake.gather(sources, catalogue, progress)
        run = Ingestion(catalogue, Projection(folder, catalogue, bases), encoders, options, progress)
        return run.missing(gathered, specs)


@dataclass(frozen=True)
class Plan:
    """What an index would become: its documents by name, what they are cut into, the texts that have no vector."""

    index: Built
    before: str
    documents: Mapping[str, str]
    cuts: Mapping[str, Cut]
    missing: Mapping[str, str]
    share: float
    held: int  # windows that it serves until then

    @property
    def hashes(self) -> list[str]:
        """Of all windows, documents in order of their names."""
        return [sha for name in sorted(self.cuts) for _, some in self.cuts[name] for sha in some]

    def report(self, fate: Fate, generation: str = "", embedded: int = 0) -> IndexReport:
        """What is told of it."""
        return IndexReport(
            index=self.index.id,
            generation=generation or self.before,
            fate=fate,
            before=self.before,
            chunks=sum(len(one) for one in self.cuts.values()),
            windows=len(self.hashes),
            embedded=embedded,
            share=round(self.share, 4),
        )


@dataclass(frozen=True)
class Ingestion:
    """The steps of an ingestion; whoever holds the lock of the library may take them one by one."""

    catalogue: Catalogue
    projection: Projection
    encoders: Mapping[str, Encoder]
    options: Options
    progress: Progress

    def take(self, gathered: Intake, specs: Sequence[IndexSpec]) -> IngestReport:
        """Bring every index up to date with the documents."""
        documents = {fingerprint(one): one for one in gathered.documents}
        indexes = self._indexes(specs)
        before = self._served(next(iter(indexes), ""))
        report = _compared(before, {one.name: mark for mark, one in documents.items()}, gathered)
        if self.options.dry_run:
            report = report.model_copy(update={"dry_run": True})
        if not documents:
            return report
        if not self.options.dry_run:
            self.catalogue.remember_documents(documents)
        if self.options.on:
            told = study.disagreements(
                gathered.documents, self.options.on, self.catalogue, keep=not self.options.dry_run
            )
            report = report.model_copy(update={"disagreements": tuple(told)})
        reports = [self.bring(index, documents) for index in indexes.values()]
        reports += self._editions(indexes, reports, documents)
        if not self.options.dry_run:
            self._sweep()
        return report.model_copy(update={"indexes": tuple(reports)})

    def missing(self, gathered: Intake, specs: Sequence[IndexSpec]) -> dict[str, list[Row]]:
        """The windows of every index that have no vector, by model."""
        documents = {fingerprint(one): one for one in gathered.documents}
        self.catalogue.remember_documents(documents)
        rows: dict[str, dict[str, Row]] = {}
        for index in self._indexes(specs).values():
            wanted = self.plan(index, documents).missing
            rows.setdefault(index.spec.embedding, {}).update({sha: Row(sha, text) for sha, text in wanted.items()})
        return {model: list(some.values()) for model, some in rows.items() if some}

    def _indexes(self, specs: Sequence[IndexSpec]) -> dict[str, Built]:
        """The indexes in use, with those that are to be made."""
        indexes = self.catalogue.indexes()
        for spec in specs:
            if spec.id not in indexes:
                indexes[spec.id] = Built(id=spec.id, spec=spec, made=self.options.at)
                if not self.options.dry_run:
                    self.catalogue.add_index(spec, self.options.at)
        return indexes

    def _editions(
        self, indexes: Mapping[str, Built], reports: Sequence[IndexReport], documents: Mapping[str, Document]
    ) -> list[IndexReport]:
        """New editions of indexes that were left as they are, where no edition took the documents."""
        made: list[IndexReport] = []
        frozen = [indexes[one.index].spec.beside(1) for one in reports if one.fate is Fate.FROZEN]
        moved = [indexes[one.index].spec.beside(1) for one in reports if one.fate is not Fate.FROZEN]
        for spec in (one for place, one in enumerate(frozen) if one not in moved and one not in frozen[:place]):
            newest = max(
                one.spec.edition for one in self.catalogue.indexes(retired=True).values() if one.spec.beside(1) == spec
            )
            edition = spec.beside(newest + 1)
            if not self.options.dry_run:
                self.catalogue.add_index(edition, self.options.at)
            built = self.bring(Built(id=edition.id, spec=edition, made=self.options.at), documents)
            made.append(built.model_copy(update={"fate": Fate.PLANNED if self.options.dry_run else Fate.BUILT}))
        return made

    def bring(self, index: Built, documents: Mapping[str, Document]) -> IndexReport:
        """Bring one index up to date."""
        plan = self.plan(index, documents)
        serving = self.catalogue.generation(plan.before) if plan.before else None
        whole = sha256("\n".join((index.id, *sorted(plan.documents.values()))))
        if serving and serving.fingerprint == whole and self.projection.on_disk(serving.name):
            return plan.report(Fate.UNCHANGED)
        aside = self.catalogue.set_aside(index.id)
        if (held := self.catalogue.generation(aside) if aside else None) and held.fingerprint == whole:
            return plan.report(Fate.UNCHANGED)  # an operator had an earlier generation serve instead of just this
        if plan.before and plan.share > self.options.large and plan.held >= self.options.small:
            return plan.report(Fate.FROZEN)
        if self.options.dry_run:
            return plan.report(Fate.PLANNED, embedded=len(plan.missing))
        self.embed(index, plan.missing)
        record = self._record(plan, whole)
        staged = self.options.stage and bool(plan.before)
        self.catalogue.record(record, serve=not staged, why=self.options.why)
        fate = Fate.STAGED if staged else Fate.SERVED
        return plan.report(fate, record.name, len(plan.missing))

    def plan(self, index: Built, documents: Mapping[str, Document]) -> Plan:
        """What an index would become of these documents, by fingerprint."""
        cuts, texts = self._cut(index, documents)
        hashes = {sha for one in cuts.values() for _, some in one for sha in some}
        missing = hashes - self.catalogue.known(index.spec.embedding, sorted(hashes))
        if missing - texts.keys():  # cut before, and not embedded: the run broke off, or the model is another
            without = [mark for mark, one in cuts.items() if any(not missing.isdisjoint(some) for _, some in one)]
            texts |= self._windows(index, {mark: documents[mark] for mark in without})
        old = self.catalogue.cuts(index.id, list(self._served(index.id).values()))
        held = {sha for one in old.values() for _, some in one for sha in some}
        return Plan(
            index=index,
            before=self.catalogue.current(index.id),
            documents={one.name: mark for mark, one in documents.items()},
            cuts={documents[mark].name: one for mark, one in cuts.items()},
            missing={sha: texts[sha] for sha in sorted(missing)},
            share=len(hashes ^ held) / max(len(hashes | held), 1),
            held=len(held),
        )

    def _cut(self, index: Built, documents: Mapping[str, Document]) -> tuple[dict[str, Cut], dict[str, str]]:
        """What each document is cut into, by fingerprint, and the texts of the windows that were cut just now."""
        cuts = self.catalogue.cuts(index.id, list(documents))
        texts: dict[str, str] = {}
        fresh = [mark for mark in documents if mark not in cuts]
        titles = Titles({one.id: one.title for one in documents.values()}) if fresh else Titles({})
        for start in range(0, len(fresh), _AT_ONCE):
            self.progress("cutting", start, len(fresh))
            some = {mark: self._cut_one(index, documents[mark]) for mark in fresh[start : start + _AT_ONCE]}
            cuts |= {mark: _cut_of(pieces) for mark, pieces in some.items()}
            texts |= {sha256(text): text for pieces in some.values() for _, told in pieces for text in told}
            if not self.options.dry_run:
                chunks = [enriched(chunk, titles) for pieces in some.values() for chunk, _ in pieces]
                terms = [(chunk, lexical.terms(searchable(chunk))) for chunk in chunks]
                self.catalogue.remember_cuts(index.id, {mark: cuts[mark] for mark in some}, terms)
        return cuts, texts

    def _windows(self, index: Built, documents: Mapping[str, Document]) -> dict[str, str]:
        """The texts of the windows of documents, by hash."""
        pieces = [piece for document in documents.values() for piece in self._cut_one(index, document)]
        return {sha256(text): text for _, told in pieces for text in told}

    def _cut_one(self, index: Built, document: Document) -> list[tuple[Chunk, list[str]]]:
        chunking, count = index.spec.chunking, self.encoders[index.spec.embedding].count_tokens
        return [(chunk, windows(chunk, chunking, count)) for chunk in cut(document, chunking, count)]

    def embed(self, index: Built, missing: Mapping[str, str]) -> None:
        """Compute the vectors that are missing; each is kept as it comes, so that none is computed twice."""
        model = index.spec.embedding
        run_here(
            [Row(sha, text) for sha, text in missing.items()],
            self.encoders[model],
            partial(self.catalogue.remember, model),
            lambda done, total: self.progress("embedding", done, total),
            threads=self.options.threads,
        )

    def _record(self, plan: Plan, whole: str) -> Record:
        """The generation of a plan, on disk; the one that was made of the same documents before where there is one."""
        model = plan.index.spec.embedding
        known = next((one for one in self.catalogue.generations(plan.index.id) if one.fingerprint == whole), None)
        if known and self.projection.on_disk(known.name):
            return known.model_copy(update={"made": self.options.at})
        base = self.projection.base_for(model, plan.hashes, plan.before, self.progress)
        number = self.catalogue.next_number()
        record = known or Record(
            name=f"g{number:05d}-{whole[:8]}",
            index=plan.index.id,
            number=number,
            fingerprint=whole,
            documents=plan.documents,
            base=base.name,
            made=self.options.at,
        )
        self.projection.write(record, model, base)
        return record

    def _served(self, index: str) -> Mapping[str, str]:
        """The documents that an index serves, by name."""
        serving = self.catalogue.generation(self.catalogue.current(index))
        return serving.documents if serving else {}

    def _sweep(self) -> None:
        """Leave on disk what each index served last, and what waits to be served."""
        kept: set[str] = set()
        for index in self.catalogue.indexes():
            served = list(dict.fromkeys(one.generation for one in reversed(self.catalogue.services(index))))
            newest = self.catalogue.generation(served[0]) if served else None
            waiting = [one.name for one in self.catalogue.generations(index) if newest and one.number > newest.number]
            kept |= {*served[:KEPT], *waiting}
        self.projection.sweep(kept)


def searchable(chunk: Chunk) -> str:
    """What the lexical index reads of a chunk: title, headings, text."""
    return "\n".join((chunk.title, *chunk.section, chunk.text))


def _cut_of(pieces: Sequence[tuple[Chunk, Sequence[str]]]) -> Cut:
    return tuple((chunk.id, tuple(sha256(text) for text in told)) for chunk, told in pieces)


def _compared(old: Mapping[str, str], new: Mapping[str, str], gathered: Intake) -> IngestReport:
    change = changes(old, new)
    return IngestReport(
        added=change.added,
        changed=change.changed,
        unchanged=tuple(sorted(new.keys() - {*change.added, *change.changed})),
        removed=change.removed if new else (),
        refused=tuple(gathered.refused),
        duplicates=tuple(gathered.duplicates),
        notes=tuple(gathered.notes),
    )
