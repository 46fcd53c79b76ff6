"""The trace of a proxy: calls go on with it, sockets refer to it, nonsense is passed over."""

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from assistant import telemetry
from assistant.traceparent import CONNECTION, Continued, remote
from tests.assistant.observed import SECRET, settings
from tests.collector import Collector, collecting

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


async def passage(request: Request) -> PlainTextResponse:
    """What a line that is logged here would name."""
    return PlainTextResponse(trace.format_trace_id(trace.get_current_span().get_span_context().trace_id))


async def socket(connection: WebSocket) -> None:
    behind = CONNECTION.get()
    await connection.accept()
    await connection.send_text(trace.format_trace_id(behind.trace_id) if behind else "none")
    await connection.close()


def site() -> Starlette:
    return Starlette(routes=[Route("/passages/{exchange}", passage), WebSocketRoute("/ws", socket)])


def test_a_call_goes_on_with_the_trace_that_it_comes_with(collector: Collector) -> None:
    with telemetry.opened(settings(collector), SECRET) as observer:
        client = TestClient(Continued(site(), observer.tracer))
        assert client.get("/passages/secret-id", headers={"traceparent": PARENT}).text == TRACE
    span = collector.one("GET /passages/{exchange}")
    assert (span.raw.trace_id.hex(), span.raw.parent_span_id.hex()) == (TRACE, "b7ad6b7169203331")
    assert span.attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/passages/{exchange}",
    }
    assert b"secret-id" not in collector.bodies


def test_lines_of_a_call_name_its_trace_where_nothing_is_sent() -> None:
    client = TestClient(Continued(site()))
    assert client.get("/passages/1", headers={"traceparent": PARENT}).text == TRACE


def test_a_call_that_comes_with_none_passes_through(collector: Collector) -> None:
    with telemetry.opened(settings(collector), SECRET) as observer:
        assert set(TestClient(Continued(site(), observer.tracer)).get("/passages/1").text) == {"0"}
    assert not collector.spans


def test_a_socket_remembers_the_trace_that_it_was_opened_under() -> None:
    client = TestClient(Continued(site()))
    with client.websocket_connect("/ws", headers={"traceparent": PARENT}) as connection:
        assert connection.receive_text() == TRACE
    with client.websocket_connect("/ws") as connection:
        assert connection.receive_text() == "none"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"traceparent", b"nonsense")],
        [(b"traceparent", b"\xff" * 40)],
        [(b"traceparent", f"00-{'0' * 32}-b7ad6b7169203331-01".encode())],
        [(b"traceparent", PARENT.encode() + b"-" * 10_000)],
        [(b"traceparent", PARENT.encode())] * 2,
    ],
)
def test_what_is_no_trace_is_none(headers: list[tuple[bytes, bytes]]) -> None:
    assert remote(headers) is None
