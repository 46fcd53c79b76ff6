"""The way to Google's own systems over REST: where they are, and the token that is shown there."""

import asyncio
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

from assistant.cloud import NOBODY, Cloud
from assistant.examiners.wire import Wire, address
from opsplane.errors import InvalidRequest
from opsplane.guardrails.external import NoVerdict
from opsplane.release import External

_GOOGLES = re.compile(r"https://[a-z0-9.-]+\.googleapis\.com(?::443)?(?:/|$)")


def google_wire(line: External, where: str, cloud: Cloud, service: str, googles: str) -> Wire:
    """The wire to a service: the line's endpoint, else the settings', else Google's own; raises `InvalidRelease`.

    A token is shown to Google, and to what the settings name in its place; to nobody else, whatever a line says.
    """
    chosen = cloud.address(service)
    endpoint = address(line.endpoint or chosen or googles, where)
    trusted = _GOOGLES.match(endpoint) or (chosen and endpoint == chosen)
    shown = Ambient(cloud.login) if trusted and cloud.credentials != NOBODY else None
    return Wire(endpoint, line.timeout_seconds, shown)


class Ambient:
    """Google's credentials as headers; raises `NoVerdict` where there are none."""

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find
        self._credentials: Any = None
        self._lock = threading.Lock()

    async def __call__(self) -> Mapping[str, str]:
        """The headers; a fresh token is fetched in a thread."""
        try:
            token = await asyncio.to_thread(self._token)
        except GoogleAuthError as error:
            raise NoVerdict(f"no credentials ({type(error).__name__})") from error
        except InvalidRequest as error:  # it names the setting
            raise NoVerdict(str(error)) from error
        return {"Authorization": f"Bearer {token}"}

    def _token(self) -> str:
        with self._lock:
            if self._credentials is None:
                self._credentials = self._find()
            if not self._credentials.valid:
                self._credentials.refresh(Request())
            return str(self._credentials.token)
