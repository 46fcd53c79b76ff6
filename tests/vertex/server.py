"""The server: finds the verb of each call, notes it, does what faults say, and answers."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from tests.vertex.cloud import Call, Cloud, Refusal, Verb
from tests.vertex.faults import Fault, Kind

_STATUS = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_CUT = (Kind.DROPS, Kind.TRUNCATED, Kind.GARBLED)
_MOST_CALLS = 100_000


class Server:
    """An ASGI application over a cloud and the verbs of its services."""

    def __init__(self, cloud: Cloud, verbs: Sequence[Verb]) -> None:
        self.cloud = cloud
        self._verbs = [(verb, re.compile(verb.path)) for verb in verbs]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        path = request.url.path
        verb, found = self._find(request.method, path)
        body = _decoded(await request.body())
        name = verb.name if verb else "unknown"
        self._note(Call(name, request.method, path, body, dict(request.headers), dict(request.query_params)))
        fault = self.cloud.faults.common(name, path)
        try:
            if fault:
                await _done(fault)
            if verb is None:
                raise Refusal(404, "NOT_FOUND", f"{request.method} {path} is no method of this server")
            scope["path_params"] = found
            response: Response = await verb.answer(self.cloud, request, body)
        except Refusal as refusal:
            response = JSONResponse(refusal.body, refusal.code, refusal.headers)
        await response(scope, receive, _cut(fault, send) if fault and fault.kind in _CUT else send)

    def _find(self, method: str, path: str) -> tuple[Verb | None, dict[str, str]]:
        for verb, pattern in self._verbs:
            if verb.method == method and (found := pattern.fullmatch(path)):
                return verb, {name: value or "" for name, value in found.groupdict().items()}
        return None, {}

    def _note(self, call: Call) -> None:
        with self.cloud.lock:
            self.cloud.calls.append(call)
            del self.cloud.calls[:-_MOST_CALLS]


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body) if body else {}
    except ValueError:
        return body


async def _done(fault: Fault) -> None:
    """What happens before an answer is made."""
    if fault.kind is Kind.HANGS:
        await asyncio.Event().wait()
    if fault.kind is Kind.SLOW:
        await asyncio.sleep(fault.seconds)
    if fault.kind.value.isdigit():
        code = int(fault.kind.value)
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        raise Refusal(code, _STATUS[code], fault.message or HTTPStatus(code).phrase, headers)


class Dropped(Exception):
    """Ends a connection without ending its answer: uvicorn closes it for whatever an application raises."""


def _cut(fault: Fault, send: Send) -> Send:
    """A way to send that breaks or spoils the body."""
    sent, ended = 0, False

    async def cut(message: Message) -> None:
        nonlocal sent, ended
        if message["type"] == "http.response.start":
            # without its length a body can end early
            message["headers"] = [one for one in message["headers"] if one[0].lower() != b"content-length"]
            await send(message)
            return
        if ended:
            return
        body = message.get("body", b"")
        if fault.kind is Kind.GARBLED:
            body = b"<html>" + body.replace(b'"', b"'")
        elif sent + len(body) >= fault.bytes:
            ended, body = True, body[: max(fault.bytes - sent, 0)]
        sent += len(body)
        more = message.get("more_body", False)
        await send({**message, "body": body, "more_body": more and not (ended and fault.kind is Kind.TRUNCATED)})
        if ended and fault.kind is Kind.DROPS:
            raise Dropped

    return cut


@contextmanager
def serving(verbs: Sequence[Verb], cloud: Cloud | None = None, port: int = 0) -> Iterator[Cloud]:
    """A cloud on a port of this machine (0: a free one), until the end of the block."""
    state = cloud or Cloud()
    config = uvicorn.Config(
        Server(state, verbs), "127.0.0.1", port, log_level="critical", lifespan="off", timeout_keep_alive=75
    )
    server = uvicorn.Server(config)
    config.load()
    socket = config.bind_socket()
    socket.listen(128)  # else the first calls may come before anybody listens
    socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)  # else each small answer waits for the client's acknowledgement
    state.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([socket])), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
        socket.close()
