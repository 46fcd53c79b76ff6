from collections.abc import Iterator

import httpx
import pytest

from tests.vertex import storage
from tests.vertex.cloud import Cloud, Refusal
from tests.vertex.server import serving

TWO_PARTS = (
    b'--x\r\nContent-Type: application/json\r\n\r\n{"name": "a/b.jsonl"}\r\n'
    b'--x\r\nContent-Type: text/plain\r\n\r\n{"one": 1}\r\n\n\r\n--x--'
)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with serving(storage.VERBS) as running:
        yield running


def post(cloud: Cloud, query: str, data: bytes, kind: str = "text/plain") -> httpx.Response:
    url = f"{cloud.url}/upload/storage/v1/b/bucket/o?{query}"
    return httpx.post(url, content=data, headers={"Content-Type": kind})


def test_an_object_comes_back_byte_by_byte(cloud: Cloud) -> None:
    assert post(cloud, "uploadType=media&name=one", b'{"a": 1}\n').json()["size"] == "9"
    assert post(cloud, "uploadType=multipart", TWO_PARTS, "multipart/related; boundary=x").json()["name"] == "a/b.jsonl"
    found = [httpx.get(f"{cloud.url}{path}?alt=media").content for path in PATHS]
    assert found == [b'{"a": 1}\n', b'{"one": 1}\r\n\n']


PATHS = ("/storage/v1/b/bucket/o/one", "/download/storage/v1/b/bucket/o/a%2Fb.jsonl")


def test_objects_are_listed_and_deleted(cloud: Cloud) -> None:
    storage.write(cloud, "gs://bucket/one", b"1")
    assert [one["name"] for one in httpx.get(f"{cloud.url}/storage/v1/b/bucket/o").json()["items"]] == ["one"]
    assert httpx.delete(f"{cloud.url}/storage/v1/b/bucket/o/one").status_code == 204
    assert httpx.get(f"{cloud.url}/storage/v1/b/bucket/o/one").json()["error"]["code"] == 404


def test_a_bucket_is_there_once_it_is_made(cloud: Cloud) -> None:
    where = f"{cloud.url}/storage/v1/b/new-bucket"
    assert httpx.get(where).status_code == 404
    httpx.post(f"{cloud.url}/storage/v1/b", json={"name": "new-bucket"})
    assert httpx.get(where).json()["name"] == "new-bucket"


def test_other_uploads_and_addresses_are_refused(cloud: Cloud) -> None:
    assert post(cloud, "uploadType=resumable&name=x", b"").status_code == 400
    assert post(cloud, "uploadType=multipart", b"x", "multipart/related; boundary=x").status_code == 400
    with pytest.raises(Refusal, match="is no address"):
        storage.read(cloud, "/etc/passwd")
