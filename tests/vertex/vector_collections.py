"""Vector Search 2.0: collections of objects with payload and vectors, their indexes, search, query and counts."""

import re
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tests.vertex.cloud import Cloud, Refusal, Verb, told
from tests.vertex.vector_filters import fits
from tests.vertex.vectors import Clock, Operations, Points, chosen, permitted

SERVICE = "vectorsearch.googleapis.com"
_PARENT = r"/v1/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)"
_ALL = rf"{_PARENT}/collections"
_ONE = rf"{_ALL}/(?P<collection>[^/:]+)"
_OBJECTS = rf"{_ONE}/dataObjects"
_INDEXES = rf"{_ONE}/indexes"
_ID = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
_MOST = 1000
_RRF = 60
_Hits = list[tuple[str, float]]


@dataclass
class Gathered:
    """A collection: what it says of itself, its objects, and of each dense field the vectors."""

    about: dict[str, Any]
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    points: dict[str, Points] = field(default_factory=dict)
    indexes: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Collections:
    """What the service holds. `negative` lets dot products be told as negative distances."""

    operations: Operations = field(default_factory=Operations)
    every: dict[str, Gathered] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    negative: bool = False


def state(cloud: Cloud) -> Collections:
    """What the service holds in a cloud."""
    held: Collections = cloud.held.setdefault("collections", Collections())
    return held


def _found(cloud: Cloud, request: Request) -> Gathered:
    permitted(cloud, request.path_params, SERVICE)
    name = request.path_params["collection"]
    if name not in state(cloud).every:
        raise Refusal(404, "NOT_FOUND", f"Collection {name} is not found.")
    return state(cloud).every[name]


def _named(id_: str) -> str:
    if not _ID.fullmatch(id_):
        raise Refusal(400, "INVALID_ARGUMENT", f"{id_!r} is no id: it must match {_ID.pattern}.")
    return id_


async def _create(cloud: Cloud, request: Request, body: Any) -> Response:
    parent, held = permitted(cloud, request.path_params, SERVICE), state(cloud)
    id_ = _named(request.query_params.get("collectionId", ""))
    name = f"{parent}/collections/{id_}"
    if id_ in held.every:
        raise Refusal(409, "ALREADY_EXISTS", f"Collection {name} already exists.")
    about = {**body, "name": name, "createTime": held.clock.next()}
    dense = {key: one["denseVector"]["dimensions"] for key, one in body.get("vectorSchema", {}).items()}

    def effect() -> dict[str, Any]:
        held.every[id_] = Gathered(about, points={key: Points(width) for key, width in dense.items()})
        return {"@type": "type.googleapis.com/google.cloud.vectorsearch.v1.Collection", **about}

    return told(held.operations.begin(parent, effect))


async def _list(cloud: Cloud, request: Request, body: Any) -> Response:
    permitted(cloud, request.path_params, SERVICE)
    wanted = request.query_params.get("filter", "")
    found = [one.about for one in state(cloud).every.values()]
    return told({"collections": [one for one in found if chosen(one.get("labels", {}), wanted)]})


async def _get(cloud: Cloud, request: Request, body: Any) -> Response:
    return told(_found(cloud, request).about)


async def _update(cloud: Cloud, request: Request, body: Any) -> Response:
    about = _found(cloud, request).about
    parent = permitted(cloud, request.path_params, SERVICE)

    def effect() -> dict[str, Any]:
        about.update({"labels": body.get("labels", {})})
        return {"@type": "type.googleapis.com/google.cloud.vectorsearch.v1.Collection", **about}

    return told(state(cloud).operations.begin(parent, effect))


async def _delete(cloud: Cloud, request: Request, body: Any) -> Response:
    collection = _found(cloud, request)
    parent, id_ = permitted(cloud, request.path_params, SERVICE), request.path_params["collection"]
    if request.query_params.get("force") != "true" and (collection.objects or collection.indexes):
        raise Refusal(400, "FAILED_PRECONDITION", f"Collection {id_} holds indexes or data objects.")

    def effect() -> dict[str, Any]:
        state(cloud).every.pop(id_, None)
        return {"@type": "type.googleapis.com/google.protobuf.Empty"}

    return told(state(cloud).operations.begin(parent, effect))


async def _create_index(cloud: Cloud, request: Request, body: Any) -> Response:
    collection = _found(cloud, request)
    parent, id_ = permitted(cloud, request.path_params, SERVICE), _named(request.query_params.get("indexId", ""))
    if body.get("indexField") not in collection.points:
        raise Refusal(400, "INVALID_ARGUMENT", f"The collection has no vector field {body.get('indexField')!r}.")
    if id_ in collection.indexes:
        raise Refusal(409, "ALREADY_EXISTS", f"Index {id_} already exists.")
    name = f"{collection.about['name']}/indexes/{id_}"

    def effect() -> dict[str, Any]:
        collection.indexes[id_] = {**body, "name": name, "createTime": state(cloud).clock.next()}
        return {"@type": "type.googleapis.com/google.cloud.vectorsearch.v1.Index", **collection.indexes[id_]}

    return told(state(cloud).operations.begin(parent, effect))


async def _list_indexes(cloud: Cloud, request: Request, body: Any) -> Response:
    return told({"indexes": list(_found(cloud, request).indexes.values())})


async def _delete_index(cloud: Cloud, request: Request, body: Any) -> Response:
    collection, id_ = _found(cloud, request), request.path_params["index"]
    if id_ not in collection.indexes:
        raise Refusal(404, "NOT_FOUND", f"Index {id_} is not found.")

    def effect() -> dict[str, Any]:
        collection.indexes.pop(id_, None)
        return {"@type": "type.googleapis.com/google.protobuf.Empty"}

    return told(state(cloud).operations.begin(permitted(cloud, request.path_params, SERVICE), effect))


async def _batch_create(cloud: Cloud, request: Request, body: Any) -> Response:
    collection, asked = _found(cloud, request), body.get("requests", [])
    if len(asked) > _MOST:
        raise Refusal(400, "INVALID_ARGUMENT", f"At most {_MOST} data objects can be created in a batch.")
    for one in asked:
        if _named(one["dataObjectId"]) in collection.objects:
            raise Refusal(409, "ALREADY_EXISTS", f"Data object {one['dataObjectId']} already exists.")
        _fit(collection, one["dataObject"])
    made = [_put(collection, one["dataObjectId"], one["dataObject"]) for one in asked]
    return told({"dataObjects": [{"name": one["name"]} for one in made]})


async def _batch_update(cloud: Cloud, request: Request, body: Any) -> Response:
    collection = _found(cloud, request)
    for one in body.get("requests", []):
        id_ = one["dataObject"]["name"].rpartition("/")[-1]
        _object(collection, id_)
        _fit(collection, one["dataObject"])
        _put(collection, id_, one["dataObject"])
    return told({})


async def _batch_delete(cloud: Cloud, request: Request, body: Any) -> Response:
    collection = _found(cloud, request)
    for one in body.get("requests", []):
        id_ = one["name"].rpartition("/")[-1]
        _object(collection, id_)
        del collection.objects[id_]
        for points in collection.points.values():
            points.drop(id_)
    return told({})


async def _get_object(cloud: Cloud, request: Request, body: Any) -> Response:
    return told(_object(_found(cloud, request), request.path_params["object"]))


async def _search(cloud: Cloud, request: Request, body: Any) -> Response:
    collection = _found(cloud, request)
    return told({"results": _results(collection, _hits(cloud, collection, body), _asked(body))})


async def _batch_search(cloud: Cloud, request: Request, body: Any) -> Response:
    collection, combine = _found(cloud, request), body.get("combine", {})
    lists = [_hits(cloud, collection, one) for one in body.get("searches", [])]
    if not combine:
        answers = [_results(collection, hits, _asked(one)) for hits, one in zip(lists, body["searches"], strict=True)]
        return told({"results": [{"results": one} for one in answers]})
    scores: dict[str, float] = {}
    for weight, hits in zip(combine["ranker"]["rrf"]["weights"], lists, strict=True):
        for rank, (id_, _) in enumerate(hits, 1):
            scores[id_] = scores.get(id_, 0.0) + weight / (_RRF + rank)
    fused = sorted(scores.items(), key=lambda one: -one[1])[: combine.get("topK", 10)]
    return told({"results": [{"results": _results(collection, fused, combine)}]})


async def _query(cloud: Cloud, request: Request, body: Any) -> Response:
    collection = _found(cloud, request)
    first, size = int(body.get("pageToken") or 0), min(int(body.get("pageSize") or 100), _MOST)
    found = [id_ for id_, one in collection.objects.items() if fits(one.get("data", {}), body.get("filter", {}))]
    some = [_shown(collection.objects[id_], body.get("outputFields", {})) for id_ in found[first : first + size]]
    after = str(first + size) if first + size < len(found) else ""
    return told({"dataObjects": some, "nextPageToken": after})


async def _aggregate(cloud: Cloud, request: Request, body: Any) -> Response:
    collection = _found(cloud, request)
    count = sum(fits(one.get("data", {}), body.get("filter", {})) for one in collection.objects.values())
    return told({"aggregateResults": [{"count": count}]})


async def _operation(cloud: Cloud, request: Request, body: Any) -> Response:
    return told(state(cloud).operations.told(request.path_params["name"]))


def _object(collection: Gathered, id_: str) -> dict[str, Any]:
    if id_ not in collection.objects:
        raise Refusal(404, "NOT_FOUND", f"Data object {id_} is not found.")
    return collection.objects[id_]


def _fit(collection: Gathered, one: dict[str, Any]) -> None:
    for key, vector in one.get("vectors", {}).items():
        if key not in collection.points:
            raise Refusal(400, "INVALID_ARGUMENT", f"The collection has no vector field {key!r}.")
        collection.points[key].check(vector["dense"]["values"])


def _put(collection: Gathered, id_: str, one: dict[str, Any]) -> dict[str, Any]:
    held = collection.objects.setdefault(id_, {"name": f"{collection.about['name']}/dataObjects/{id_}"})
    held.update({key: one[key] for key in ("data", "vectors") if key in one})
    for key, vector in one.get("vectors", {}).items():
        collection.points[key].put(id_, vector["dense"]["values"])
    return held


def _asked(search: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = search.get("vectorSearch") or search.get("textSearch") or {}
    return found


def _hits(cloud: Cloud, collection: Gathered, search: dict[str, Any]) -> _Hits:
    """The ids that a search finds and their distances, nearest first."""
    asked = _asked(search)
    wanted = asked.get("filter", {})
    allowed = [id_ for id_, one in collection.objects.items() if not wanted or fits(one.get("data", {}), wanted)]
    count = int(asked.get("topK") or 10)
    if "textSearch" in search:
        return _worded(collection, allowed, asked)[:count]
    if asked.get("searchField") not in collection.points:
        raise Refusal(400, "INVALID_ARGUMENT", f"The collection has no vector field {asked.get('searchField')!r}.")
    points = collection.points[asked["searchField"]]
    everything = len(points.held) if asked.get("filter") else count
    inside = set(allowed)
    found = [one for one in points.nearest(asked["vector"]["values"], everything) if one[0] in inside]
    if asked.get("distanceMetric") == "COSINE_DISTANCE":
        return [(id_, 1 - product) for id_, product in found[:count]]
    return [(id_, -product if state(cloud).negative else product) for id_, product in found[:count]]


def _worded(collection: Gathered, allowed: list[str], asked: dict[str, Any]) -> _Hits:
    """Objects by how many of the words they have in the fields that are named."""
    wanted = set(re.findall(r"\w+", asked.get("searchText", "").lower()))
    scores = {}
    for id_ in allowed:
        data = collection.objects[id_].get("data", {})
        text = " ".join(str(data.get(key, "")) for key in asked.get("dataFieldNames", []))
        scores[id_] = float(len(wanted & set(re.findall(r"\w+", text.lower()))))
    return sorted(((id_, one) for id_, one in scores.items() if one), key=lambda one: -one[1])


def _results(collection: Gathered, hits: _Hits, asked: dict[str, Any]) -> list[dict[str, Any]]:
    fields = asked.get("outputFields", {})
    return [{"dataObject": _shown(collection.objects[id_], fields), "distance": one} for id_, one in hits]


def _shown(one: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """An object with the fields that are wanted; its name is always told."""
    shown: dict[str, Any] = {"name": one["name"]}
    for key, wanted in (("data", fields.get("dataFields", [])), ("vectors", fields.get("vectorFields", []))):
        if wanted:
            shown[key] = {name: value for name, value in one.get(key, {}).items() if "*" in wanted or name in wanted}
    return shown


VERBS: tuple[Verb, ...] = (
    Verb("collection.create", "POST", _ALL, _create),
    Verb("collection.list", "GET", _ALL, _list),
    Verb("collection.get", "GET", _ONE, _get),
    Verb("collection.update", "PATCH", _ONE, _update),
    Verb("collection.delete", "DELETE", _ONE, _delete),
    Verb("collection.create_index", "POST", _INDEXES, _create_index),
    Verb("collection.indexes", "GET", _INDEXES, _list_indexes),
    Verb("collection.unindex", "DELETE", _INDEXES + r"/(?P<index>[^/:]+)", _delete_index),
    Verb("objects.create", "POST", _OBJECTS + ":batchCreate", _batch_create),
    Verb("objects.update", "POST", _OBJECTS + ":batchUpdate", _batch_update),
    Verb("objects.delete", "POST", _OBJECTS + ":batchDelete", _batch_delete),
    Verb("objects.search", "POST", _OBJECTS + ":search", _search),
    Verb("objects.batch_search", "POST", _OBJECTS + ":batchSearch", _batch_search),
    Verb("objects.query", "POST", _OBJECTS + ":query", _query),
    Verb("objects.aggregate", "POST", _OBJECTS + ":aggregate", _aggregate),
    Verb("objects.get", "GET", _OBJECTS + r"/(?P<object>[^/:]+)", _get_object),
    Verb(
        "collection.operation", "GET", r"/v1/(?P<name>projects/.+/locations/[^/]+/operations/vectors-\d+)", _operation
    ),
)
