"""Tampering with a ledger: what the verifier finds, how exactly it says where, and how fast it reads.

    python -m benchmarks.tampering [--rows 2000] [--times 1000] [--seed 1] [--million 1000000]

A tampering takes a record and gives another with what its author would be looking for: the rows that a violation may
name and one that it must. *Located* means that every violation names one of these rows, and one of them that row.
"""

import argparse
import base64
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter, process_time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from opsplane.ledger import verifier
from opsplane.ledger.verifier import Report, Tree, Violation

Row = tuple[Any, ...]
BEGUN = 1_700_000_000_000_000


@dataclass(frozen=True)
class Record:
    """Entries as the verifier takes them, checkpoints, checkpoints kept elsewhere, and the pinned keys."""

    entries: Sequence[Row]
    checkpoints: Sequence[str]
    anchored: Sequence[str]
    keys: Sequence[str]

    def verify(self) -> Report:
        """What the verifier says."""
        return verifier.verify(self.entries, self.checkpoints, self.anchored, self.keys)


@dataclass(frozen=True)
class Mark:
    """Where a tampering is to be found: in row `at`, or as close as rows `first` to `last`; or by code and words."""

    at: int | None
    first: int = 0
    last: int = 0
    code: str = ""
    words: str = ""

    def located(self, violations: Sequence[Violation]) -> bool:
        """Whether the violations name the place and no other."""
        if self.code:
            return any((one.code, one.row) == (self.code, self.at) for one in violations)
        if self.words:
            return bool(violations) and all(re.search(self.words, one.detail) for one in violations)
        rows = {one.row for one in violations}
        near = range(self.first or self.at or 0, (self.last or self.at or 0) + 1)
        return bool(rows) and all(row in near for row in rows) and (self.at is None or self.at in rows)


class Author:
    """Writes ledgers of her own, signed with her own key."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self.origin = f"opsplane/{rng.randbytes(16).hex()}"
        self._private = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
        self.key = verifier.format_key(self.origin, self._private.public_key().public_bytes_raw())
        self.sign = self._private.sign
        self._noise = rng.randbytes(4096)

    def rows(self, count: int, private: int = 250) -> Iterator[Row]:
        """So many entries, chained; `private` is how many bytes are sealed in each, and as many are public."""
        previous = verifier.START
        for seq in range(1, count + 1):
            row = self._row(seq, private)
            previous = verifier.entry_hash(*row, previous)
            yield (*row, previous)

    def _row(self, seq: int, private: int) -> Row:
        at, who = BEGUN + seq * 10_000, f"customer-{seq % 97}"
        if seq == 1:
            event = {"kind": "ledger_opened", "ledger": self.origin.removeprefix("opsplane/")}
            return seq, at, "ledger_opened", "opsplane", "service", "", "", "", json.dumps(event).encode(), b""
        if seq == 2:
            event = {"kind": "signing_key_added", "key": self.key, "endorsement": ""}
            return seq, at, "signing_key_added", "opsplane", "service", "", "", "", json.dumps(event).encode(), b""
        public = json.dumps({"kind": "question_answered", "number": seq, "filler": "x" * private}).encode()
        sealed = self._noise[seq % 1024 :][:private]
        return seq, at, "question_answered", who, "customer", f"exchange-{seq}", who, "2026-11", public, sealed

    def note(self, size: int, root: bytes) -> str:
        """A signed checkpoint."""
        time = f"2026-11-{1 + size // 86_400 % 28:02}T{size // 3600 % 24:02}:{size // 60 % 60:02}:{size % 60:02}Z"
        text = f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\ntime {time}\n"
        signed = bytes.fromhex(self.key.split("+")[1]) + self._private.sign(text.encode())
        return f"{text}\n— {self.origin} {base64.b64encode(signed).decode()}\n"

    def record(self, count: int, every: int) -> Record:
        """A ledger with a checkpoint every so many entries and one at the end, all of them anchored."""
        entries, tree, notes = list(self.rows(count)), Tree(), []
        for row in entries:
            tree.append(row[10])
            if tree.size % every == 0 or tree.size == count:
                notes.append(self.note(tree.size, tree.root()))
        return Record(entries, notes, notes, (self.key,))


def rehashed(entries: Sequence[Row], first: int, last: int) -> list[Row]:
    """The entries with hashes made anew for numbers `first` to `last`, as somebody with the database would."""
    made = list(entries)
    for index in range(first - 1, last):
        previous = made[index - 1][10] if index else verifier.START
        made[index] = (*made[index][:10], verifier.entry_hash(*made[index][:10], previous))
    return made


def flipped(row: Row, column: int, rng: random.Random) -> Row:
    """The row with one bit, letter or number changed in a column."""
    value: Any = row[column]
    if isinstance(value, int):
        value += rng.choice((-1, 1)) << rng.randrange(40)
    elif isinstance(value, str):
        place = rng.randrange(len(value) + 1)
        value = value[:place] + rng.choice("abcxyz0189\n") + value[place:]
    elif value:
        place = rng.randrange(len(value))
        value = value[:place] + bytes([value[place] ^ 1 << rng.randrange(8)]) + value[place + 1 :]
    else:
        value = b"x"
    return (*row[:column], value, *row[column + 1 :])


def _some(record: Record, rng: random.Random, spare: int = 3) -> int:
    return rng.randrange(2, len(record.entries) - spare)


def _interval(record: Record, number: int) -> tuple[int, int]:
    """The entries between the checkpoints around this one."""
    sizes = [verifier.read_checkpoint(note).size for note in record.checkpoints]
    return max((size for size in sizes if size < number), default=0) + 1, min(size for size in sizes if size >= number)


def change(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """One value of one entry."""
    entries, number = list(record.entries), rng.randrange(1, len(record.entries) + 1)
    entries[number - 1] = flipped(entries[number - 1], rng.randrange(1, 10), rng)
    return replace(record, entries=entries), Mark(number)


def change_hash(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """One bit of one entry's hash."""
    entries, number = list(record.entries), rng.randrange(1, len(record.entries) + 1)
    entries[number - 1] = flipped(entries[number - 1], 10, rng)
    return replace(record, entries=entries), Mark(number)


def change_and_rehash(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """One value of one entry, whose hash is made to fit."""
    entries, number = list(record.entries), _some(record, rng)
    entries[number - 1] = flipped(entries[number - 1], 9, rng)
    return replace(record, entries=rehashed(entries, number, number)), Mark(number, number, number + 1)


def rewrite(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """One value, and every hash from there to the end made to fit."""
    entries, number = list(record.entries), _some(record, rng)
    entries[number - 1] = flipped(entries[number - 1], 9, rng)
    first, last = _interval(record, number)
    return replace(record, entries=rehashed(entries, number, len(entries))), Mark(None, first, last)


def delete(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """Some entries in a row."""
    number, count = _some(record, rng, 20), rng.randint(1, 10)
    entries = [*record.entries[: number - 1], *record.entries[number - 1 + count :]]
    return replace(record, entries=entries), Mark(number)


def delete_and_renumber(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """One entry; those after it close the gap."""
    number = _some(record, rng)
    moved = [(row[0] - 1, *row[1:]) for row in record.entries[number:]]
    sizes = (number, number + 2)
    return replace(record, entries=[*record.entries[: number - 1], *moved]), Mark(number, *sizes)


def insert(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """A forged entry under a number that is taken, its hash made to fit what stands before it."""
    number = _some(record, rng)
    forged = flipped(record.entries[number - 1], 9, rng)
    entries = [*record.entries[: number - 1], forged, *record.entries[number - 1 :]]
    return replace(record, entries=rehashed(entries, number, number)), Mark(number)


def insert_and_renumber(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """A forged entry that fits what stands before it; those after it make room."""
    number = _some(record, rng)
    moved = [(row[0] + 1, *row[1:]) for row in record.entries[number - 1 :]]
    entries = [*record.entries[: number - 1], flipped(record.entries[number - 1], 9, rng), *moved]
    return replace(record, entries=rehashed(entries, number, number)), Mark(number)


def duplicate(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """An entry that stands there twice."""
    number = _some(record, rng)
    place = rng.randrange(number, len(record.entries))
    copied = [*record.entries[:place], record.entries[number - 1], *record.entries[place:]]
    return replace(record, entries=copied), Mark(number)


def exchange(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """Two entries change their numbers."""
    entries = list(record.entries)
    one, other = sorted(rng.sample(range(2, len(entries)), 2))
    entries[one - 1], entries[other - 1] = (one, *entries[other - 1][1:]), (other, *entries[one - 1][1:])
    return replace(record, entries=entries), Mark(one, one, other)


def reorder(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """Two entries change places and keep their numbers, as lines of a file can."""
    entries = list(record.entries)
    one, other = sorted(rng.sample(range(2, len(entries)), 2))
    entries[one - 1], entries[other - 1] = entries[other - 1], entries[one - 1]
    return replace(record, entries=entries), Mark(one, one, other)


def renumber(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """One entry gets a number beyond the last, and is read in the order of numbers."""
    entries, number = list(record.entries), _some(record, rng)
    row = entries.pop(number - 1)
    return replace(record, entries=[*entries, (len(entries) + rng.randint(2, 99), *row[1:])]), Mark(number)


def truncate(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """The last entries."""
    keep = _some(record, rng, 1)
    return replace(record, entries=record.entries[:keep]), Mark(keep + 1)


def roll_back(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """An old backup, entries and checkpoints, put in the place of the ledger."""
    keep = _some(record, rng, 1)
    notes = [note for note in record.checkpoints if verifier.read_checkpoint(note).size <= keep]
    return replace(record, entries=record.entries[:keep], checkpoints=notes), Mark(keep + 1)


def swap(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """Another ledger, sound in itself."""
    other = Author(rng.randrange(10**9)).record(50, 20)
    return replace(record, entries=other.entries, checkpoints=other.checkpoints), Mark(1, code="ledger.foreign")


def edit_checkpoint(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """One letter of a checkpoint's text, root or signature."""
    notes, number = list(record.checkpoints), rng.randrange(len(record.checkpoints))
    place = rng.randrange(len(notes[number]) - 1)
    letter = rng.choice([one for one in "0123456789abcdefXYZ+/" if one != notes[number][place]])
    edited = notes[number][:place] + letter + notes[number][place + 1 :]
    notes[number] = edited
    return replace(record, checkpoints=notes), Mark(None, words=rf"checkpoint {number + 1}\b")


def drop_checkpoint(record: Record, rng: random.Random) -> tuple[Record, Mark]:
    """A checkpoint that is in the anchor only."""
    notes = list(record.checkpoints)
    gone = notes.pop(rng.randrange(len(notes)))
    return replace(record, checkpoints=notes), Mark(verifier.read_checkpoint(gone).size)


TAMPERINGS: tuple[Callable[[Record, random.Random], tuple[Record, Mark]], ...] = (
    change,
    change_hash,
    change_and_rehash,
    rewrite,
    delete,
    delete_and_renumber,
    insert,
    insert_and_renumber,
    duplicate,
    exchange,
    reorder,
    renumber,
    truncate,
    roll_back,
    swap,
    edit_checkpoint,
    drop_checkpoint,
)
"""Every kind there is."""


@dataclass(frozen=True)
class Tally:
    """What came of one kind of tampering."""

    times: int
    found: int
    located: int


def tamper(record: Record, times: int, rng: random.Random) -> dict[str, Tally]:
    """Each kind in turn, so many in all; raise where the untouched record is not valid."""
    if not record.verify().valid:
        raise SystemExit(f"the untouched record is not valid: {record.verify().violations[:3]}")
    counts: Counter[tuple[str, str]] = Counter()
    for turn in range(times):
        kind = TAMPERINGS[turn % len(TAMPERINGS)]
        tampered, mark = kind(record, rng)
        violations = tampered.verify().violations
        name = kind.__name__.replace("_", " ")
        counts[name, "times"] += 1
        counts[name, "found"] += bool(violations)
        counts[name, "located"] += mark.located(violations)
    names = dict.fromkeys(name for name, _ in counts)
    return {name: Tally(*(counts[name, of] for of in ("times", "found", "located"))) for name in names}


def speed(author: Author, count: int) -> tuple[float, float]:
    """Entries a second, of the clock and of this process's CPU time; the best of three."""
    record = author.record(count, count)
    best = (0.0, 0.0)
    for _ in range(3):
        begun, cpu = perf_counter(), process_time()
        assert record.verify().valid
        best = max(best, (count / (perf_counter() - begun), count / (process_time() - cpu)))
    return best


def one_in(author: Author, count: int, rng: random.Random) -> tuple[int, Report]:
    """One flipped bit in so many entries that are never in memory together: the entry, and the report."""
    tree, number = Tree(), rng.randrange(1, count + 1)
    for row in author.rows(count):
        tree.append(row[10])
    entries = (flipped(row, 9, rng) if row[0] == number else row for row in author.rows(count))
    return number, verifier.verify(entries, [author.note(count, tree.root())], [], [author.key])


def show(*rows: Sequence[str]) -> None:
    """Print a table, its head first."""
    head, *others = (f"| {' | '.join(row)} |" for row in rows)
    print(head, f"|{' --- |' * len(rows[0])}", *others, "", sep="\n")


def main() -> None:
    """Print what was found and located; leave with an error where something was not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2000, help="entries of the record that is tampered with")
    parser.add_argument("--times", type=int, default=1000, help="tamperings")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--million", type=int, default=1_000_000, help="entries of which one is changed; 0: none")
    given = parser.parse_args()
    rng, author = random.Random(given.seed), Author(given.seed)
    tallies = tamper(author.record(given.rows, max(1, given.rows // 20)), given.times, rng)
    rows = [(name, f"{one.times}", f"{one.found}", f"{one.located}") for name, one in tallies.items()]
    total = [sum(getattr(one, of) for one in tallies.values()) for of in ("times", "found", "located")]
    show(("Tampering", "Times", "Found", "Located"), *rows, ("all", *map(str, total)))
    clock, cpu = speed(author, 100_000)
    measured = [("Entries of 500 B verified a second; of CPU time", f"{clock:,.0f}; {cpu:,.0f}")]
    exact = True
    if given.million:
        number, report = one_in(author, given.million, rng)
        exact = [(one.code, one.row) for one in report.violations] == [("entry.changed", number)]
        said = ", ".join(f"{one.code} {one.row:,}" for one in report.violations[:3])
        measured.append((f"One bit flipped in entry {number:,} of {given.million:,}: violations", said))
    show(("Measure", "Result"), *measured)
    if not exact or len(set(total)) != 1:
        raise SystemExit("not everything was found and located")


if __name__ == "__main__":
    main()
