"""Indexes that nothing needs any more: given up and their files deleted, and after the retention the rest too."""

import logging
from dataclasses import dataclass

from assistant import index_facts, vector_store
from assistant.desk import Desk
from assistant.index_facts import folder_of, library_of
from knowledge import collecting
from knowledge.collecting import Freed
from knowledge.ingest import Busy
from knowledge.library import Library
from opsplane import indexes
from opsplane.errors import Conflict
from opsplane.indexes import Standing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Collected:
    """What became of one index, or would with `done` False: `fate` is kept, retired or dropped."""

    standing: Standing
    fate: str
    freed: Freed
    done: bool


def collect(desk: Desk, *, dry_run: bool = False) -> list[Collected]:
    """Give up the indexes that no release needs, and delete the rows of those whose retention is over.

    For a nightly run too: what is cut off is carried on by the next. Raises `Conflict` while documents are ingested.
    """
    library = library_of(desk)
    state, now = desk.plane.state, desk.ledger.clock()
    found = index_facts.standings(desk, state, library.catalogue.indexes(retired=True))
    collected = []
    for one in found:
        fate = _fate(one, droppable=one.droppable <= now)
        freed = Freed()
        if fate != "kept" and not dry_run:
            with vector_store.told():
                freed = _carried_out(desk, library, one, fate)
        elif fate == "retired":
            names = [generation.name for generation in library.catalogue.generations(one.index.id)]
            freed = Freed(size=collecting.files(folder_of(library), names), generations=len(names))
        collected.append(Collected(one, fate, freed, done=not dry_run))
    return collected


def _fate(one: Standing, *, droppable: bool) -> str:
    if one.index.retired:
        return "dropped" if droppable else "kept"
    return "kept" if one.needs else "retired"


def _carried_out(desk: Desk, library: Library, one: Standing, fate: str) -> Freed:
    name, at = one.index.id, desk.ledger.clock().timestamp()
    folder, store = folder_of(library), library.store
    try:
        if fate == "retired":
            freed = collecting.retire(folder, name, at, store)
            indexes.retired(desk.ledger, name, "no release needs it", collected=False)
        else:
            freed = collecting.drop(folder, name, store)
            indexes.retired(desk.ledger, name, "the record's retention is over", collected=True)
    except Busy as error:
        raise Conflict("Documents are being ingested: collect when that is over.") from error
    log.info("index %s was %s: %s", name, fate, freed)
    return freed
