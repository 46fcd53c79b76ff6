"""Whether an index holds what the record of it says, both ways: documents, chunks, vectors, files, the vector store."""

import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from knowledge import generation
from knowledge.base import Base, Bases
from knowledge.catalogue import Built, Catalogue, Cut
from knowledge.catalogue import Generation as Record
from knowledge.chunk import Chunk, windows
from knowledge.document import Document
from knowledge.encoder import Encoder
from knowledge.generation import Generation
from knowledge.index.chroma import beside
from knowledge.index.store import Missing, Opener, Unfit
from knowledge.ingest import Ingestion, Options, alone
from knowledge.intake import Progress
from knowledge.projection import Projection
from knowledge.tables import CHUNKS, CUTS, VECTORS
from knowledge.vectors import sha256

SAMPLE = 50
"""Passages whose vectors are computed anew."""
_ALIKE = 0.999
"""A vector computed anew has at least this cosine with the one kept: another processor rounds otherwise."""
_HOLE = 0.02
"""The share of a document's words from which on it counts as a hole that they are in none of its passages."""
_AT_ONCE = 2_000
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Audited:
    """What became of one document: characters that were read, share of its words in no passage, what was noted."""

    document: str
    source: str
    characters: int
    passages: int
    windows: int
    vectors: int
    lost: float
    notes: tuple[str, ...]


@dataclass
class Verified:
    """What was looked at of an index, and every problem in words; `mended` tells that it was built anew."""

    index: str
    generation: str = ""
    passages: int = 0
    windows: int = 0
    sampled: int = 0
    problems: list[str] = field(default_factory=list)
    audit: list[Audited] = field(default_factory=list)
    mended: bool = False

    @property
    def sound(self) -> bool:
        """Whether everything holds."""
        return not self.problems


def verify(
    folder: Path,
    index: str,
    encoders: Mapping[str, Encoder],
    *,
    sample: int = SAMPLE,
    store: Opener = beside,
    progress: Progress = lambda *_: None,
) -> Verified:
    """Compare what an index serves with the catalogue. Nothing is written; raise `Busy` while another ingests."""
    with (
        alone(folder),
        closing(Catalogue(folder / "catalogue.db")) as catalogue,
        closing(Bases(folder, store)) as bases,
    ):
        return _Check(folder, catalogue, bases, _built(catalogue, index), encoders).run(sample, progress)


def mend(
    folder: Path,
    index: str,
    encoders: Mapping[str, Encoder],
    at: float,
    progress: Progress = lambda *_: None,
    *,
    store: Opener = beside,
) -> None:
    """Cut, embed and index what an index serves anew; the files that serve are replaced last.

    Raises `Busy`, and `LookupError` where documents are missing too: then only another ingestion helps.
    """
    with (
        alone(folder),
        closing(Catalogue(folder / "catalogue.db")) as catalogue,
        closing(Bases(folder, store)) as bases,
    ):
        built = _built(catalogue, index)
        record = catalogue.generation(catalogue.current(index))
        if record is None:
            return
        marks = list(record.documents.values())
        documents = catalogue.documents(marks)
        if len(documents) < len(set(marks)):
            raise LookupError(f"{len(set(marks)) - len(documents)} documents are missing: ingest their sources again.")
        _forget(catalogue, built, marks)
        how = Options(at=at, why="mended", store=store)
        run = Ingestion(catalogue, Projection(folder, catalogue, bases), encoders, how, progress)
        run.embed(built, run.plan(built, documents).missing)
        bases.discard(generation.base_of(folder / "generations" / record.name) or record.base)
        shutil.rmtree(folder / "generations" / record.name, ignore_errors=True)
        run.bring(built, documents)


def _forget(catalogue: Catalogue, built: Built, marks: Sequence[str]) -> None:
    """Drop what documents were cut into, their vectors, and of their passages those whose text was changed."""
    for cut in catalogue.cuts(built.id, marks).values():
        chunks = catalogue.chunks([id_ for id_, _ in cut])
        catalogue.drop(CHUNKS.c.id, [id_ for id_, one in chunks.items() if sha256(one.text) != one.sha256])
        shas = [sha for _, some in cut for sha in some]
        catalogue.drop(VECTORS.c.sha256, shas, VECTORS.c.model == built.spec.embedding)
    catalogue.drop(CUTS.c.fingerprint, marks, CUTS.c.index == built.id)


def left_over(folder: Path, store: Opener = beside) -> list[str]:
    """Stores of vectors that no generation on disk rests on: an ingestion that broke off leaves them to the next."""
    with closing(Bases(folder, store)) as bases:
        return _unused(folder, bases)


def tidy(folder: Path, store: Opener = beside) -> list[str]:
    """Delete what is left over, and tell its names. Raises `Busy` while another process ingests."""
    with alone(folder), closing(Bases(folder, store)) as bases:
        gone = _unused(folder, bases)
        for name in gone:
            bases.discard(name)
        return gone


def _unused(folder: Path, bases: Bases) -> list[str]:
    shelf = folder / "generations"
    used = {generation.base_of(path) for path in shelf.iterdir()} if shelf.exists() else set()
    return sorted(bases.names() - used)


def _built(catalogue: Catalogue, index: str) -> Built:
    found = catalogue.indexes().get(index)
    if found is None:
        raise LookupError(f"There is no index {index!r}.")
    return found


@dataclass(frozen=True)
class _Check:
    folder: Path
    catalogue: Catalogue
    bases: Bases
    built: Built
    encoders: Mapping[str, Encoder]

    def run(self, sample: int, progress: Progress) -> Verified:
        found = Verified(self.built.id)
        record = self.catalogue.generation(self.catalogue.current(self.built.id))
        if record is None:
            found.problems.append("It serves no generation: ingest documents, or build it again.")
            return found
        found.generation = record.name
        marks = list(record.documents.values())
        documents, cuts = self.catalogue.documents(marks), self.catalogue.cuts(self.built.id, marks)
        found.problems += [
            f"The document {name} is missing." for name, one in record.documents.items() if one not in documents
        ]
        found.problems += [f"{name} was not cut." for name, one in record.documents.items() if one not in cuts]
        named = {name: cuts[mark] for name, mark in record.documents.items() if mark in cuts}
        chunks = self.catalogue.chunks([id_ for cut in named.values() for id_, _ in cut])
        found.passages = sum(len(cut) for cut in named.values())
        found.windows = sum(len(some) for cut in named.values() for _, some in cut)
        found.problems += _chunks(named, chunks)
        progress("documents", 0, 4)
        self._audit(record, documents, named, chunks, found)
        progress("files", 1, 4)
        found.problems += self._files(record, named)
        progress("vectors", 2, 4)
        picked = random.Random(0).sample(sorted(chunks), min(sample, len(chunks)))
        found.problems += self._recomputed([chunks[one] for one in picked], named)
        found.sampled = len(picked)
        progress("vectors", 4, 4)
        return found

    def _audit(
        self,
        record: Record,
        documents: Mapping[str, Document],
        cuts: Mapping[str, Cut],
        chunks: Mapping[str, Chunk],
        found: Verified,
    ) -> None:
        """Source file by source file: how much of it was read, and how much of that is in passages with vectors."""
        notes = self.catalogue.notes(list(documents))
        for name, mark in sorted(record.documents.items()):
            if mark not in documents or name not in cuts:
                continue
            one, cut = documents[mark], cuts[name]
            shas = {sha for _, some in cut for sha in some}
            held = self.catalogue.known(self.built.spec.embedding, sorted(shas))
            lost = _lost(one, [chunks[id_] for id_, _ in cut if id_ in chunks])
            audited = Audited(
                document=name,
                source=one.source,
                characters=sum(len(section.text) for section in one.sections),
                passages=len(cut),
                windows=sum(len(some) for _, some in cut),
                vectors=len(held),
                lost=lost,
                notes=notes.get(mark, ()),
            )
            found.audit.append(audited)
            if missing := len(shas) - len(held):
                found.problems.append(f"{name}: {missing} of {len(shas)} windows have no vector in the catalogue.")
            if lost > _HOLE:
                found.problems.append(f"{name}: {lost:.0%} of its words are in none of its passages.")

    def _files(self, record: Record, cuts: Mapping[str, Cut]) -> Iterator[str]:
        """What the files of a generation, and the store under it, hold otherwise than the catalogue."""
        place = self.folder / "generations" / record.name
        name = generation.base_of(place)
        try:
            base = self.bases.open(name) if name and self.bases.exists(name) else None
            opened = generation.read(place, base) if base else None
        except (OSError, ValueError, KeyError, EOFError) as error:
            yield f"Its files cannot be read ({type(error).__name__})."
            return
        if base is None or opened is None:
            yield f"Its vectors {name} are gone." if name else "It is not on disk: the next search makes it again."
            return
        ids, told = generation.order(cuts)
        if list(opened.ids) != ids:
            yield f"Its files hold other passages than the catalogue: {_differ(opened.ids, ids)}."
            return
        if len(opened.lexical.scores("")) != len(ids):
            yield "Its lexical index holds another number of passages than the catalogue."
        yield from self._rows(opened, [sha for some in told for sha in some])
        yield from _store(base)

    def _rows(self, opened: Generation, shas: Sequence[str]) -> Iterator[str]:
        """Windows whose vector in the files is not the catalogue's."""
        if len(opened.row) != len(shas):
            yield f"Its files hold {len(opened.row):,} windows, the catalogue {len(shas):,}."
            return
        wrong = 0
        for start in range(0, len(shas), _AT_ONCE):
            some = shas[start : start + _AT_ONCE]
            kept = self.catalogue.vectors(self.built.spec.embedding, some)
            held = opened.vectors(opened.row[start : start + len(some)])
            wrong += sum(
                sha in kept and not np.allclose(kept[sha].vector, one, atol=1e-6)
                for sha, one in zip(some, held, strict=True)
            )
        if wrong:
            yield f"{wrong:,} of {len(shas):,} windows have another vector on disk than in the catalogue."

    def _recomputed(self, picked: Sequence[Chunk], cuts: Mapping[str, Cut]) -> Iterator[str]:
        """Passages that are cut into other windows now, or whose vectors come out otherwise."""
        encoder, chunking = self.encoders[self.built.spec.embedding], self.built.spec.chunking
        known = {id_: some for cut in cuts.values() for id_, some in cut}
        for chunk in picked:
            texts = windows(chunk, chunking, encoder.count_tokens)
            shas = [sha256(text) for text in texts]
            if shas != list(known[chunk.id]):
                yield f"{chunk.id} would be cut into other windows now: it was built by another version."
                continue
            kept = self.catalogue.vectors(self.built.spec.embedding, shas)
            fresh = [encoder.read(text)[0] for text in texts]  # as documents: for some models questions differ
            cosines = [float(kept[sha].vector @ one) for sha, one in zip(shas, fresh, strict=True) if sha in kept]
            if cosines and not min(cosines) >= _ALIKE:
                yield f"{chunk.id}: its vector computed anew has a cosine of {min(cosines):.3f} with the one kept."


def _chunks(cuts: Mapping[str, Cut], chunks: Mapping[str, Chunk]) -> Iterator[str]:
    for name, cut in cuts.items():
        if missing := [id_ for id_, _ in cut if id_ not in chunks]:
            yield f"{name}: {len(missing)} of {len(cut)} passages are not in the catalogue."
        changed = [id_ for id_, _ in cut if id_ in chunks and sha256(chunks[id_].text) != chunks[id_].sha256]
        if changed:
            yield f"{name}: the text of {', '.join(changed[:3])} was changed after it was cut."


def _store(base: Base) -> Iterator[str]:
    """What the store holds otherwise than the file of the same vectors."""
    rows = {str(row) for row in range(len(base.hashes))}
    try:
        held = base.collection.ids()
    except (Missing, Unfit) as error:
        yield f"The store cannot be read: {error}"
        return
    if missing := len(rows - held):
        yield f"The store lacks {missing:,} of {len(rows):,} vectors."
    if more := len(held - rows):
        yield f"The store holds {more:,} vectors that nothing refers to."
    wrong = 0
    for start in range(0, len(base.hashes), _AT_ONCE):
        some = np.arange(start, min(start + _AT_ONCE, len(base.hashes)))
        stored = base.collection.vectors(some)
        if stored.shape[1:] == base.rows.vectors.shape[1:]:
            wrong += int(
                (~(np.sum(stored * base.rows.vectors[some], axis=1) >= _ALIKE) & ~np.isnan(stored[:, 0])).sum()
            )
    if wrong:
        yield f"The store holds another vector than the file in {wrong:,} rows."


def _lost(document: Document, chunks: Sequence[Chunk]) -> float:
    """The share of a document's words that are in none of its passages, in [0, 1]."""
    words = Counter(word for section in document.sections for word in _WORD.findall(section.text.lower()))
    held = Counter(word for chunk in chunks for word in _WORD.findall(chunk.text.lower()))
    return (words - held).total() / max(words.total(), 1)


def _differ(held: Sequence[str], wanted: Sequence[str]) -> str:
    missing, more = set(wanted) - set(held), set(held) - set(wanted)
    return f"{len(missing)} are missing, {len(more)} are too many" if missing or more else "they stand in another order"
