"""Whether the stored nodes of the Merkle tree are the subtrees of the entries, as proofs and checkpoints take them."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import chain
from typing import Any

from sqlalchemy import Connection, or_, select

from opsplane.ledger.readonly import stream
from opsplane.ledger.tables import NODE
from opsplane.ledger.verifier import Violation

STEP = 4
"""Every fourth level is stored."""
_WIDTH = 2**STEP
_HOLE = 2**20  # missing entries that are counted; after a larger hole every node differs


class Subtrees:
    """Takes entries in order, from the first on; what one that is missing stands under cannot be told."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._expected = 1
        self._open: list[list[bytes | None]] = [[]]  # by stored level: what is not a whole subtree yet
        self._made: list[int] = [0]  # by stored level: how many subtrees were complete
        self._stored: list[Iterator[tuple[int, bytes]]] = []
        self._next: list[tuple[int, bytes] | None] = []
        self._found: list[Violation] = []

    def take(self, entries: Sequence[Sequence[Any]]) -> None:
        """Look at some entries, as the verifier reads them."""
        if entries and entries[-1][0] == self._expected + len(entries) - 1:  # none is missing
            self._expected += len(entries)
            self._add(0, [entry[10] for entry in entries])
            return
        leaves: list[bytes | None] = []
        for entry in entries:
            if entry[0] > self._expected:
                leaves += [None] * min(entry[0] - self._expected, _HOLE)
            leaves.append(entry[10])
            self._expected = entry[0] + 1
        self._add(0, leaves)

    def violations(self) -> list[Violation]:
        """What is wrong, after the last entry: also nodes that no entries stand under."""
        for level, following in enumerate(self._next):
            while following is not None:
                self._extra(level, following[0])
                following = next(self._stored[level], None)
        beyond = or_(NODE.c.level > STEP * len(self._next), NODE.c.level % STEP != 0)
        for level_, number in self._connection.execute(select(NODE.c.level, NODE.c.number).where(beyond)):
            self._found.append(Violation("node.extra", None, f"node {number} of level {level_} has no entries"))
        return self._found

    def _add(self, level: int, hashes: Sequence[bytes | None]) -> None:
        held = self._open[level]
        held.extend(hashes)
        whole = len(held) // _WIDTH * _WIDTH
        if not whole:
            return
        nodes = [_root(held[start : start + _WIDTH]) for start in range(0, whole, _WIDTH)]
        del held[:whole]
        if level == len(self._stored):
            self._begin(level)
        for node in nodes:
            self._compare(level, self._made[level], node)
            self._made[level] += 1
        self._add(level + 1, nodes)

    def _begin(self, level: int) -> None:
        query = select(NODE.c.number, NODE.c.hash).where(NODE.c.level == STEP * (level + 1)).order_by(NODE.c.number)
        self._stored.append(chain.from_iterable(stream(self._connection, query)))
        self._next.append(next(self._stored[level], None))
        self._open.append([])
        self._made.append(0)

    def _compare(self, level: int, number: int, node: bytes | None) -> None:
        found = self._next[level]
        while found is not None and found[0] < number:
            self._extra(level, found[0])
            found = next(self._stored[level], None)
        if found is not None and found[0] == number:
            if node is not None and found[1] != node:
                self._tell("node.differs", level, number, "is not what its entries make")
            found = next(self._stored[level], None)
        elif node is not None:
            self._tell("node.missing", level, number, "is missing")
        self._next[level] = found

    def _extra(self, level: int, number: int) -> None:
        self._tell("node.extra", level, number, "has no complete subtree under it")

    def _tell(self, code: str, level: int, number: int, words: str) -> None:
        height = STEP * (level + 1)
        first = (number << height) + 1
        where = f"node {number} of level {height} (entries {first} to {first + 2**height - 1})"
        self._found.append(Violation(code, first, f"{where} {words}"))


def _root(hashes: list[bytes | None]) -> bytes | None:
    """The root over the leaves, None where one of them is not known; `node_hash`, written out for speed."""
    known = [one for one in hashes if one is not None]
    if len(known) < len(hashes):
        return None
    while len(known) > 1:
        known = [sha256(b"\1" + left + right).digest() for left, right in zip(known[::2], known[1::2], strict=True)]
    return known[0]
