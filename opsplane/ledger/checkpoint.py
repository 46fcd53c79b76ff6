"""Signed checkpoints of the tree at a fixed rhythm, also when nothing happened, kept in the record and outside it."""

import base64
import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from opsplane.access import SERVICE
from opsplane.errors import PlaneError, RecordUnavailable
from opsplane.events import SigningKeyAdded
from opsplane.ledger import chain, keys, merkle
from opsplane.ledger.anchor import Anchor, Anchored
from opsplane.ledger.database import cause, transaction
from opsplane.ledger.keys import Signer
from opsplane.ledger.seal import micros
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import CHECKPOINT, ENTRY
from opsplane.ledger.timestamp import Authority

log = logging.getLogger(__name__)

_LOCK = 0x0B5_1ED6E6


@dataclass(frozen=True)
class Notary:
    """Who signs, where checkpoints are kept outside, and who stamps the time, if anybody."""

    signer: Signer
    anchor: Anchor
    older: tuple[Signer, ...] = ()  # earlier signing keys of the same file
    authority: Authority | None = None


@dataclass(frozen=True)
class Checkpoint:
    """The tree's size and root at a time, signed."""

    at: datetime
    size: int
    root: bytes
    note: str


def make(ledger: Ledger, notary: Notary, unless_younger: timedelta | None = None) -> Checkpoint | None:
    """Sign the tree as it is now; None where a checkpoint younger than `unless_younger` is there already.

    Raises `RecordUnavailable` where it cannot be kept.
    """
    try:
        return _make(ledger, notary, unless_younger)
    except SQLAlchemyError as error:
        raise RecordUnavailable(f"No checkpoint could be made: {cause(error)}") from error


def _make(ledger: Ledger, notary: Notary, unless_younger: timedelta | None) -> Checkpoint | None:
    ledger.settle()
    at = ledger.clock()
    with ledger.engine.connect() as connection:
        if unless_younger and _younger(connection, at, unless_younger):
            return None
        size = int(connection.scalar(select(func.coalesce(func.max(ENTRY.c.seq), 0))) or 0)
        root = merkle.root(chain.nodes(connection), size)
    text = f"opsplane/{ledger.id}\n{size}\n{base64.b64encode(root).decode()}\ntime {at:%Y-%m-%dT%H:%M:%SZ}\n"
    note = keys.sign_note(text, notary.signer)  # in no transaction: the key may be a network away
    with transaction(ledger.engine, _LOCK) as connection:
        if unless_younger and _younger(connection, at, unless_younger):
            return None
        connection.execute(insert(CHECKPOINT).values(at=micros(at), size=size, root=root, note=note))
    notary.anchor.add(ledger.id, Anchored(note, _stamped(note, notary.authority)))
    return Checkpoint(at, size, root, note)


def _younger(connection: Connection, at: datetime, than: timedelta) -> bool:
    last = connection.scalar(select(func.max(CHECKPOINT.c.at)))
    return last is not None and timedelta(0) <= timedelta(microseconds=micros(at) - last) < than


def attempt(ledger: Ledger, notary: Notary, unless_younger: timedelta | None = None) -> None:
    """The same, and where it cannot be the record goes on without: `verify` tells that checkpoints are missing."""
    try:
        make(ledger, notary, unless_younger)
    except PlaneError as error:
        log.error("%s", error)


def introduce(ledger: Ledger, notary: Notary) -> None:
    """Put the signing key on the record, endorsed by the key before it, and beside the checkpoints."""
    known = [
        entry.event.key for entry in ledger.events(["signing_key_added"]) if isinstance(entry.event, SigningKeyAdded)
    ]
    mine = keys.verifier_key(notary.signer)
    if mine not in known:
        before = next((one for one in notary.older if known and keys.verifier_key(one) == known[-1]), None)
        endorsement = base64.b64encode(keys.endorsement(before, mine)).decode() if before else ""
        ledger.append_now(SigningKeyAdded(key=mine, endorsement=endorsement), SERVICE)
    for key in dict.fromkeys([*known, mine]):
        notary.anchor.add_key(ledger.id, key)


class Rhythm:
    """A thread that makes a checkpoint every so often, at the start and at the end."""

    def __init__(self, ledger: Ledger, notary: Notary, every: timedelta) -> None:
        self._ledger, self._notary, self._every = ledger, notary, every
        self._over = threading.Event()
        attempt(ledger, notary)
        self._thread = threading.Thread(target=self._run, name="ledger-checkpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Make the last one and stop."""
        self._over.set()
        self._thread.join()
        attempt(self._ledger, self._notary)

    def _run(self) -> None:
        while not self._over.wait(self._every.total_seconds()):
            attempt(self._ledger, self._notary, self._every * 0.9)


def _stamped(note: str, authority: Authority | None) -> str:
    if authority is None:
        return ""
    try:
        return base64.b64encode(authority.stamp(note.encode())).decode()
    except PlaneError as error:
        log.error("the checkpoint was not time-stamped: %s", error)
        return ""
