"""The three stores of vectors, those of Google on a local server."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.oauth2.credentials import Credentials

from knowledge.index.chroma import beside
from knowledge.index.collections import Collections
from knowledge.index.site import Site
from knowledge.index.store import Contents, Opener, Store
from knowledge.index.vertex import Vertex
from tests.vertex import vector_collections, vector_index
from tests.vertex.cloud import Cloud
from tests.vertex.server import serving
from tests.vertex.vectors import Operations

DRAW = np.random.default_rng(5)
VECTORS = DRAW.standard_normal((2_500, 64)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
HASHES = [f"{row:064x}" for row in range(len(VECTORS))]
CONTENTS = Contents(VECTORS, HASHES, "drawn")
CALLS = {"vertex": ("match.find", "index.upsert"), "collections": ("objects.search", "objects.create")}


def nothing(_stage: str, _done: int, _total: int) -> None:
    """Nobody looks on."""


@dataclass
class Place:
    """One kind of store: how it is opened, and the names of its calls at the local server."""

    kind: str
    cloud: Cloud | None = None
    find: str = ""
    put: str = ""
    now: list[float] = field(default_factory=lambda: [0.0])
    slept: list[float] = field(default_factory=list)

    @property
    def served(self) -> Cloud:
        """The local server of a store that is away from here."""
        assert self.cloud
        return self.cloud

    @property
    def site(self) -> Site:
        """Where that is; pauses only count, and the clock stands still."""
        url, project = self.served.url, self.served.project
        credentials = Credentials("local")  # type: ignore[no-untyped-call]
        return Site(
            project, "us-central1", credentials, url, deadline=20, sleep=self.slept.append, clock=lambda: self.now[0]
        )

    def opener(self, **changes: Any) -> Opener:
        """What opens it."""
        if not self.cloud:
            return beside
        site = replace(self.site, **changes)
        make: Callable[[Site, Path], Store] = Vertex if self.kind == "vertex" else Collections
        return lambda folder: make(site, folder)

    @property
    def operations(self) -> Operations:
        """Its long operations at the server."""
        state = vector_index.state if self.kind == "vertex" else vector_collections.state
        return state(self.served).operations

    @property
    def writes(self) -> int:
        """How many vectors were put in, each as often as it came."""
        if self.kind == "vertex":
            return sum(one.writes for one in vector_index.state(self.served).points.values())
        every = vector_collections.state(self.served).every.values()
        return sum(points.writes for one in every for points in one.points.values())


@pytest.fixture(scope="session")
def server() -> Iterator[Cloud]:
    """One local server for all tests of stores."""
    with serving((*vector_index.VERBS, *vector_collections.VERBS)) as cloud:
        yield cloud


@pytest.fixture
def emptied(server: Cloud) -> Cloud:
    """The server without anything in it."""
    server.held.clear()
    server.calls.clear()
    server.faults.clear()
    return server


@pytest.fixture(params=["chroma", "vertex", "collections"])
def place(request: pytest.FixtureRequest, emptied: Cloud) -> Place:
    """Each of the three."""
    return Place("chroma") if request.param == "chroma" else Place(request.param, emptied, *CALLS[request.param])


@pytest.fixture(params=["vertex", "collections"])
def away(request: pytest.FixtureRequest, emptied: Cloud) -> Place:
    """The two that are away from here."""
    return Place(request.param, emptied, *CALLS[request.param])


@pytest.fixture
def store(place: Place, tmp_path: Path) -> Iterator[Store]:
    """A store of each kind."""
    with closing(place.opener()(tmp_path)) as opened:
        yield opened


@pytest.fixture
def far(away: Place, tmp_path: Path) -> Iterator[Store]:
    """A store of each kind that is away from here."""
    with closing(away.opener()(tmp_path)) as opened:
        yield opened
