"""Entries against the checkpoints that were signed over them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .notes import Checkpoint, NoteError, check_note, read_checkpoint
from .report import Remark, Report, State, Violation
from .walk import Walk


def verify(
    entries: Iterable[Any],
    checkpoints: Iterable[str],
    anchored: Iterable[str],
    keys: Iterable[str],
    start: State | None = None,
    progress: Callable[[int], object] | None = None,
) -> Report:
    """Check every entry, and every checkpoint against them; nothing that is wrong with them is raised.

    `entries` are tuples of the table's columns, in order of seq and one after `start`. `anchored` are checkpoints that
    were kept elsewhere, all of which must be among `checkpoints`; read them before those, and those before the entries,
    where the ledger grows meanwhile. `keys` are pinned verifier keys (raises `NoteError` for what is none); without
    any, the first key that the ledger itself names is trusted. `progress` is told the number of an entry now and then.
    """
    notes = _read(checkpoints, "")
    outside = {note: one for note, one in _read(anchored, "anchored ").items() if note not in notes}
    begin = start or State()
    wanted = {one.read.size for one in (*notes.values(), *outside.values()) if one.read}
    walk = Walk(keys, begin, wanted, progress or (lambda _: None))
    walk.run(entries)
    verdict = _Verdict(walk, begin)
    for note, one in (*notes.items(), *outside.items()):
        verdict.take(note, one)
    return verdict.report()


@dataclass(frozen=True)
class _Note:
    """A checkpoint before its signature was checked: which of its source's, and what it says."""

    source: str
    number: int
    read: Checkpoint | None
    error: NoteError | None = None

    @property
    def size(self) -> int | None:
        return self.read.size if self.read else None

    @property
    def name(self) -> str:
        said = f" (of {self.read.size} entries, {self.read.time})" if self.read else ""
        return f"{self.source}checkpoint {self.number}{said}"


def _read(notes: Iterable[object], source: str) -> dict[str, _Note]:
    found = {}
    for number, note in enumerate(notes, 1):
        text = note if isinstance(note, str) else repr(note)
        try:
            found[text] = _Note(source, number, read_checkpoint(text))
        except NoteError as error:
            found[text] = _Note(source, number, None, error)
    return found


@dataclass
class _Verdict:
    """Which checkpoints agree with the entries, and what it means where one does not."""

    walk: Walk
    start: State
    violations: list[Violation] = field(default_factory=list)
    taken: int = 0
    good: list[Checkpoint] = field(default_factory=list)
    bad: list[tuple[Checkpoint, str]] = field(default_factory=list)
    beyond: list[tuple[Checkpoint, str]] = field(default_factory=list)
    unproven: list[Checkpoint] = field(default_factory=list)

    def take(self, note: str, one: _Note) -> None:
        """Check a note's form, ledger and signature, and sort it by how its root agrees."""
        self.taken += 1
        try:
            if one.error:
                raise one.error
            if one.read and self.walk.origin and one.read.origin != self.walk.origin:
                raise NoteError("ledger.foreign", f"it is of another ledger, {one.read.origin}")
            checkpoint = check_note(note, self.walk.keys)
        except NoteError as error:
            self.violations.append(Violation(error.code, one.size, f"{one.name}: {error}"))
            return
        if checkpoint.size >= self.start.size:
            self._compare(checkpoint, one)

    def _compare(self, checkpoint: Checkpoint, one: _Note) -> None:
        if self.walk.foreign:
            self.unproven.append(checkpoint)
            return
        if checkpoint.size > self.walk.size:
            self.beyond.append((checkpoint, one.name))
            return
        if one.source:
            detail = f"{one.name} is not among the ledger's own"
            self.violations.append(Violation("checkpoint.missing", checkpoint.size, detail))
        if checkpoint.size not in self.walk.roots:
            self.unproven.append(checkpoint)
        elif checkpoint.root in self.walk.roots[checkpoint.size]:
            self.good.append(checkpoint)
        else:
            self.bad.append((checkpoint, one.name))

    def report(self) -> Report:
        """All of it, by the entries' order."""
        walk = self.walk
        proven = max((one.size for one in self.good), default=0)
        of_roots = [*self._truncated(), *self._replaced(proven)]
        found = [*walk.violations, *walk.changed.values(), *self.violations, *of_roots]
        for first, last, _ in walk.missing:
            detail = f"entries {first} to {last} are missing" if last > first else "it is missing"
            found.append(Violation("entry.missing", first, detail))
        found.sort(key=lambda one: (one.row is None, one.row or 0))
        return Report(
            entries=walk.entries,
            checkpoints=self.taken,
            size=walk.size,
            proven=proven,
            origin=walk.origin,
            pinned=bool(walk.pinned),
            keys=tuple(walk.keys),
            violations=tuple(found),
            remarks=(*walk.remarks, *self._remarks(proven)),
            state=None if found else walk.state(),
        )

    def _truncated(self) -> Iterator[Violation]:
        if self.beyond:
            largest, name = max(self.beyond, key=lambda one: one[0].size)
            detail = (
                f"entries {self.walk.size + 1} to {largest.size} are missing at the end: {name} was signed over them"
            )
            yield Violation("ledger.truncated", self.walk.size + 1, detail)

    def _replaced(self, proven: int) -> Iterator[Violation]:
        """What roots that do not agree tell. Beyond the last good one they have one cause: entries were replaced."""
        tail = sorted((one for one in self.bad if one[0].size > proven), key=lambda one: one[0].size)
        for checkpoint, name in self.bad:
            if checkpoint.size <= proven:
                detail = f"{name} has another root than these entries, though one of {proven} entries agrees"
                yield Violation("checkpoint.root", checkpoint.size, detail)
        if not tail:
            return
        first, name = tail[0]
        begin = max(proven, self.start.size)
        detail = f"of entries {begin + 1} to {first.size} some were replaced with their hashes: {name} has another root"
        row, broken = begin + 1, self._broken(begin)
        if broken:
            row = broken - 1
            detail += f"; entry {broken} does not follow what now stands as entry {row}"
            self.walk.changed[broken] = Violation("chain.broken", broken, "it does not follow the entry before it")
        more = f" (and {len(tail) - 1} after it)" if tail[1:] else ""
        yield Violation("checkpoint.root", row, detail + more)

    def _broken(self, begin: int) -> int | None:
        """The first entry after the last good checkpoint that does not fit its hash: it may be what went before."""
        changed = (row for row, one in self.walk.changed.items() if one.code == "entry.changed" and row > begin + 1)
        return min(changed, default=None)

    def _remarks(self, proven: int) -> Iterator[Remark]:
        walk = self.walk
        if not walk.pinned:
            yield Remark("key.unpinned", None, "no key was pinned: the ledger vouches for itself only")
        if self.unproven:
            detail = f"{len(self.unproven)} checkpoints could not be compared with these entries"
            yield Remark("checkpoint.unproven", min(one.size for one in self.unproven), detail)
        if walk.size > max(proven, self.start.size):
            yield Remark("checkpoint.none", proven + 1, f"no checkpoint covers entries {proven + 1} to {walk.size}")
