"""An export folder: its manifest, its files, and the ledger or the part of one that is in them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .lines import json_object, lines, row_of
from .notes import NoteError, open_note, read_checkpoint
from .parts import check_parts
from .report import Remark, Result
from .verdict import verify

_OWN = {"manifest.json", "manifest.sig"}


class Unreadable(Exception):
    """There is no export here that could be verified."""


def verify_folder(folder: Path, keys: Sequence[str] = (), anchor: Path | None = None) -> Result:
    """Verify an export; `keys` are pinned verifier keys, `anchor` a file of checkpoints that was kept elsewhere.

    Raises `Unreadable` or `OSError` where there is no export, and `NoteError` where a key is none.
    """
    try:
        written = (folder / "manifest.json").read_bytes()
    except OSError as error:
        raise Unreadable(f"There is no export in {folder}: manifest.json cannot be read ({error.strerror}).") from error
    manifest = json_object(written)
    if not isinstance(manifest.get("files"), dict):
        raise Unreadable("manifest.json is not the manifest of an export.")
    result = Result()
    _check_files(folder, manifest["files"], result)
    anchored: list[str] = []
    if anchor:
        anchored, torn = read_anchor(anchor)
        result.remarks += torn
    if manifest.get("complete") is True:
        trusted = _check_chain(folder, keys, anchored, result)
    else:
        trusted = check_parts(folder, keys, anchored, result)
    _check_signature(folder, written, trusted, result)
    return result


def read_anchor(file: Path) -> tuple[list[str], list[Remark]]:
    """The checkpoints in an anchor's file, and a remark for each line that a crash cut short."""
    notes, remarks = [], []
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        note = json_object(line).get("note")
        if isinstance(note, str):
            notes.append(note)
        elif line.strip():
            remarks.append(Remark("anchor.torn", None, f"line {number} of the anchor cannot be read"))
    return notes, remarks


def _check_files(folder: Path, files: dict[str, Any], result: Result) -> None:
    """Every file against its SHA-256 in the manifest; what the manifest does not name is remarked."""
    for name, digest in files.items():
        path = folder / name
        if "\0" in name or not path.resolve().is_relative_to(folder.resolve()):
            result.add("file.outside", None, f"{name} is not in the folder")
        elif not path.is_file():
            result.add("file.missing", None, f"{name} is missing")
        else:
            with path.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
                    result.add("file.changed", None, f"{name} is not what the manifest was made of")
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in files and name not in _OWN and "__pycache__" not in name:
            result.remarks.append(Remark("file.uncovered", None, f"{name} is not in the manifest: nothing proves it"))
    result.checked.append(f"{len(files)} files against the manifest")


def _check_signature(folder: Path, written: bytes, trusted: Sequence[str], result: Result) -> None:
    """The note under the manifest."""
    try:
        note = (folder / "manifest.sig").read_bytes().decode(errors="replace")
        text, key = open_note(note, trusted)
        if text != f"opsplane-export/1\n{hashlib.sha256(written).hexdigest()}\n":
            raise NoteError("manifest.changed", "manifest.sig was made for another manifest")
        result.checked.append(f"the manifest's signature by {key}")
    except FileNotFoundError:
        result.add("manifest.unsigned", None, "manifest.sig is missing")
    except NoteError as error:
        result.add(error.code.replace("checkpoint.", "manifest."), None, f"manifest.sig: {error}")


def _check_chain(folder: Path, keys: Sequence[str], anchored: Sequence[str], result: Result) -> Sequence[str]:
    """A whole ledger: its entries against its checkpoints. Gives the keys to trust."""
    notes = [str(json_object(line).get("note")) for line in lines(folder / "checkpoints.jsonl", result)]
    last = max((_size(note) for note in notes), default=0)
    within = [note for note in anchored if _size(note) <= last]
    if len(within) < len(anchored):
        later = f"{len(anchored) - len(within)} anchored checkpoints are later than this export"
        result.remarks.append(Remark("anchor.later", None, later))
    report = verify(map(row_of, lines(folder / "entries.jsonl", result)), notes, within, keys)
    result.violations += report.violations
    result.remarks += report.remarks
    result.checked.append(f"{report.entries} entries of {report.origin or 'an unknown ledger'}")
    result.checked.append(f"{report.checkpoints} checkpoints; a signed root covers entries 1 to {report.proven}")
    return report.keys


def _size(note: str) -> int:
    try:
        return read_checkpoint(note).size
    except NoteError:
        return 0
