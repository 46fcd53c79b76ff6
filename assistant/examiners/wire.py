"""The way to another system over HTTP: JSON there and back, one more try where it is busy, short answers only."""

import asyncio
import json
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import httpx

from opsplane.errors import InvalidRelease
from opsplane.guardrails.external import NoVerdict, Rejected, Unreadable

LARGEST = 1_000_000
"""Bytes of an answer that are read."""
PAUSE = 0.1
"""Seconds before the second try, where the system does not say how long it wants to be left alone."""

_BUSY = frozenset({429, 503})
Headers = Callable[[], Awaitable[Mapping[str, str]]]


class Wire:
    """One system's address. `seconds` is all that a question may take, both tries and the pause between them."""

    def __init__(self, base: str, seconds: float, headers: Headers | None = None) -> None:
        self._base = base.rstrip("/")
        self._seconds = seconds
        self._headers = headers
        self._trust = _trust()
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()
        for name in ("httpx", "httpcore"):  # they log every address
            logging.getLogger(name).setLevel(logging.WARNING)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """What it answers to `body`, decoded; raises `NoVerdict`."""
        headers = await self._headers() if self._headers else {}
        status, pause, content = await self._once(path, body, headers)
        if status in _BUSY and pause < self._seconds:
            await asyncio.sleep(pause)
            status, _, content = await self._once(path, body, headers)
        if status != 200:
            kind = Rejected if 400 <= status < 500 and status not in _BUSY else NoVerdict
            raise kind(f"answer {status}")
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise Unreadable("the answer is not JSON") from error

    async def close(self) -> None:
        """Let the connections of this event loop go."""
        if client := self._clients.pop(asyncio.get_running_loop(), None):
            await client.aclose()

    async def _once(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> tuple[int, float, bytes]:
        """Status, seconds that the system wants to be left alone, and content."""
        try:
            async with self._client().stream("POST", self._base + path, json=body, headers=headers) as answer:
                content = await _short(answer) if answer.status_code == 200 else b""
                return answer.status_code, _asked_pause(answer.headers.get("Retry-After", "")), content
        except httpx.HTTPError as error:
            raise NoVerdict(f"no connection ({type(error).__name__})") from error

    def _client(self) -> httpx.AsyncClient:
        """Connections live in one event loop; they are kept open, for a handshake costs more than most answers."""
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = httpx.AsyncClient(timeout=self._seconds, follow_redirects=False, verify=self._trust)
        return self._clients[loop]


@cache
def _trust() -> ssl.SSLContext:
    """Whose certificates are believed; reading them takes longer than most checks, and happens once."""
    return httpx.create_ssl_context()


async def _short(answer: httpx.Response) -> bytes:
    content = bytearray()
    async for piece in answer.aiter_bytes():
        content += piece
        if len(content) > LARGEST:
            raise Unreadable(f"the answer is longer than {LARGEST:,} bytes")
    return bytes(content)


def _asked_pause(given: str) -> float:
    """Retry-After as seconds; a date is not waited for."""
    return float(given) if given.isdecimal() else PAUSE


def address(endpoint: str, where: str) -> str:
    """A line's `endpoint`, as it may be used; raises `InvalidRelease`."""
    try:
        parts = urlsplit(endpoint)
        sound = parts.scheme in ("http", "https") and bool(httpx.URL(endpoint).host)
    except (ValueError, httpx.InvalidURL):
        sound = False
    if not sound or parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidRelease(
            f"{where}.endpoint: {endpoint!r} is not an http or https address without user, query and fragment"
        )
    return endpoint


def bearer(key: str) -> Headers | None:
    """The headers of who shows a key; none where there is none."""

    async def headers() -> Mapping[str, str]:
        return {"Authorization": f"Bearer {key}"}

    return headers if key else None
