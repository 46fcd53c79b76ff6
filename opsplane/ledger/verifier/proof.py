"""An entry's hash, and proofs about the Merkle tree over these hashes (RFC 9162, section 2.1).

The hash of an entry is the tree's leaf hash of it: SHA-256 of a zero byte and the entry's `body`.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

START = bytes(32)
"""What the first entry follows."""
LARGEST = 2**63
"""No number is as large as this, and none below its negative."""


def body(*fields: Any) -> bytes:
    """The bytes of an entry that its hash covers: the columns seq to sealed, then the 32 bytes of the hash before it.

    Raises `TypeError` or `ValueError` for what is no entry.
    """
    seq, at, kind, actor, role, exchange, subject, key, payload, sealed, previous = fields
    names = "\n".join((kind, actor, role, exchange, subject, key))
    if not (type(seq) is type(at) is int and type(payload) is type(sealed) is type(previous) is bytes):
        raise TypeError("seq and at must be integers, payload and sealed bytes")
    if names.count("\n") != 5 or not (0 < seq < LARGEST and -LARGEST < at < LARGEST and len(previous) == 32):
        raise ValueError("a name holds a line break, or a number is out of range")
    head = f"opsplane-entry/1\n{seq}\n{at}\n{names}\n{previous.hex()}\n{len(payload)}\n".encode()
    return head + payload + sealed


def entry_hash(*fields: Any) -> bytes:
    """An entry's hash, of the same fields as `body`."""
    return hashlib.sha256(b"\0" + body(*fields)).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node of the tree (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """A Merkle tree of which only the peaks are kept: the roots of its complete subtrees, largest first."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size, self.peaks = size, list(peaks)
        if len(self.peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks, not {len(self.peaks)}")

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        bits = self.size
        while bits & 1:
            leaf, bits = node_hash(self.peaks.pop(), leaf), bits >> 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of what was added so far."""
        found = self.peaks[-1] if self.peaks else hashlib.sha256().digest()
        for peak in self.peaks[-2::-1]:
            found = node_hash(peak, found)
        return found


def split(size: int) -> int:
    """How many leaves stand left of the root of a tree of two or more: the largest power of two below its size."""
    return 1 << (size - 1).bit_length() - 1


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path proves that `leaf` is number `index` (from 0) of the tree (RFC 9162, 2.1.3)."""
    sides: list[bool] = []  # of each step from the root down: whether it stands to the left
    while size > 1:
        sides.append(index >= split(size))
        index, size = (index - split(size), size - split(size)) if sides[-1] else (index, split(size))
    for step, is_left in zip(path, reversed(sides), strict=False):
        leaf = node_hash(step, leaf) if is_left else node_hash(leaf, step)
    return (index, size, len(path)) == (0, 1, len(sides)) and leaf == root


def verify_consistency(size1: int, size2: int, path: Sequence[bytes], root1: bytes, root2: bytes) -> bool:
    """Whether the path proves that the tree of `size1` is the beginning of that of `size2` (RFC 9162, 2.1.4)."""
    if not 0 < size1 < size2:
        return size1 == size2 and not path and root1 == root2
    sides: list[bool] = []
    while size1 != size2:
        sides.append(size1 > split(size2))
        size1, size2 = (size1 - split(size2), size2 - split(size2)) if sides[-1] else (size1, split(size2))
    steps = list(path) if any(sides) else [root1, *path]  # the old tree may be a subtree of the new one
    if len(steps) != len(sides) + 1:
        return False
    before = after = steps[0]
    for step, is_left in zip(steps[1:], reversed(sides), strict=True):
        before = node_hash(step, before) if is_left else before
        after = node_hash(step, after) if is_left else node_hash(after, step)
    return before == root1 and after == root2
