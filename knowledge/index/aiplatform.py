"""Vector Search 1.0 over REST: the one place that knows its client. Every function is one call, and none tries again.

The clients are those below `aiplatform.MatchingEngineIndex`, which waits for operations without end and keeps project
and region in a global.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from google.api_core.client_options import ClientOptions
from google.cloud import aiplatform_v1 as v1

from knowledge.index.bulk import Bulk, numbers
from knowledge.index.distance import DOT_PRODUCT
from knowledge.index.operations import Operation
from knowledge.index.site import Site
from knowledge.index.store import Floats

NEIGHBOURS = 1000
"""The most that one question may ask for."""
_SHARDS = {"e2-standard-2": "SHARD_SIZE_SMALL", "e2-standard-16": "SHARD_SIZE_MEDIUM"}
"""The largest part of an index that a machine holds; every other that can be chosen holds a large one."""


@dataclass(frozen=True)
class Index:
    """An index: how wide its vectors are, how they are compared, and how many the service counted in it."""

    name: str
    labels: Mapping[str, str]
    width: int
    measure: str
    rows: int
    made: str


@dataclass(frozen=True)
class Deployed:
    """An index on an endpoint, under the id by which it is asked."""

    id: str
    index: str
    machine: str


@dataclass(frozen=True)
class Endpoint:
    """An endpoint and what is deployed on it; `domain` is the address at which it is asked."""

    name: str
    labels: Mapping[str, str]
    domain: str
    deployed: tuple[Deployed, ...]
    made: str


class Region:
    """The indexes and endpoints of one project and region."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._address = site.address or f"{site.location}-aiplatform.googleapis.com"
        self._bulk = Bulk(site, self._address)
        self._asked: dict[str, v1.MatchServiceClient] = {}

    def close(self) -> None:
        """Close the connections that were opened."""
        for name in ("_indexes", "_endpoints"):
            if name in self.__dict__:
                self.__dict__[name].transport.close()
        self._bulk.close()
        for client in self._asked.values():
            client.transport.close()  # type: ignore[no-untyped-call]

    # what there is

    def indexes(self, label: str, timeout: float) -> list[Index]:
        """The indexes with a label, oldest first."""
        request = {"parent": self._site.parent, "filter": f"labels.{label}"}
        found = self._indexes.list_indexes(request=request, timeout=timeout, retry=None)
        return sorted((_index(one) for one in found), key=lambda one: one.made)

    def index(self, name: str, timeout: float) -> Index:
        """One index."""
        return _index(self._indexes.get_index(name=name, timeout=timeout, retry=None))

    def endpoints(self, label: str, timeout: float) -> list[Endpoint]:
        """The endpoints with a label, oldest first."""
        request = {"parent": self._site.parent, "filter": f"labels.{label}"}
        found = self._endpoints.list_index_endpoints(request=request, timeout=timeout, retry=None)
        return sorted((_endpoint(one) for one in found), key=lambda one: one.made)

    def operation(self, name: str, timeout: float) -> Operation:
        """How far a long operation is."""
        found = self._indexes.get_operation({"name": name}, timeout=timeout, retry=None)
        return Operation(found.done, found.error.message if found.error.code else "")

    # what is made and deleted: each tells the name of the operation that does it

    def create_index(self, title: str, labels: Mapping[str, str], width: int, timeout: float) -> str:
        """An empty index of unit vectors that can be filled while it is asked."""
        config = {
            "dimensions": width,
            "approximateNeighborsCount": 150,
            "distanceMeasureType": DOT_PRODUCT,
            "shardSize": _SHARDS.get(self._site.machine, "SHARD_SIZE_LARGE"),
            "algorithmConfig": {"treeAhConfig": {}},
        }
        index = v1.Index(
            display_name=title,
            labels=dict(labels),
            metadata={"config": config},
            index_update_method=v1.Index.IndexUpdateMethod.STREAM_UPDATE,
        )
        return _named(self._indexes.create_index(parent=self._site.parent, index=index, timeout=timeout, retry=None))

    def label(self, index: str, labels: Mapping[str, str], timeout: float) -> str:
        """Give an index other labels."""
        request = {"index": v1.Index(name=index, labels=dict(labels)), "update_mask": {"paths": ["labels"]}}
        return _named(self._indexes.update_index(request=request, timeout=timeout, retry=None))

    def delete_index(self, name: str, timeout: float) -> str:
        """Delete an index that is not deployed."""
        return _named(self._indexes.delete_index(name=name, timeout=timeout, retry=None))

    def create_endpoint(self, title: str, labels: Mapping[str, str], timeout: float) -> str:
        """An endpoint that is asked over the internet, by who signs in."""
        made = v1.IndexEndpoint(display_name=title, labels=dict(labels), public_endpoint_enabled=True)
        parent = self._site.parent
        return _named(
            self._endpoints.create_index_endpoint(parent=parent, index_endpoint=made, timeout=timeout, retry=None)
        )

    def delete_endpoint(self, name: str, timeout: float) -> str:
        """Delete an endpoint that nothing is deployed on."""
        return _named(self._endpoints.delete_index_endpoint(name=name, timeout=timeout, retry=None))

    def deploy(self, endpoint: str, index: str, id_: str, timeout: float) -> str:
        """Put an index on an endpoint, on one machine, or two where many ask."""
        machines = v1.DedicatedResources(
            machine_spec=v1.MachineSpec(machine_type=self._site.machine), min_replica_count=1, max_replica_count=2
        )
        deployed = v1.DeployedIndex(id=id_, index=index, display_name=id_, dedicated_resources=machines)
        request = v1.DeployIndexRequest(index_endpoint=endpoint, deployed_index=deployed)
        return _named(self._endpoints.deploy_index(request=request, timeout=timeout, retry=None))

    def undeploy(self, endpoint: str, id_: str, timeout: float) -> str:
        """Take an index off an endpoint."""
        request = v1.UndeployIndexRequest(index_endpoint=endpoint, deployed_index_id=id_)
        return _named(self._endpoints.undeploy_index(request=request, timeout=timeout, retry=None))

    # what is in an index

    def upsert(self, index: str, ids: Sequence[str], vectors: Floats, timeout: float) -> None:
        """Put vectors into an index, under their ids."""
        told = zip(ids, numbers(vectors), strict=True)
        points = [{"datapointId": id_, "featureVector": vector} for id_, vector in told]
        self._bulk.post(f"{index}:upsertDatapoints", {"datapoints": points}, timeout)

    def find(
        self, endpoint: Endpoint, id_: str, vector: Floats, count: int, timeout: float
    ) -> tuple[list[str], list[float]]:
        """The ids of the nearest vectors, nearest first, and their distances."""
        point = v1.IndexDatapoint(feature_vector=vector.tolist())
        query = v1.FindNeighborsRequest.Query(datapoint=point, neighbor_count=count)
        request = v1.FindNeighborsRequest(index_endpoint=endpoint.name, deployed_index_id=id_, queries=[query])
        answer = self._match(endpoint).find_neighbors(request, timeout=timeout, retry=None)
        found = [one for lists in v1.FindNeighborsResponse.pb(answer).nearest_neighbors for one in lists.neighbors]
        return [one.datapoint.datapoint_id for one in found], [one.distance for one in found]

    def read(self, endpoint: Endpoint, id_: str, ids: Sequence[str], timeout: float) -> dict[str, Floats]:
        """The vectors of these ids, of those that there are."""
        request = v1.ReadIndexDatapointsRequest(index_endpoint=endpoint.name, deployed_index_id=id_, ids=list(ids))
        answer = self._match(endpoint).read_index_datapoints(request, timeout=timeout, retry=None)
        held = v1.ReadIndexDatapointsResponse.pb(answer).datapoints
        return {one.datapoint_id: np.array(one.feature_vector, np.float32) for one in held}

    # the clients

    @cached_property
    def _indexes(self) -> v1.IndexServiceClient:
        return v1.IndexServiceClient(**self._how(self._address))

    @cached_property
    def _endpoints(self) -> v1.IndexEndpointServiceClient:
        return v1.IndexEndpointServiceClient(**self._how(self._address))

    def _match(self, endpoint: Endpoint) -> v1.MatchServiceClient:
        """An endpoint is asked at its own address, or where the settings send everything."""
        address = self._site.address or endpoint.domain
        if address not in self._asked:
            self._asked[address] = v1.MatchServiceClient(**self._how(address))
        return self._asked[address]

    def _how(self, address: str) -> dict[str, Any]:
        options = ClientOptions(api_endpoint=address)
        return {"credentials": self._site.credentials, "transport": "rest", "client_options": options}


def _named(operation: Any) -> str:
    return str(operation.operation.name)


def _index(index: v1.Index) -> Index:
    config = dict(index.metadata or {}).get("config") or {}
    return Index(
        name=index.name,
        labels=dict(index.labels),
        width=int(config.get("dimensions", 0)),
        measure=str(config.get("distanceMeasureType", "")),
        rows=index.index_stats.vectors_count,
        made=str(index.create_time),
    )


def _endpoint(endpoint: v1.IndexEndpoint) -> Endpoint:
    return Endpoint(
        name=endpoint.name,
        labels=dict(endpoint.labels),
        domain=endpoint.public_endpoint_domain_name,
        deployed=tuple(
            Deployed(one.id, one.index, one.dedicated_resources.machine_spec.machine_type)
            for one in endpoint.deployed_indexes
        ),
        made=str(endpoint.create_time),
    )
