"""The product that the fault matrix asks: everything in the cloud that a release can switch on, over a local cloud."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from assistant import account_tools, bootstrap, corpus, passages
from assistant.agent import Agent
from assistant.bootstrap import App
from assistant.discovery import Discovery
from assistant.embedders import embedders
from assistant.llm import ChatModels
from assistant.prefix_cache import PrefixCaches
from assistant.resilient import Nature
from assistant.settings import Settings
from knowledge.base import Bases
from knowledge.index.collections import Collections
from knowledge.index.site import Site
from knowledge.index.store import Contents
from knowledge.library import Library, Reader
from opsplane.access import SERVICE
from opsplane.budget import Guard
from opsplane.events import ReleasePromoted
from opsplane.guardrails.rails import Rails
from opsplane.release import Release
from opsplane.spend import Prices, Purpose
from tests import fakes, library
from tests.vertex import answering, discovery
from tests.vertex.answering import Answering, Reply
from tests.vertex.cloud import LOCATION, PROJECT, Cloud
from tests.vertex.gemini_request import Asked

ROOT = Path(__file__).resolve().parents[2]
OTHERS = ("us-east4", "europe-west4")
PATIENT, HASTY = "matrix-patient", "matrix-hasty"
"""The releases: one with deadlines that no slow machine reaches, one with short ones for what hangs."""
LIE = "The overdraft fee is $95 for each item paid, at most 3 a day."
"""What a model makes up where a sentence is to be refused."""
_PLACE = f"projects/{PROJECT}/locations"
_ENGINE = f"{_PLACE}/global/collections/default_collection/engines/bank/servingConfigs/default_search"


@dataclass
class Clock:
    """Seconds that run, and can be moved on: so that what is left alone for a while is asked again."""

    moved: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.moved


class Liar(Answering):
    """Models that make up a sentence first, and mend it when they are asked to."""

    def __init__(self, honest: Answering) -> None:
        super().__init__(honest.encoder)
        self._honest = honest

    def reply(self, asked: Asked) -> Reply:
        """The answer, behind a sentence that no source bears out."""
        told = self._honest.reply(asked)
        mending = "One sentence of your answer was refused" in asked.last
        return told if mending or not told.text else replace(told, text=f"{LIE} [1] {told.text}")


@dataclass
class Product:
    """The product and its cloud. `kit` gives it parts of its own for one release."""

    app: App
    cloud: Cloud
    settings: Settings
    honest: Answering
    clock: Clock = field(default_factory=Clock)

    def serve(self, name: str) -> Release:
        """From now on customers are served by this release."""
        found: Release = self.app.desk.plane.find(name)
        event = ReleasePromoted(release=found.id, digest=found.digest, reason="the matrix")
        self.app.parts.ledger.append_now(event, SERVICE)
        return found


@dataclass(frozen=True)
class Kit:
    """The product with parts for one release: its models, the caches of their prompts, its door to Vertex AI Search."""

    app: App
    release: Release
    caches: PrefixCaches
    caches_clock: Clock
    vectors: Library
    rails: list[Rails] = field(default_factory=list)

    async def hang_up(self) -> None:
        """Close the connections of all examiners that were asked."""
        for one in (self.app.parts.rails, *self.rails):
            await one._examiners.close()  # type: ignore[union-attr]  # the product has a roster

    def fresh(self) -> App:
        """The product with examiners that remember no failures."""
        rails = bootstrap.rails_of(self.release, self.app.embeddings, self.app.settings.cloud)
        self.rails.append(rails)
        return replace(self.app, parts=replace(self.app.parts, rails=rails))


def release(name: str, seconds: float, first: float) -> dict[str, Any]:
    """heron-cloud with all of it on; other systems are given `seconds`, models `first` until the first sentence."""
    raw: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "releases" / "heron-cloud.yaml").read_text())
    raw["id"] = name
    raw["style"]["sentences"] = 2
    raw["models"]["flash"]["timeout_seconds"] = raw["models"]["pro"]["timeout_seconds"] = 60
    # the breaker has tests of its own; here each turn should meet the fault itself
    raw["models"]["resilience"] |= {"first_token_seconds": first, "breaker_failures": 1_000}
    raw["retrieval"]["engine"] = {"name": _ENGINE, "timeout_seconds": seconds}
    raw["retrieval"]["ranking"] = {"model": "semantic-ranker-default-004", "timeout_seconds": seconds}
    grounded = {"name": "grounded", "kind": "check-grounding", "reads": ["answer"], "threshold": 0.3}
    armor = {"name": "armor", "kind": "model-armor", "reads": ["question", "answer"]}
    raw["guardrails"]["external"] = [
        grounded | {"target": f"{_PLACE}/global/groundingConfigs/default", "timeout_seconds": seconds},
        armor | {"target": f"{_PLACE}/{LOCATION}/templates/bank", "timeout_seconds": seconds},
    ]
    return raw


@contextmanager
def product(cloud: Cloud) -> Iterator[Product]:
    """The product over a copy of the sample library, whose vectors are in Vector Search."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as parts:
        data = Path(folder)
        library.stock(data)
        (data / "releases").mkdir()
        for one in (release(PATIENT, 15.0, 40.0), release(HASTY, 0.3, 1.5)):
            (data / "releases" / f"{one['id']}.yaml").write_text(yaml.safe_dump(one))
        settings = Settings(
            data=data,
            releases=data / "releases",
            release=PATIENT,
            google_project=PROJECT,
            google_other_locations=",".join(OTHERS),
            google_credentials="none",
            google_endpoint=cloud.url,
            index_store="vertex-collections",
            demo=True,
        )
        _upload(settings)
        app = parts.enter_context(bootstrap.build(settings, lambda *_: None, fakes.Clock()))
        discovery.fill(cloud, app.library.in_force(Reader(app.today(), passages.CUSTOMERS)))
        app = replace(app, parts=replace(app.parts, budget=Guard(app.parts.ledger, ())))
        yield Product(app, cloud, settings, answering.of(cloud))


def _upload(settings: Settings) -> None:
    """Put the vectors of the library's bases into collections, as an ingestion with this store would have."""
    with closing(Bases(corpus.folder(settings), partial(_store, settings, 60.0))) as bases:
        for name in sorted(bases.names()):
            if base := bases.open(name):
                bases.store.write(name, Contents(np.array(base.rows.vectors), base.hashes), lambda *_: None)


def _store(settings: Settings, deadline: float, folder: Path) -> Collections:
    """Vector Search with a deadline of our own, asked again at once after a failure."""
    cloud = settings.cloud
    site = Site(cloud.project, cloud.location, cloud.login(), cloud.address("vector"), deadline=deadline, rest=0.0)
    return Collections(site, folder)


@asynccontextmanager
async def kit(made: Product, name: str, *, prices: Prices | None = None) -> AsyncIterator[Kit]:
    """The parts for a release, for one event loop; with prices of keeping prompts that may be others."""
    chosen, app = made.serve(name), made.app
    deadline = chosen.retrieval.engine.timeout_seconds if chosen.retrieval.engine else 1.0
    caches_clock = Clock()
    caches = PrefixCaches(prices or app.parts.prices, caches_clock)
    models = ChatModels(app.embeddings, made.settings.cloud, Purpose.ANSWER, caches, Nature(chance=lambda: 0.0))
    with ExitStack() as parts:
        folder, known = corpus.folder(made.settings), embedders(made.settings, app.embeddings)
        vectors = parts.enter_context(closing(Library(folder, known, partial(_store, made.settings, deadline))))
        door = parts.enter_context(closing(Discovery(made.settings.cloud, made.clock)))
        passages.open_clients(chosen, door)
        agent = Agent(models, account_tools.tools(), app.bank, app.today)
        agent.prepare(chosen)
        retrieve = passages.retriever(vectors, app.today, frozenset, door)
        own = replace(app, parts=replace(app.parts, retrieve=retrieve, responder=agent))
        found = Kit(own, chosen, caches, caches_clock, vectors)
        try:
            yield found
        finally:
            await models.aclose()
            await found.hang_up()
            await asyncio.to_thread(caches.close)
