"""Dense vectors in Vertex AI Vector Search 1.0: an index for each base, all of them deployed on one endpoint.

An index is created empty and deployed before it is filled: a deployed index can be asked what it holds, so that a run
that was killed goes on where it stopped. LangChain's store is not used, since it wants a document in a bucket for each
vector, and ours are in the catalogue.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from knowledge.index.aiplatform import NEIGHBOURS, Endpoint, Index, Region
from knowledge.index.calling import LEAST, TIMEOUT, Caller, Line
from knowledge.index.distance import COSINE, DOT_PRODUCT, cosines
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

_MOST, _FLOATS = 1000, 400_000
"""Vectors in one call, and numbers: some 5 MB of JSON."""
_LOOKS = 30
"""How often it is looked whether all that was sent can be read."""


@dataclass(frozen=True)
class Address:
    """Where the index of a base is asked."""

    endpoint: Endpoint
    id: str
    index: Index


class Vertex:
    """The indexes of one library in one project and region."""

    remote = True

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.region = Region(site)
        self.caller = Caller(site, "aiplatform.googleapis.com", "roles/aiplatform.user")
        self._installation = installation(folder)
        ask = partial(self.region.operation, timeout=TIMEOUT)
        self._operations = Operations(self.caller, folder / "vertex.json", ask)

    def names(self) -> set[str]:
        """The bases that have an index, complete or not, or one on its way; an endpoint without any counts too."""
        held = {index.labels["base"] for index in self._indexes()}
        lone = set() if held else {_short(endpoint.name) for endpoint in self._endpoints()}
        return held | self._operations.names() | lone

    def discard(self, name: str) -> None:
        """Take an index off its endpoint and delete both, the endpoint where no other index of ours is left.

        What is still on its way is left to the next time: it is named until then.
        """
        if self._operations.busy(name):
            return
        every = self._indexes()
        for endpoint in self._endpoints():
            if any(one.id == self._id(name) for one in endpoint.deployed):
                self._operations.away(f"undeploy the index {name}", lambda of=endpoint: self._undeploy(of, name))  # type: ignore[misc]
        for index in (one for one in every if one.labels["base"] == name):
            self._delete(index)
        if all(index.labels["base"] == name for index in every):
            for endpoint in (one for one in self._endpoints() if not one.deployed):
                what = f"delete the endpoint {_short(endpoint.name)}"
                self._operations.away(what, lambda of=endpoint: self.region.delete_endpoint(of.name, TIMEOUT))  # type: ignore[misc]

    def write(self, name: str, contents: Contents, progress: Progress) -> None:
        """Make an index, deploy it, fill it and see that it holds everything; what is done of that already stays."""
        self._operations.through(f"create the index {name}", lambda: self._create(name, contents), progress)
        index, *twice = self._of(name)
        for one in twice:  # it was asked for a second time, because an answer was lost
            self._delete(one)
        _check(index, contents.vectors.shape[1])
        self._operations.through(f"create the endpoint {self._title}", self._create_endpoint, progress)
        self._operations.through(f"deploy the index {name}", lambda: self._deploy(name, index), progress)
        self._fill(self.found(name), contents, progress)
        told = {**index.labels, "state": "ready", "rows": str(len(contents.vectors))}
        self._operations.through(
            f"label the index {name}", lambda: self.region.label(index.name, told, TIMEOUT), progress
        )

    def open(self, name: str) -> "Asked":
        """A collection; whether it is there is seen when it is asked."""
        return Asked(self, name)

    def holdings(self) -> list[Holding]:
        """Indexes and endpoints of every installation in this project and region."""
        endpoints = self._endpoints(f"{PREFIX}:*")
        machines = {one.index: one.machine for endpoint in endpoints for one in endpoint.deployed}
        found = [holding("endpoint", one, "serves" if one.deployed else "idle", "") for one in endpoints]
        for one in self._indexes(f"{PREFIX}:*"):
            state = f"{one.labels.get('state', '')}, {'deployed' if one.name in machines else 'not deployed'}"
            found.append(holding("index", one, state, machines.get(one.name, "")))
        return found

    def close(self) -> None:
        """Close the connections that were opened."""
        self.region.close()

    # what a collection asks for

    def ready(self, name: str) -> Index:
        """The index of a base; raise `Missing` where there is none that is complete."""
        found = self._of(name)
        if not found or found[0].labels.get("state") != "ready":
            raise Missing(f"There is no complete index of {name} in {self.site.parent}: opsplane index verify --mend")
        return found[0]

    def address(self, name: str, timeout: float) -> Address:
        """Where the index of a base is asked; raise `Missing` where it is not deployed. One try."""
        until = self.site.clock() + timeout
        for endpoint in self.region.endpoints(self._label, timeout):
            for one in endpoint.deployed:
                if one.id == self._id(name):
                    left = max(until - self.site.clock(), LEAST)
                    return Address(endpoint, one.id, self.region.index(one.index, left))
        raise Missing(f"The index of {name} is not deployed in {self.site.parent}: opsplane index verify --mend")

    def found(self, name: str) -> Address:
        """The same with as much time as it takes."""
        return self.caller.do("look for an index", lambda: self.address(name, TIMEOUT))

    def read(self, address: Address, rows: Iterable[int]) -> dict[str, Floats]:
        """The vectors that an index holds in these rows, read some at a time."""
        ids, found = [str(row) for row in rows], dict[str, Floats]()
        size = _batch(address.index.width)
        for start in range(0, len(ids), size):
            some = ids[start : start + size]
            found |= self.caller.do("read vectors", lambda some=some: self._read(address, some))  # type: ignore[misc]
        return found

    # one step each; those that begin an operation look first whether there is anything to do

    def _create(self, name: str, contents: Contents) -> str:
        if self._of(name):
            return ""
        labels = {PREFIX: self._installation, "base": name, "state": "filling", "rows": "0"}
        width = contents.vectors.shape[1]
        return self.region.create_index(f"{self._title}-{name}", labels, width, TIMEOUT)

    def _create_endpoint(self) -> str:
        if self.region.endpoints(self._label, TIMEOUT):
            return ""
        return self.region.create_endpoint(self._title, {PREFIX: self._installation}, TIMEOUT)

    def _deploy(self, name: str, index: Index) -> str:
        endpoint, *_ = self.region.endpoints(self._label, TIMEOUT)
        if any(one.id == self._id(name) for one in endpoint.deployed):
            return ""
        return self.region.deploy(endpoint.name, index.name, self._id(name), TIMEOUT)

    def _undeploy(self, endpoint: Endpoint, name: str) -> str:
        return self.region.undeploy(endpoint.name, self._id(name), TIMEOUT)

    def _delete(self, index: Index) -> None:
        what = f"delete the index {_short(index.name)} of {index.labels['base']}"
        self._operations.away(what, lambda: self.region.delete_index(index.name, TIMEOUT))

    def _fill(self, address: Address, contents: Contents, progress: Progress) -> None:
        """Send what the index lacks. One call puts in all of its vectors or none, so the last of them tells of all."""
        count, size = len(contents.vectors), _batch(contents.vectors.shape[1])
        lasts = [min(start + size, count) - 1 for start in range(0, count, size)]
        there = self.read(address, lasts)
        for start, last in zip(range(0, count, size), lasts, strict=True):
            if str(last) not in there:
                self._send(address, range(start, last + 1), contents.vectors)
            progress("indexing", last + 1, count + 1)
        for look in range(_LOOKS):
            lasts = sorted(set(lasts) - {int(row) for row in self.read(address, lasts)})
            if not lasts:
                return
            progress("waiting until the vectors can be read", look, _LOOKS)
            self.site.sleep(min(1.5**look, 30.0))
        raise Unreachable(f"{len(lasts)} batches of vectors were sent and cannot be read yet. Run the same again.")

    def _send(self, address: Address, rows: range, vectors: Floats) -> None:
        ids, some = [str(row) for row in rows], np.asarray(vectors[rows.start : rows.stop])
        self.caller.do("put in vectors", lambda: self.region.upsert(address.index.name, ids, some, TIMEOUT))

    def _read(self, address: Address, ids: Sequence[str]) -> dict[str, Floats]:
        return self.region.read(address.endpoint, address.id, ids, TIMEOUT)

    def _of(self, name: str) -> list[Index]:
        return [one for one in self._indexes() if one.labels["base"] == name]

    def _indexes(self, label: str = "") -> list[Index]:
        found = self.caller.do("list indexes", lambda: self.region.indexes(label or self._label, TIMEOUT))
        return [one for one in found if "base" in one.labels]

    def _endpoints(self, label: str = "") -> list[Endpoint]:
        return self.caller.do("list index endpoints", lambda: self.region.endpoints(label or self._label, TIMEOUT))

    @property
    def _title(self) -> str:
        return f"{PREFIX}-{self._installation}"

    @property
    def _label(self) -> str:
        return f"{PREFIX}={self._installation}"

    def _id(self, name: str) -> str:
        """Of a deployed index: letters, digits and underscores, and no other in the project."""
        return f"{PREFIX}_{self._installation}_{name}".replace("-", "_")


class Asked:
    """The vectors of one base in its index, looked for when they are first asked for."""

    exact = 0  # whoever pays for an index has it asked, and what was tried out with few documents is what serves many
    most = NEIGHBOURS

    def __init__(self, store: Vertex, name: str) -> None:
        self._store = store
        self._name = name
        self._line = Line(store.caller)
        self._found: Address | None = None

    @property
    def size(self) -> int:
        """How many vectors were counted when the index was complete."""
        return int(self._store.ready(self._name).labels["rows"])

    def nearest(self, vector: Floats, count: int) -> Near | Unanswered:
        """The nearest rows, within the deadline of the site."""
        found = self._line.ask(lambda timeout: self._ask(vector, count, timeout))
        if isinstance(found, Unanswered):
            self._found = None  # it may have been taken away, and made anew elsewhere
        return found

    def vectors(self, rows: Ints) -> Floats:
        """What the index holds in these rows, in their order; NaN where it holds nothing."""
        address = self._store.found(self._name)
        found = self._store.read(address, [int(row) for row in rows])
        absent = np.full(address.index.width, np.nan, np.float32)
        return np.stack([found.get(str(row), absent) for row in rows])

    def ids(self) -> set[str]:
        """The rows that it holds. It cannot be asked for ids that nobody knows: what it counts beyond is numbered."""
        address, rows = self._store.found(self._name), self.size
        found = set(self._store.read(address, range(rows)))
        return found | {f"unknown {number}" for number in range(len(found), address.index.rows)}

    def _ask(self, vector: Floats, count: int, timeout: float) -> Near:
        store, until = self._store, self._store.site.clock() + timeout
        address = self._found = self._found or store.address(self._name, timeout)
        _check(address.index, len(vector))
        left = max(until - store.site.clock(), LEAST)
        ids, distances = store.region.find(address.endpoint, address.id, vector, min(count, NEIGHBOURS), left)
        return Near(np.array([int(id_) for id_ in ids], np.int64), cosines(distances, address.index.measure))


def _check(index: Index, width: int) -> None:
    """Raise `Unfit` for an index that other vectors are in."""
    if index.width != width:
        raise Unfit(
            f"The index {index.name} has {index.width} dimensions and the embedding model makes {width}: "
            "opsplane index verify --mend builds it anew"
        )
    if index.measure not in (DOT_PRODUCT, COSINE):
        raise Unfit(
            f"The index {index.name} measures {index.measure}, from which no cosine can be told: "
            "opsplane index verify --mend builds it anew"
        )


def _batch(width: int) -> int:
    return max(1, min(_MOST, _FLOATS // max(width, 1)))


def _short(name: str) -> str:
    return name.rpartition("/")[-1]
