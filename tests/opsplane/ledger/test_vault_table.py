"""A key that is destroyed, or wrapped anew, leaves nothing behind in the database's files; none is half destroyed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import IntegrityError

from opsplane.ledger.database import connect
from opsplane.ledger.keyfile import FileWrapper
from opsplane.ledger.vault import Vault
from opsplane.ledger.vault_table import VAULT_KEY
from tests import fakes

WRAPPER = FileWrapper(fakes.NOON, b"w" * 32)
JANE = ("C-jane", "2026-11")


@pytest.fixture
def engine(record_url: str) -> Iterator[Engine]:
    opened = connect(record_url)
    yield opened
    opened.dispose()


@pytest.fixture
def vault(engine: Engine, clock: fakes.Clock) -> Vault:
    return Vault(engine, [WRAPPER], clock)


def wrapped(engine: Engine) -> list[bytes]:
    with engine.connect() as connection:
        return list(connection.scalars(select(VAULT_KEY.c.wrapped).where(VAULT_KEY.c.wrapped.is_not(None))))


def test_destroyed_keys_are_in_no_file_of_the_database(tmp_path: Path, clock: fakes.Clock) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'vault.db'}")
    vault = Vault(engine, [WRAPPER], clock)
    vault.keys_for([(f"C-{number}", "2026-11") for number in range(300)])
    vault.keys_for([JANE])
    with engine.connect() as connection:
        jane = bytes(connection.scalar(select(VAULT_KEY.c.wrapped).where(VAULT_KEY.c.customer == "C-jane")) or b"")
    assert jane in content(tmp_path)  # it was there, or the test shows nothing
    vault.destroy("C-jane")
    assert jane not in content(tmp_path)
    there = content(tmp_path)
    assert len([box for box in wrapped(engine) if bytes(box) in there]) == 300
    engine.dispose()


def test_keys_wrapped_before_a_rotation_are_in_no_file_of_the_database(tmp_path: Path, clock: fakes.Clock) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'vault.db'}")
    vault = Vault(engine, [WRAPPER], clock)
    vault.keys_for([(f"C-{number}", "2026-11") for number in range(50)])
    before = [bytes(box) for box in wrapped(engine)]
    there = content(tmp_path)
    assert all(box in there for box in before)
    Vault(engine, [FileWrapper(fakes.NOON, b"n" * 32), WRAPPER], clock).rewrap()
    there = content(tmp_path)
    assert not any(box in there for box in before)
    engine.dispose()


def test_destroyed_keys_leave_postgresqls_table(vault: Vault, engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        return  # its files are looked at above
    vault.keys_for([(f"C-{number}", "2026-11") for number in range(50)])
    with engine.connect() as connection:
        box = bytes(connection.scalar(select(VAULT_KEY.c.wrapped).where(VAULT_KEY.c.customer == "C-7")) or b"")
    assert box in pages(engine)
    vault.destroy("C-7")
    assert box not in pages(engine)


def pages(engine: Engine) -> bytes:
    """The table as PostgreSQL keeps it, rows that nobody sees any more included."""
    count = "pg_relation_size('vault_key') / current_setting('block_size')::int"
    query = f"SELECT get_raw_page('vault_key', n::int) FROM generate_series(0, {count} - 1) AS n"
    with engine.begin() as connection:
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS pageinspect"))
        return b"".join(bytes(page) for page in connection.scalars(text(query)))


def test_a_reader_that_holds_the_log_is_told_and_scrubbing_done_later(
    tmp_path: Path, clock: fakes.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'vault.db'}", busy_ms=50)
    vault = Vault(engine, [WRAPPER], clock)
    vault.keys_for([JANE])
    (jane,) = wrapped(engine)
    with engine.connect() as reader:
        reader.exec_driver_sql("BEGIN")
        reader.exec_driver_sql("SELECT count(*) FROM vault_key").all()
        assert len(vault.destroy("C-jane")) == 1
        assert "still in the vault's write-ahead log" in caplog.text
        assert not vault.scrub()
        assert bytes(jane) in content(tmp_path)
    assert vault.scrub()
    assert bytes(jane) not in content(tmp_path)
    engine.dispose()


def content(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_a_customer_has_one_living_key_a_month(vault: Vault, engine: Engine) -> None:
    vault.keys_for([JANE])
    copy = "INSERT INTO vault_key SELECT 'other', customer, period, wrapped, wrapper, made, destroyed, destruction"
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(f"{copy} FROM vault_key"))


def test_a_key_is_never_half_destroyed(vault: Vault, engine: Engine) -> None:
    vault.keys_for([JANE])
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(update(VAULT_KEY).values(destroyed=1, destruction=1))
