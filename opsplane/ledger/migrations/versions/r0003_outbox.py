"""How far the record was sent elsewhere, and which erasures are still to follow it there."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the two tables."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "outbox",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("done", number, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        *(sa.Column(name, number, nullable=False) for name in ("first", "rows", "until", "batch", "total", "at")),
        sa.Column("trouble", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "outbox_erasure",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("seq", number, primary_key=True, autoincrement=False),
        sa.Column("about", sa.Text, nullable=False),
        *(sa.Column(name, number, nullable=False) for name in ("rows", "tries", "at", "finished")),
        sa.Column("why", sa.Text, nullable=False),
        sqlite_strict=True,
    )
