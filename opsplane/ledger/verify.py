"""Verifying a record in its database: the chain, the tree, the checkpoints, and everything that is derived from it.

Nothing is written here but, beside the checkpoints, how far a full verification came.
"""

import base64
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from cryptography.x509 import Certificate
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from opsplane.errors import InvalidRequest, PlaneError, RecordUnavailable
from opsplane.ledger import chain, merkle, migrate, reached, rhythm, timestamp, verifier
from opsplane.ledger.agreement import Agreement
from opsplane.ledger.anchor import Anchor, Anchored
from opsplane.ledger.database import cause
from opsplane.ledger.reached import Reached
from opsplane.ledger.readonly import entries, snapshot, stream, tolerate
from opsplane.ledger.subtrees import Subtrees
from opsplane.ledger.tables import CHECKPOINT, ENTRY, PASSAGE
from opsplane.ledger.verifier import (
    NoteError,
    Remark,
    Report,
    State,
    Tree,
    Violation,
    check_note,
    parse_key,
    read_checkpoint,
)

Progress = Callable[[str, int, int], None]
Outside = Mapping[str, tuple[list[Anchored], list[str]]]
LATE = timedelta(minutes=10)
"""A time stamp may differ so much from what its checkpoint says."""
_CHECKPOINTS = select(CHECKPOINT.c.number, CHECKPOINT.c.size, CHECKPOINT.c.root, CHECKPOINT.c.note).order_by(
    CHECKPOINT.c.number
)


class Mode(StrEnum):
    """How much was looked at."""

    FULL = "full"
    INCREMENTAL = "incremental"  # entries since the last checkpoint that a full verification reached


@dataclass(frozen=True)
class Trust:
    """What a record is held against, all of it from outside the database.

    `keys` are verifier keys that were kept elsewhere; without them those beside the checkpoints are believed. `roots`
    are the certificates that time stamps lead to; `every` is the rhythm in which checkpoints are made.
    """

    anchor: Anchor
    keys: tuple[str, ...] = ()
    roots: tuple[Certificate, ...] = ()
    every: timedelta | None = None


@dataclass(frozen=True)
class Verification:
    """What came of it: `size` entries were there and `read` of them were read; `root` is the tree's, in hex.

    `proven` is the size of the largest signed checkpoint that agrees; `pinned` tells whether keys were given by hand.
    """

    ledger: str
    at: datetime
    mode: Mode
    size: int
    read: int
    root: str
    checkpoints: int
    proven: int
    pinned: bool
    violations: tuple[Violation, ...]
    remarks: tuple[Remark, ...]

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.violations


def verify(engine: Engine, trust: Trust, now: datetime, mode: Mode, progress: Progress) -> Verification:
    """Verify the record that a read-only engine opens; every violation is reported, with the entry that it concerns.

    Raises `RecordUnavailable` where there is nothing to verify: no database, none of this product, an earlier schema;
    `InvalidRequest` for a key that is none.
    """
    for key in trust.keys:
        _must_be_key(key)
    outside = {
        name: trust.anchor.checkpoints(name) for name in trust.anchor.ledgers()
    }  # before what may grow meanwhile
    with snapshot(engine) as connection:
        _must_be_ours(connection)
        return _Verifying(connection, trust, outside, now, progress).run(mode)


class _Verifying:
    """One verification of one snapshot. `outside`: by ledger, the checkpoints of the anchor folder and its warnings."""

    def __init__(
        self, connection: Connection, trust: Trust, outside: Outside, now: datetime, progress: Progress
    ) -> None:
        self._connection, self._trust, self._now, self._progress = connection, trust, now, progress
        self._violations: list[Violation] = []
        self._remarks: list[Remark] = []
        self._damage: dict[int, str] = {}  # entries that the database cannot give, and why
        self._total = int(connection.scalar(select(func.max(ENTRY.c.seq))) or 0)
        self._name = self._ledger()
        self._anchored = self._kept_outside(outside)
        self._notes = self._kept()
        self._keys = trust.keys or self._known()

    def run(self, mode: Mode) -> Verification:
        """Look at everything, or at what is new."""
        start = self._start() if mode is Mode.INCREMENTAL else State()
        if not start.size:
            mode = Mode.FULL
        report = self._whole() if mode is Mode.FULL else self._new(start)
        self._stamps()
        if self._trust.every:
            self._remarks += rhythm.gaps(self._connection, self._trust.every, self._now)
        return self._told(mode, report)

    def _whole(self) -> Report:
        """Every entry, and everything that is derived from them; the database examines its file meanwhile."""
        with ThreadPoolExecutor(1) as beside:
            examined = beside.submit(_examined, self._connection.engine)
            report = self._derived()
            self._try("the passages", self._passages)
            self._progress("Examining the database file", 0, 1)
            self._try("the database file", lambda: self._violations.extend(examined.result()))
            self._progress("Examining the database file", 1, 1)
        return report

    def _derived(self) -> Report:
        """The chain, and what is derived from it."""
        checks = {"the exchange and spend tables": Agreement(self._connection), "the tree": Subtrees(self._connection)}

        def rows() -> Iterator[Any]:
            for chunk in entries(self._connection, 0, self._damage.__setitem__):
                for what, check in [*checks.items()]:
                    if not self._try(what, lambda check=check, chunk=chunk: check.take(chunk)):  # type: ignore[misc]
                        del checks[what]
                yield from chunk

        report = self._walk(rows(), State())
        for what, check in checks.items():
            self._try(what, lambda check=check: self._violations.extend(check.violations()))  # type: ignore[misc]
        return report

    def _try(self, what: str, look: Callable[[], object]) -> bool:
        """Look at something, and tell where a damaged database does not let it."""
        try:
            look()
        except (RecordUnavailable, SQLAlchemyError) as error:
            words = f"{what} cannot be read: {cause(error)}"
            self._violations.append(Violation("database.damaged", None, words))
            return False
        return True

    def _new(self, start: State) -> Report:
        """Only the entries after `start`."""
        chunks = entries(self._connection, start.size, self._damage.__setitem__)
        return self._walk(itertools.chain.from_iterable(chunks), start)

    def _walk(self, rows: Iterator[Any], start: State) -> Report:
        notes = [one.note for one in self._anchored]
        return verifier.verify(rows, self._notes, notes, self._keys, start, self._walked)

    def _walked(self, size: int) -> None:
        self._progress("Verifying entries", size, max(size, self._total))

    def _ledger(self) -> str:
        """The name that the first entry gave the ledger; empty where that cannot be told."""
        first = self._connection.execute(select(ENTRY.c.payload).order_by(ENTRY.c.seq).limit(1)).scalar()
        try:
            return str(json.loads(bytes(first or b""))["ledger"])
        except (ValueError, KeyError, TypeError):
            return ""

    def _kept(self) -> list[str]:
        """The checkpoints of the database, and whether their columns say what was signed."""
        notes = []
        for number, size, root, note in self._connection.execute(_CHECKPOINTS):
            notes.append(str(note))
            with suppress(NoteError):  # one that cannot be read is told by the verifier
                told = read_checkpoint(note)
                if (told.size, told.root) != (size, bytes(root)):
                    detail = f"checkpoint {number} of the database says something else than was signed"
                    self._violations.append(Violation("checkpoint.differs", size, detail))
        return notes

    def _kept_outside(self, outside: Outside) -> list[Anchored]:
        """The checkpoints kept outside; without any, nobody would notice entries that were cut off."""
        found, warnings = outside.get(self._name, ([], []))
        self._remarks += [Remark("anchor.unreadable", None, words) for words in warnings]
        others = ", ".join(name for name in outside if name != self._name)
        folder = self._trust.anchor.folder
        if not found and others:
            mine = self._name or "this one, which has no name"
            detail = f"{folder} holds checkpoints of ledger {others}, and none of {mine}"
            self._violations.append(Violation("ledger.foreign", None, detail))
        elif not found and self._total:
            detail = f"no checkpoint is kept in {folder}: entries cut off at the end would go unnoticed"
            self._violations.append(Violation("anchor.missing", None, detail))
        return found

    def _known(self) -> tuple[str, ...]:
        """The keys that stand beside the checkpoints."""
        known = []
        for key in self._trust.anchor.keys(self._name):
            try:
                parse_key(key)
            except NoteError as error:
                self._violations.append(Violation(error.code, None, f"beside the checkpoints: {error}"))
            else:
                known.append(key)
        return tuple(known)

    def _start(self) -> State:
        """Where an earlier full verification ended, as far as signed checkpoint and stored nodes agree with it."""
        far = reached.read(self._trust.anchor, self._name)
        if far is None:
            self._remark("no earlier full verification is noted beside the checkpoints: everything was verified")
            return State()
        last = self._connection.execute(select(ENTRY.c.hash, ENTRY.c.at).where(ENTRY.c.seq == far.size)).first()
        signed = any(_signed(note, far, self._keys or far.keys) for note in self._notes)
        try:
            peaks = merkle.peaks(chain.nodes(self._connection), far.size)
            agrees = Tree(far.size, peaks).root() == far.root
        except (LookupError, ValueError):
            agrees, peaks = False, []
        if last is None or not signed or not agrees:
            self._remark(f"what was verified up to entry {far.size} is not as it was: everything was verified")
            return State()
        return State(far.size, bytes(last[0]), tuple(peaks), last[1], f"opsplane/{self._name}", far.keys)

    def _remark(self, words: str) -> None:
        self._remarks.append(Remark("incremental.full", None, words))

    def _passages(self) -> None:
        """The text of every passage against its hash."""
        tolerate(self._connection)
        for chunk in stream(self._connection, select(PASSAGE.c.sha256, PASSAGE.c.text)):
            for name, text in chunk:
                if sha256(text.encode("utf-8", "surrogateescape")).hexdigest() != name:
                    detail = f"the text of passage {name} was changed"
                    self._violations.append(Violation("passage.changed", None, detail))

    def _stamps(self) -> None:
        """RFC 3161 time stamps of checkpoints, where there are any and their authority is known."""
        stamped = [one for one in self._anchored if one.timestamp]
        if stamped and not self._trust.roots:
            words = f"{len(stamped)} time stamps were not checked: no certificates of their authority were given"
            self._remarks.append(Remark("timestamp.unchecked", None, words))
            return
        for one in stamped:
            size = _size(one.note)
            try:
                at = timestamp.check(base64.b64decode(one.timestamp), one.note.encode(), self._trust.roots)
                told = datetime.fromisoformat(read_checkpoint(one.note).time)
            except (PlaneError, ValueError) as error:
                self._violations.append(Violation("timestamp.invalid", size, str(error)))
                continue
            if abs(at - told) > LATE:
                words = (
                    f"the checkpoint says {told:%Y-%m-%d %H:%M:%S} UTC and was stamped at {at:%Y-%m-%d %H:%M:%S} UTC"
                )
                self._violations.append(Violation("timestamp.differs", size, words))

    def _told(self, mode: Mode, report: Report) -> Verification:
        """Both reports as one, and the note for the next time where all is well."""
        lost = [Violation("entry.unreadable", number, words) for number, words in sorted(self._damage.items())]
        violations = (*report.violations, *lost, *self._violations)
        root = Tree(report.state.size, report.state.peaks).root() if report.state else b""
        if not violations and mode is Mode.FULL:
            self._note(report)
        return Verification(
            ledger=self._name,
            at=self._now,
            mode=mode,
            size=report.size,
            read=report.entries,
            root=root.hex(),
            checkpoints=report.checkpoints,
            proven=report.proven,
            pinned=bool(self._trust.keys),
            violations=violations,
            remarks=(*report.remarks, *self._remarks),
        )

    def _note(self, report: Report) -> None:
        """Where the next verification may go on: at the largest checkpoint that agrees."""
        if not report.proven:
            return
        peaks = merkle.peaks(chain.nodes(self._connection), report.proven)
        far = Reached(report.proven, Tree(report.proven, peaks).root(), report.keys)
        try:
            reached.note(self._trust.anchor, self._name, far)
        except RecordUnavailable as error:
            self._remarks.append(Remark("incremental.unnoted", None, str(error)))


def _examined(engine: Engine) -> list[Violation]:
    """SQLite's own examination of its file, on a connection of its own."""
    if engine.dialect.name != "sqlite":
        return []
    with snapshot(engine) as connection:
        lines = connection.exec_driver_sql("PRAGMA quick_check(100)").scalars()
        return [Violation("database.damaged", None, str(line)) for line in lines if line != "ok"]


def _must_be_key(key: str) -> None:
    try:
        parse_key(key)
    except NoteError as error:
        raise InvalidRequest(f"{error}. A key reads opsplane/…+…+…, as `opsplane keys show` prints it.") from error


def _must_be_ours(connection: Connection) -> None:
    """Raise `RecordUnavailable` for what is no chained record of this version."""
    found = migrate.version(connection)
    if found is None:
        raise RecordUnavailable("The database holds no record.")
    if found > migrate.HEAD:
        raise RecordUnavailable(
            f"The record was written by a newer version of the product (schema {found}; this one knows {migrate.HEAD})."
        )
    if found < migrate.HEAD:
        raise RecordUnavailable(
            f"The record has an earlier schema ({found}; this version knows {migrate.HEAD}). "
            "Starting the service brings it up to date; it can be verified from then on."
        )


def _signed(note: str, far: Reached, keys: Sequence[str]) -> bool:
    """Whether the note is a trusted checkpoint of this size and root."""
    try:
        told = check_note(note, keys)
    except NoteError:
        return False
    return (told.size, told.root) == (far.size, far.root)


def _size(note: str) -> int | None:
    try:
        return read_checkpoint(note).size
    except NoteError:
        return None
