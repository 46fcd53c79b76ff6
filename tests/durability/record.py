"""A record whose entries are numbers, and what is found of them when it is opened again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any, Self

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from opsplane.access import Actor, Role
from opsplane.errors import PlaneError
from opsplane.events import Event, QuestionReceived, SentenceSaid
from opsplane.evidence import Sentence
from opsplane.exchange import Exchange, Outcome
from opsplane.ledger import seal
from opsplane.ledger.anchor import Anchor
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.database import connect
from opsplane.ledger.keys import Keys, open_keys
from opsplane.ledger.readonly import open_readonly
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import ENTRY, EXCHANGE
from opsplane.ledger.vault import Vault, unseal, wrappers_of
from opsplane.ledger.verify import Mode, Trust, verify

CUSTOMERS = 5
QUESTION = 10  # every so-manieth number is a question, which has a row in a read model too
KINDS = ("question_received", "sentence_said")
NONE_YET = "anchor.missing"  # most workers publish no checkpoint; one that was published is missed by the harness
WHO = Actor(id="worker", role=Role.SERVICE)


def now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)


@dataclass
class Numbered:
    """A ledger with its keys, all but the database in one folder, opened as the product opens it."""

    ledger: Ledger
    keys: Keys
    folder: Path

    @classmethod
    def open(cls, engine: Engine, folder: str) -> Self:
        """Open or make it on an engine of `connect`; raise `RecordUnavailable`."""
        data = Path(folder)
        vault_engine = connect(f"sqlite:///{data}/keys.db")
        keys = open_keys("", data, now(), wrappers_of(vault_engine))
        vault = Vault(vault_engine, keys.wrappers, now)
        try:
            return cls(Ledger(engine, now, vault), keys, data)
        except BaseException:
            vault.close()
            raise

    @property
    def engine(self) -> Engine:
        """The record's database."""
        return self.ledger.engine

    def append(self, number: int) -> None:
        """Put the number on the record; return when it is durable, raise `RecordUnavailable` when it is not."""
        self.ledger.append_now(_event(number), WHO, str(number), _customer(number))

    async def later(self, number: int) -> None:
        """The same in an event loop."""
        await self.ledger.append(_event(number), WHO, str(number), _customer(number))

    def notary(self) -> Notary:
        """Who signs its checkpoints."""
        signer, *older = self.keys.signers(f"opsplane/{self.ledger.id}")
        return Notary(signer, Anchor(self.folder / "anchor"), tuple(older))

    def close(self) -> None:
        """Write and chain what waits, then let go."""
        self.ledger.close()
        self.ledger.vault.close()


def _customer(number: int) -> str:
    return f"C-{number % CUSTOMERS}"


def _text(number: int) -> str:
    return f"The fee for incoming wire number {number} is $15, and nothing for customers with a premium account."


def _event(number: int) -> Event:
    if number % QUESTION:
        return SentenceSaid(exchange=str(number), number=number, sentence=Sentence(text=_text(number), cites=(1,)))
    return QuestionReceived(
        exchange=Exchange(
            id=str(number),
            conversation="durability",
            customer=_customer(number),
            actor=WHO,
            at=now(),
            release="test-1",
            digest="0" * 64,
            arm="stable",
            outcome=Outcome.RECEIVED,
            question=_text(number),
            standalone=_text(number),
        )
    )


@dataclass(frozen=True)
class Standing:
    """What is left: the numbers in their order, the sizes of published checkpoints, and what is wrong."""

    numbers: tuple[int, ...] = ()
    checkpoints: tuple[int, ...] = ()
    faults: tuple[str, ...] = ()
    recovery: float = 0.0  # seconds until it was open again


def read_back(url: str, folder: str) -> Standing:
    """Open what is left as the product does at its next start, then look at all of it, sealed parts too."""
    begun = perf_counter()
    try:
        record = Numbered.open(connect(url), folder)
        recovery = perf_counter() - begun
        record.ledger.close()  # chains what waits
        try:
            return replace(_looked_at(record, url), recovery=recovery)
        finally:
            record.ledger.vault.close()
    except (PlaneError, SQLAlchemyError) as error:
        return Standing(faults=(f"it cannot be read: {error}",))


def _looked_at(record: Numbered, url: str) -> Standing:
    engine = open_readonly(url)
    anchor = Anchor(record.folder / "anchor")
    proof = verify(engine, Trust(anchor), now(), Mode.FULL, lambda *_: None)
    with engine.connect() as connection:
        rows: Sequence[Any] = connection.execute(select(ENTRY).order_by(ENTRY.c.seq)).all()
        faults = _read_models(connection, rows)
    engine.dispose()
    notes, _ = anchor.checkpoints(record.ledger.id)  # a line torn before it was published is none
    sizes = tuple(int(one.note.split("\n")[1]) for one in notes)
    wrong = [f"{one.code} at {one.row}: {one.detail}" for one in proof.violations if one.code != NONE_YET]
    numbers = tuple(int(row.exchange) for row in rows if row.kind in KINDS)
    return Standing(numbers, sizes, (*wrong, *faults, *_unsealed(record.ledger.vault, rows)))


def _unsealed(vault: Vault, rows: Sequence[Any]) -> list[str]:
    """Entries whose words are lost, or are not theirs."""
    secrets = vault.secrets_of({row.key for row in rows if row.key})
    lost = []
    for row in rows:
        if row.kind not in KINDS:
            continue
        bound = seal.aad(row.kind, row.exchange, row.subject, row.key)
        words = unseal(secrets[row.key], bound, row.sealed) if row.key in secrets else b""
        if _text(int(row.exchange)).encode() not in words:
            lost.append(f"the words of entry {row.seq} are lost")
    return lost[:5]


def _read_models(connection: Connection, rows: Sequence[Any]) -> list[str]:
    """Questions without their row in the read model, or the other way round."""
    asked = {row.exchange for row in rows if row.kind == "question_received"}
    listed = set(connection.scalars(select(EXCHANGE.c.id)))
    return [f"{len(asked ^ listed)} questions are not both in the ledger and in the list"] if asked != listed else []
