"""The state of the local cloud, and what its services are made of."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.vertex.faults import Faults

PROJECT = "wrenfield-local"
LOCATION = "us-central1"


class Refusal(Exception):
    """An error in Google's form: `{"error": {"code", "status", "message"}}`."""

    def __init__(self, code: int, status: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.headers = headers or {}
        self.body = {"error": {"code": code, "status": status, "message": message}}


@dataclass(frozen=True)
class Call:
    """One call that arrived: `name` is `service.verb`."""

    name: str
    method: str
    path: str
    body: Any
    headers: dict[str, str]
    query: dict[str, str]


@dataclass
class Pace:
    """How fast models write, in seconds."""

    first_token: float = 0.0
    token: float = 0.0


@dataclass
class Cloud:
    """One local cloud. Each service keeps what it holds under its own name in `held`."""

    url: str = ""
    faults: Faults = field(default_factory=Faults)
    pace: Pace = field(default_factory=Pace)
    project: str = PROJECT
    calls: list[Call] = field(default_factory=list)
    held: dict[str, Any] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def heard(self, name: str) -> list[Call]:
        """The calls of a service, or of one of its verbs."""
        with self.lock:
            return [call for call in self.calls if call.name.startswith(name)]


Endpoint = Callable[[Cloud, Request, Any], Awaitable[Response]]


@dataclass(frozen=True)
class Verb:
    """One method of a service: `path` is a regular expression of the whole path, its groups are path parameters.

    `answer` is handed the cloud, the request (with `request.path_params`) and the decoded body; it may raise
    `Refusal`, and stream.
    """

    name: str  # service.verb
    method: str
    path: str
    answer: Endpoint


def told(value: Any, status: int = 200) -> JSONResponse:
    """A JSON answer."""
    return JSONResponse(value, status)
