"""The chained and sealed ledger beside the first tables, which step aside; `importing` carries their rows over."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

_INDEXES = {
    "exchange": ("at", "conversation", "release", "customer_at", "outcome_at"),
    "ledger": ("kind", "exchange"),
}


def upgrade() -> None:
    """Move the first tables aside and make the new ones."""
    dialect = op.get_context().dialect.name
    for table in ("ledger", "exchange", "passage"):
        for name in _INDEXES.get(table, ()):
            op.drop_index(f"{table}_{name}" if name.endswith("_at") else f"ix_{table}_{name}", table_name=table)
        op.rename_table(table, f"v1_{table}")
        if dialect == "postgresql":
            op.execute(f"ALTER INDEX {table}_pkey RENAME TO v1_{table}_pkey")
    for statement in (Path(__file__).parent / f"r0002_{dialect}.sql").read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            op.execute(statement)
