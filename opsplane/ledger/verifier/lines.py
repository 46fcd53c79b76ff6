"""The lines of an export's files, read so that nothing in them can stop the verification."""

import binascii
import json
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

from .report import Result

COLUMNS = ("seq", "at", "kind", "actor", "role", "exchange", "subject", "key", "payload", "sealed", "hash")
_VALUES = itemgetter(*COLUMNS)


def json_object(text: Any) -> dict[str, Any]:
    """The JSON object in the text, empty where there is none."""
    try:
        found = json.loads(text.decode() if type(text) is bytes else text)
    except (TypeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def lines(file: Path, result: Result) -> Iterator[bytes]:
    """The file's lines without their ends; a file that is not there is a violation."""
    try:
        with file.open("rb") as stream:
            for line in stream:
                yield line.rstrip(b"\r\n")
    except OSError as error:
        result.add("file.missing", None, f"{file.name} cannot be read: {error.strerror}")


def row_of(line: bytes) -> tuple[Any, ...]:
    """An entry as a tuple of the table's columns; what cannot be read stays as it is, and the walk reports it."""
    found = json_object(line)
    try:
        *names, payload, sealed, digest = _VALUES(found)
        return (*names, payload.encode(), binascii.a2b_base64(sealed, strict_mode=True), bytes.fromhex(digest))
    except (AttributeError, KeyError, TypeError, ValueError):
        return tuple(found.get(name) for name in COLUMNS)
