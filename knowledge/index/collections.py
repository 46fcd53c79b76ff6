"""Dense vectors in Vertex AI Vector Search 2.0: a collection for each base, with an index that makes its search fast.

Each vector carries its row, the hash of its text and the model that made it, so that the objects explain themselves to
whoever looks at them in Google's console. Texts stay in the catalogue, and so words are searched for there.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from knowledge.index.calling import LEAST, TIMEOUT, Caller, Line, Taken
from knowledge.index.distance import DOT_PRODUCT, cosines
from knowledge.index.operations import Operations
from knowledge.index.site import PREFIX, Site, holding, installation
from knowledge.index.store import (
    Contents,
    Floats,
    Holding,
    Ints,
    Missing,
    Near,
    Progress,
    Unanswered,
    Unfit,
    Unreachable,
)
from knowledge.index.vectorsearch import NEIGHBOURS, Gathered, Region, id_of

_MOST, _FLOATS = 1000, 400_000
"""Objects in one call, and numbers: some 5 MB of JSON."""
_LOOKS = 30
"""How often it is looked whether all that was sent can be read."""
_INDEX = "nearest"
"""The id of the index of every collection."""


class Collections:
    """The collections of one library in one project and region."""

    remote = True

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.region = Region(site)
        self.caller = Caller(site, "vectorsearch.googleapis.com", "roles/vectorsearch.admin")
        self._installation = installation(folder)
        ask = partial(self.region.operation, timeout=TIMEOUT)
        self._operations = Operations(self.caller, folder / "collections.json", ask)

    def names(self) -> set[str]:
        """The bases that have a collection, complete or not, or one on its way."""
        return {one.labels["base"] for one in self._all(self._label)} | self._operations.names()

    def discard(self, name: str) -> None:
        """Delete the index and then the collection. What is still on its way is left to the next time."""
        if self._operations.busy(name):
            return
        resource = self.resource(name)
        with suppress(Missing):
            for index in self.caller.do("list indexes", lambda: self.region.indexes(resource, TIMEOUT)):
                what = f"delete the index of {name}"
                self._operations.away(what, lambda of=index: self.region.delete_index(of.name, TIMEOUT))  # type: ignore[misc]
        self._operations.away(f"delete the collection {name}", lambda: self.region.delete(resource, TIMEOUT))

    def write(self, name: str, contents: Contents, progress: Progress) -> None:
        """Make a collection, fill it, index it and see that it holds everything; what is done already stays."""
        resource, rows = self.resource(name), len(contents.vectors)
        self._operations.through(f"create the collection {name}", lambda: self._create(name, contents), progress)
        _check(self._one(name), contents.vectors.shape[1])
        self._fill(resource, contents, progress)
        self._operations.through(f"index the collection {name}", lambda: self._create_index(name), progress)
        told = {**self._labels(name), "state": "ready", "rows": str(rows)}
        self._operations.through(
            f"label the collection {name}", lambda: self.region.label(resource, told, TIMEOUT), progress
        )

    def open(self, name: str) -> "Asked":
        """A collection; whether it is there is seen when it is asked."""
        return Asked(self, name)

    def holdings(self) -> list[Holding]:
        """Collections of every installation in this project and region, with the machines of their indexes."""
        found = []
        for one in self._all(f"{PREFIX}:*"):
            asked: Callable[[], list[str]] = lambda of=one: [  # type: ignore[misc]  # noqa: E731
                index.machine for index in self.region.indexes(of.name, TIMEOUT)
            ]
            machines = self.caller.do("list indexes", asked)
            state = f"{one.labels.get('state', '')}, {'indexed' if machines else 'not indexed'}"
            found.append(holding("collection", one, state, ", ".join(machines)))
        return found

    def close(self) -> None:
        """Close the connections that were opened."""
        self.region.close()

    # what a collection asks for

    def ready(self, name: str, timeout: float = 0.0) -> Gathered:
        """The collection of a base; raise `Missing` where there is none that is complete. One try in `timeout`."""
        found = self.region.collection(self.resource(name), timeout) if timeout else self._one(name)
        if found.labels.get("state") != "ready":
            raise Missing(f"The collection {found.name} is not complete: opsplane index verify --mend")
        return found

    def resource(self, name: str) -> str:
        """The collection of a base as Google names it."""
        return f"{self.site.parent}/collections/{self._id(name)}"

    def rows(self, resource: str) -> set[str]:
        """The ids of everything in a collection."""
        found, token = set[str](), ""
        while True:
            asked: Callable[[], tuple[list[str], str]] = lambda at=token: self.region.page(resource, at, TIMEOUT)  # type: ignore[misc]  # noqa: E731
            some, token = self.caller.do("list objects", asked)
            found.update(some)
            if not token:
                return found

    # one step each; those that begin an operation look first whether there is anything to do

    def _create(self, name: str, contents: Contents) -> str:
        if any(one.labels.get("base") == name for one in self.region.collections(self._label, TIMEOUT)):
            return ""
        return self.region.create(self._id(name), self._labels(name), contents.vectors.shape[1], TIMEOUT)

    def _create_index(self, name: str) -> str:
        if self.region.indexes(self.resource(name), TIMEOUT):
            return ""
        return self.region.create_index(self.resource(name), _INDEX, self._labels(name), TIMEOUT)

    def _fill(self, resource: str, contents: Contents, progress: Progress) -> None:
        """Put in what is lacking, and wait until all of it can be read."""
        count, size = len(contents.vectors), max(1, min(_MOST, _FLOATS // contents.vectors.shape[1]))
        missing = self._missing(resource, count)
        for start in range(0, len(missing), size):
            some = missing[start : start + size]
            self._put(resource, some, contents)
            progress("indexing", count - len(missing) + start + len(some), count + 1)
        for look in range(_LOOKS):
            missing = self._missing(resource, count)
            if not missing:
                return
            progress("waiting until the vectors can be read", look, _LOOKS)
            self.site.sleep(min(1.5**look, 30.0))
        raise Unreachable(f"{len(missing)} vectors were put in and cannot be read yet. Run the same again.")

    def _missing(self, resource: str, count: int) -> list[int]:
        there = self.rows(resource)
        return [row for row in range(count) if id_of(row) not in there]

    def _put(self, resource: str, rows: list[int], contents: Contents) -> None:
        hashes = contents.hashes or [""] * len(contents.vectors)
        payload = [{"row": row, "sha256": hashes[row], "model": contents.model} for row in rows]
        vectors = np.asarray(contents.vectors[rows])
        with suppress(Taken):  # an answer was lost, and they are there: the listing afterwards tells
            self.caller.do("put in vectors", lambda: self.region.put(resource, payload, vectors, TIMEOUT))

    def _one(self, name: str) -> Gathered:
        return self.caller.do("look for a collection", lambda: self.region.collection(self.resource(name), TIMEOUT))

    def _all(self, label: str) -> list[Gathered]:
        found = self.caller.do("list collections", lambda: self.region.collections(label, TIMEOUT))
        return [one for one in found if "base" in one.labels]

    def _labels(self, name: str) -> dict[str, str]:
        return {PREFIX: self._installation, "base": name, "state": "filling", "rows": "0"}

    @property
    def _label(self) -> str:
        return f"{PREFIX}={self._installation}"

    def _id(self, name: str) -> str:
        return f"{PREFIX}-{self._installation}-{name}"


class Asked:
    """The vectors of one base in its collection, looked for when they are first asked for."""

    exact = 0  # whoever pays for an index has it asked, and what was tried out with few documents is what serves many
    most = NEIGHBOURS

    def __init__(self, store: Collections, name: str) -> None:
        self._store = store
        self._name = name
        self._line = Line(store.caller)
        self._found: Gathered | None = None

    @property
    def size(self) -> int:
        """How many vectors were counted when the collection was complete."""
        return int(self._store.ready(self._name).labels["rows"])

    def nearest(self, vector: Floats, count: int) -> Near | Unanswered:
        """The nearest rows, within the deadline of the site."""
        found = self._line.ask(lambda timeout: self._ask(vector, count, timeout))
        if isinstance(found, Unanswered):
            self._found = None  # it may have been taken away, and made anew elsewhere
        return found

    def vectors(self, rows: Ints) -> Floats:
        """What the collection holds in these rows, in their order; NaN where it holds nothing."""
        store, resource = self._store, self._store.resource(self._name)
        found: dict[int, Floats] = {}
        for first in sorted({int(row) // _MOST * _MOST for row in rows}):
            some = range(first, first + _MOST)
            found |= store.caller.do("read vectors", lambda some=some: store.region.read(resource, some, TIMEOUT))  # type: ignore[misc]
        absent = np.full(len(next(iter(found.values()))) if found else 1, np.nan, np.float32)
        return np.stack([found.get(int(row), absent) for row in rows])

    def ids(self) -> set[str]:
        """The rows of everything that it holds; an object of another hand under its own name."""
        found = self._store.rows(self._store.resource(self._name))
        return {id_[1:] if id_[:1] == "r" and id_[1:].isdigit() else id_ for id_ in found}

    def _ask(self, vector: Floats, count: int, timeout: float) -> Near:
        store, until = self._store, self._store.site.clock() + timeout
        held = self._found = self._found or store.ready(self._name, timeout)
        _check(held, len(vector))
        left = max(until - store.site.clock(), LEAST)
        rows, distances = store.region.find(held.name, vector, min(count, NEIGHBOURS), left)
        return Near(np.array(rows, np.int64), cosines(distances, DOT_PRODUCT))


def _check(collection: Gathered, width: int) -> None:
    """Raise `Unfit` for a collection that other vectors are in."""
    if collection.width != width:
        raise Unfit(
            f"The collection {collection.name} has {collection.width} dimensions and the embedding model makes "
            f"{width}: opsplane index verify --mend builds it anew"
        )
