import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tests.vertex.cloud import Cloud, Verb, told
from tests.vertex.faults import Kind
from tests.vertex.server import serving


async def _echo(cloud: Cloud, request: Request, body: Any) -> Response:
    return told({"region": request.path_params["region"], "body": body, "padding": "." * 500})


async def _stream(cloud: Cloud, request: Request, body: Any) -> Response:
    async def pieces() -> Any:
        for number in range(100):
            yield f"data: {number:010}\n\n"
            await asyncio.sleep(0)

    return StreamingResponse(pieces(), media_type="text/event-stream")


VERBS = (
    Verb("echo.say", "POST", r"/v1/(?P<region>[a-z0-9-]+)/things:say", _echo),
    Verb("echo.stream", "GET", r"/v1/(?P<region>[a-z0-9-]+)/things", _stream),
)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with serving(VERBS) as running:
        yield running


def say(cloud: Cloud, region: str = "us-central1") -> httpx.Response:
    return httpx.post(f"{cloud.url}/v1/{region}/things:say", json={"a": 1}, timeout=5)


def listen(cloud: Cloud, heard: list[bytes]) -> None:
    with httpx.stream("GET", f"{cloud.url}/v1/x/things") as answer:
        for piece in answer.iter_bytes():
            heard.append(piece)


def test_a_call_is_noted_with_its_verb(cloud: Cloud) -> None:
    assert say(cloud).json()["body"] == {"a": 1}
    assert [(call.name, call.body) for call in cloud.heard("echo")] == [("echo.say", {"a": 1})]


def test_what_is_no_method_says_so_in_googles_form(cloud: Cloud) -> None:
    answer = httpx.get(f"{cloud.url}/nowhere")
    assert (answer.status_code, answer.json()["error"]["status"]) == (404, "NOT_FOUND")


def test_a_fault_happens_so_many_times_where_its_rule_says(cloud: Cloud) -> None:
    cloud.faults.add(Kind.BUSY, "echo.say", "us-central1", times=2, retry_after="1")
    assert say(cloud, "europe-west4").status_code == 200
    refused = [say(cloud), say(cloud)]
    assert [(one.status_code, one.headers["Retry-After"]) for one in refused] == [(429, "1")] * 2
    assert say(cloud).status_code == 200


def test_a_body_that_is_cut_off_or_spoilt(cloud: Cloud) -> None:
    cloud.faults.add(Kind.TRUNCATED, times=1, bytes=20)
    assert len(say(cloud).content) == 20
    cloud.faults.add(Kind.GARBLED, times=1)
    with pytest.raises(ValueError, match="Expecting"):
        say(cloud).json()


def test_a_stream_that_breaks_off(cloud: Cloud) -> None:
    cloud.faults.add(Kind.DROPS, times=1, bytes=50)
    heard: list[bytes] = []
    with pytest.raises(httpx.RemoteProtocolError):
        listen(cloud, heard)
    assert len(b"".join(heard)) == 50
    assert httpx.get(f"{cloud.url}/v1/x/things").text.count("data:") == 100


def test_a_server_that_hangs_does_not_keep_the_block_from_ending() -> None:
    with serving(VERBS) as cloud:
        cloud.faults.add(Kind.HANGS)
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{cloud.url}/v1/x/things:say", json={}, timeout=0.2)
