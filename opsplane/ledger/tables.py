"""The record's tables: the append-only ledger, passages as they were read, and a row per exchange to search."""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Text
from sqlmodel import Field, SQLModel

METADATA = MetaData()
_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only as INTEGER


class LedgerRow(SQLModel, table=True):
    """One event. `at` is microseconds since 1970 UTC; `payload` is the event's JSON as it was written."""

    __tablename__ = "ledger"
    metadata = METADATA

    seq: int | None = Field(default=None, sa_column=Column(_SEQUENCE, primary_key=True, autoincrement=True))
    at: int = Field(sa_type=BigInteger)
    kind: str = Field(index=True)
    actor: str
    role: str
    exchange: str | None = Field(default=None, index=True)
    payload: str = Field(sa_type=Text)


class PassageRow(SQLModel, table=True):
    """The text of a passage, once, under its SHA-256."""

    __tablename__ = "passage"
    metadata = METADATA

    sha256: str = Field(primary_key=True)
    text: str = Field(sa_type=Text)


class ExchangeRow(SQLModel, table=True):
    """One exchange to filter and list; the whole of it stands in its last ledger row."""

    __tablename__ = "exchange"
    __table_args__ = (Index("exchange_customer_at", "customer", "at"), Index("exchange_outcome_at", "outcome", "at"))
    metadata = METADATA

    id: str = Field(primary_key=True)
    at: int = Field(sa_type=BigInteger, index=True)
    conversation: str = Field(index=True)
    customer: str
    actor: str
    release: str = Field(index=True)
    digest: str
    arm: str
    outcome: str
    code: str
    codes: str  # " code code " of every finding, for filters
    tier: str
    model: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_micros: int = Field(sa_type=BigInteger)
    first_sentence_ms: int | None
    total_ms: int
    question: str = Field(sa_type=Text)
    standalone: str = Field(sa_type=Text)
    answer: str = Field(sa_type=Text)


LEDGER = METADATA.tables["ledger"]
PASSAGE = METADATA.tables["passage"]
EXCHANGE = METADATA.tables["exchange"]
