"""Where embedding models of Google Cloud are asked."""

from collections.abc import Callable
from dataclasses import dataclass

from google.auth.credentials import Credentials


def _unbooked(model: str, tokens: int) -> None:
    """Nobody counts."""


@dataclass(frozen=True)
class Remote:
    """A project and region, who asks, and the address where it is not Google's own.

    `booked` is told the price table's name of the model and the tokens of each call that was answered, from any thread.
    """

    project: str
    location: str
    login: Callable[[], Credentials]
    address: str = ""
    api_version: str = ""
    booked: Callable[[str, int], None] = _unbooked
