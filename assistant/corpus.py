"""Which sources the library is made of, remembered beside it, and how it is brought up to date with them."""

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from time import time

from assistant import vector_store
from assistant.embedders import embedders
from assistant.settings import Settings
from knowledge import ingest as ingestion
from knowledge.catalogue import Catalogue
from knowledge.embedding import MiniLM
from knowledge.index.store import Unfit, Unreachable
from knowledge.ingest import Busy, Options
from knowledge.parse import READERS
from knowledge.report import IngestReport
from knowledge.sources import named
from knowledge.sources.source import Source, SourceMissing
from knowledge.sources.watch import Watch
from knowledge.spec import IndexSpec
from knowledge.vectors import Row
from opsplane.errors import Conflict, InvalidRequest

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]

SMALL = 200
"""Windows of an index from which on a large change makes another one: of few documents any change is a large share."""
SPEC = IndexSpec(embedding=MiniLM.name)
"""How the sample library is cut and embedded; the shipped releases name this index."""


def indexes(settings: Settings) -> frozenset[str]:
    """The indexes that releases can name here."""
    if not (folder(settings) / "catalogue.db").exists():
        return frozenset({SPEC.id})
    with closing(Catalogue(folder(settings) / "catalogue.db")) as catalogue:
        return frozenset(one for one in catalogue.indexes() if catalogue.current(one)) or frozenset({SPEC.id})


def specs_for(settings: Settings) -> list[IndexSpec]:
    """The indexes that an ingestion makes where they are missing: this version's own, unless it was given up."""
    if not (folder(settings) / "catalogue.db").exists():
        return [SPEC]
    with closing(catalogue(settings)) as known:
        return [] if SPEC.id in known.indexes(retired=True) else [SPEC]


def folder(settings: Settings) -> Path:
    """Where the library lies."""
    return settings.data / "library"


def sources(settings: Settings) -> list[str]:
    """What is ingested, in the order in which it came; empty where nothing was."""
    try:
        return [str(one) for one in json.loads(_memory(settings).read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []


def wanted(settings: Settings) -> list[str]:
    """What the library is made of: what was ingested, or else what the settings name."""
    first = [one.strip() for one in settings.sources.split(",") if one.strip()]
    return sources(settings) or first or [str(settings.corpus.resolve())]


def opened(specs: Sequence[str], settings: Settings) -> list[Source]:
    """The sources of these names; raise `InvalidRequest` for one that cannot be read as a source."""
    try:
        address = settings.cloud.address("storage")
        return [named.source(one, cache=folder(settings) / "git", endpoint=address) for one in specs]
    except ValueError as error:
        raise InvalidRequest(str(error)) from error


def options(settings: Settings, **changes: object) -> Options:
    """How documents are ingested here and now."""
    now = time()
    today = datetime.fromtimestamp(now, settings.zone).date()
    store = vector_store.opener(settings)
    how = Options(at=now, on=today, large=settings.large_change / 100, small=SMALL, store=store)
    return replace(how, **changes)  # type: ignore[arg-type]


def add(
    wanted: Sequence[str], settings: Settings, model: MiniLM, progress: Progress, how: Options, *, only: bool = False
) -> IngestReport:
    """Ingest sources beside what is there already or, with `only`, instead of it.

    Raises `Conflict` while another process ingests, and `InvalidRequest` for a source that is not there or a store of
    vectors that cannot be used.
    """
    chosen = opened(wanted, settings)
    kept = [] if only else sources(settings)
    specs = _together(kept, [one.spec for one in chosen])
    try:
        with vector_store.told():
            report = _ingest(specs, settings, model, progress, how)
    except SourceMissing as error:
        raise InvalidRequest(f"Nothing was changed: {error}") from error
    if not how.dry_run and report.indexes:
        remember(specs, settings)
    return report


def refresh(settings: Settings, model: MiniLM, progress: Progress, how: Options | None = None) -> IngestReport | None:
    """Bring the library up to date with its sources, at first the configured corpus.

    None, and the library stays as it is, while a source is missing, another process ingests, or the store of vectors
    cannot be used: documents do not leave because a disk is not mounted. Raises `InvalidRequest` for such a store where
    nothing can be served as it is.
    """
    known = sources(settings)
    first = known or wanted(settings)
    try:
        report = _ingest(first, settings, model, progress, how or options(settings))
        while (now := sources(settings)) != known and now:  # somebody published documents meanwhile
            known = now
            report = _ingest(known, settings, model, progress, how or options(settings))
    except (SourceMissing, Conflict, Unreachable) as error:
        log.warning("the library is served as it is: %s", error)
        return None
    except Unfit as error:
        if not sources(settings):
            raise InvalidRequest(str(error)) from error
        log.error("the library is served as it is: %s", error)
        return None
    if report.indexes and not known:
        remember(first, settings)
    return report


def unembedded(wanted: Sequence[str], settings: Settings, model: MiniLM, progress: Progress) -> dict[str, list[Row]]:
    """What ingesting sources beside the others would have to embed, by model; raises as `add` does."""
    specs = _together(sources(settings), [one.spec for one in opened(wanted, settings)])
    chosen = opened(specs or [str(settings.corpus.resolve())], settings)
    try:
        indexes, how = specs_for(settings), options(settings)
        with vector_store.told():
            return ingestion.unembedded(chosen, folder(settings), embedders(settings, model), indexes, how, progress)
    except SourceMissing as error:
        raise InvalidRequest(str(error)) from error
    except Busy as error:
        raise Conflict(str(error)) from error


def catalogue(settings: Settings) -> Catalogue:
    """The record of what is indexed."""
    return Catalogue(folder(settings) / "catalogue.db")


def forget(spec: str, settings: Settings) -> None:
    """Leave a source out from now on; its documents leave with the next ingestion. Raises `InvalidRequest`."""
    known = sources(settings)
    (chosen,) = opened([spec], settings)
    if chosen.spec not in known:
        raise InvalidRequest(f"{spec} is no source of the library. `opsplane sources` lists them.")
    if len(known) == 1:
        raise InvalidRequest("The last source cannot be left out; replace it with: opsplane ingest SOURCE --replace")
    remember([one for one in known if one != chosen.spec], settings)


def watcher(settings: Settings, model: MiniLM, every: float, changed: Callable[[IngestReport], None]) -> Watch:
    """What ingests whenever the sources hold something else; `changed` is told what came of it."""

    def ingest_again() -> None:
        report = refresh(settings, model, lambda *_: None, options(settings, why="the sources changed"))
        if report:
            changed(report)

    return Watch(lambda: opened(sources(settings), settings), READERS, ingest_again, every=every)


def _ingest(specs: list[str], settings: Settings, model: MiniLM, progress: Progress, how: Options) -> IngestReport:
    try:
        chosen, indexes = opened(specs, settings), specs_for(settings)
        return ingestion.ingest(chosen, folder(settings), embedders(settings, model), indexes, how, progress)
    except Busy as error:
        raise Conflict(str(error)) from error


def _together(kept: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """All of both, without what lies inside another of them."""
    every = list(dict.fromkeys((*kept, *wanted)))
    return [one for one in every if not any(one != other and _inside(one, other) for other in every)]


def _inside(one: str, other: str) -> bool:
    return ":" not in one + other and Path(one).is_relative_to(other)


def remember(specs: Sequence[str], settings: Settings) -> None:
    """Write down what the library is made of from now on, at one moment."""
    memory = _memory(settings)
    fresh = memory.with_suffix(".new")
    fresh.write_text(json.dumps(list(specs)), encoding="utf-8")
    fresh.replace(memory)


def _memory(settings: Settings) -> Path:
    return folder(settings) / "sources.json"
