"""How far a full verification of a ledger came, noted beside its checkpoints, so that the next one can go on there."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from opsplane.errors import RecordUnavailable
from opsplane.ledger.anchor import Anchor


@dataclass(frozen=True)
class Reached:
    """A signed checkpoint's size and root, and the keys that were trusted by then."""

    size: int
    root: bytes
    keys: tuple[str, ...]


def read(anchor: Anchor, ledger: str) -> Reached | None:
    """What was noted, or None where there is nothing that can be read."""
    try:
        values = json.loads(_file(anchor, ledger).read_bytes())
        return Reached(int(values["size"]), bytes.fromhex(values["root"]), tuple(map(str, values["keys"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def note(anchor: Anchor, ledger: str, far: Reached) -> None:
    """Note it, in place of what was noted before; raise `RecordUnavailable` where that cannot be."""
    file = _file(anchor, ledger)
    spare = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        with spare.open("w", encoding="ascii") as stream:
            json.dump({"size": far.size, "root": far.root.hex(), "keys": far.keys}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        spare.replace(file)
    except OSError as error:
        raise RecordUnavailable(f"{file.name} cannot be written beside the checkpoints: {error.strerror}") from error
    finally:
        spare.unlink(missing_ok=True)


def _file(anchor: Anchor, ledger: str) -> Path:
    return anchor.folder / f"{ledger}.verified"
