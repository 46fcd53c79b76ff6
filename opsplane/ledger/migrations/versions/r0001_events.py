"""The first schema: events in a row, not chained, words in the clear."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the three tables."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "ledger",
        sa.Column("seq", number, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String, nullable=False, index=True),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("exchange", sa.String, index=True),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_table(
        "passage", sa.Column("sha256", sa.String, primary_key=True), sa.Column("text", sa.Text, nullable=False)
    )
    op.create_table(
        "exchange",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("conversation", sa.String, nullable=False, index=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("customer", "actor")),
        sa.Column("release", sa.String, nullable=False, index=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("digest", "arm", "outcome", "code", "codes")),
        *(sa.Column(name, sa.String, nullable=False) for name in ("tier", "model")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("input_tokens", "output_tokens", "cached_tokens")),
        sa.Column("cost_micros", sa.BigInteger, nullable=False),
        sa.Column("first_sentence_ms", sa.Integer),
        sa.Column("total_ms", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("question", "standalone", "answer")),
        sa.Index("exchange_customer_at", "customer", "at"),
        sa.Index("exchange_outcome_at", "outcome", "at"),
    )
