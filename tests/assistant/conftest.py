"""The product put together over the sample corpus, once for all tests that want it."""

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest

from assistant import bootstrap
from assistant.bootstrap import App
from assistant.desk import Desk
from assistant.settings import Settings
from knowledge import embedding
from knowledge.embedding import MiniLM
from opsplane.budget import Guard
from opsplane.intent import Helm
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.store import Ledger
from opsplane.plane import Plane
from opsplane.rollouts.watcher import Watcher
from tests import fakes, library
from tests.assistant.librarian import BEGUN, Librarian, open_library

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The demonstration over a copy of the sample corpus's library."""
    data = tmp_path_factory.mktemp("data")
    library.stock(data)
    return Settings(data=data, demo=True)


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[App]:
    """The whole product on 23 November 2026."""
    with bootstrap.build(settings, lambda *_: None, fakes.Clock(), refresh=True) as built:
        yield built


@pytest.fixture
def desk(ledger: Ledger, notary: Notary) -> Desk:
    """A desk over an empty record with one release, for somebody on a terminal who said why."""
    plane = Plane(ledger)
    plane.configure({"test-1": fakes.release()}, "test-1")
    return Desk(
        plane,
        ledger,
        notary,
        forget=lambda _customer: 0,
        budget=Guard(ledger, ()),
        zone=UTC,
        watcher=Watcher(Helm(plane, ledger, fakes.plans())),
        releases=ROOT / "assistant" / "releases",
        why="case 4711",
    )


@pytest.fixture(scope="session")
def minilm() -> MiniLM:
    """The embedding model."""
    return embedding.load(library.MODELS)


@pytest.fixture
def librarian(desk: Desk, tmp_path: Path, minilm: MiniLM) -> Librarian:
    """A small library with its desk."""
    return open_library(desk, tmp_path, minilm, BEGUN)
