"""The local Vector Search 1.0, asked by Google's own high-level classes and by hand."""

import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from google.oauth2.credentials import Credentials

from tests.vertex.cloud import Cloud
from tests.vertex.server import serving
from tests.vertex.vector_index import VERBS, state

UNITS = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.6, 0.8, 0.0]]


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with serving(VERBS) as running:
        yield running


def call(cloud: Cloud, method: str, path: str, **body: Any) -> httpx.Response:
    url = f"{cloud.url}/v1/projects/{cloud.project}/locations/us-central1/{path}"
    return httpx.request(method, url, json=body or None, timeout=10)


def made(cloud: Cloud, kind: str, **body: Any) -> str:
    """The number of a resource, once its operation is over."""
    name = call(cloud, "POST", kind, **body).json()["name"]
    return str(httpx.get(f"{cloud.url}/ui/{name}").json()["response"]["name"]).rpartition("/")[-1]


def index(cloud: Cloud, measure: str = "DOT_PRODUCT_DISTANCE") -> str:
    config = {"dimensions": 3, "distanceMeasureType": measure, "shardSize": "SHARD_SIZE_SMALL"}
    number = made(cloud, "indexes", displayName="x", metadata={"config": config})
    points = [{"datapointId": str(row), "featureVector": vector} for row, vector in enumerate(UNITS)]
    assert call(cloud, "POST", f"indexes/{number}:upsertDatapoints", datapoints=points).status_code == 200
    return number


def deployed(cloud: Cloud, number: str) -> str:
    endpoint = made(cloud, "indexEndpoints", displayName="x", publicEndpointEnabled=True)
    wanted = {"id": "d", "index": state(cloud).indexes[number]["name"], "dedicatedResources": machine("e2-standard-2")}
    assert call(cloud, "POST", f"indexEndpoints/{endpoint}:deployIndex", deployedIndex=wanted).status_code == 200
    return endpoint


def machine(name: str) -> dict[str, Any]:
    return {"machineSpec": {"machineType": name}}


def test_googles_own_classes_deploy_search_and_read(cloud: Cloud) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own
        from google.cloud import aiplatform  # noqa: PLC0415 - it warns as it is imported, and takes seconds
    number = index(cloud)
    endpoint = deployed(cloud, number)
    aiplatform.init(
        project=cloud.project,
        location="us-central1",
        credentials=Credentials("local"),  # type: ignore[no-untyped-call]
        api_endpoint=cloud.url,
        api_transport="rest",
    )
    found = aiplatform.MatchingEngineIndexEndpoint(endpoint)
    (near,) = found.find_neighbors(deployed_index_id="d", queries=[[0.0, 1.0, 0.0]], num_neighbors=2)
    assert [(one.id, one.distance) for one in near] == [("1", 1.0), ("2", pytest.approx(0.8))]
    assert [one.feature_vector for one in found.read_index_datapoints(deployed_index_id="d", ids=["0"])] == [UNITS[0]]
    found.mutate_deployed_index(deployed_index_id="d", min_replica_count=2)
    found.undeploy_index("d")
    aiplatform.MatchingEngineIndex(number).remove_datapoints(["0"])
    assert set(state(cloud).points[number].held) == {"1", "2"}


@pytest.mark.parametrize(
    ("measure", "negative", "expected"),
    [("DOT_PRODUCT_DISTANCE", False, 0.8), ("DOT_PRODUCT_DISTANCE", True, -0.8), ("COSINE_DISTANCE", False, 0.2)],
)
def test_distances_are_told_as_the_measure_says(cloud: Cloud, measure: str, negative: bool, expected: float) -> None:
    endpoint = deployed(cloud, index(cloud, measure))
    state(cloud).negative = negative
    query = {"datapoint": {"featureVector": [0.0, 1.0, 0.0]}, "neighborCount": 2}
    answer = call(cloud, "POST", f"indexEndpoints/{endpoint}:findNeighbors", deployedIndexId="d", queries=[query])
    assert answer.json()["nearestNeighbors"][0]["neighbors"][1]["distance"] == pytest.approx(expected)


def test_what_cannot_be_is_refused(cloud: Cloud) -> None:
    number = index(cloud)
    endpoint = deployed(cloud, number)
    point = {"datapointId": "9", "featureVector": [1.0]}
    wide = call(cloud, "POST", f"indexes/{number}:upsertDatapoints", datapoints=[point])
    assert (wide.status_code, "dimensions" in wide.json()["error"]["message"]) == (400, True)
    assert call(cloud, "DELETE", f"indexes/{number}").json()["error"]["status"] == "FAILED_PRECONDITION"
    assert call(cloud, "DELETE", f"indexEndpoints/{endpoint}").json()["error"]["status"] == "FAILED_PRECONDITION"
    wanted = {"id": "e", "index": state(cloud).indexes[number]["name"], "dedicatedResources": machine("tiny")}
    small = call(cloud, "POST", f"indexEndpoints/{endpoint}:deployIndex", deployedIndex=wanted)
    assert "Machine type tiny is not supported" in small.json()["error"]["message"]
    other = httpx.get(f"{cloud.url}/v1/projects/other/locations/us-central1/indexes")
    assert other.json()["error"]["status"] == "PERMISSION_DENIED"


def test_an_operation_takes_as_many_looks_as_it_was_told(cloud: Cloud) -> None:
    state(cloud).operations.polls = 2
    name = call(cloud, "POST", "indexes", displayName="x", metadata={"config": {"dimensions": 3}}).json()["name"]
    assert [httpx.get(f"{cloud.url}/ui/{name}").json()["done"] for _ in range(3)] == [False, False, True]
