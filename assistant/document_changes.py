"""What differs between two states of the library, document by document, and in the words of those that changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from knowledge.claims import claims
from knowledge.conflicts import Conflict, conflicts
from knowledge.document import Document
from opsplane.difference import Run, words

MOST_SECTIONS = 12
"""Sections that are compared word by word, over all documents; the rest is counted."""
_LONGEST = 4_000  # characters of a section that are compared, from a little before its first change on
_BEFORE = 200


@dataclass(frozen=True)
class Edit:
    """A section in both wordings, of the document `name` against `other`."""

    name: str
    other: str
    section: str
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Changes:
    """From one state to another. `uncompared` counts changed sections beyond those in `edits`."""

    added: tuple[Document, ...]
    changed: tuple[Document, ...]
    removed: tuple[Document, ...]
    edits: tuple[Edit, ...] = ()
    uncompared: int = 0
    conflicts: tuple[Conflict, ...] = field(default=())

    @property
    def summary(self) -> str:
        """How many, in words."""
        counts = (("added", self.added), ("changed", self.changed), ("removed", self.removed))
        return ", ".join(f"{len(some)} {word}" for word, some in counts if some) or "nothing"


def compare(before: Sequence[Document], after: Sequence[Document], on: date) -> Changes:
    """What differs; a new version is compared with the one before it. Conflicts are those that were not there before.

    Both are settled: no two documents of a state have one name.
    """
    old, new = {one.name: one for one in before}, {one.name: one for one in after}
    added = tuple(new[name] for name in sorted(new.keys() - old.keys()))
    changed = tuple(new[name] for name in sorted(new.keys() & old.keys()) if new[name] != old[name])
    pairs = [(old[one.name], one) for one in changed]
    pairs += [(other, one) for one in added if (other := _predecessor(one, before))]
    places = [(*pair, place) for pair in pairs for place in _places(*pair)]
    edits = tuple(_edit(*one) for one in islice(places, MOST_SECTIONS))
    return Changes(
        added=added,
        changed=changed,
        removed=tuple(old[name] for name in sorted(old.keys() - new.keys())),
        edits=edits,
        uncompared=len(places) - len(edits),
        conflicts=tuple(_new_conflicts(before, after, {one.name for one in (*added, *changed)}, on)),
    )


def _predecessor(document: Document, before: Sequence[Document]) -> Document | None:
    """The version that began last before this one."""
    others = [one for one in before if one.id == document.id and one.effective_from <= document.effective_from]
    return max(others, key=lambda one: one.effective_from, default=None)


def _places(old: Document, new: Document) -> Iterator[tuple[str, ...]]:
    """The paths of sections whose text differs, in reading order."""
    before, after = _texts(old), _texts(new)
    for path in dict.fromkeys([*after, *before]):
        if before.get(path) != after.get(path):
            yield path


def _edit(old: Document, new: Document, path: tuple[str, ...]) -> Edit:
    before, after = (_texts(one).get(path, "") for one in (old, new))
    shared = next((place for place, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    start = max(0, shared - _BEFORE)
    pieces = (text[start : start + _LONGEST] for text in (before, after))
    return Edit(new.name, old.name, " › ".join(path), words(*pieces))


def _texts(document: Document) -> Mapping[tuple[str, ...], str]:
    texts: dict[tuple[str, ...], list[str]] = {}
    for section in document.sections:
        texts.setdefault(section.path, []).append(section.text)
    return {path: "\n".join(parts) for path, parts in texts.items()}


def _new_conflicts(
    before: Sequence[Document], after: Sequence[Document], touched: set[str], on: date
) -> Iterator[Conflict]:
    """Conflicts in which a changed document has a part, as of the first day on which all that changed has begun."""
    if not touched:
        return
    begun = max([on, *(one.effective_from for one in after if one.name in touched)])
    used = [*(one for one in before if one.in_force(on)), *(one for one in after if one.in_force(begun))]
    read = {sha: claims(one) for sha, one in {one.sha256: one for one in used}.items()}
    known = {(one.first.quote, one.second.quote) for one in conflicts(before, on, read)}
    for one in conflicts(after, begun, read):
        if touched & {one.first.document, one.second.document} and (one.first.quote, one.second.quote) not in known:
            yield one
