"""What differs between two states of a library, document by document."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """Documents by name, such as `fees@2`, in which one state of an index differs from the one before."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> Change:
    """What differs between two states, each with the fingerprint of every document by its name."""
    shared = before.keys() & after.keys()
    return Change(
        added=tuple(sorted(after.keys() - before.keys())),
        changed=tuple(sorted(name for name in shared if before[name] != after[name])),
        removed=tuple(sorted(before.keys() - after.keys())),
    )
