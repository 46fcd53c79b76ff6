"""Proofs about the Merkle tree (RFC 9162, section 2.1), out of the subtrees that are stored.

Stored are the leaves (level 0, the entries' hashes) and the complete subtrees of 16, 256, … leaves (level 4, 8, …).
What lies between is computed anew from at most 16 children, so that a proof reads a handful of short runs.
"""

from collections.abc import Callable, Iterable, Sequence

from opsplane.ledger.verifier import Tree, node_hash, split

Read = Callable[[int, int, int], Sequence[bytes]]
"""Gives the hashes of complete stored subtrees: level, first number (from 0), how many; fewer where there are fewer."""
_STEP = 4
"""Every so many levels are stored."""


class Frontier:
    """The peaks of the tree, largest first: all that is needed to append to it."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size, self.peaks = size, list(peaks)
        if len(self.peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks, not {len(self.peaks)}")

    def copy(self) -> "Frontier":
        """Another one at the same place."""
        return Frontier(self.size, self.peaks)

    def append(self, leaf: bytes) -> Sequence[tuple[int, int, bytes]]:
        """Add a leaf; gives level, number and hash of the subtrees that are now complete and to be stored."""
        number, level, peaks = self.size, 0, self.peaks
        stored: Sequence[tuple[int, int, bytes]] = ()
        self.size += 1
        while number & 1:
            leaf, number, level = node_hash(peaks.pop(), leaf), number >> 1, level + 1
            if not level & 3:
                stored = (*stored, (level, number, leaf))
        peaks.append(leaf)
        return stored

    def root(self) -> bytes:
        """The root of the tree."""
        return Tree(self.size, self.peaks).root()


def inclusion(read: Read, index: int, size: int) -> list[bytes]:
    """The path that proves leaf `index` (from 0) of the tree of `size` leaves; raise `ValueError` where it has none."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    nodes = _Nodes(read)
    path, first, last = [], 0, size
    while last - first > 1:
        middle = first + split(last - first)
        if index < middle:
            path.append(nodes.root(middle, last))
            last = middle
        else:
            path.append(nodes.root(first, middle))
            first = middle
    return path[::-1]


def consistency(read: Read, old: int, new: int) -> list[bytes]:
    """The path that proves the tree of `old` leaves the beginning of that of `new`; raise `ValueError` for none."""
    if not 0 < old <= new:
        raise ValueError(f"a tree of {old} leaves cannot be proven the beginning of one of {new}")
    nodes = _Nodes(read)
    path, first, last = [], 0, new
    while last != old:
        middle = first + split(last - first)
        if old <= middle:
            path.append(nodes.root(middle, last))
            last = middle
        else:
            path.append(nodes.root(first, middle))
            first = middle
    return ([nodes.root(first, last)] if first else []) + path[::-1]


def peaks(read: Read, size: int) -> list[bytes]:
    """The roots of the complete subtrees that a tree of `size` leaves consists of, largest first."""
    nodes, found, first = _Nodes(read), [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            found.append(nodes.subtree(level, first >> level))
            first += 1 << level
    return found


def root(read: Read, size: int) -> bytes:
    """The root of the tree of `size` leaves."""
    return Tree(size, peaks(read, size)).root()


class _Nodes:
    """Subtrees, read in runs of 16 siblings and kept for the length of one proof."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._runs: dict[tuple[int, int], Sequence[bytes]] = {}

    def root(self, first: int, last: int) -> bytes:
        """The root over leaves `first` to `last` (exclusive), as they hang together in the tree."""
        count = last - first
        if count.bit_count() == 1:
            level = count.bit_length() - 1
            return self.subtree(level, first >> level)
        middle = first + split(count)
        return node_hash(self.root(first, middle), self.root(middle, last))

    def subtree(self, level: int, number: int) -> bytes:
        """The root of a complete subtree of 2**level leaves; raise `ValueError` where what it needs is not stored."""
        above = level % _STEP
        stored, first, count = level - above, number << above, 1 << above
        run, place = divmod(first, 16)
        if (stored, run) not in self._runs:
            self._runs[stored, run] = self._read(stored, run * 16, 16)
        hashes = self._runs[stored, run][place : place + count]
        if len(hashes) != count:
            raise ValueError(f"the stored tree lacks subtree {number} of level {level}")
        while len(hashes) > 1:
            hashes = [node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
        return hashes[0]
