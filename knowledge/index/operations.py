"""Google's long operations: waited for with growing pauses, remembered beside the library, carried on after a crash."""

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from knowledge.index.calling import Caller, Taken
from knowledge.index.store import Missing, Progress, Unfit, Unreachable

log = logging.getLogger(__name__)

LONGEST = 7_200.0
"""Seconds that an operation is waited for: deploying an index takes half an hour."""
_PAUSE, _GROWS, _LONGEST_PAUSE = 1.0, 1.5, 60.0


@dataclass(frozen=True)
class Operation:
    """How far a long operation is, and why it failed where it did."""

    done: bool
    failure: str = ""


class Operations:
    """The operations of one library. `path` is the file of those under way, each by what it is for: whoever comes after
    a crash waits for the same. The last word of what it is for is the name of what it makes or deletes."""

    def __init__(self, caller: Caller, path: Path, ask: Callable[[str], Operation]) -> None:
        self._caller = caller
        self._path = path
        self._ask = ask

    def names(self) -> set[str]:
        """The names of what is being made or deleted, as far as is known here."""
        return {what.split()[-1] for what in self._under_way()}

    def through(self, what: str, begin: Callable[[], str], progress: Progress = lambda *_: None) -> None:
        """Begin an operation, unless one for the same is under way, and wait until it is over.

        `begin` may be called again after a failure, so it looks first whether there is anything to do, and tells the
        name of the operation, or nothing. Raises `Unfit` where the operation fails, `Unreachable` after two hours.
        """
        try:
            name = self._under_way().get(what) or self._caller.do(what, begin)
        except Taken as error:
            raise Unreachable(f"Another run is about to {what} ({error}). Try again when it is over.") from error
        if not name:
            return
        self._write(self._under_way() | {what: name})
        try:
            self._wait(what, name, progress)
        except Unfit:
            self._over(what)
            raise
        self._over(what)

    def away(self, what: str, begin: Callable[[], str]) -> None:
        """Through an operation that takes something away; it may be gone already."""
        with suppress(Missing):
            self.through(what, begin)

    def busy(self, name: str) -> bool:
        """Whether what a run that broke off began for a name is still going on; what is over is forgotten."""
        for what, operation in self._under_way().items():
            if what.split()[-1] != name:
                continue
            with suppress(Missing):
                if not self._look(what, operation).done:
                    log.info("to %s is still under way", what)
                    return True
            self._over(what)
        return False

    def _wait(self, what: str, name: str, progress: Progress) -> None:
        """Wait for an operation; one that nobody remembers is over."""
        pause, waited = _PAUSE, 0.0
        while True:
            try:
                operation = self._look(what, name)
            except Missing:
                return
            if operation.done:
                break
            if waited >= LONGEST:
                raise Unreachable(f"To {what} takes longer than two hours. Run the same again: it goes on waiting.")
            progress(f"{what}: {waited / 60:.0f} minutes", int(waited), int(LONGEST))
            self._caller.site.sleep(pause)
            pause, waited = min(pause * _GROWS, _LONGEST_PAUSE), waited + pause
        if operation.failure:
            raise Unfit(f"Google Cloud could not {what}: {operation.failure} {self._caller.advice(operation.failure)}")

    def _look(self, what: str, name: str) -> Operation:
        return self._caller.do(f"tell how far it is ({what})", lambda: self._ask(name))

    def _over(self, what: str) -> None:
        self._write({one: name for one, name in self._under_way().items() if one != what})

    def _under_way(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._path.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError):
            return {}

    def _write(self, held: dict[str, str]) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(held), encoding="utf-8")
        fresh.replace(self._path)
