"""The end of the chain: what the next entry follows, and the Merkle tree's frontier, held by whoever writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, bindparam, insert, select

from opsplane.ledger import merkle, verifier
from opsplane.ledger.merkle import Frontier, Read
from opsplane.ledger.tables import ENTRY, NODE


class Sealed(NamedTuple):
    """An entry but for its place in the chain."""

    at: int
    kind: str
    actor: str
    role: str
    exchange: str
    subject: str
    key: str
    payload: bytes
    sealed: bytes


@dataclass(frozen=True)
class Head:
    """The last entry and the tree up to it."""

    seq: int
    hash: bytes
    frontier: Frontier


_NEWEST = select(ENTRY.c.seq, ENTRY.c.hash).order_by(ENTRY.c.seq.desc()).limit(1)


def head(connection: Connection, known: Head | None) -> Head:
    """The head as it stands in this transaction: `known` where nobody else has written since."""
    found = _first(connection)
    seq, last = (int(found[0]), bytes(found[1])) if found else (0, verifier.START)
    if known and (known.seq, known.hash) == (seq, last):
        return known
    return Head(seq, last, Frontier(seq, merkle.peaks(nodes(connection), seq)))


def extend(connection: Connection, after: Head, lines: Sequence[Sealed]) -> Head:
    """Chain the lines after the head and write them; the new head counts once the transaction is committed."""
    frontier = after.frontier.copy()
    seq, previous = after.seq, after.hash
    entries: list[tuple[Any, ...]] = []
    kept: list[tuple[Any, ...]] = []
    for line in lines:
        seq += 1
        previous = verifier.entry_hash(seq, *line, previous)
        entries.append((seq, *line, previous))
        kept += frontier.append(previous)
    _write(connection, ENTRY, entries)
    if kept:
        _write(connection, NODE, kept)
    return Head(seq, previous, frontier)


def _first(connection: Connection) -> Any:
    if connection.dialect.name != "sqlite":
        return connection.execute(_NEWEST).first()
    return _cursor(connection).execute("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1").fetchone()


def _write(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    names = [column.name for column in table.columns]
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - names of our own
        _cursor(connection).executemany(statement, rows)
        return
    connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])


def _cursor(connection: Connection) -> Any:
    """The driver's own: before every sentence that is said, SQLAlchemy would take as long as the disk."""
    return connection.connection.cursor()


_SPAN: tuple[Any, Any] = bindparam("first"), bindparam("last")
_LEAVES = select(ENTRY.c.hash).where(ENTRY.c.seq.between(*_SPAN)).order_by(ENTRY.c.seq)
_NODES = (
    select(NODE.c.hash).where(NODE.c.level == bindparam("level"), NODE.c.number.between(*_SPAN)).order_by(NODE.c.number)
)


def nodes(connection: Connection) -> Read:
    """Reads complete subtrees as `merkle` wants them: level 0 are the entries, the others are kept nodes."""

    def read(level: int, first: int, count: int) -> list[bytes]:
        if level == 0:
            found = connection.execute(_LEAVES, {"first": first + 1, "last": first + count})
        else:
            found = connection.execute(_NODES, {"level": level, "first": first, "last": first + count - 1})
        return [bytes(one) for one in found.scalars()]

    return read
