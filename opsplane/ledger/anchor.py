"""Where checkpoints are kept outside the database: a folder, best on a disk that the database's owner cannot write to.

One file of checkpoints a ledger, one JSON line each, and one file of the keys that signed them. Lines are only added.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from opsplane.errors import RecordUnavailable
from opsplane.ledger.folder import sync


@dataclass(frozen=True)
class Anchored:
    """One checkpoint as it stands in the anchor; `timestamp` is an RFC 3161 token in base64, or empty."""

    note: str
    timestamp: str = ""


class Anchor:
    """The folder; every failure to write or read is `RecordUnavailable`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, ledger: str, one: Anchored) -> None:
        """Append a checkpoint and wait until it is on the disk."""
        line = {"note": one.note} | ({"timestamp": one.timestamp} if one.timestamp else {})
        self._append(self.checkpoints_file(ledger), json.dumps(line))

    def add_key(self, ledger: str, key: str) -> None:
        """Append a verifier key unless it is there."""
        if key not in self.keys(ledger):
            self._append(self.keys_file(ledger), key)

    def keys(self, ledger: str) -> list[str]:
        """The verifier keys, oldest first."""
        return [line for line in self._lines(self.keys_file(ledger)) if line]

    def checkpoints(self, ledger: str) -> tuple[list[Anchored], list[str]]:
        """What is anchored, oldest first, and a warning for each line that cannot be read (a torn last one is none)."""
        found, warnings = [], []
        for number, line in enumerate(self._lines(self.checkpoints_file(ledger)), 1):
            try:
                values = json.loads(line)
                found.append(Anchored(str(values["note"]), str(values.get("timestamp", ""))))
            except (ValueError, KeyError, TypeError, AttributeError):
                warnings.append(f"line {number} of the anchor cannot be read")
        return found, warnings

    def ledgers(self) -> list[str]:
        """The ledgers that have checkpoints here."""
        return sorted(file.stem for file in self.folder.glob("*.checkpoints"))

    def checkpoints_file(self, ledger: str) -> Path:
        """The file of a ledger's checkpoints."""
        return self.folder / f"{ledger}.checkpoints"

    def keys_file(self, ledger: str) -> Path:
        """The file of a ledger's verifier keys."""
        return self.folder / f"{ledger}.keys"

    def _lines(self, file: Path) -> Iterator[str]:
        try:
            text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
        except OSError as error:
            raise RecordUnavailable(f"The anchor {file.name} cannot be read: {error.strerror}") from error
        yield from text.splitlines()

    def _append(self, file: Path, line: str) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            new = not file.exists()
            with file.open("ab+") as stream:
                stream.seek(0, os.SEEK_END)
                torn = (
                    stream.tell() > 0 and _last_byte(file) != b"\n"
                )  # a crash cut the last line: leave it, begin anew
                stream.write((b"\n" if torn else b"") + line.encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            if new:  # the names of file and folder must be durable too
                sync(self.folder)
                sync(self.folder.parent)
        except OSError as error:
            raise RecordUnavailable(f"The anchor {file.name} cannot be written: {error.strerror}") from error


def _last_byte(file: Path) -> bytes:
    with file.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1)
