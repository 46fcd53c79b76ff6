"""What is known of the indexes: what each holds, out of the library, and who needs it, out of the record."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assistant.desk import Desk
from knowledge import collecting
from knowledge.catalogue import Built, Catalogue, Generation, Service
from knowledge.library import Library
from opsplane import indexes
from opsplane.errors import Conflict, InvalidRequest, NotFound
from opsplane.indexes import Index, Standing
from opsplane.state import State


@dataclass(frozen=True)
class Facts:
    """One index. `service` is None before its first generation; sizes are bytes of what it serves now."""

    built: Built
    service: Service | None
    documents: int
    passages: int
    windows: int
    size: int
    releases: tuple[str, ...]
    evaluation: str
    standing: Standing


def library_of(desk: Desk) -> Library:
    """The library; raise `Conflict` where documents are not open."""
    if desk.library is None:
        raise Conflict("The documents are not open here. Ask in the chat, or with opsplane index on a terminal.")
    return desk.library


def folder_of(library: Library) -> Path:
    """Where a library lies."""
    return library.folder


def every(desk: Desk, state: State) -> list[Facts]:
    """All indexes, in the order in which they were built, those given up too."""
    library = library_of(desk)
    built = library.catalogue.indexes(retired=True)
    return [_facts(built[one.index.id], one, library, state) for one in standings(desk, state, built)]


def of(desk: Desk, state: State, index: str) -> Facts:
    """One of them."""
    library = library_of(desk)
    built = library.catalogue.indexes(retired=True)
    found = next(one for one in standings(desk, state, built) if one.index.id == index)
    return _facts(built[index], found, library, state)


def standings(desk: Desk, state: State, built: Mapping[str, Built]) -> list[Standing]:
    """What becomes of each index by the releases on the record."""
    known = {
        id_: Index(id_, moment(one.made), moment(one.retired) if one.retired else None) for id_, one in built.items()
    }
    return indexes.standings(state, known, desk.ledger.clock(), indexes.years_kept(desk.ledger))


def find(library: Library, wanted: str) -> str:
    """The index that a person means by its id or its beginning; raise `NotFound` with the nearest."""
    known = list(library.catalogue.indexes(retired=True))
    wanted = wanted.strip()
    found = [wanted] if wanted in known else [one for one in known if wanted and one.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if not wanted or found:
        raise InvalidRequest(f"Which index? There are: {', '.join(found or known) or 'none yet'}.")
    ends = [one for one in known if wanted in one]
    near = ends or difflib.get_close_matches(wanted, known, n=1, cutoff=0.4)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise NotFound(f"There is no index {wanted[:80]!r}.{hint} /indexes lists them.")


def stable(state: State) -> str:
    """The index that the stable release searches; empty where none serves or can be read."""
    release = state.releases.get(state.stable)
    return release.retrieval.index if release else ""


def role(state: State, digest: str) -> str:
    """What a release is now, to be shown behind its name."""
    if digest == state.stable:
        return "stable"
    if state.rollout and digest in state.rollout.candidates:
        return "candidate"
    return "served before" if state.served(digest) else "never served"


def moment(at: float) -> datetime:
    """Seconds since 1970 as a time."""
    return datetime.fromtimestamp(at, UTC)


def _facts(built: Built, standing: Standing, library: Library, state: State) -> Facts:
    catalogue = library.catalogue
    services = catalogue.services(built.id)
    service = services[-1] if services else None
    record = catalogue.generation(service.generation) if service else None
    passages, windows = _counts(catalogue, record)
    names = [f"{state.short(one)} ({role(state, one)})" for one in indexes.naming(state, built.id)]
    return Facts(
        built=built,
        service=service,
        documents=len(record.documents) if record else 0,
        passages=passages,
        windows=windows,
        size=collecting.files(folder_of(library), [service.generation] if service else []),
        releases=tuple(names),
        evaluation=_evaluated(state, built.id),
        standing=standing,
    )


def _counts(catalogue: Catalogue, record: Generation | None) -> tuple[int, int]:
    if record is None:
        return 0, 0
    cuts = catalogue.cuts(record.index, list(record.documents.values()))
    every_cut = [cuts[one] for one in record.documents.values() if one in cuts]
    return sum(len(cut) for cut in every_cut), sum(len(some) for cut in every_cut for _, some in cut)


def _evaluated(state: State, index: str) -> str:
    reports = state.index_reports.get(index, ())
    if not reports:
        return "no"
    newest = reports[-1]
    return f"{'passed' if newest.passed else 'did not pass'} against {newest.against}"
