"""Vector Search 1.0: indexes, endpoints, what is deployed on them, and exact search of it."""

from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tests.vertex.cloud import Cloud, Refusal, Verb, told
from tests.vertex.vectors import Clock, Operations, Points, chosen, permitted

SERVICE = "aiplatform.googleapis.com"
_PROJECT = r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)"
_INDEX = rf"/v1(beta1)?/{_PROJECT}/indexes"
_ENDPOINT = rf"/v1(beta1)?/{_PROJECT}/indexEndpoints"
_TYPE = "type.googleapis.com/google.cloud.aiplatform.v1."
_MACHINES = {
    "e2-standard-2": ("SHARD_SIZE_SMALL",),
    "e2-standard-16": ("SHARD_SIZE_SMALL", "SHARD_SIZE_MEDIUM"),
    "e2-highmem-16": ("SHARD_SIZE_SMALL", "SHARD_SIZE_MEDIUM", "SHARD_SIZE_LARGE"),
    "n1-standard-16": ("SHARD_SIZE_SMALL", "SHARD_SIZE_MEDIUM"),
    "n2d-standard-32": ("SHARD_SIZE_SMALL", "SHARD_SIZE_MEDIUM", "SHARD_SIZE_LARGE"),
}
_MOST = 1000


@dataclass
class Indexes:
    """What the service holds. `negative` lets dot products be told as the documentation defines their distance."""

    operations: Operations = field(default_factory=Operations)
    indexes: dict[str, dict[str, Any]] = field(default_factory=dict)
    points: dict[str, Points] = field(default_factory=dict)
    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    negative: bool = False
    made: int = 0

    def next(self) -> str:
        """The number of the next resource."""
        self.made += 1
        return str(7_000_000_000 + self.made)

    def one(self, kind: str, name: str) -> dict[str, Any]:
        """An index or an endpoint by its number."""
        found = (self.indexes if kind == "Index" else self.endpoints).get(name)
        if found is None:
            raise Refusal(404, "NOT_FOUND", f"{kind} {name} is not found.")
        return found


def state(cloud: Cloud) -> Indexes:
    """What the service holds in a cloud."""
    held: Indexes = cloud.held.setdefault("indexes", Indexes())
    return held


async def _create_index(cloud: Cloud, request: Request, body: Any) -> Response:
    parent, held = permitted(cloud, request.path_params, SERVICE), state(cloud)
    config = body.get("metadata", {}).get("config", {})
    if not config.get("dimensions"):
        raise Refusal(400, "INVALID_ARGUMENT", "Index metadata: config.dimensions is required.")
    number = held.next()
    index = {**body, "name": f"{parent}/indexes/{number}", "createTime": held.clock.next()}

    def effect() -> dict[str, Any]:
        held.indexes[number], held.points[number] = index, Points(int(config["dimensions"]))
        return {"@type": f"{_TYPE}Index", **index}

    return told(held.operations.begin(index["name"], effect))


async def _list_indexes(cloud: Cloud, request: Request, body: Any) -> Response:
    permitted(cloud, request.path_params, SERVICE)
    wanted = request.query_params.get("filter", "")
    found = [_counted(state(cloud), one) for one in state(cloud).indexes.values()]
    return told({"indexes": [one for one in found if chosen(one.get("labels", {}), wanted)]})


async def _get_index(cloud: Cloud, request: Request, body: Any) -> Response:
    permitted(cloud, request.path_params, SERVICE)
    return told(_counted(state(cloud), state(cloud).one("Index", request.path_params["id"])))


async def _update_index(cloud: Cloud, request: Request, body: Any) -> Response:
    permitted(cloud, request.path_params, SERVICE)
    held = state(cloud)
    index = held.one("Index", request.path_params["id"])

    def effect() -> dict[str, Any]:
        index.update({"labels": body.get("labels", {})})
        return {"@type": f"{_TYPE}Index", **index}

    return told(held.operations.begin(index["name"], effect))


async def _delete_index(cloud: Cloud, request: Request, body: Any) -> Response:
    permitted(cloud, request.path_params, SERVICE)
    held, number = state(cloud), request.path_params["id"]
    index = held.one("Index", number)
    if any(one["index"] == index["name"] for end in held.endpoints.values() for one in end["deployedIndexes"]):
        raise Refusal(
            400, "FAILED_PRECONDITION", f"Index {number} is deployed; undeploy all its DeployedIndexes first."
        )

    def effect() -> dict[str, Any]:
        held.indexes.pop(number, None)
        held.points.pop(number, None)
        return {"@type": "type.googleapis.com/google.protobuf.Empty"}

    return told(held.operations.begin(index["name"], effect))


async def _upsert(cloud: Cloud, request: Request, body: Any) -> Response:
    permitted(cloud, request.path_params, SERVICE)
    held, number = state(cloud), request.path_params["id"]
    held.one("Index", number)
    points = body.get("datapoints", [])
    if len(points) > _MOST:
        raise Refusal(400, "INVALID_ARGUMENT", f"At most {_MOST} datapoints may be upserted at once.")
    for point in points:
        held.points[number].check(point["featureVector"])
    for point in points:
        held.points[number].put(point["datapointId"], point["featureVector"])
    return told({})


async def _remove(cloud: Cloud, request: Request, body: Any) -> Response:
    permitted(cloud, request.path_params, SERVICE)
    held, number = state(cloud), request.path_params["id"]
    held.one("Index", number)
    for id_ in body.get("datapointIds", []):
        held.points[number].drop(id_)
    return told({})


async def _create_endpoint(cloud: Cloud, request: Request, body: Any) -> Response:
    parent, held = permitted(cloud, request.path_params, SERVICE), state(cloud)
    number = held.next()
    name = f"{parent}/indexEndpoints/{number}"
    endpoint = {**body, "name": name, "createTime": held.clock.next(), "deployedIndexes": []}
    if body.get("publicEndpointEnabled"):
        endpoint["publicEndpointDomainName"] = cloud.url

    def effect() -> dict[str, Any]:
        held.endpoints[number] = endpoint
        return {"@type": f"{_TYPE}IndexEndpoint", **endpoint}

    return told(held.operations.begin(name, effect))


async def _list_endpoints(cloud: Cloud, request: Request, body: Any) -> Response:
    permitted(cloud, request.path_params, SERVICE)
    wanted, every = request.query_params.get("filter", ""), state(cloud).endpoints.values()
    return told({"indexEndpoints": [one for one in every if chosen(one.get("labels", {}), wanted)]})


async def _get_endpoint(cloud: Cloud, request: Request, body: Any) -> Response:
    permitted(cloud, request.path_params, SERVICE)
    return told(state(cloud).one("IndexEndpoint", request.path_params["id"]))


async def _delete_endpoint(cloud: Cloud, request: Request, body: Any) -> Response:
    permitted(cloud, request.path_params, SERVICE)
    held, number = state(cloud), request.path_params["id"]
    endpoint = held.one("IndexEndpoint", number)
    if endpoint["deployedIndexes"]:
        raise Refusal(400, "FAILED_PRECONDITION", f"IndexEndpoint {number} has DeployedIndexes.")

    def effect() -> dict[str, Any]:
        held.endpoints.pop(number, None)
        return {"@type": "type.googleapis.com/google.protobuf.Empty"}

    return told(held.operations.begin(endpoint["name"], effect))


async def _deploy(cloud: Cloud, request: Request, body: Any) -> Response:
    permitted(cloud, request.path_params, SERVICE)
    held, wanted = state(cloud), body["deployedIndex"]
    endpoint = held.one("IndexEndpoint", request.path_params["id"])
    index = held.one("Index", wanted["index"].rpartition("/")[-1])
    if any(one["id"] == wanted["id"] for end in held.endpoints.values() for one in end["deployedIndexes"]):
        raise Refusal(409, "ALREADY_EXISTS", f"There already exists a DeployedIndex with same ID {wanted['id']!r}.")
    machine = wanted.get("dedicatedResources", {}).get("machineSpec", {}).get("machineType", "e2-standard-16")
    shard = index["metadata"]["config"].get("shardSize", "SHARD_SIZE_MEDIUM")
    if shard not in _MACHINES.get(machine, ()):
        raise Refusal(400, "INVALID_ARGUMENT", f"Machine type {machine} is not supported for an index of {shard}.")

    def effect() -> dict[str, Any]:
        endpoint["deployedIndexes"].append({**wanted, "createTime": held.clock.next()})
        return {"@type": f"{_TYPE}DeployIndexResponse", "deployedIndex": wanted}

    return told(held.operations.begin(endpoint["name"], effect))


async def _undeploy(cloud: Cloud, request: Request, body: Any) -> Response:
    permitted(cloud, request.path_params, SERVICE)
    held = state(cloud)
    endpoint = held.one("IndexEndpoint", request.path_params["id"])
    deployed = _deployed(endpoint, body["deployedIndexId"])

    def effect() -> dict[str, Any]:
        endpoint["deployedIndexes"].remove(deployed)
        return {"@type": f"{_TYPE}UndeployIndexResponse"}

    return told(held.operations.begin(endpoint["name"], effect))


async def _mutate(cloud: Cloud, request: Request, body: Any) -> Response:
    permitted(cloud, request.path_params, SERVICE)
    held = state(cloud)
    endpoint = held.one("IndexEndpoint", request.path_params["id"])
    deployed = _deployed(endpoint, body["id"])

    def effect() -> dict[str, Any]:
        deployed.update({key: body[key] for key in ("automaticResources", "dedicatedResources") if key in body})
        return {"@type": f"{_TYPE}MutateDeployedIndexResponse", "deployedIndex": deployed}

    return told(held.operations.begin(endpoint["name"], effect))


async def _find(cloud: Cloud, request: Request, body: Any) -> Response:
    permitted(cloud, request.path_params, SERVICE)
    held = state(cloud)
    number = _asked(held, request, body)
    measure = held.indexes[number]["metadata"]["config"].get("distanceMeasureType", "DOT_PRODUCT_DISTANCE")
    answers = []
    for query in body.get("queries", []):
        count = query.get("neighborCount", 10)
        if not 0 < count <= _MOST:
            raise Refusal(400, "INVALID_ARGUMENT", f"neighbor_count must be between 1 and {_MOST}.")
        found = held.points[number].nearest(query["datapoint"]["featureVector"], count)
        neighbours = [
            {"datapoint": {"datapointId": id_}, "distance": _distance(product, measure, negative=held.negative)}
            for id_, product in found
        ]
        answers.append({"neighbors": neighbours})
    return told({"nearestNeighbors": answers})


async def _read(cloud: Cloud, request: Request, body: Any) -> Response:
    permitted(cloud, request.path_params, SERVICE)
    held = state(cloud)
    points = held.points[_asked(held, request, body)].held
    found = [
        {"datapointId": id_, "featureVector": points[id_].tolist()} for id_ in body.get("ids", []) if id_ in points
    ]
    return told({"datapoints": found})


async def _operation(cloud: Cloud, request: Request, body: Any) -> Response:
    return told(state(cloud).operations.told(request.path_params["name"]))


def _counted(held: Indexes, index: dict[str, Any]) -> dict[str, Any]:
    count = len(held.points[index["name"].rpartition("/")[-1]].held)
    return {**index, "indexStats": {"vectorsCount": str(count)}}


def _deployed(endpoint: dict[str, Any], id_: str) -> dict[str, Any]:
    found: dict[str, Any] | None = next((one for one in endpoint["deployedIndexes"] if one["id"] == id_), None)
    if found is None:
        raise Refusal(404, "NOT_FOUND", f"DeployedIndex {id_} is not found on {endpoint['name']}.")
    return found


def _asked(held: Indexes, request: Request, body: Any) -> str:
    """The number of the index that a question is for."""
    endpoint = held.one("IndexEndpoint", request.path_params["id"])
    number: str = _deployed(endpoint, body["deployedIndexId"])["index"].rpartition("/")[-1]
    return number


def _distance(product: float, measure: str, *, negative: bool) -> float:
    if measure == "COSINE_DISTANCE":
        return 1 - product
    return -product if negative else product


_ONE = r"/(?P<id>[^/:]+)"
VERBS: tuple[Verb, ...] = (
    Verb("index.create", "POST", _INDEX, _create_index),
    Verb("index.list", "GET", _INDEX, _list_indexes),
    Verb("index.get", "GET", _INDEX + _ONE, _get_index),
    Verb("index.update", "PATCH", _INDEX + _ONE, _update_index),
    Verb("index.delete", "DELETE", _INDEX + _ONE, _delete_index),
    Verb("index.upsert", "POST", _INDEX + _ONE + ":upsertDatapoints", _upsert),
    Verb("index.remove", "POST", _INDEX + _ONE + ":removeDatapoints", _remove),
    Verb("endpoint.create", "POST", _ENDPOINT, _create_endpoint),
    Verb("endpoint.list", "GET", _ENDPOINT, _list_endpoints),
    Verb("endpoint.get", "GET", _ENDPOINT + _ONE, _get_endpoint),
    Verb("endpoint.delete", "DELETE", _ENDPOINT + _ONE, _delete_endpoint),
    Verb("endpoint.deploy", "POST", _ENDPOINT + _ONE + ":deployIndex", _deploy),
    Verb("endpoint.undeploy", "POST", _ENDPOINT + _ONE + ":undeployIndex", _undeploy),
    Verb("endpoint.mutate", "POST", _ENDPOINT + _ONE + ":mutateDeployedIndex", _mutate),
    Verb("match.find", "POST", _ENDPOINT + _ONE + ":findNeighbors", _find),
    Verb("match.read", "POST", _ENDPOINT + _ONE + ":readIndexDatapoints", _read),
    Verb(
        "index.operation",
        "GET",
        r"/(?:v1|v1beta1|ui)/(?P<name>projects/.+/(?:indexes|indexEndpoints)/[^/]+/operations/vectors-\d+)",
        _operation,
    ),
)
