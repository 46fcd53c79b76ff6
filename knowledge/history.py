"""What an index served since when and what changed each time, and how an earlier state of it serves again."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from knowledge.base import Bases
from knowledge.catalogue import RESTORED, Catalogue, Generation, Service
from knowledge.change import Change, changes
from knowledge.index.chroma import beside
from knowledge.index.store import Opener
from knowledge.ingest import alone
from knowledge.projection import Projection


@dataclass(frozen=True)
class Step:
    """A generation that served, from when on and until when (None: it does now), and what was new in it."""

    service: Service
    until: float | None
    documents: int
    change: Change


def history(catalogue: Catalogue, index: str, most: int) -> list[Step]:
    """The latest steps of an index, at most so many, newest first."""
    services = catalogue.services(index)
    steps = []
    for place in range(len(services) - 1, max(-1, len(services) - 1 - most), -1):
        documents = _documents(catalogue, services[place].generation)
        before = _documents(catalogue, services[place - 1].generation) if place else {}
        until = services[place + 1].since if place + 1 < len(services) else None
        steps.append(Step(services[place], until, len(documents), changes(before, documents)))
    return steps


def find(catalogue: Catalogue, index: str, generation: str) -> Generation:
    """A generation of an index by its name or its beginning, `g3` meaning number 3; raise `LookupError` in words."""
    every = catalogue.generations(index)
    wanted = generation.strip().lower()
    number = int(wanted[1:]) if wanted[:1] == "g" and wanted[1:].isdigit() else None
    found = [one for one in every if wanted and (one.name.startswith(wanted) or one.number == number)]
    if len(found) == 1:
        return found[0]
    if found:
        raise LookupError(f"{generation} could be {', '.join(one.name for one in found[:5])}: write more of it.")
    known = ", ".join(one.name for one in every[-5:]) or "none"
    raise LookupError(f"The index {index} has no generation {generation[:40]!r}; the newest are {known}.")


def restore(
    folder: Path,
    catalogue: Catalogue,
    generation: Generation,
    at: float,
    *,
    instead_of: str,
    store: Opener = beside,
) -> bool:
    """Let a generation serve again, made anew on disk first where it was swept away.

    False where `instead_of` does not serve any more: then nothing was done. Raises `Busy` while another process
    ingests.
    """
    with alone(folder), closing(Bases(folder, store)) as bases:
        model = catalogue.indexes(retired=True)[generation.index].spec.embedding
        Projection(folder, catalogue, bases).open(generation, model)
        return catalogue.serve(generation, at, RESTORED, instead_of=instead_of)


def _documents(catalogue: Catalogue, generation: str) -> Mapping[str, str]:
    found = catalogue.generation(generation)
    return found.documents if found else {}
