"""Single entries of a ledger, each with the proof that it stands under a checkpoint's root."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .lines import json_object, lines, row_of
from .notes import Checkpoint, NoteError, check_note, read_checkpoint
from .proof import entry_hash, verify_inclusion
from .report import Remark, Result
from .walk import KEY_ADDED, endorses


def check_parts(folder: Path, keys: Sequence[str], anchored: Sequence[str], result: Result) -> Sequence[str]:
    """Check each entry's hash and proof against the one checkpoint. Gives the keys to trust.

    A line of `proofs.jsonl` holds seq, index, size, path, root, and `previous`: the hash before the entry, in hex.
    """
    rows = [row_of(line) for line in lines(folder / "entries.jsonl", result)]
    trusted = list(keys)
    if not keys:
        trusted = [line.decode(errors="replace") for line in lines(folder / "keys.txt", result) if line]
        result.remarks.append(Remark("key.unpinned", None, "no key was pinned: the export vouches for itself only"))
    _endorse(rows, trusted)
    checkpoint = _checkpoint(folder, trusted, result)
    for note in anchored:
        try:
            other = read_checkpoint(note)
        except NoteError:
            continue
        if checkpoint and other.size == checkpoint.size and other.root != checkpoint.root:
            result.add("checkpoint.root", other.size, "the anchored checkpoint of this size has another root")
    proofs = {str(one.get("seq")): one for one in map(json_object, lines(folder / "proofs.jsonl", result))}
    for place, row in enumerate(rows, 1):
        wrong = _unproven(row, proofs.get(str(row[0]), {}), checkpoint)
        if wrong:
            seq = row[0] if type(row[0]) is int else None
            result.add("entry.unproven", seq, f"line {place} of entries.jsonl: {wrong}")
    result.checked.append(f"{len(rows)} single entries against their proofs")
    return trusted


def _endorse(rows: Sequence[tuple[Any, ...]], trusted: list[str]) -> None:
    """Trust the signing keys among the entries that a trusted key endorsed."""
    for row in rows:
        event = json_object(row[8]) if row[2] == KEY_ADDED else {}
        new, endorsement = str(event.get("key")), str(event.get("endorsement"))
        if new not in trusted and any(endorses(old, new, endorsement) for old in trusted):
            trusted.append(new)


def _checkpoint(folder: Path, trusted: Sequence[str], result: Result) -> Checkpoint | None:
    note = "".join(f"{line.decode(errors='replace')}\n" for line in lines(folder / "checkpoint.txt", result))
    try:
        found = check_note(note, trusted)
    except NoteError as error:
        result.add(error.code, None, f"checkpoint.txt: {error}")
        return None
    result.checked.append(f"the checkpoint of {found.size} entries, {found.time}, signed by {found.key}")
    return found


def _unproven(row: tuple[Any, ...], proof: dict[str, Any], checkpoint: Checkpoint | None) -> str:
    """Why the entry is not proven; empty where it is."""
    if not proof:
        return "it has no proof"
    try:
        if entry_hash(*row[:10], bytes.fromhex(proof["previous"])) != row[10]:
            return "it does not fit its hash: the entry or its hash was changed"
        path = [bytes.fromhex(step) for step in proof["path"]]
    except (KeyError, TypeError, ValueError) as error:
        return f"entry or proof is malformed ({type(error).__name__}: {error})"
    if checkpoint is None:
        return "there is no checkpoint to prove it against"
    if verify_inclusion(row[10], row[0] - 1, checkpoint.size, path, checkpoint.root):
        return ""
    return "its proof does not lead to the checkpoint's root"
