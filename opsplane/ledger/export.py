"""A copy of the record that proves itself elsewhere: the whole ledger, or chosen exchanges with their proofs."""

import hashlib
import json
import os
import secrets
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from opsplane.access import Actor
from opsplane.errors import Conflict, InvalidRequest, RecordUnavailable
from opsplane.ledger import audit, checkpoint, keys, proofs, verifier
from opsplane.ledger.audit import AuditQuery
from opsplane.ledger.checkpoint import Checkpoint, Notary
from opsplane.ledger.database import BATCH, batches
from opsplane.ledger.merkle import Read
from opsplane.ledger.parcel import Parcel
from opsplane.ledger.readonly import snapshot
from opsplane.ledger.report import Cover
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import CHECKPOINT, ENTRY, PASSAGE
from opsplane.state import CONTROL

FORMAT = "opsplane-export/1"
FRAME = ("ledger_opened", "signing_key_added", *CONTROL)
"""The kinds of entry that go with any selection: whose ledger it is, who signed, who allowed what served."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Selection:
    """What is exported; nothing given means the whole ledger. Both given means what is in either."""

    query: AuditQuery | None = None
    exchanges: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether it is the whole ledger."""
        return self.query is None and not self.exchanges

    def __str__(self) -> str:
        """The same in words."""
        if self.complete:
            return "the whole ledger"
        values = self.query.model_dump(mode="json", exclude_defaults=True) if self.query else {}
        filters = [f"{name}={value}" for name, value in values.items() if name not in ("page", "size")]
        chosen = [f"{len(self.exchanges)} exchanges by id"] if self.exchanges else []
        return "exchanges with " + ", ".join(filters or ["any property"]) if self.query else ", ".join(chosen)


@dataclass(frozen=True)
class Exported:
    """What was written; `manifest` is the SHA-256 of manifest.json in hex, `size` what the checkpoint covers."""

    path: Path
    complete: bool
    entries: int
    exchanges: int
    size: int
    manifest: str


@dataclass(frozen=True)
class Purpose:
    """Who takes the copy, and why."""

    actor: Actor
    why: str


def export(
    ledger: Ledger, notary: Notary, target: Path, selection: Selection, purpose: Purpose, progress: Progress
) -> Exported:
    """Write a folder, or one file where `target` ends with .zip; it is there whole or not at all.

    Raises `Conflict` where there is something already, `InvalidRequest` where nothing fits, `RecordUnavailable`.
    """
    if target.exists():
        raise Conflict(f"There is something at {target} already; it is left as it is.")
    spare = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        spare.mkdir()
        written = _Copy(ledger, notary, selection, purpose, progress).write(spare)
        progress("Putting it in place", 1, 1)
        _place(spare, target)
    except OSError as error:
        raise RecordUnavailable(f"The export {target} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(spare, ignore_errors=True)
        spare.with_suffix(".zip").unlink(missing_ok=True)
    return Exported(target, selection.complete, *written)


def bundle(
    ledger: Ledger, notary: Notary, selection: Selection, purpose: Purpose, progress: Progress
) -> tuple[bytes, Exported]:
    """The same as the bytes of a zip file."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "export.zip"
        exported = export(ledger, notary, target, selection, purpose, progress)
        return target.read_bytes(), exported


class _Copy:
    """One export under one checkpoint, made when it begins."""

    def __init__(
        self, ledger: Ledger, notary: Notary, selection: Selection, purpose: Purpose, progress: Progress
    ) -> None:
        self._ledger, self._notary, self._selection, self._purpose = ledger, notary, selection, purpose
        self._progress = progress

    def write(self, folder: Path) -> tuple[int, int, int, str]:
        """Write every file; how many entries and exchanges there are, the checkpoint's size, the manifest's SHA-256."""
        self._ledger.settle()
        chosen = None if self._selection.complete else self._chosen()
        signed = checkpoint.make(self._ledger, self._notary)
        if signed is None:
            raise RecordUnavailable("No checkpoint could be made.")
        with snapshot(self._ledger.engine) as connection, closing(Parcel(folder, self._texts)) as parcel:
            seqs = None if chosen is None else _seqs(connection, chosen, signed.size)
            self._put(connection, parcel, seqs, signed)
            parcel.finish(self._cover(signed, parcel))
            self._proofs(connection, folder, signed)
        for name, content in verifier.files().items():
            _put_file(folder / name, content)
        _put_file(folder / "README.txt", README.encode())
        digest = self._sign(folder, signed, parcel)
        return parcel.entries, parcel.exchanges, signed.size, digest

    def _chosen(self) -> list[str]:
        """The ids of the chosen exchanges."""
        found = dict.fromkeys(self._selection.exchanges)
        if query := self._selection.query:
            found |= dict.fromkeys(row.id for row in audit.walk(self._ledger, query))
        if not found:
            raise InvalidRequest("No exchange fits these filters: there is nothing to export.")
        return list(found)

    def _put(self, connection: Connection, parcel: Parcel, seqs: Sequence[int] | None, signed: Checkpoint) -> None:
        total, done = (signed.size if seqs is None else len(seqs)), 0
        nodes = proofs.stored(connection)
        for rows in _rows(connection, seqs, signed.size):
            open_ = self._ledger.vault.secrets_of({row.key for row in rows if row.key})
            for row in rows:
                proof = None if seqs is None else _proof(nodes, row, signed)
                parcel.put(row, open_.get(row.key), proof)
            done += len(rows)
            self._progress("Exporting entries", done, total)
        if seqs is not None and not parcel.exchanges:
            raise InvalidRequest("None of these exchanges is on the record: there is nothing to export.")

    def _proofs(self, connection: Connection, folder: Path, signed: Checkpoint) -> None:
        """Checkpoints and the keys that signed them."""
        notes = select(CHECKPOINT.c.note).where(CHECKPOINT.c.size <= signed.size).order_by(CHECKPOINT.c.number)
        lines = "".join(json.dumps({"note": note}) + "\n" for note in connection.scalars(notes))
        _put_file(folder / "checkpoints.jsonl", lines.encode())
        _put_file(folder / "checkpoint.txt", signed.note.encode())
        known = proofs.keys(self._ledger, self._notary)
        _put_file(folder / "keys.txt", "".join(f"{key}\n" for key in known).encode())

    def _cover(self, signed: Checkpoint, parcel: Parcel) -> Cover:
        who = f"{self._purpose.actor.id} ({self._purpose.actor.role.value})"
        facts = [
            ("Ledger", f"opsplane/{self._ledger.id}"),
            ("Holds", f"{self._selection}: {parcel.entries} entries, {parcel.exchanges} exchanges"),
            ("Taken by", who),
            ("Why", self._purpose.why),
            ("Signed checkpoint", f"{signed.size} entries, {signed.at:%Y-%m-%d %H:%M:%S} UTC"),
            ("Root", signed.root.hex()),
            ("Signed with", keys.verifier_key(self._notary.signer)),
            ("To check it", "python verify.py . (see README.txt)"),
        ]
        return Cover("Record of the assistant", facts, parcel.exchanges)

    def _sign(self, folder: Path, signed: Checkpoint, parcel: Parcel) -> str:
        """The manifest, last of all, and the signature under it: without them it is no export."""
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        values = {
            "format": FORMAT,
            "ledger": self._ledger.id,
            "complete": self._selection.complete,
            "scope": str(self._selection),
            "by": self._purpose.actor.id,
            "why": self._purpose.why,
            "at": signed.at.isoformat(),
            "size": signed.size,
            "root": signed.root.hex(),
            "entries": parcel.entries,
            "exchanges": parcel.exchanges,
            "files": {name: _digest(folder / name) for name in names},
        }
        content = json.dumps(values, indent=1).encode() + b"\n"
        digest = hashlib.sha256(content).hexdigest()
        _put_file(folder / "manifest.sig", keys.sign_note(f"{FORMAT}\n{digest}\n", self._notary.signer).encode())
        _put_file(folder / "manifest.json", content)
        return digest

    def _texts(self, names: Iterable[str]) -> dict[str, str]:
        """The texts of passages by hash."""
        rows = self._ledger.read(select(PASSAGE.c.sha256, PASSAGE.c.text).where(PASSAGE.c.sha256.in_(list(names))))
        return {row[0]: row[1] for row in rows}


def _seqs(connection: Connection, exchanges: Sequence[str], size: int) -> list[int]:
    """The numbers of these exchanges' entries, and of those that go with any selection."""
    wanted = ENTRY.c.seq <= size
    found = set(connection.scalars(select(ENTRY.c.seq).where(wanted, ENTRY.c.kind.in_(FRAME))))
    for part in batches(exchanges):
        found.update(connection.scalars(select(ENTRY.c.seq).where(wanted, ENTRY.c.exchange.in_(part))))
    return sorted(found)


def _rows(connection: Connection, seqs: Sequence[int] | None, size: int) -> Iterator[Sequence[Any]]:
    """The rows of these numbers, or of all up to `size`, in lists."""
    if seqs is None:
        last = 0
        query = select(ENTRY).where(ENTRY.c.seq <= size).order_by(ENTRY.c.seq).limit(BATCH)
        while rows := connection.execute(query.where(ENTRY.c.seq > last)).all():
            yield rows
            last = rows[-1].seq
        return
    for part in batches(seqs):
        yield connection.execute(select(ENTRY).where(ENTRY.c.seq.in_(part)).order_by(ENTRY.c.seq)).all()


def _proof(nodes: Read, row: Any, signed: Checkpoint) -> tuple[proofs.Inclusion, int, bytes]:
    return proofs.include(nodes, row, signed.size, signed.root), signed.size, signed.root


def _put_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _place(spare: Path, target: Path) -> None:
    """Give what was written its name, once it is on the disk."""
    whole = spare
    if target.suffix == ".zip":
        whole = spare.with_suffix(".zip")
        _zip(spare, whole, target.stem)
    for path in [whole] if whole.is_file() else whole.rglob("*"):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
    whole.rename(target)


def _zip(folder: Path, packed: Path, top: str) -> None:
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{top}/{path.relative_to(folder).as_posix()}")


README = """\
This folder is a copy of the record of an assistant, and proves that nothing in it was changed.

To check it you need Python 3.11 or newer and its package `cryptography` (pip install cryptography):

    python verify.py .

It prints what it checked, every violation with the entry it concerns, and VALID or INVALID; the exit code is 0, 1, or
2 where there is nothing to check. Two things make it independent of whoever gave you this folder:

    python verify.py . --key KEY        KEY is a verifier key that you were given earlier, over another way
    python verify.py . --anchor FILE    FILE holds checkpoints that were kept elsewhere

What is in it:

report.html        for people: who asked what and when, what was answered, from which sources, on which release,
                   who had put that in force, what the checks found. It loads nothing from anywhere.
exchanges.csv      one line an exchange, for spreadsheets
entries.jsonl      the entries as they were chained: payload is the public part byte by byte, sealed is the private part
                   as it stands encrypted in the record (base64), hash covers all of it and the hash before it
content.jsonl      the private parts in the clear, by the entry's seq; "erased" where the customer's key was destroyed.
                   That they are what the entries seal is attested by the signature under the manifest
passages.jsonl     the texts that were cited, each under its SHA-256
proofs.jsonl       where this is a selection: each entry's inclusion proof (RFC 9162) under checkpoint.txt
checkpoint.txt     the signed size and root of the ledger's Merkle tree (C2SP tlog-checkpoint, Ed25519)
checkpoints.jsonl  every checkpoint up to it
keys.txt           the keys that sign them
manifest.json      what this is, and the SHA-256 of every file; manifest.sig is the signature under it
verify.py          starts the verifier in the folder verifier: a copy of what the product itself uses
"""
