"""The local Vector Search 2.0 where our store does not ask it: filters, words, fused lists, objects one by one."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.vertex.cloud import Cloud
from tests.vertex.server import serving
from tests.vertex.vector_collections import VERBS

OBJECTS = [
    ("a", [1.0, 0.0], {"genre": "drama", "year": 1999, "title": "The long winter"}),
    ("b", [0.6, 0.8], {"genre": "comedy", "year": 2010, "title": "A short summer"}),
    ("c", [0.0, 1.0], {"genre": "drama", "year": 2020, "title": "Winter again"}),
]


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with serving(VERBS) as running:
        schema = {"embedding": {"denseVector": {"dimensions": 2}}}
        call(running, "collections?collectionId=films", vectorSchema=schema)
        requests = [
            {"dataObjectId": id_, "dataObject": {"data": data, "vectors": {"embedding": {"dense": {"values": vector}}}}}
            for id_, vector, data in OBJECTS
        ]
        assert call(running, "collections/films/dataObjects:batchCreate", requests=requests).status_code == 200
        yield running


def call(cloud: Cloud, path: str, method: str = "POST", **body: Any) -> httpx.Response:
    url = f"{cloud.url}/v1/projects/{cloud.project}/locations/us-central1/{path}"
    return httpx.request(method, url, json=body or None, timeout=10)


def ids(answer: httpx.Response) -> list[str]:
    told = answer.json()
    objects = told.get("dataObjects") or [one["dataObject"] for one in told["results"]]
    return [one["name"].rpartition("/")[-1] for one in objects]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["a", "b", "c"]),
        ({"genre": {"$eq": "drama"}}, ["a", "c"]),
        ({"genre": {"$in": ["comedy"]}}, ["b"]),
        ({"$and": [{"year": {"$gte": 2000}}, {"genre": {"$ne": "comedy"}}]}, ["c"]),
        ({"$or": [{"year": {"$lt": 2000}}, {"year": {"$gt": 2015}}]}, ["a", "c"]),
        ({"$not": {"genre": {"$eq": "drama"}}}, ["b"]),
        ({"length": {"$exists": False}}, ["a", "b", "c"]),
    ],
)
def test_objects_are_filtered_by_what_they_carry(cloud: Cloud, wanted: dict[str, Any], expected: list[str]) -> None:
    assert ids(call(cloud, "collections/films/dataObjects:query", filter=wanted)) == expected
    counted = call(cloud, "collections/films/dataObjects:aggregate", filter=wanted, aggregate="COUNT").json()
    assert counted == {"aggregateResults": [{"count": len(expected)}]}


def test_a_search_may_be_filtered_and_lists_are_fused(cloud: Cloud) -> None:
    near = {"searchField": "embedding", "vector": {"values": [0.0, 1.0]}, "topK": 2}
    assert ids(call(cloud, "collections/films/dataObjects:search", vectorSearch=near)) == ["c", "b"]
    dramas = {**near, "filter": {"genre": {"$eq": "drama"}}}
    assert ids(call(cloud, "collections/films/dataObjects:search", vectorSearch=dramas)) == ["c", "a"]
    words = {"searchText": "long winter", "dataFieldNames": ["title"], "topK": 2}
    fused = call(
        cloud,
        "collections/films/dataObjects:batchSearch",
        searches=[{"vectorSearch": near}, {"textSearch": words}],
        combine={"ranker": {"rrf": {"weights": [1.0, 1.0]}}, "topK": 3},
    )
    assert [one["dataObject"]["name"][-1] for one in fused.json()["results"][0]["results"]] == ["c", "a", "b"]


def test_objects_are_replaced_and_deleted(cloud: Cloud) -> None:
    name = call(cloud, "collections/films/dataObjects/a", "GET").json()["name"]
    changed = {"dataObject": {"name": name, "data": {"year": 2000}}}
    assert call(cloud, "collections/films/dataObjects:batchUpdate", requests=[changed]).status_code == 200
    assert call(cloud, "collections/films/dataObjects/a", "GET").json()["data"] == {"year": 2000}
    assert call(cloud, "collections/films/dataObjects:batchDelete", requests=[{"name": name}]).status_code == 200
    assert call(cloud, "collections/films/dataObjects/a", "GET").status_code == 404


def test_what_cannot_be_is_refused(cloud: Cloud) -> None:
    wide = {"searchField": "embedding", "vector": {"values": [1.0]}}
    assert call(cloud, "collections/films/dataObjects:search", vectorSearch=wide).status_code == 400
    assert call(cloud, "collections?collectionId=films").status_code == 409
    assert call(cloud, "collections?collectionId=Not_an_id").status_code == 400
    assert call(cloud, "collections/films", "DELETE").json()["error"]["status"] == "FAILED_PRECONDITION"
    assert call(cloud, "collections/none/dataObjects:query").status_code == 404
