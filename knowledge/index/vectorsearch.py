"""Vector Search 2.0 over REST: the one place that knows its client. Every function is one call, and none tries again.

LangChain's store for it tells every score as 1 and cannot replace what is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from google.api_core.client_options import ClientOptions
from google.cloud import vectorsearch_v1 as v1

from knowledge.index.bulk import Bulk, numbers
from knowledge.index.operations import Operation
from knowledge.index.site import Site
from knowledge.index.store import Floats

FIELD = "embedding"
"""The vector of a data object."""
NEIGHBOURS = 1000
"""The most that one question may ask for."""
_PAGE = 1000
_SCHEMA = {
    "type": "object",
    "properties": {"row": {"type": "number"}, "sha256": {"type": "string"}, "model": {"type": "string"}},
}


@dataclass(frozen=True)
class Gathered:
    """A collection: its labels and how wide its vectors are (0: it has none of ours)."""

    name: str
    labels: Mapping[str, str]
    width: int
    made: str


@dataclass(frozen=True)
class Index:
    """What makes the search of a collection fast: which measure it was made for, and on what it runs."""

    name: str
    measure: str
    machine: str


class Region:
    """The collections of one project and region."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._address = site.address or "vectorsearch.googleapis.com"
        self._bulk = Bulk(site, self._address)

    def close(self) -> None:
        """Close the connections that were opened."""
        self._bulk.close()
        for name in ("_collections", "_searches"):
            if name in self.__dict__:
                self.__dict__[name].transport.close()

    # what there is

    def collections(self, label: str, timeout: float) -> list[Gathered]:
        """The collections with a label, oldest first."""
        request = {"parent": self._site.parent, "filter": f"labels.{label}"}
        found = self._collections.list_collections(request=request, timeout=timeout, retry=None)
        return sorted((_gathered(one) for one in found), key=lambda one: one.made)

    def collection(self, name: str, timeout: float) -> Gathered:
        """One collection."""
        return _gathered(self._collections.get_collection(name=name, timeout=timeout, retry=None))

    def indexes(self, collection: str, timeout: float) -> list[Index]:
        """The indexes of a collection."""
        found = self._collections.list_indexes(parent=collection, timeout=timeout, retry=None)
        return [
            Index(one.name, one.distance_metric.name, one.dedicated_infrastructure.mode.name.lower().replace("_", " "))
            for one in found
        ]

    def operation(self, name: str, timeout: float) -> Operation:
        """How far a long operation is."""
        found = self._collections.get_operation({"name": name}, timeout=timeout, retry=None)
        return Operation(found.done, found.error.message if found.error.code else "")

    # what is made and deleted: each tells the name of the operation that does it

    def create(self, id_: str, labels: Mapping[str, str], width: int, timeout: float) -> str:
        """An empty collection."""
        made = v1.Collection(
            display_name=id_,
            labels=dict(labels),
            vector_schema={FIELD: v1.VectorField(dense_vector=v1.DenseVectorField(dimensions=width))},
            data_schema=_SCHEMA,
        )
        request = {"parent": self._site.parent, "collection_id": id_, "collection": made}
        return _named(self._collections.create_collection(request=request, timeout=timeout, retry=None))

    def create_index(self, collection: str, id_: str, labels: Mapping[str, str], timeout: float) -> str:
        """An index of a collection that tells rows without reading the objects, on one machine or two."""
        infrastructure = v1.DedicatedInfrastructure(
            mode=v1.DedicatedInfrastructure.Mode.PERFORMANCE_OPTIMIZED,
            autoscaling_spec={"min_replica_count": 1, "max_replica_count": 2},
        )
        index = v1.Index(
            labels=dict(labels),
            index_field=FIELD,
            distance_metric=v1.DistanceMetric.DOT_PRODUCT,
            dense_scann=v1.DenseScannIndex(feature_norm_type=v1.DenseScannIndex.FeatureNormType.NONE),
            dedicated_infrastructure=infrastructure,
            store_fields=["row"],
        )
        request = {"parent": collection, "index_id": id_, "index": index}
        return _named(self._collections.create_index(request=request, timeout=timeout, retry=None))

    def label(self, collection: str, labels: Mapping[str, str], timeout: float) -> str:
        """Give a collection other labels."""
        changed = v1.Collection(name=collection, labels=dict(labels))
        request = {"collection": changed, "update_mask": {"paths": ["labels"]}}
        return _named(self._collections.update_collection(request=request, timeout=timeout, retry=None))

    def delete_index(self, name: str, timeout: float) -> str:
        """Delete an index."""
        return _named(self._collections.delete_index(name=name, timeout=timeout, retry=None))

    def delete(self, name: str, timeout: float) -> str:
        """Delete a collection without indexes, with all that is in it."""
        request = {"name": name, "force": True}
        return _named(self._collections.delete_collection(request=request, timeout=timeout, retry=None))

    # what is in a collection

    def put(self, collection: str, payload: Sequence[Mapping[str, Any]], vectors: Floats, timeout: float) -> None:
        """Put objects into a collection; their ids are made of their `row`. One that is there refuses all."""
        requests = [
            {
                "parent": collection,
                "dataObjectId": id_of(one["row"]),
                "dataObject": {"data": one, "vectors": {FIELD: {"dense": {"values": vector}}}},
            }
            for one, vector in zip(payload, numbers(vectors), strict=True)
        ]
        self._bulk.post(f"{collection}/dataObjects:batchCreate", {"requests": requests}, timeout)

    def find(self, collection: str, vector: Floats, count: int, timeout: float) -> tuple[list[int], list[float]]:
        """The rows of the nearest vectors, nearest first, and their dot products as the service tells them."""
        asked = v1.VectorSearch(
            search_field=FIELD,
            vector=v1.DenseVector(values=vector.tolist()),
            top_k=count,
            output_fields=v1.OutputFields(data_fields=["row"]),
            distance_metric=v1.DistanceMetric.DOT_PRODUCT,
        )
        request = v1.SearchDataObjectsRequest(parent=collection, vector_search=asked)
        pages = self._searches.search_data_objects(request=request, timeout=timeout, retry=None)
        found = list(v1.SearchDataObjectsResponse.pb(next(iter(pages.pages))).results)
        return [int(one.data_object.data["row"]) for one in found], [one.distance for one in found]

    def page(self, collection: str, token: str, timeout: float) -> tuple[list[str], str]:
        """The ids of some objects, and what asks for the next ones ("" after the last)."""
        request = v1.QueryDataObjectsRequest(
            parent=collection,
            page_size=_PAGE,
            page_token=token,
            output_fields=v1.OutputFields(metadata_fields=["name"]),
        )
        pages = self._searches.query_data_objects(request=request, timeout=timeout, retry=None)
        told = v1.QueryDataObjectsResponse.pb(next(iter(pages.pages)))
        return [one.name.rpartition("/")[-1] for one in told.data_objects], told.next_page_token

    def read(self, collection: str, rows: range, timeout: float) -> dict[int, Floats]:
        """The vectors of a range of at most 1,000 rows, of those that there are."""
        request = v1.QueryDataObjectsRequest(
            parent=collection,
            filter={"$and": [{"row": {"$gte": rows.start}}, {"row": {"$lt": rows.stop}}]},
            page_size=_PAGE,
            output_fields=v1.OutputFields(data_fields=["row"], vector_fields=[FIELD]),
        )
        pages = self._searches.query_data_objects(request=request, timeout=timeout, retry=None)
        held = v1.QueryDataObjectsResponse.pb(next(iter(pages.pages))).data_objects
        return {int(one.data["row"]): np.array(one.vectors[FIELD].dense.values, np.float32) for one in held}

    # the clients

    @cached_property
    def _collections(self) -> v1.VectorSearchServiceClient:
        return v1.VectorSearchServiceClient(**self._how())

    @cached_property
    def _searches(self) -> v1.DataObjectSearchServiceClient:
        return v1.DataObjectSearchServiceClient(**self._how())

    def _how(self) -> dict[str, Any]:
        options = ClientOptions(api_endpoint=self._address)
        return {"credentials": self._site.credentials, "transport": "rest", "client_options": options}


def id_of(row: int) -> str:
    """The id of a row's object: Google's begin with a letter."""
    return f"r{row}"


def _named(operation: Any) -> str:
    return str(operation.operation.name)


def _gathered(collection: v1.Collection) -> Gathered:
    schema = collection.vector_schema
    width = schema[FIELD].dense_vector.dimensions if FIELD in schema else 0
    return Gathered(collection.name, dict(collection.labels), width, str(collection.create_time))
