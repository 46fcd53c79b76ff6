"""What the doctor asks of the services that a release or a setting switches on: indexes, searches, ranking, checks."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import Any

from assistant import corpus, doctor_local, passages, ranking, vector_store
from assistant.discovery import Discovery, Unanswered
from assistant.doctor import Probe
from assistant.engine import Engines
from assistant.examiners import system
from assistant.settings import Settings
from knowledge.library import Reader
from knowledge.parse import READERS
from knowledge.sources.source import SourceMissing
from opsplane.errors import InvalidRelease, InvalidRequest
from opsplane.evidence import Evidence, Origin
from opsplane.guardrails.external import NoVerdict
from opsplane.release import Engine, External, Ranking

Clock = Callable[[], datetime]
_ASKED = "How much is the overdraft fee?"


def probes(settings: Settings, clock: Clock) -> Iterator[Probe]:
    """What the configured release and settings switch on; nothing where they switch on nothing."""
    for spec in corpus.wanted(settings):
        if spec.startswith(("gs://", "git+")):
            yield Probe(f"documents: {spec}", partial(_documents, spec, settings))
    if settings.index_store != vector_store.CHROMA:
        yield Probe("Vector Search", partial(_vectors, settings))
    try:
        release = doctor_local.chosen(settings)
    except InvalidRelease:  # another probe says so
        return
    if engine := release.retrieval.engine:
        yield Probe("Vertex AI Search", partial(_search, engine, settings, clock))
    if order := release.retrieval.ranking:
        yield Probe("Ranking", partial(_rank, order, settings))
    for line in release.guardrails.external:
        yield Probe(f"check: {line.name}", partial(_check, line, settings))


def _documents(spec: str, settings: Settings) -> str:
    (source,) = corpus.opened([spec], settings)
    try:
        listing = source.items(frozenset(READERS))
    except SourceMissing as error:
        raise InvalidRequest(f"{error}: see OPSPLANE_SOURCES and OPSPLANE_STORAGE_ENDPOINT") from error
    return f"{len(listing.items)} files, {len(listing.skipped)} left out"


def _vectors(settings: Settings) -> str:
    """Each base is opened, which finds a wrong dimension or distance, and what is not deployed."""
    with vector_store.told(), closing(vector_store.opener(settings)(corpus.folder(settings))) as store:
        names = sorted(store.names())
        ready = [name for name in names if store.open(name)]
    return f"{settings.index_store}: {len(ready)} of {len(names)} bases can be searched"


def _search(engine: Engine, settings: Settings, clock: Clock) -> str:
    async def asked(discovery: Discovery) -> str:
        reader = Reader(clock().astimezone(settings.zone).date(), passages.CUSTOMERS)
        found = await Engines(discovery).search(_ASKED, engine, reader)
        return f"{engine.name.rpartition('/')[2]} finds {len(found)} passages"

    return _of_discovery(asked, settings, f"retrieval.engine {engine.name}")


def _rank(order: Ranking, settings: Settings) -> str:
    async def asked(discovery: Discovery) -> str:
        shown = [_passage(1, "Overdrafts cost $15."), _passage(2, "Branches open at nine.")]
        return f"{order.model} orders {len(await ranking.ranked(_ASKED, shown, order, discovery))} passages"

    return _of_discovery(asked, settings, f"retrieval.ranking {order.model}")


def _of_discovery(asked: Callable[[Discovery], Coroutine[Any, Any, str]], settings: Settings, what: str) -> str:
    with closing(Discovery(settings.cloud)) as discovery:
        try:
            return asyncio.run(asked(discovery))
        except Unanswered as error:
            raise InvalidRequest(
                f"{what} does not answer ({error}): check its name in the release, OPSPLANE_SEARCH_ENDPOINT, and that "
                "this account has roles/discoveryengine.viewer"
            ) from error


def _passage(number: int, text: str) -> Evidence:
    return Evidence(number=number, origin=Origin.PASSAGE, id=str(number), document="d", title="t", text=text, sha256="")


def _check(line: External, settings: Settings) -> str:
    async def asked() -> str:
        asking = system(line, os.environ, settings.cloud)
        try:
            await asking.opinion("Overdrafts cost $15.", line.reads[0], (_ASKED, "Overdrafts cost $15."))
        finally:
            await asking.close()
        return f"{line.kind} answers"

    try:
        return asyncio.run(asked())
    except NoVerdict as error:
        where = f"guardrails.external.{line.name}"
        told = f"{where} does not answer ({error}): check its target and endpoint in the release"
        raise InvalidRequest(told) from error
