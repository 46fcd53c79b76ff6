"""A person behind a socket, without a browser: what a program may try that the page would never do."""

import json
from contextlib import ExitStack
from http.cookiejar import CookieJar
from types import TracebackType
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener
from uuid import uuid4

from websockets import Origin
from websockets.sync.client import ClientConnection, connect

PATIENCE = 15.0  # seconds for one frame


class Caller:
    """A person's HTTP requests with their cookies."""

    def __init__(self, url: str, name: str = "", password: str = "demo") -> None:
        self.url = url
        self._jar = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self._jar))
        if name:
            status, _ = self.call("POST", "/login", form={"username": name, "password": password})
            assert status == 200

    @property
    def cookies(self) -> str:
        """As a Cookie header."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._jar)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        form: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, str]:
        """Status and text of one request."""
        data = body if isinstance(body, bytes) else urlencode(form).encode() if form else None
        if data is None and body is not None:
            data = json.dumps(body).encode()
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        request = Request(self.url + path, data, {"Content-Type": kind, **(headers or {})}, method=method)
        try:
            with self._opener.open(request) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def headers(self, path: str) -> dict[str, str]:
        """The headers of a page, names in lower case."""
        with self._opener.open(self.url + path) as answer:
            return {name.lower(): value for name, value in answer.headers.items()}


class Line:
    """One socket of a signed-in caller, spoken as Chainlit's page speaks it."""

    def __init__(self, caller: Caller, *, session: str = "", thread: str = "", origin: str | None = None) -> None:
        self.session = session or str(uuid4())
        self._auth = {
            "clientType": "webapp",
            "sessionId": self.session,
            "threadId": thread,
            "userEnv": "{}",
            "chatProfile": "",
        }
        url = caller.url.replace("http", "ws", 1) + "/ws/socket.io/?EIO=4&transport=websocket"
        cookies = {"Cookie": caller.cookies} if caller.cookies else {}
        named = None if origin is None else Origin(origin)
        self._open = ExitStack()
        self._socket: ClientConnection = self._open.enter_context(
            connect(url, origin=named, additional_headers=cookies, max_size=None)
        )
        self._socket.recv(PATIENCE)
        self._socket.send("40" + json.dumps(self._auth))
        self.accepted = self._raw().startswith("40")
        if self.accepted:
            self.emit("connection_successful")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.__exit__(kind, error, at)

    def emit(self, event: str, *values: object) -> None:
        """Send one event."""
        self._socket.send("42" + json.dumps([event, *values]))

    def say(self, text: str, **changes: object) -> str:
        """Send one message; its id."""
        identity = str(uuid4())
        message = {"id": identity, "type": "user_message", "name": "me", "output": text, "metadata": {}, **changes}
        self.emit("client_message", {"message": message, "fileReferences": []})
        return identity

    def until(self, event: str, text: str = "") -> Any:
        """The data of the next such event that holds the text."""
        while True:
            frame = self._raw()
            if frame.startswith("42") and (heard := json.loads(frame[2:]))[0] == event and text in frame:
                return heard[1] if len(heard) > 1 else None

    def _raw(self) -> str:
        while True:
            frame = str(self._socket.recv(PATIENCE))
            if frame != "2":
                return frame
            self._socket.send("3")
