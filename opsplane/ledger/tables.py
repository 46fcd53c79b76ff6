"""The record's tables: the chained ledger and its proofs, and what is derived from it to search and to count.

Ledger tables (`entry`, `node`, `checkpoint`, `inbox`, `passage`) only ever grow; the rest can be made anew from them,
but for `outbox` and `outbox_erasure`, which tell how far a copy elsewhere has come.
Times are microseconds since 1970 UTC, money is integer micro-dollars.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Text
from sqlmodel import Field, SQLModel

METADATA = MetaData()
_LONG: Any = BigInteger().with_variant(Integer, "sqlite")  # STRICT tables know INTEGER, and number rows by it
_STRICT = {"sqlite_strict": True}


def _text(**options: Any) -> Any:
    return Field(sa_column=Column(Text, nullable=False, **options))


def _integer(**options: Any) -> Any:
    return Field(sa_column=Column(_LONG, nullable=False, **options))


def _bytes() -> Any:
    return Field(sa_column=Column(LargeBinary, nullable=False))


class EntryRow(SQLModel, table=True):
    """One event. `hash` is SHA-256 over everything else and the hash before it; see `verifier.body`."""

    __tablename__ = "entry"
    __table_args__ = (Index("entry_kind", "kind", "seq"), _STRICT)
    metadata = METADATA

    seq: int = Field(sa_column=Column(_LONG, primary_key=True, autoincrement=False))
    at: int = _integer()
    kind: str = _text()
    actor: str = _text()
    role: str = _text()
    exchange: str = _text(index=True)  # the turn it is about, or empty
    subject: str = _text()  # the customer it is about, or empty
    key: str = _text()  # the key that `sealed` was made with, or empty
    payload: bytes = _bytes()  # the public part as JSON, byte by byte as it was hashed
    sealed: bytes = _bytes()  # the private part under the customer's key, or empty
    hash: bytes = _bytes()


class InboxRow(SQLModel, table=True):
    """An event that is durable and not yet chained: several processes write here, one sequencer moves it on."""

    __tablename__ = "inbox"
    __table_args__ = _STRICT
    metadata = METADATA

    id: int | None = Field(default=None, sa_column=Column(_LONG, primary_key=True, autoincrement=True))
    at: int = _integer()
    kind: str = _text(index=True)
    actor: str = _text()
    role: str = _text()
    exchange: str = _text(index=True)
    subject: str = _text()
    key: str = _text()
    payload: bytes = _bytes()
    sealed: bytes = _bytes()


class NodeRow(SQLModel, table=True):
    """A complete subtree of the Merkle tree with 2**level leaves; only every fourth level is kept."""

    __tablename__ = "node"
    __table_args__ = _STRICT
    metadata = METADATA

    level: int = Field(sa_column=Column(_LONG, primary_key=True, autoincrement=False))
    number: int = Field(sa_column=Column(_LONG, primary_key=True, autoincrement=False))
    hash: bytes = _bytes()


class CheckpointRow(SQLModel, table=True):
    """A signed statement of the tree's size and root."""

    __tablename__ = "checkpoint"
    __table_args__ = _STRICT
    metadata = METADATA

    number: int | None = Field(default=None, sa_column=Column(_LONG, primary_key=True, autoincrement=True))
    at: int = _integer(index=True)
    size: int = _integer()
    root: bytes = _bytes()
    note: str = _text()


class PassageRow(SQLModel, table=True):
    """The text of a passage of the bank's documents, once, under its SHA-256."""

    __tablename__ = "passage"
    __table_args__ = _STRICT
    metadata = METADATA

    sha256: str = Field(sa_column=Column(Text, primary_key=True))
    text: str = _text()


class ExchangeRow(SQLModel, table=True):
    """One exchange to filter and list. Words are in `sealed` (JSON question, standalone, answer) under `key` alone."""

    __tablename__ = "exchange"
    __table_args__ = _STRICT
    metadata = METADATA

    number: int | None = Field(default=None, sa_column=Column(_LONG, primary_key=True, autoincrement=True))
    id: str = _text(unique=True)
    at: int = _integer()
    conversation: str = _text(index=True)
    customer: str = _text()
    actor: str = _text()
    release: str = _text()
    digest: str = _text()
    arm: str = _text()
    outcome: str = _text()
    code: str = _text()
    codes: str = _text()  # " code code " of every finding
    tier: str = _text()
    model: str = _text()
    input_tokens: int = _integer()
    output_tokens: int = _integer()
    cached_tokens: int = _integer()
    cost_micros: int = _integer()
    first_sentence_ms: int | None = Field(default=None, sa_column=Column(_LONG, nullable=True))
    total_ms: int = _integer()
    rating: int | None = Field(default=None, sa_column=Column(_LONG, nullable=True))  # 1 up, 0 down
    score: int | None = Field(default=None, sa_column=Column(_LONG, nullable=True))  # 0 to 100, of a reviewer or judge
    key: str = _text()
    sealed: bytes = _bytes()


class SpendRow(SQLModel, table=True):
    """What one purpose cost with one model at one moment, booked by one event."""

    __tablename__ = "spend"
    __table_args__ = (
        Index("spend_day", "at", "purpose", "model", "cost_micros"),
        Index("spend_customer", "customer", "at", "purpose", "cost_micros"),
        _STRICT,
    )
    metadata = METADATA

    number: int | None = Field(default=None, sa_column=Column(_LONG, primary_key=True, autoincrement=True))
    at: int = _integer()
    purpose: str = _text()  # a spend.Purpose
    customer: str = _text()
    exchange: str = _text(index=True)
    release: str = _text()
    digest: str = _text()
    model: str = _text()
    region: str = _text()
    input_tokens: int = _integer()
    output_tokens: int = _integer()
    cached_tokens: int = _integer()
    thinking_tokens: int = _integer()
    cost_micros: int = _integer()
    prices: str = _text()  # version of the price table


class ReviewRow(SQLModel, table=True):
    """An exchange that a reviewer should look at, and what was decided."""

    __tablename__ = "review"
    __table_args__ = (Index("review_open", "verdict", "rank", "at"), _STRICT)
    metadata = METADATA

    exchange: str = Field(sa_column=Column(Text, primary_key=True))
    at: int = _integer()
    reason: str = _text()  # a review.Reason
    rank: int = _integer()  # lower is more urgent
    verdict: str = _text()  # empty while open
    reviewer: str = _text()
    decided: int | None = Field(default=None, sa_column=Column(_LONG, nullable=True))


class OutboxRow(SQLModel, table=True):
    """How far the record was sent to one table elsewhere. Not derived: what was sent cannot be told from the entries.

    Everything up to entry `done` is there. The write stream began after entry `first` and took `rows` rows since; while
    `until` is not 0, `batch` rows of the entries up to it are under way, and may have arrived or not.
    """

    __tablename__ = "outbox"
    __table_args__ = _STRICT
    metadata = METADATA

    target: str = Field(sa_column=Column(Text, primary_key=True))  # the table's full name
    done: int = _integer()
    stream: str = _text()  # the write stream's name, or empty
    first: int = _integer()
    rows: int = _integer()
    until: int = _integer()
    batch: int = _integer()
    total: int = _integer()  # rows that ever arrived
    at: int = _integer()  # when something last arrived, or 0
    trouble: str = _text()  # why the last attempt came to nothing, or empty


class OutboxErasureRow(SQLModel, table=True):
    """Keys were destroyed: what they had sealed is to lose its words in a table elsewhere too."""

    __tablename__ = "outbox_erasure"
    __table_args__ = _STRICT
    metadata = METADATA

    target: str = Field(sa_column=Column(Text, primary_key=True))
    seq: int = Field(sa_column=Column(_LONG, primary_key=True, autoincrement=False))  # the entry that tells of it
    about: str = _text()  # the request or the retention run
    rows: int = _integer()  # that have no words any more
    tries: int = _integer()
    at: int = _integer()  # when it was last tried, or 0
    finished: int = _integer()  # when nothing was left to do, or 0
    why: str = _text()  # why it is not done yet, or empty


ENTRY = METADATA.tables["entry"]
INBOX = METADATA.tables["inbox"]
NODE = METADATA.tables["node"]
CHECKPOINT = METADATA.tables["checkpoint"]
PASSAGE = METADATA.tables["passage"]
EXCHANGE = METADATA.tables["exchange"]
SPEND = METADATA.tables["spend"]
REVIEW = METADATA.tables["review"]
OUTBOX = METADATA.tables["outbox"]
OUTBOX_ERASURE = METADATA.tables["outbox_erasure"]
