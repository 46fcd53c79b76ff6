"""The door to Google's Discovery Engine: Vertex AI Search and the ranking API, asked in time and never too often."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from threading import Lock
from typing import Any

from assistant.cloud import Cloud
from opsplane.errors import InvalidRequest
from opsplane.guardrails.external import Breaker

THREADS = 32
"""Calls that may be under way at once; what must wait longer than its time for one is given up."""
PAUSE = 0.1
"""Seconds before the second try, where the service is busy."""

_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_PLACE = re.compile(r"projects/[^/]+/locations/([a-z0-9-]+)/")


class Unanswered(Exception):
    """The service gave no answer that can be used; the message holds no word of a question."""


class Refused(Unanswered):
    """The service will not do what it was asked; `code` is the status."""

    def __init__(self, code: int, told: str) -> None:
        super().__init__(f"answer {code}: {told}")
        self.code = code


class Discovery:
    """Google's clients for one cloud, made when they are first needed. Turns may share it.

    The clients block, so that they have threads of their own: a service that hangs takes none from the turns.
    """

    def __init__(self, cloud: Cloud, clock: Callable[[], float] = time.monotonic) -> None:
        self.cloud = cloud
        self.clock = clock
        self._threads = ThreadPoolExecutor(THREADS, "discovery")
        self._clients: dict[tuple[str, str], Any] = {}
        self._breakers: dict[tuple[str, str], Breaker] = {}
        self._lock = Lock()

    def open(self, verb: str, name: str) -> None:
        """Open the client for a resource before it is needed; raise `InvalidRequest` where nobody can sign in."""
        self._client(verb, _location(name))

    def close(self) -> None:
        """Let the connections go; what is under way is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            for client in self._clients.values():
                client.transport.close()
            self._clients.clear()

    async def search(self, request: Mapping[str, Any], seconds: float) -> Mapping[str, Any]:
        """The first page of what a serving configuration finds, as a `SearchResponse`; raises `Unanswered`."""
        return await self._asked("search", request["serving_config"], request, seconds)

    async def rank(self, request: Mapping[str, Any], seconds: float) -> Mapping[str, Any]:
        """Records in a better order, as a `RankResponse`; raises `Unanswered`."""
        return await self._asked("rank", request["ranking_config"], request, seconds)

    async def _asked(self, verb: str, name: str, request: Mapping[str, Any], seconds: float) -> Mapping[str, Any]:
        breaker = self._breakers.setdefault((verb, name), Breaker(self.clock))
        if breaker.open:
            raise Unanswered("left alone after failures in a row")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                answer = await loop.run_in_executor(self._threads, self._call, verb, name, request, seconds)
        except TimeoutError as error:
            breaker.failed()
            raise Unanswered(f"no answer in {seconds:g} s") from error
        except InvalidRequest as error:  # no credentials
            raise Unanswered(str(error)) from error
        except Exception as error:  # connections and bodies break in the errors of three libraries
            code = _code(error)
            if 400 <= code < 500 and code not in _BUSY:  # else a customer's words could turn it off for everybody
                raise Refused(code, type(error).__name__) from error
            breaker.failed()
            raise Unanswered(f"answer {code}" if code else type(error).__name__) from error
        breaker.worked()
        return answer

    def _call(self, verb: str, name: str, request: Mapping[str, Any], seconds: float) -> Mapping[str, Any]:
        """One call, and another where the service was busy; in a thread of its own."""
        begun = self.clock()
        ask = getattr(self._client(verb, _location(name)), verb)
        try:
            answer = ask(request=dict(request), timeout=seconds)
        except Exception as error:
            left = seconds - (self.clock() - begun) - PAUSE
            if _code(error) not in _BUSY or left <= 0:
                raise
            time.sleep(PAUSE)
            answer = ask(request=dict(request), timeout=left)
        first = next(iter(answer.pages)) if hasattr(answer, "pages") else answer
        told: Mapping[str, Any] = type(first).to_dict(first, use_integers_for_enums=False)
        return told

    def _client(self, verb: str, location: str) -> Any:
        with self._lock:
            if (verb, location) not in self._clients:
                self._clients[verb, location] = self._opened(verb, location)
            return self._clients[verb, location]

    def _opened(self, verb: str, location: str) -> Any:
        # these take a second and 70 MB, which only releases that search or rank there should pay
        from google.api_core.client_options import ClientOptions  # noqa: PLC0415
        from google.cloud import discoveryengine_v1 as service  # noqa: PLC0415

        kind: Any = {"search": service.SearchServiceClient, "rank": service.RankServiceClient}[verb]
        host = self.cloud.address("search") or f"https://{googles_host(location)}"
        client = kind(credentials=self.cloud.login(), transport="rest", client_options=ClientOptions(api_endpoint=host))
        # its session keeps ten connections, and every thread beyond would shake hands anew
        client.transport._session.get_adapter(host).init_poolmanager(1, THREADS)
        return client


def _code(error: Exception) -> int:
    """The status that the service answered; 0 where it did not."""
    return int(getattr(error, "code", None) or 0)


def googles_host(location: str) -> str:
    """Where Google itself serves a location; another location's host refuses the call."""
    return "discoveryengine.googleapis.com" if location == "global" else f"{location}-discoveryengine.googleapis.com"


def _location(name: str) -> str:
    """The location in a resource's name; raises `InvalidRequest` for what is no name."""
    if not (found := _PLACE.match(name)):
        raise InvalidRequest(f"{name!r} is not projects/P/locations/L/…")
    return found[1]
