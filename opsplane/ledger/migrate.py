"""Bringing a record of any earlier version up to date, in one transaction, before anything is read or written."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, inspect, text

from opsplane.errors import RecordUnavailable
from opsplane.ledger import guards, importing
from opsplane.ledger.database import transaction
from opsplane.ledger.projection import Projection
from opsplane.ledger.search import TextIndex
from opsplane.ledger.tables import METADATA
from opsplane.ledger.vault import Vault

HEAD = "0003"
"""The newest revision; a new record begins here."""
_LOCK = 0x0B5_1ED6E5
_SET = text("INSERT INTO alembic_version VALUES (:version)")
_STAMP = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"


def upgrade(
    engine: Engine, vault: Vault, projection: Projection, index: TextIndex, clock: Callable[[], datetime]
) -> None:
    """Make or upgrade the record's tables; raise `RecordUnavailable` for a newer version's record, or none of ours."""
    with engine.connect() as connection:
        if version(connection) == HEAD:
            return
    with transaction(engine, _LOCK) as connection:
        found = version(connection)
        if found == HEAD:  # another process was quicker
            return
        if found is None:
            _create(connection)
        else:
            _advance(connection, found)
        guards.put(connection)
        index.create(connection)
        if found is not None:
            importing.carry_over(connection, vault, projection, clock)


def version(connection: Connection) -> str | None:
    """The revision of the record's tables, or None where there are none."""
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" in tables:
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")))
    if {"ledger", "passage", "exchange"} <= tables:
        return "0001"
    if tables & set(METADATA.tables):
        raise RecordUnavailable("The database holds tables of these names that are not a record of this product.")
    return None


def _create(connection: Connection) -> None:
    METADATA.create_all(connection)
    connection.exec_driver_sql(_STAMP)
    connection.execute(_SET, {"version": HEAD})


def _advance(connection: Connection, found: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    if "alembic_version" not in inspect(connection).get_table_names():
        connection.exec_driver_sql(_STAMP)
        connection.execute(_SET, {"version": found})
    if found > HEAD:
        raise RecordUnavailable(
            f"The record was written by a newer version of the product (schema {found}; this one knows {HEAD})."
        )
    command.upgrade(config, HEAD)
