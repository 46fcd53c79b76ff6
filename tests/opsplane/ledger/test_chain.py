"""Each entry follows the one before it, and the tree grows with the chain."""

import hashlib
from collections.abc import Iterator
from itertools import pairwise

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from opsplane.ledger import chain, guards, merkle, verifier
from opsplane.ledger.chain import Sealed
from opsplane.ledger.database import connect, transaction
from opsplane.ledger.tables import ENTRY, METADATA, NODE

LINES = [Sealed(n, "signed_in", "a", "customer", "", "", "", b"{}", b"") for n in range(40)]


@pytest.fixture
def engine(record_url: str) -> Iterator[Engine]:
    engine = connect(record_url)
    with transaction(engine) as connection:
        METADATA.create_all(connection)
        guards.put(connection)
    yield engine
    engine.dispose()


def test_hashes_follow_one_another(engine: Engine) -> None:
    with transaction(engine) as connection:
        chain.extend(connection, chain.head(connection, None), LINES)
        rows = [tuple(row) for row in connection.execute(select(ENTRY).order_by(ENTRY.c.seq))]
    assert [row[0] for row in rows] == list(range(1, 41))
    for before, row in pairwise([(bytes(32),), *rows]):
        assert bytes(row[-1]) == verifier.entry_hash(*row[:8], bytes(row[8]), bytes(row[9]), bytes(before[-1]))


def test_the_head_is_read_again_where_another_has_written(engine: Engine) -> None:
    with transaction(engine) as connection:
        old = chain.extend(connection, chain.head(connection, None), LINES[:17])
    with transaction(engine) as connection:
        chain.extend(connection, chain.head(connection, None), LINES[17:])
    with transaction(engine) as connection:
        found = chain.head(connection, old)
        assert found.seq == 40
        leaves = [bytes(row[0]) for row in connection.execute(select(ENTRY.c.hash).order_by(ENTRY.c.seq))]
        assert merkle.root(chain.nodes(connection), 40) == _root(leaves)


def test_every_complete_subtree_of_sixteen_is_kept(engine: Engine) -> None:
    with transaction(engine) as connection:
        chain.extend(connection, chain.head(connection, None), LINES)
        kept = connection.execute(select(NODE.c.level, NODE.c.number).order_by(NODE.c.number)).all()
    assert [tuple(row) for row in kept] == [(4, 0), (4, 1)]


def test_a_gap_is_refused_by_the_table_itself(engine: Engine) -> None:
    with pytest.raises(SQLAlchemyError, match="no gaps"), transaction(engine) as connection:
        connection.execute(ENTRY.insert(), _row(5))


@pytest.mark.parametrize("statement", ["UPDATE entry SET actor = 'x'", "DELETE FROM entry", "DELETE FROM checkpoint"])
def test_the_tables_refuse_change_and_deletion(engine: Engine, statement: str) -> None:
    with transaction(engine) as connection:
        connection.execute(ENTRY.insert(), _row(1))
        connection.exec_driver_sql(
            "INSERT INTO checkpoint (at, size, root, note) VALUES (1, 1, " + _blob(engine) + ", 'n')"
        )
    with pytest.raises(SQLAlchemyError, match="append-only"), transaction(engine) as connection:
        connection.exec_driver_sql(statement)


def test_a_row_cannot_be_replaced(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("INSERT OR REPLACE is SQLite's")
    with transaction(engine) as connection:
        connection.execute(ENTRY.insert(), _row(1))
    with pytest.raises(SQLAlchemyError), transaction(engine) as connection:
        connection.execute(ENTRY.insert().prefix_with("OR REPLACE"), _row(1))


def _row(seq: int) -> dict[str, object]:
    return {"seq": seq, **LINES[0]._asdict(), "hash": bytes(32)}


def _blob(engine: Engine) -> str:
    return "X'00'" if engine.dialect.name == "sqlite" else "'\\x00'::bytea"


def _root(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + _root(leaves[:split]) + _root(leaves[split:])).digest()
