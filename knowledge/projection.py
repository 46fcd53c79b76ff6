"""Generations made out of the catalogue: what a search reads, written to disk, and made again where it is missing."""

import hashlib
import logging
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from knowledge import generation
from knowledge.base import Base, Bases
from knowledge.catalogue import Catalogue, Cut
from knowledge.catalogue import Generation as Record
from knowledge.generation import Contents, Generation
from knowledge.index.store import Progress, Unfit, Unreachable
from knowledge.vectors import Embedded

log = logging.getLogger(__name__)

LATE = 0.1
"""A base is made anew once so many of its vectors are of no use, or so many are missing, as a share of all."""


class Incomplete(Exception):
    """The catalogue does not hold all that a generation was made of."""


@dataclass(frozen=True)
class Projection:
    """The generations on disk of one library."""

    folder: Path
    catalogue: Catalogue
    bases: Bases

    def base_for(self, model: str, hashes: Sequence[str], before: str, progress: Progress) -> Base:
        """A base for these texts: the one of the generation `before` where that is near enough, else a new one."""
        wanted = set(hashes)
        name = generation.base_of(self.folder / "generations" / before) if before else None
        old = self.bases.open(name) if name and self.bases.exists(name) else None
        if old is not None:
            held = set(old.hashes)
            if len(wanted - held) + len(held - wanted) <= LATE * len(held):
                return old
        name, ordered = _named(model, hashes)
        there = self.bases.open(name) if self.bases.exists(name) else None
        return there or self.bases.write(name, ordered, partial(self._vectors, model), progress, model=model)

    def write(self, record: Record, model: str, base: Base) -> None:
        """Write the generation that a record tells of."""
        cuts = self._cuts(record)
        ids, windows = generation.order(cuts)
        chunks, terms = self.catalogue.chunks(ids), self.catalogue.terms(ids)
        if missing := [one for one in ids if one not in chunks]:
            raise Incomplete(f"{record.name}: {len(missing)} chunks are not in the catalogue.")
        late = sorted({sha for some in windows for sha in some} - set(base.hashes))
        told = [terms[one] for one in ids]
        contents = Contents([chunks[one] for one in ids], windows, told, self._vectors(model, late))
        generation.write(self._place(record.name), record.index, base, contents)

    def open(self, record: Record, model: str) -> Generation:
        """A generation ready to be searched, made again from the catalogue where it is not on disk.

        In a store away from here nothing is made: a search cannot wait for that, and reads the files.
        """
        folder = self._place(record.name)
        name = generation.base_of(folder)
        base = self.bases.open(name) if name else None
        if base is None:
            _, windows = generation.order(self._cuts(record))
            hashes = [sha for some in windows for sha in some]
            base = self._saved(model, hashes) or self.base_for(model, hashes, "", lambda *_: None)
            self.write(record, model, base)
        return generation.read(folder, base)

    def on_disk(self, name: str) -> bool:
        """Whether a generation and its base are there, in the store too."""
        base = generation.base_of(self._place(name))
        return base is not None and self.bases.exists(base)

    def readable(self, name: str) -> bool:
        """Whether searches can read a generation as it is."""
        base = generation.base_of(self._place(name))
        return base is not None and self.bases.readable(base)

    def sweep(self, kept: Iterable[str]) -> None:
        """Delete every generation and base that none of these needs, in the store too; the catalogue keeps them.

        What a store away from here does not delete now the next sweep finds again.
        """
        stay = set(kept)
        bases = {generation.base_of(self._place(name)) for name in stay}
        shelf = self.folder / "generations"
        shelf.mkdir(exist_ok=True)
        for path in shelf.iterdir():
            if path.name not in stay:
                shutil.rmtree(path)
        try:
            for name in self.bases.names() - bases:
                self.bases.discard(name)
        except (Unreachable, Unfit) as error:
            log.warning("the store of vectors was not tidied up: %s", error)

    def _cuts(self, record: Record) -> dict[str, Cut]:
        cuts = self.catalogue.cuts(record.index, list(record.documents.values()))
        if missing := [name for name, one in record.documents.items() if one not in cuts]:
            raise Incomplete(f"{record.name}: {', '.join(missing[:3])} is not in the catalogue.")
        return {name: cuts[one] for name, one in record.documents.items()}

    def _vectors(self, model: str, hashes: Sequence[str]) -> list[Embedded]:
        """Vectors in the order of their texts' hashes."""
        found = self.catalogue.vectors(model, hashes)
        if len(found) < len(set(hashes)):
            raise Incomplete(f"{len(set(hashes)) - len(found)} vectors of {model} are not in the catalogue.")
        return [found[sha] for sha in hashes]

    def _saved(self, model: str, hashes: Sequence[str]) -> Base | None:
        """The files of a base, where the store is away from here."""
        if not self.bases.store.remote:
            return None
        name, ordered = _named(model, hashes)
        return self.bases.open(name) or self.bases.save(name, ordered, partial(self._vectors, model))

    def _place(self, name: str) -> Path:
        return self.folder / "generations" / name


def _named(model: str, hashes: Sequence[str]) -> tuple[str, list[str]]:
    """The name of the base of these texts, which tells its contents, and their order in it."""
    ordered = list(dict.fromkeys(hashes))
    digest = hashlib.sha256("\n".join((model, *ordered)).encode()).hexdigest()
    return f"base-{digest[:16]}", ordered
