"""Vectors sent to Google in bulk: JSON of our own, since the client's takes two seconds for a thousand vectors."""

from typing import Any

from google.api_core import exceptions
from google.auth.transport.requests import AuthorizedSession

from knowledge.index.site import Site
from knowledge.index.store import Floats

_DIGITS = 9
"""After the point: what is left out is smaller than what a 32-bit float tells of a unit vector's numbers."""


class Bulk:
    """Posts to one address, signed in as the clients are."""

    def __init__(self, site: Site, address: str) -> None:
        self._base = address if "://" in address else f"https://{address}"
        self._session = AuthorizedSession(site.credentials)  # type: ignore[no-untyped-call]

    def post(self, path: str, body: Any, timeout: float) -> None:
        """Post to a path such as `projects/…:verb`; raises what the clients raise."""
        answer = self._session.post(f"{self._base}/v1/{path}", json=body, timeout=timeout)
        if answer.status_code >= 400:
            raise exceptions.from_http_response(answer)  # type: ignore[no-untyped-call]
        answer.json()  # a gateway's page is no answer

    def close(self) -> None:
        """Close the connections."""
        self._session.close()  # type: ignore[no-untyped-call]


def numbers(vectors: Floats) -> list[list[float]]:
    """Unit vectors as JSON has them, shape (rows, width)."""
    told: list[list[float]] = vectors.astype("float64").round(_DIGITS).tolist()
    return told
