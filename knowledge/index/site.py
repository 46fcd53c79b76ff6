"""Where in Google Cloud the vectors of a library lie, and by which names they are known there."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from google.auth.credentials import Credentials

from knowledge.index.store import Holding

PREFIX = "opsplane"
"""What every name begins with, and the label that everything made by this product has."""


@dataclass(frozen=True)
class Site:
    """One project and region. `address` is Google's own where it is empty; a question waits `deadline` seconds for its
    answer, and after a failure none is asked for `rest` seconds."""

    project: str
    location: str
    credentials: Credentials
    address: str = ""
    machine: str = "e2-standard-2"
    deadline: float = 2.0
    rest: float = 10.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    @property
    def parent(self) -> str:
        """The region as Google names it."""
        return f"projects/{self.project}/locations/{self.location}"


def installation(folder: Path) -> str:
    """Eight digits that tell the library in a folder from every other; made where there are none yet."""
    path = folder / "installation"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as fresh:
            fresh.write(secrets.token_hex(4))
    except FileExistsError:
        pass
    return path.read_text(encoding="utf-8")


class Made(Protocol):
    """Something that was made there, as its service tells it."""

    @property
    def name(self) -> str:
        """As Google names it."""
        ...

    @property
    def labels(self) -> Mapping[str, str]:
        """Ours among them."""
        ...

    @property
    def made(self) -> str:
        """When."""
        ...


def holding(kind: str, one: Made, state: str, machine: str) -> Holding:
    """Something made there, by its labels: whose it is and for which base."""
    labels = one.labels
    return Holding(
        kind=kind,
        name=one.name,
        installation=labels.get(PREFIX, ""),
        base=labels.get("base", ""),
        state=state,
        machine=machine,
        rows=int(labels.get("rows", "0") or 0),
        made=one.made,
    )
