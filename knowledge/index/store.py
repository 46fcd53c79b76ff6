"""What a store of vectors is to the library: one immutable collection for each base, wherever it lies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is, and how much there is of it."""


class Unfit(Exception):
    """The store cannot be used as it is set up; the message names the setting or the step that changes it."""


class Unreachable(Exception):
    """The store does not answer, or takes too long: the same may succeed later."""


class Missing(LookupError):
    """What was asked for is not in the store, or not any more."""


@dataclass(frozen=True)
class Contents:
    """What a collection is made of: unit vectors by row, shape (rows, width), the hashes of their texts in the same
    order, and the name of the model that made them."""

    vectors: Floats
    hashes: Sequence[str] = ()
    model: str = ""


@dataclass(frozen=True)
class Near:
    """Rows of a collection, nearest first, and the cosine of each with what was asked for, in [-1, 1]."""

    rows: Ints
    cosines: Floats


@dataclass(frozen=True)
class Unanswered:
    """A question that a store did not answer, and why: whoever asked compares the vectors in the files instead."""

    why: str


@dataclass(frozen=True)
class Holding:
    """One thing that exists in a store away from here, and may cost money: of which installation, for which base."""

    kind: str
    name: str
    installation: str
    base: str
    state: str
    machine: str
    rows: int
    made: str


class Collection(Protocol):
    """The vectors of one base by their row. Threads may share it."""

    @property
    def exact(self) -> int:
        """Up to so many vectors are compared one by one in memory, without the store being asked."""
        ...

    @property
    def most(self) -> int:
        """So many rows can be asked for at once."""
        ...

    @property
    def size(self) -> int:
        """How many vectors it holds; raise `Missing`, `Unfit` or `Unreachable` where that cannot be told."""
        ...

    def nearest(self, vector: Floats, count: int) -> Near | Unanswered:
        """The rows of the `count` vectors of highest cosine, approximately; never raises for what the store does."""
        ...

    def vectors(self, rows: Ints) -> Floats:
        """What the store holds in these rows, in their order; NaN where it holds nothing."""
        ...

    def ids(self) -> set[str]:
        """The rows of everything that the store holds, in decimals, and a name for whatever else there is."""
        ...


class Store(Protocol):
    """The collections of one library. All of it may raise `Unfit` and `Unreachable` where the store is away from here.

    With `remote` making a collection may take an hour and costs money by the hour: only an ingestion does it, and
    searches read the files until it is there.
    """

    @property
    def remote(self) -> bool:
        """Whether it lies away from here."""
        ...

    def names(self) -> set[str]:
        """The collections that exist, in use or left over from a run that broke off."""
        ...

    def discard(self, name: str) -> None:
        """Delete a collection and whatever is left of one; nothing where there is none."""
        ...

    def write(self, name: str, contents: Contents, progress: Progress) -> None:
        """Make a collection, complete and ready to be asked when this returns.

        A collection away from here that a broken run left is carried on, since equal names mean equal contents.
        """
        ...

    def open(self, name: str) -> Collection | None:
        """A collection; None where there is none. A store away from here is not asked before it has to be."""
        ...

    def holdings(self) -> list[Holding]:
        """What exists away from here, of every installation that can be seen; nothing for a store on this machine."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...


Opener = Callable[[Path], Store]
"""Opens the store of the library in a folder."""
