"""Files into a new generation of the library: all of it or nothing, and only changed text is embedded."""

import hashlib
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from knowledge.catalogue import Catalogue, Generation
from knowledge.chunk import Chunk, Chunking, cut, windows
from knowledge.document import Document
from knowledge.embedding import MiniLM
from knowledge.index import lexical
from knowledge.index.chroma import Chroma
from knowledge.parse import READERS, Unreadable, parse

Progress = Callable[[str, int, int], None]
"""Called with the stage ("reading", "embedding", "indexing"), how much is done and how much there is."""

KEPT = 3
"""Generations whose indexes stay on disk: the one served and two to return to."""
_BATCH = 64


class Busy(Exception):
    """Another ingestion into the same folder is under way."""


class Refusal(BaseModel):
    """A file that was left out, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    reason: str


class Duplicate(BaseModel):
    """A file that was left out because `kept` says the same or bears the same id and version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    kept: Path
    reason: str


class IngestReport(BaseModel):
    """What an ingestion did. Documents are named `id@version`; `embedded` counts windows computed anew."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    generation: str
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    chunks: int = 0
    embedded: int = 0


@dataclass
class _Gathered:
    """What the files hold, while they are read."""

    documents: list[Document] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)


def ingest(
    paths: Iterable[Path], folder: Path, embeddings: MiniLM, chunking: Chunking, progress: Progress
) -> IngestReport:
    """Make the files and folders in `paths` the whole content of the library in `folder`.

    What is not among them leaves the library. Unreadable files and duplicates are reported and left out. The
    old generation serves until the new one is complete; where no document can be read it goes on serving.
    Raises `Busy` while another process ingests into the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        catalogue, chroma = Catalogue(folder / "knowledge.db"), Chroma(folder / "chroma")
        try:
            return _Ingestion(folder, embeddings, chunking, catalogue, chroma).run(paths, progress)
        finally:
            chroma.close()
            catalogue.close()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a lock that the operating system takes back when the process dies."""
    lock = sqlite3.connect(folder / "ingest.lock", timeout=0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        yield
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        raise Busy(f"Another ingestion into {folder} is under way.") from error
    finally:
        lock.close()


@dataclass(frozen=True)
class _Ingestion:
    folder: Path
    embeddings: MiniLM
    chunking: Chunking
    catalogue: Catalogue
    chroma: Chroma

    def run(self, paths: Iterable[Path], progress: Progress) -> IngestReport:
        gathered = _gather(_files(paths), progress)
        documents = superseded(gathered.documents)
        fingerprints = {document.name: _sha(document.model_dump_json()) for document in documents}
        past = self.catalogue.generations()
        serving = next((g for g in past if g.name == self.catalogue.current()), None)
        report = _compared(serving, fingerprints, gathered)
        told = (self.embeddings.name, self.chunking.model_dump_json(), *sorted(fingerprints.values()))
        whole = _sha("\n".join(told))
        if not documents or (serving and serving.fingerprint == whole):
            return report
        number = past[-1].number + 1 if past else 1
        generation = Generation(
            number=number, name=f"g{number:05d}-{whole[:8]}", fingerprint=whole, documents=fingerprints
        )
        self._sweep({g.name for g in past[1 - KEPT :]} | {report.generation})
        chunks, embedded = self._index(generation.name, documents, progress)
        self.catalogue.publish(generation, chunks)
        progress("indexing", len(chunks), len(chunks))
        return report.model_copy(update={"generation": generation.name, "chunks": len(chunks), "embedded": embedded})

    def _sweep(self, kept: set[str]) -> None:
        """Delete indexes of older generations and of runs that broke off."""
        for name in self.chroma.names() - kept:
            self.chroma.discard(name)
        shelf = self.folder / "lexical"
        shelf.mkdir(exist_ok=True)
        for path in shelf.iterdir():
            if path.name not in kept:
                shutil.rmtree(path)

    def _index(self, name: str, documents: Sequence[Document], progress: Progress) -> tuple[list[Chunk], int]:
        """Write both indexes of a generation that nobody reads yet; the chunks and how much was embedded."""
        count = self.embeddings.count_tokens
        chunks = [chunk for document in documents for chunk in cut(document, self.chunking, count)]
        texts = [
            (position, text) for position, chunk in enumerate(chunks) for text in windows(chunk, self.chunking, count)
        ]
        vectors, embedded = self._embed([text for _, text in texts], progress)
        placed = [(position, vectors[_sha(text)]) for position, text in texts]
        self.chroma.write(name, chunks, placed, lambda done, total: progress("indexing", done, total + 1))
        written = self.chroma.open(name)
        if written is None or written.size != len(texts):
            raise RuntimeError(f"Generation {name} holds {written and written.size} of {len(texts)} windows.")
        lexical.build(self.folder / "lexical" / name, [searchable(chunk) for chunk in chunks])
        return chunks, embedded

    def _embed(self, texts: Sequence[str], progress: Progress) -> tuple[dict[str, NDArray[np.float32]], int]:
        """Vectors by hash of text: from the cache, and the rest computed and cached as it comes."""
        named = {_sha(text): text for text in texts}
        vectors = self.catalogue.vectors(self.embeddings.name, list(named))
        missing = sorted(named.keys() - vectors.keys(), key=lambda sha: len(named[sha]))
        for start in range(0, len(missing), _BATCH):
            progress("embedding", start, len(missing))
            batch = missing[start : start + _BATCH]
            fresh = list(zip(batch, self.embeddings.encode([named[sha] for sha in batch]), strict=True))
            self.catalogue.remember(self.embeddings.name, fresh)
            vectors.update(fresh)
        progress("embedding", len(missing), len(missing))
        return vectors, len(missing)


def searchable(chunk: Chunk) -> str:
    """What the lexical index reads of a chunk: title, headings, text."""
    return "\n".join((chunk.title, *chunk.section, chunk.text))


def superseded(documents: Sequence[Document]) -> list[Document]:
    """The documents, each version ending at the latest on the day before the next of its id begins."""
    result: list[Document] = []
    following: Document | None = None
    for document in sorted(documents, key=_order, reverse=True):
        if following is not None and following.id == document.id:
            last = following.effective_from - timedelta(days=1)
            if document.effective_to is None or document.effective_to > last:
                document = document.model_copy(update={"effective_to": last})
        result.append(document)
        following = document
    return result[::-1]


def _order(document: Document) -> tuple[str, int, list[tuple[int, str]]]:
    """By id, date and version, where version 10 follows version 9."""
    parts = [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", document.version)]
    return document.id, document.effective_from.toordinal(), parts


def _gather(files: list[Path], progress: Progress) -> _Gathered:
    """Parse the files; of duplicates the first in order of path is kept."""
    gathered = _Gathered()
    names: dict[tuple[str, str], Path] = {}
    texts: dict[object, tuple[str, Path]] = {}
    for number, path in enumerate(files):
        progress("reading", number, len(files))
        try:
            document = parse(path)
        except Unreadable as error:
            gathered.refused.append(Refusal(path=path, reason=error.reason))
            continue
        said = (document.sha256, document.audience, document.effective_from, document.effective_to)
        same_id, same_text = names.get((document.id, document.version)), texts.get(said)
        if same_id:
            gathered.duplicates.append(
                Duplicate(path=path, kept=same_id, reason=f"same id and version ({document.name})")
            )
        elif same_text and same_text[0] != document.id:
            gathered.duplicates.append(Duplicate(path=path, kept=same_text[1], reason="same text"))
        else:
            names[document.id, document.version] = path
            texts.setdefault(said, (document.id, path))
            gathered.documents.append(document)
    progress("reading", len(files), len(files))
    return gathered


def _files(paths: Iterable[Path]) -> list[Path]:
    """Files named, and visible files of a known type in folders named; links to folders are not followed."""
    found: set[Path] = set()
    for path in paths:
        if not path.is_dir():
            found.add(path)
            continue
        for parent, folders, files in os.walk(path):
            folders[:] = [name for name in folders if not name.startswith(".")]
            visible = (Path(parent, name) for name in files if not name.startswith("."))
            found.update(file for file in visible if file.suffix.lower() in READERS)
    return sorted(found)


def _compared(serving: Generation | None, fingerprints: dict[str, str], gathered: _Gathered) -> IngestReport:
    old = serving.documents if serving else {}
    shared = fingerprints.keys() & old.keys()
    changed = {name for name in shared if fingerprints[name] != old[name]}
    return IngestReport(
        generation=serving.name if serving else "",
        added=tuple(sorted(fingerprints.keys() - old.keys())),
        changed=tuple(sorted(changed)),
        unchanged=tuple(sorted(shared - changed)),
        removed=tuple(sorted(old.keys() - fingerprints.keys())) if fingerprints else (),
        refused=tuple(gathered.refused),
        duplicates=tuple(gathered.duplicates),
    )


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
