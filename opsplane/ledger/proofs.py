"""Proofs to hand out: that entries stand under a signed checkpoint, and that nothing was rewritten between two."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, func, select

from opsplane.errors import InvalidRequest, NotFound, RecordUnavailable
from opsplane.ledger import chain, checkpoint, merkle
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.merkle import Read
from opsplane.ledger.readonly import snapshot
from opsplane.ledger.seal import moment
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import CHECKPOINT, ENTRY
from opsplane.ledger.verifier import (
    START,
    Checkpoint,
    NoteError,
    check_note,
    entry_hash,
    read_checkpoint,
    verify_consistency,
    verify_inclusion,
)


@dataclass(frozen=True)
class Inclusion:
    """One entry's way to the checkpoint's root. `fits` tells whether the entry has its hash, `included` the rest."""

    seq: int
    at: datetime
    kind: str
    hash: bytes
    previous: bytes
    path: tuple[bytes, ...]
    fits: bool
    included: bool


@dataclass(frozen=True)
class Proof:
    """Every entry of an exchange under one checkpoint; `signed` is empty, or why its signature does not stand."""

    exchange: str
    note: str
    size: int
    root: bytes
    entries: tuple[Inclusion, ...]
    unsigned: str = ""

    @property
    def valid(self) -> bool:
        """Whether all of it holds."""
        return not self.unsigned and bool(self.entries) and all(one.fits and one.included for one in self.entries)

    def as_json(self) -> dict[str, Any]:
        """The same as JSON: hashes in hexadecimal, the index from 0."""
        return {
            "exchange": self.exchange,
            "valid": self.valid,
            "checkpoint": self.note,
            "entries": [proof_line(one, self.size, self.root) | _told(one) for one in self.entries],
        }


@dataclass(frozen=True)
class Consistency:
    """Whether the tree of the newer checkpoint begins with that of the older one. `trouble` says why not."""

    old: Checkpoint
    new: Checkpoint
    path: tuple[bytes, ...]
    trouble: str = ""

    @property
    def valid(self) -> bool:
        """Whether it does."""
        return not self.trouble

    def as_json(self) -> dict[str, Any]:
        """The same as JSON: hashes in hexadecimal."""
        sides = {name: {"size": one.size, "root": one.root.hex(), "time": one.time} for name, one in self._sides()}
        return {"valid": self.valid, **sides, "path": [step.hex() for step in self.path], "trouble": self.trouble}

    def _sides(self) -> tuple[tuple[str, Checkpoint], ...]:
        return ("old", self.old), ("new", self.new)


def prove(ledger: Ledger, notary: Notary, exchange: str) -> Proof:
    """Prove every entry of an exchange; a checkpoint is made where the newest does not reach them.

    Raises `NotFound` for an exchange without entries, `RecordUnavailable` where the record does not answer.
    """
    ledger.settle()
    last = ledger.read(select(func.max(ENTRY.c.seq)).where(ENTRY.c.exchange == exchange))[0][0]
    if last is None:
        raise NotFound(f"There is no exchange {exchange!r} on the record.")
    note = _newest(ledger, last) or _made(ledger, notary)
    trusted = keys(ledger, notary)
    with snapshot(ledger.engine) as connection:
        told, unsigned = _opened(note, trusted)
        rows = connection.execute(select(ENTRY).where(ENTRY.c.exchange == exchange).order_by(ENTRY.c.seq)).all()
        nodes = stored(connection)
        entries = tuple(include(nodes, row, told.size, told.root) for row in rows if row.seq <= told.size)
    return Proof(exchange, note, told.size, told.root, entries, unsigned)


def prove_consistency(ledger: Ledger, notary: Notary, old: str, new: str = "") -> Consistency:
    """Prove that a checkpoint's entries are the beginning of a later one's; the newest where `new` is empty.

    Each is a size that a checkpoint of the record has, or the text of a signed checkpoint that was kept elsewhere.
    Raises `NotFound` and `InvalidRequest` for what is neither.
    """
    ledger.settle()
    trusted = keys(ledger, notary)
    older = _named(ledger, old, trusted)
    newer = _named(ledger, new or _newest(ledger, 0) or _made(ledger, notary), trusted)
    if older.size > newer.size:
        raise InvalidRequest(f"A checkpoint of {older.size} entries is not older than one of {newer.size}.")
    with snapshot(ledger.engine) as connection:
        size = int(connection.scalar(select(func.max(ENTRY.c.seq))) or 0)
        if newer.size > size:
            trouble = f"The record has {size} entries: those up to {newer.size} are missing at its end."
            return Consistency(older, newer, (), trouble)
        try:
            nodes = stored(connection)
            path = merkle.consistency(nodes, older.size, newer.size) if older.size else []
            stands = merkle.root(nodes, newer.size) == newer.root
        except ValueError as error:
            return Consistency(older, newer, (), f"The tree cannot be read: {error}.")
    trouble = _inconsistent(older, newer, path)
    if not stands and not trouble:
        trouble = f"The first {newer.size} entries are not those that were signed on {newer.time}."
    return Consistency(older, newer, tuple(path), trouble)


def keys(ledger: Ledger, notary: Notary) -> list[str]:
    """The verifier keys that stand beside the checkpoints, outside the database."""
    return notary.anchor.keys(ledger.id)


def stored(connection: Connection) -> Read:
    """The stored tree, of which what is read is kept for the proofs that follow."""
    return lru_cache(maxsize=65_536)(chain.nodes(connection))


def include(nodes: Read, row: Any, size: int, root: bytes) -> Inclusion:
    """Prove one row of the entry table under the tree's root of this size."""
    seq, digest = int(row.seq), bytes(row.hash)
    before = nodes(0, seq - 2, 1) if seq > 1 else [START]
    previous = before[0] if before else b""
    try:
        fits = entry_hash(*row[:10], previous) == digest
        path = merkle.inclusion(nodes, seq - 1, size)
        included = verify_inclusion(digest, seq - 1, size, path, root)
    except (TypeError, ValueError):
        fits, path, included = False, [], False
    return Inclusion(seq, moment(row.at), row.kind, digest, previous, tuple(path), fits, included)


def proof_line(one: Inclusion, size: int, root: bytes) -> dict[str, Any]:
    """An inclusion proof as exports carry it; `index` counts from 0, hashes are in hexadecimal."""
    steps = {"path": [step.hex() for step in one.path], "root": root.hex(), "previous": one.previous.hex()}
    return {"seq": one.seq, "index": one.seq - 1, "size": size, **steps}


def _told(one: Inclusion) -> dict[str, Any]:
    known = {"at": one.at.isoformat(), "kind": one.kind, "hash": one.hash.hex()}
    return known | {"fits": one.fits, "included": one.included}


def _newest(ledger: Ledger, reaching: int) -> str:
    """The newest checkpoint's note if it reaches so far, else empty."""
    newest = select(CHECKPOINT.c.note).where(CHECKPOINT.c.size >= reaching)
    rows = ledger.read(newest.order_by(CHECKPOINT.c.size.desc(), CHECKPOINT.c.number.desc()).limit(1))
    return str(rows[0][0]) if rows else ""


def _made(ledger: Ledger, notary: Notary) -> str:
    made = checkpoint.make(ledger, notary)
    if made is None:
        raise RecordUnavailable("No checkpoint could be made.")
    return made.note


def _named(ledger: Ledger, name: str, trusted: Sequence[str]) -> Checkpoint:
    """A checkpoint by its size, or as its own signed text."""
    if name.strip().isdecimal():
        size = int(name)
        rows = ledger.read(select(CHECKPOINT.c.note).where(CHECKPOINT.c.size == size).limit(1)) if size < 2**63 else []
        if not rows:
            raise NotFound(f"No checkpoint was signed over {name} entries; {_sizes(ledger)}.")
        name = str(rows[0][0])
    try:
        return check_note(name, trusted)
    except NoteError as error:
        raise InvalidRequest(f"That is no checkpoint of this record: {error}.") from error


def _sizes(ledger: Ledger) -> str:
    rows = ledger.read(select(CHECKPOINT.c.size).order_by(CHECKPOINT.c.number.desc()).limit(5))
    return f"the newest are of {', '.join(str(row[0]) for row in rows)}" if rows else "there is none yet"


def _opened(note: str, trusted: Sequence[str]) -> tuple[Checkpoint, str]:
    """What the note says, and why it is not to be believed, if it is not."""
    try:
        return check_note(note, trusted), ""
    except NoteError as error:
        return read_checkpoint(note), str(error)


def _inconsistent(old: Checkpoint, new: Checkpoint, path: Sequence[bytes]) -> str:
    """Why the proof fails; a tree without entries is the beginning of every other."""
    if not old.size or verify_consistency(old.size, new.size, path, old.root, new.root):
        return ""
    return f"The first {old.size} entries are not those that were signed on {old.time}: the record was rewritten."
