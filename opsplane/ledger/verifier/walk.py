"""One pass over the entries: does each follow the one before it, and what happened where it does not.

The hash that stands beside an entry which it does not fit is taken for the true one, so that the walk goes on from it:
then one changed byte is one violation. Where the next entry, or a signed root, tells another story, that is set right.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .lines import json_object
from .notes import NoteError, parse_key, signed_by
from .proof import LARGEST, START, Tree, body, entry_hash
from .report import Remark, State, Violation

Row = tuple[Any, ...]
OPENED, KEY_ADDED = "ledger_opened", "signing_key_added"
_SECOND = 1_000_000
_SUSPECTS = 64
"""As many entries that do not fit their hashes are compared with each other: whether they changed places."""
_END = object()


class Walk:
    """Where the walk stands, and what was found so far.

    `tree` holds the entries before the last one, and the last too unless it is `pending`: its hash, `previous`, may yet
    turn out to be wrong. `before` is the hash before that, `rival` the hash that the last entry should have by its
    content. `shift` is how much higher the numbers are that the entries stand under than those they were hashed with.
    From entry `lost` on the tree is unknown, because an entry is missing.
    """

    def __init__(self, keys: Iterable[str], start: State, wanted: set[int], progress: Callable[[int], object]) -> None:
        self.pinned = tuple(dict.fromkeys(keys))
        self.keys = list(dict.fromkeys((*self.pinned, *start.keys)))
        self.progress = progress
        names = [parse_key(key)[0] for key in self.keys]
        self.origin, self.foreign = start.origin or (names[0] if names else ""), False
        self.size, self.previous, self.at = start.size, start.hash, start.at
        self.tree, self.pending = Tree(start.size, start.peaks), False
        self.before, self.rival, self.shift, self.lost, self.entries = b"", b"", 0, LARGEST, 0
        self.wanted, self.roots = wanted, {start.size: {self.tree.root()}}
        self.violations: list[Violation] = []
        self.remarks: list[Remark] = []
        self.changed: dict[int, Violation] = {}
        self.missing: list[tuple[int, int, bytes]] = []  # first, last, and the hash before the first
        self._suspects: list[tuple[int, bytes, Row]] = []  # number, the hash before it, and what stands there

    def run(self, entries: Iterable[Any]) -> None:
        """Take every entry: those that follow at full speed, the others one by one."""
        rows = iter(entries)
        while (row := self._follow(rows)) is not _END:
            self.entries += 1
            try:
                self._examine(tuple(row))
            except TypeError:
                self._examine(())
        self._settle()
        self._exchanged()

    def state(self) -> State:
        """Where the next walk may go on."""
        tree = self._whole()
        return State(self.size, self.previous, tuple(tree.peaks), self.at, self.origin, tuple(self.keys))

    def _follow(self, rows: Iterator[Any]) -> Any:
        """Take entries as long as they follow and nothing is special; give the first that does not, or `_END`."""
        if not self.pending or self.shift:
            return next(rows, _END)
        sha256, peaks = hashlib.sha256, self.tree.peaks
        wanted = self.wanted if self.lost == LARGEST else ()
        begun = size = self.size
        before, previous, clock, row = self.before, self.previous, self.at - _SECOND, _END
        for row in rows:
            try:
                seq, at, kind, actor, role, exchange, subject, key, payload, sealed, digest = row
                names = "\n".join((kind, actor, role, exchange, subject, key))
                head = f"\0opsplane-entry/1\n{seq}\n{at}\n{names}\n{previous.hex()}\n{len(payload)}\n".encode()
                sound = (
                    sha256(head + payload + sealed).digest() == digest
                    and seq == size + 1
                    and type(seq) is type(at) is int
                    and type(payload) is type(sealed) is type(digest) is bytes
                    and names.count("\n") == 5
                    and clock <= at < LARGEST
                    and kind != KEY_ADDED
                )
            except (TypeError, ValueError):
                break
            if not sound:
                break
            node, bits = previous, size - 1
            while bits & 1:
                node, bits = sha256(b"\1" + peaks.pop() + node).digest(), bits >> 1
            peaks.append(node)
            before, previous, size, clock = previous, digest, seq, at - _SECOND
            if seq in wanted:
                self.roots[seq] = {_whole(size, peaks, previous).root()}
            if not seq & 8191:
                self.progress(seq)
        else:
            row = _END
        self.entries += size - begun
        self.rival = b"" if size > begun else self.rival
        self.before, self.previous, self.size, self.at = before, previous, size, clock + _SECOND
        self.tree.size = size - 1
        return row

    def _examine(self, row: Row) -> None:
        """Take an entry that does not simply follow: say why, and go on from it."""
        wrong, fits = _malformed(row), self._set_right(row)
        rival = self.rival if fits and not self.pending else b""  # of an entry that was put aside for this one
        number, due = self.size + 1, self.size + 1 + self.shift
        seq = row[0] if len(row) == 11 and type(row[0]) is int and 0 < row[0] < LARGEST else due
        if fits and seq != due:
            self.shift = seq - number
            if self.shift:
                self._add("entry.order", number, f"it stands under the number {seq}; so may others after it")
        elif not fits and seq not in (number, due):
            if seq < number:
                self._add_late(seq)
                return
            if self._belongs_earlier(row, seq):
                return
            self.shift = self.shift if seq > due else 0
            self._skip(number, seq - 1 - self.shift, self.previous)
        elif not fits and self.previous:
            rival = _computed(row, number, self.previous)
            self.changed[number] = Violation(
                "entry.changed", number, "it does not fit its hash: it or the hash was changed"
            )
            if len(self._suspects) <= _SUSPECTS:
                self._suspects.append((number, self.previous, row))
        self._accept(row, rival, wrong)

    def _set_right(self, row: Row) -> bool:
        """Whether the row is the next entry, once what it shows to be wrong with the last one is set right."""
        number = self.size + 1
        if _fits(row, number, self.previous):
            return True
        if _fits(row, number, self.rival):
            self.previous = self.rival  # only the hash beside the last entry was changed
            self._mark()
        elif self.pending and _fits(row, number - 1, self.before):
            code = "entry.duplicate" if row[10] == self.previous else "entry.inserted"
            self.changed.pop(number - 1, None)
            self._add(code, number - 1 + self.shift, f"the chain goes from entry {number - 2} past it")
            self.size, self.previous, self.rival, self.pending = number - 2, self.before, self.previous, False
        elif number - 1 in self.changed and _fits(row, number + 1, self.previous):
            self.changed.pop(number - 1)
            self._skip(number - 1, number - 1, self.before)
            self.size, self.tree = number, Tree(number, [START] * number.bit_count())
        else:
            return False
        return True

    def _add_late(self, seq: int) -> None:
        """A row whose number was passed: one that seemed to be missing, or one too many."""
        for gap in self.missing:
            first, last, before = gap
            if first <= seq <= last:
                self.missing.remove(gap)
                parts = ((first, seq - 1, before), (seq + 1, last, b""))
                self.missing += [part for part in parts if part[0] <= part[1]]
                self._add("entry.order", seq, f"it stands after entry {self.size}")
                return
        self._add("entry.duplicate", seq, f"another entry with this number stands after entry {self.size}")

    def _belongs_earlier(self, row: Row, seq: int) -> bool:
        """Whether the row is the first entry of a gap, under another number."""
        for gap in self.missing:
            first, last, before = gap
            if before and _fits(row, first, before):
                self.missing.remove(gap)
                self.missing += [(first + 1, last, row[10])] if first < last else []
                self._add("entry.order", first, f"it stands under the number {seq}")
                return True
        return False

    def _skip(self, first: int, last: int, before: bytes) -> None:
        """These entries are missing: what the tree is like from there on is unknown."""
        self.missing.append((first, last, before))
        self._lose(first)
        self.size, self.tree = last, Tree(last, [START] * last.bit_count())
        self.pending, self.rival = False, b""

    def _lose(self, number: int) -> None:
        self.lost = min(self.lost, number)
        self.roots = {size: roots for size, roots in self.roots.items() if size < self.lost}

    def _accept(self, row: Row, rival: bytes, wrong: str) -> None:
        """Go on from the row as the next entry."""
        if self.pending:
            self._settle()
            self.tree.append(self.previous)
        stored = row[10] if len(row) == 11 and type(row[10]) is bytes and len(row[10]) == 32 else rival
        self.before, self.previous, self.rival, self.pending = self.previous, stored, rival, True
        self.size += 1
        if wrong:
            self.changed[self.size] = Violation("entry.malformed", self.size, wrong)
        else:
            if row[1] < self.at - _SECOND and self.size > 1:
                self.remarks.append(Remark("clock.backwards", self.size, f"by {(self.at - row[1]) / _SECOND:.3f} s"))
            self.at = row[1]
            self._heed(row)
        self._mark()

    def _settle(self) -> None:
        """The last entry stays: where its hash is not known, the tree is not either."""
        if not self.previous:
            self._lose(self.size)

    def _heed(self, row: Row) -> None:
        """Take the ledger's name from its first entry, and a signing key from an event that adds one."""
        event = json_object(row[8])
        if self.size == 1 and 1 not in self.changed:
            found = f"opsplane/{event.get('ledger')}"
            if row[2] != OPENED or not re.fullmatch("opsplane/[0-9a-f]{32}", found):
                self._add("ledger.unopened", 1, "the first entry does not open a ledger")
            elif self.origin not in ("", found):
                self._add("ledger.foreign", 1, f"this is {found}; the pinned keys are of {self.origin}")
                self.foreign = True
            else:
                self.origin = found
        if row[2] == KEY_ADDED and self.size not in self.changed:
            self._trust(str(event.get("key")), str(event.get("endorsement")))

    def _trust(self, key: str, endorsement: str) -> None:
        """A new signing key: pinned, endorsed by a trusted one, or the very first where nothing was pinned."""
        try:
            name, _ = parse_key(key)
        except NoteError as error:
            self._add("key.malformed", self.size, str(error))
            return
        if key in self.keys:
            return
        first = not self.keys and name == self.origin
        if first or any(endorses(old, key, endorsement) for old in self.keys):
            self.keys.append(key)
        else:
            self._add("key.unendorsed", self.size, "the key is neither pinned nor endorsed by a trusted key")

    def _exchanged(self) -> None:
        """Look whether entries that do not fit where they stand fit each other's places."""
        if len(self._suspects) > _SUSPECTS:
            return
        true: dict[int, bytes] = {}  # the hash of an entry that was found elsewhere
        suspects = [one for one in self._suspects if one[0] in self.changed]
        for place, before, _ in suspects:
            for number, _, row in suspects:
                if not any(_fits(row, place, link) for link in (before, true.get(place - 1, b""))):
                    continue
                true[place] = row[10]
                if number == place:  # only the hash before it was wrong
                    self._lose(place - 1)
                    self.changed.pop(number, None)
                else:
                    self._lose(min(place, number))
                    self.changed[number] = Violation("entry.order", number, f"entry {place} stands in its place")

    def _mark(self) -> None:
        """Keep the root where a checkpoint speaks of this size; with a hash in doubt, of both."""
        if self.size in self.wanted and self.size < self.lost and self.previous:
            hashes = {self.previous, self.rival or self.previous}
            self.roots[self.size] = {_whole(self.size, self.tree.peaks, last).root() for last in hashes}

    def _whole(self) -> Tree:
        return _whole(self.size, self.tree.peaks, self.previous) if self.pending else self.tree

    def _add(self, code: str, row: int, detail: str) -> None:
        self.violations.append(Violation(code, row, detail))


def endorses(old: str, new: str, endorsement: str) -> bool:
    """Whether the verifier key `old` signed `new`, of the same ledger; the signature is base64."""
    try:
        signature = base64.b64decode(endorsement, validate=True)
        return parse_key(old)[0] == parse_key(new)[0] and signed_by(old, signature, b"opsplane-key\n" + new.encode())
    except ValueError:
        return False


def _whole(size: int, peaks: Iterable[bytes], last: bytes) -> Tree:
    """The tree of `size` leaves, of which all but the last are in the peaks."""
    tree = Tree(size - 1, peaks)
    tree.append(last)
    return tree


def _computed(row: Row, number: int, previous: bytes) -> bytes:
    """The hash that the row has as entry `number` after the entry with this hash; empty where it has none."""
    try:
        return entry_hash(number, *row[1:10], previous)
    except (TypeError, ValueError):
        return b""


def _fits(row: Row, number: int, previous: bytes) -> bool:
    return len(previous) == 32 and row[10:] == (_computed(row, number, previous),) != (b"",)


def _malformed(row: Row) -> str:
    """What is wrong with the row's form, empty where nothing is."""
    try:
        body(*row[:10], START)
        if len(row) != 11 or type(row[10]) is not bytes or len(row[10]) != 32:
            return "its hash is not 32 bytes"
    except (TypeError, ValueError) as error:
        return str(error)
    return ""
