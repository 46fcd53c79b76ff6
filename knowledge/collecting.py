"""Indexes given up: their files go at once, since they can be made again, their rows when nobody may ask any more."""

import shutil
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from knowledge import generation
from knowledge.base import Bases
from knowledge.catalogue import Catalogue
from knowledge.index.chroma import beside
from knowledge.index.store import Opener
from knowledge.ingest import alone
from knowledge.tables import CHUNKS, CUTS, DOCUMENTS, READ, VECTORS


@dataclass(frozen=True)
class Freed:
    """What went: bytes on disk, and rows of the catalogue."""

    size: int = 0
    generations: int = 0
    chunks: int = 0
    vectors: int = 0
    documents: int = 0


def size(folder: Path) -> int:
    """Bytes of all files in a folder; 0 where it is not there."""
    found = 0
    for path in folder.rglob("*"):
        try:
            found += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # an ingestion puts files into place meanwhile
            continue
    return found


def files(folder: Path, generations: Iterable[str]) -> int:
    """Bytes on disk of these generations and of the bases that they rest on."""
    names = list(generations)
    bases = {base for name in names if (base := generation.base_of(folder / "generations" / name))}
    places = [*(folder / "generations" / name for name in names), *(folder / "bases" / base for base in bases)]
    return sum(size(place) for place in places)


def retire(folder: Path, index: str, at: float, store: Opener = beside) -> Freed:
    """Give an index up: it is brought up to date no longer, and its files are deleted. Raises `Busy`."""
    with (
        alone(folder),
        closing(Catalogue(folder / "catalogue.db")) as catalogue,
        closing(Bases(folder, store)) as bases,
    ):
        catalogue.retire(index, at)
        return Freed(size=_delete_files(folder, catalogue, bases, index))


def drop(folder: Path, index: str, store: Opener = beside) -> Freed:
    """Delete the rows of an index that was given up, and what no other index needs of them. Raises `Busy`.

    A run that is killed leaves rows that the next one, of whatever index, deletes.
    """
    with (
        alone(folder),
        closing(Catalogue(folder / "catalogue.db")) as catalogue,
        closing(Bases(folder, store)) as bases,
    ):
        if index in catalogue.indexes():
            raise LookupError(f"The index {index} is in use.")
        freed = _delete_files(folder, catalogue, bases, index)
        generations = len(catalogue.generations(index))
        catalogue.drop_index(index)
        return _sweep(catalogue, Freed(freed, generations))


def _delete_files(folder: Path, catalogue: Catalogue, bases: Bases, index: str) -> int:
    shelf = folder / "generations"
    mine = {one.name for one in catalogue.generations(index)}
    before = size(shelf) + size(folder / "bases")
    for name in mine:
        shutil.rmtree(shelf / name, ignore_errors=True)
    others = list(shelf.iterdir()) if shelf.exists() else []
    for name in bases.names() - {generation.base_of(path) for path in others}:
        bases.discard(name)
    return before - size(shelf) - size(folder / "bases")


def _sweep(catalogue: Catalogue, freed: Freed) -> Freed:
    """Delete chunks, vectors and documents that no index refers to."""
    models = {index: built.spec.embedding for index, built in catalogue.indexes(retired=True).items()}
    chunks: set[str] = set()
    windows: dict[str, set[str]] = {}
    for index in catalogue.keys(CUTS.c.index):
        used = windows.setdefault(models.get(index, ""), set())  # "": one that is being built
        for _, cut in catalogue.every_cut(index):
            chunks |= {id_ for id_, _ in cut}
            used |= {sha for _, some in cut for sha in some}
    documents = {mark for one in catalogue.generations() for mark in one.documents.values()}
    gone_chunks = sorted(catalogue.keys(CHUNKS.c.id) - chunks)
    gone_documents = sorted(catalogue.keys(DOCUMENTS.c.fingerprint) - documents - catalogue.keys(READ.c.fingerprint))
    vectors = 0
    for model in catalogue.keys(VECTORS.c.model):
        used = windows.get(model, set()) | windows.get("", set())
        gone = sorted(catalogue.keys(VECTORS.c.sha256, VECTORS.c.model == model) - used)
        catalogue.drop(VECTORS.c.sha256, gone, VECTORS.c.model == model)
        vectors += len(gone)
    catalogue.drop(CHUNKS.c.id, gone_chunks)
    catalogue.drop(DOCUMENTS.c.fingerprint, gone_documents)
    return Freed(freed.size, freed.generations, len(gone_chunks), vectors, len(gone_documents))
