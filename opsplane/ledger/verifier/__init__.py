"""Verifies a ledger with nothing but Python's standard library and, for signatures, `cryptography`.

The product uses this package, and exports carry a copy of it, byte by byte, beside a `verify.py` that starts it.
"""

from pathlib import Path

from .notes import (
    Checkpoint,
    NoteError,
    check_note,
    format_key,
    open_note,
    parse_key,
    parse_note,
    read_checkpoint,
    signed_by,
)
from .proof import START, Tree, body, entry_hash, node_hash, split, verify_consistency, verify_inclusion
from .report import Remark, Report, State, Violation
from .verdict import verify

__all__ = [
    "START",
    "Checkpoint",
    "NoteError",
    "Remark",
    "Report",
    "State",
    "Tree",
    "Violation",
    "body",
    "check_note",
    "entry_hash",
    "files",
    "format_key",
    "node_hash",
    "open_note",
    "parse_key",
    "parse_note",
    "read_checkpoint",
    "signed_by",
    "split",
    "verify",
    "verify_consistency",
    "verify_inclusion",
]


def files() -> dict[str, bytes]:
    """What an export carries of this package, by name in its folder; `python verify.py FOLDER` starts it there."""
    here = Path(__file__).parent
    carried = {f"verifier/{path.name}": path.read_bytes() for path in sorted(here.glob("*.py"))}
    return carried | {"verify.py": carried.pop("verifier/launcher.py")}
