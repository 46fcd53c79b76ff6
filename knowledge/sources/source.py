"""What a source of documents is: a list of files, each read when it is wanted."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

Login = tuple[str, str]
"""A name and a password or token."""


class SourceMissing(Exception):
    """The source is not there: a disk not mounted, a bucket or repository out of reach; the message says which.

    A source that holds nothing at all counts as missing too: an empty mount point looks just so. Whoever wants
    a source's documents gone removes the source.
    """


@dataclass(frozen=True)
class Item:
    """One file of a source.

    `name` is its posix path in the source, `origin` how people find it, `size` its bytes. `stamp` changes
    whenever the content or the metadata beside it does; "" where that cannot be told without reading. `read`
    gives the content as it was listed, `meta` that of `<name>.meta.yaml` beside it; both raise `OSError` in words.
    """

    name: str
    origin: str
    size: int
    stamp: str
    read: Callable[[], bytes] = field(compare=False)
    meta: Callable[[], bytes] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Skipped:
    """Something that was seen and not taken, and why.

    A name that ends in "/" is a folder nobody could look into: what lay there before is not known to be gone.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """What a source holds, both parts sorted by name."""

    items: tuple[Item, ...]
    skipped: tuple[Skipped, ...]


class Source(Protocol):
    """A place that documents come from."""

    @property
    def spec(self) -> str:
        """The text that names it; `named.source` makes the same source of it."""
        ...

    def items(self, endings: Collection[str]) -> Listing:
        """What is there now whose name ends in one of `endings`. Raises `SourceMissing`."""
        ...
