"""`opsplane doctor`: everything that this configuration depends on, asked one by one, with what is to be mended."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic

from opsplane.errors import PlaneError

SECONDS = 15.0
"""What all probes together may take once the last of them has begun."""


class Health(StrEnum):
    """How something stands."""

    WELL = "well"
    DOUBTFUL = "doubtful"  # it works, and somebody should look at it
    ILL = "ill"


@dataclass(frozen=True)
class Sign:
    """What was found out about one thing, in one line."""

    name: str
    health: Health
    words: str


class Doubt(Exception):
    """Something works, but should be looked at."""


@dataclass(frozen=True)
class Probe:
    """One thing to ask. `look` says what is well, or raises `Doubt`, or an error whose first line says what is not."""

    name: str
    look: Callable[[], str]


def examine(probes: Sequence[Probe], seconds: float = SECONDS) -> Iterator[Sign]:
    """The signs, in the order of the probes, which are looked at side by side.

    A probe that does not come back within `seconds` is left behind, and is ill.
    """
    running = [_Running(probe) for probe in probes]
    end = monotonic() + seconds
    for one in running:
        yield one.sign(max(end - monotonic(), 0.0), seconds)


def worst(signs: Sequence[Sign]) -> Health:
    """How the whole stands."""
    order = list(Health)
    return max((sign.health for sign in signs), key=order.index, default=Health.WELL)


class _Running:
    """A probe at work in a thread of its own that nobody waits for at the end of the process."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._found: Sign | None = None
        self._thread = threading.Thread(target=self._look, daemon=True, name=f"doctor: {probe.name}")
        self._thread.start()

    def sign(self, seconds: float, whole: float) -> Sign:
        self._thread.join(seconds)
        return self._found or Sign(self._probe.name, Health.ILL, f"no answer within {whole:g} seconds")

    def _look(self) -> None:
        name = self._probe.name
        try:
            self._found = Sign(name, Health.WELL, self._probe.look())
        except Doubt as doubt:
            self._found = Sign(name, Health.DOUBTFUL, _line(doubt))
        except PlaneError as error:
            self._found = Sign(name, Health.ILL, _line(error))
        except Exception as error:  # noqa: BLE001 - whatever a library raises is a finding, and is shown
            self._found = Sign(name, Health.ILL, f"{type(error).__name__}: {_line(error)}")


def _line(error: Exception) -> str:
    """An error in one line."""
    return " ".join(str(error).split())[:400] or "it says nothing about itself"
