"""The vault's one table, in a database of its own, so that no backup of the record holds a key."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, MetaData, Table, Text

_LONG: Any = BigInteger().with_variant(Integer, "sqlite")
METADATA = MetaData()
VAULT_KEY = Table(
    "vault_key",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("customer", Text, nullable=False),
    Column("period", Text, nullable=False),  # "2026-11", a month in UTC
    Column("wrapped", LargeBinary),
    Column("wrapper", Text, nullable=False),  # id of the key that wrapped it
    Column("made", _LONG, nullable=False),
    Column("destroyed", _LONG),
    Column("destruction", _LONG),  # the how-manieth destruction took it
    CheckConstraint("(wrapped IS NULL) = (destroyed IS NOT NULL) AND (destroyed IS NULL) = (destruction IS NULL)"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
ALIVE = VAULT_KEY.c.destroyed.is_(None)
GONE = VAULT_KEY.c.destruction.is_not(None)
Index(
    "vault_key_alive",
    VAULT_KEY.c.customer,
    VAULT_KEY.c.period,
    unique=True,
    sqlite_where=ALIVE,
    postgresql_where=ALIVE,
)
Index("vault_key_gone", VAULT_KEY.c.destruction, sqlite_where=GONE, postgresql_where=GONE)
