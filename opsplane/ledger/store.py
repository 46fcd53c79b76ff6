"""The ledger: appends events durably and reads them back."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, literal, select, union_all
from sqlalchemy.exc import SQLAlchemyError

from opsplane import review
from opsplane.access import SERVICE, Actor
from opsplane.errors import RecordUnavailable
from opsplane.event import ERASED
from opsplane.events import Event, LedgerOpened, QuestionAnswered, QuestionReceived, SentenceSaid, ShadowAnswered
from opsplane.evidence import Origin
from opsplane.exchange import Earlier, Exchange, Outcome
from opsplane.ledger import migrate, seal
from opsplane.ledger.chain import Sealed
from opsplane.ledger.database import cause
from opsplane.ledger.projection import Projection, bound
from opsplane.ledger.seal import moment
from opsplane.ledger.search import TextIndex
from opsplane.ledger.sequencer import Sequencer
from opsplane.ledger.tables import ENTRY, EXCHANGE, INBOX, PASSAGE
from opsplane.ledger.vault import Vault, unseal
from opsplane.ledger.writer import Job, Writer


@dataclass(frozen=True)
class Entry:
    """One event as it stands on the record; `seq` is 0 for a moment until it is chained."""

    seq: int
    at: datetime
    actor: Actor
    event: Event


@dataclass(frozen=True)
class Public:
    """What can be read of an entry without any key; `payload` is its public part."""

    seq: int
    at: datetime
    kind: str
    exchange: str
    payload: Mapping[str, Any]
    actor: str = ""


@dataclass(frozen=True)
class Content:
    """The words of one exchange."""

    question: str
    standalone: str
    answer: str


GONE = Content(ERASED, ERASED, ERASED)


class Ledger:
    """Appends are durable when they return; every failure to write or read is `RecordUnavailable`."""

    def __init__(
        self, engine: Engine, clock: Callable[[], datetime], vault: Vault, review_share: float = review.SHARE
    ) -> None:
        self.clock = clock
        self.engine = engine
        self.vault = vault
        self.index = TextIndex(engine.dialect.name, vault.secret("search"))
        self._projection = Projection(self.index, review_share)
        try:
            migrate.upgrade(engine, vault, self._projection, self.index, clock)
        except SQLAlchemyError as error:
            raise RecordUnavailable(f"The record cannot be opened: {cause(error)}") from error
        self._check_vault()
        self._sequencer = None if engine.dialect.name == "sqlite" else Sequencer(engine)
        self._writer = Writer(engine, vault, self._sequencer.wake if self._sequencer else _nothing)
        self.id = self._opened()

    def close(self) -> None:
        """Write what waits, then let go of the database."""
        self._writer.close()
        if self._sequencer:
            self._sequencer.close()
        self.engine.dispose()

    def settle(self) -> None:
        """Wait until everything that is durable is chained too; at once on SQLite."""
        if self._sequencer:
            self._sequencer.settle()

    async def append(self, event: Event, actor: Actor, exchange: str = "", subject: str = "") -> None:
        """Put one event on the record; `exchange` is the turn and `subject` the customer that it is about."""
        await self._writer.write(self._job(event, actor, exchange, subject))

    def append_now(self, event: Event, actor: Actor, exchange: str = "", subject: str = "") -> None:
        """The same for callers without an event loop; blocks until durable."""
        self.submit(event, actor, exchange, subject).result()

    def submit(self, event: Event, actor: Actor, exchange: str = "", subject: str = "") -> "Future[None]":
        """The same for callers who wait themselves."""
        return self._writer.submit(self._job(event, actor, exchange, subject))

    async def received(self, exchange: Exchange) -> None:
        """A question, before any model is called."""
        await self.append(QuestionReceived(exchange=exchange), exchange.actor, exchange.id, exchange.customer)

    async def said(self, event: SentenceSaid, actor: Actor, customer: str) -> None:
        """A sentence, before it is shown."""
        await self.append(event, actor, event.exchange, customer)

    async def answered(self, exchange: Exchange) -> None:
        """The whole turn, before it is reported complete; the text of each passage is kept once."""
        await self.append(QuestionAnswered(exchange=exchange), exchange.actor, exchange.id, exchange.customer)

    def count(self, kinds: Sequence[str]) -> int:
        """How many events of these kinds there are; in the driver's own words, since every turn asks."""
        mark, tables = ("%s", (ENTRY, INBOX)) if self._sequencer else ("?", (ENTRY,))
        among = ", ".join(mark for _ in kinds)
        counts = " + ".join(f"(SELECT count(*) FROM {table.name} WHERE kind IN ({among}))" for table in tables)  # noqa: S608 - names of ours
        try:
            with self.engine.connect() as connection:
                return int(connection.exec_driver_sql(f"SELECT {counts}", (*kinds,) * len(tables)).scalar() or 0)
        except SQLAlchemyError as error:
            raise RecordUnavailable(f"The record cannot be read: {cause(error)}") from error

    def events(self, kinds: Sequence[str]) -> list[Entry]:
        """The events of these kinds, oldest first."""
        return self._entries(lambda table: table.c.kind.in_(kinds))

    def follow(self, after: int, kinds: Sequence[str], limit: int) -> list[Public]:
        """The next chained entries of these kinds after number `after`, oldest first, without what is sealed."""
        columns = ENTRY.c.seq, ENTRY.c.at, ENTRY.c.kind, ENTRY.c.exchange, ENTRY.c.payload, ENTRY.c.actor
        where = ENTRY.c.kind.in_(kinds), ENTRY.c.seq > after
        rows = self.read(select(*columns).where(*where).order_by(ENTRY.c.seq).limit(limit))
        return [Public(row[0], moment(row[1]), row[2], row[3], json.loads(bytes(row[4])), row[5]) for row in rows]

    def last(self) -> int:
        """The number of the newest chained entry."""
        newest = self.read(select(ENTRY.c.seq).order_by(ENTRY.c.seq.desc()).limit(1))
        return int(newest[0].seq) if newest else 0

    def story(self, exchange: str) -> list[Entry]:
        """The events of one exchange, oldest first."""
        return self._entries(lambda table: table.c.exchange == exchange)

    def exchange(self, identity: str) -> Exchange | None:
        """One exchange with its passages put back, or None; a turn cut off shows what was said until then."""
        found: Exchange | None = None
        for entry in self.story(identity):
            match entry.event:
                case QuestionReceived(exchange=exchange) | QuestionAnswered(exchange=exchange):
                    found = exchange
                case SentenceSaid(sentence=sentence) if found:
                    found = found.model_copy(update={"sentences": (*found.sentences, sentence)})
        return self._whole(found) if found else None

    def earlier(self, conversation: str, customer: str, limit: int) -> tuple[Earlier, ...]:
        """The last answered turns of this customer's conversation, oldest first."""
        where = EXCHANGE.c.conversation == conversation, EXCHANGE.c.customer == customer
        ended = EXCHANGE.c.outcome.in_([Outcome.ANSWERED.value, Outcome.ABSTAINED.value])
        columns = EXCHANGE.c.id, EXCHANGE.c.key, EXCHANGE.c.sealed, EXCHANGE.c.tier
        rows = self.read(select(*columns).where(*where, ended).order_by(EXCHANGE.c.number.desc()).limit(limit))
        told = self.contents(rows)
        turns = ((told[row.id], row.tier) for row in reversed(rows) if told[row.id] != GONE)
        return tuple(Earlier(question=one.standalone, answer=one.answer, tier=tier or None) for one, tier in turns)

    def contents(self, rows: Sequence[Any]) -> dict[str, Content]:
        """The words of exchanges by id; `rows` have the columns id, key and sealed of the exchange table."""
        secrets_ = self.vault.secrets_of({row.key for row in rows})
        return {row.id: _content(row, secrets_.get(row.key)) for row in rows}

    def read(self, statement: Select[Any] | Any) -> Sequence[Any]:
        """Run one query; raise `RecordUnavailable` where the database does not answer."""
        try:
            with self.engine.connect() as connection:
                return connection.execute(statement).all()
        except SQLAlchemyError as error:
            raise RecordUnavailable(f"The record cannot be read: {cause(error)}") from error

    def _check_vault(self) -> None:
        """Refuse a vault that never held the keys that the newest words were sealed with."""
        newest = select(EXCHANGE.c.key).where(EXCHANGE.c.key != "").order_by(EXCHANGE.c.number.desc()).limit(20)
        missing = self.vault.unknown({row.key for row in self.read(newest)})
        if missing:
            some = ", ".join(sorted(missing)[:3])
            raise RecordUnavailable(
                f"The record's words are sealed with keys that this vault never held ({some}): "
                "the database of customers' keys is missing or belongs to another record. Put the right one back."
            )

    def _opened(self) -> str:
        """The ledger's name, given to it by its first row."""
        while not (found := self.events(["ledger_opened"])):
            self.append_now(LedgerOpened(ledger=secrets.token_hex(16)), SERVICE)
        first = found[0].event
        return first.ledger if isinstance(first, LedgerOpened) else ""

    def _job(self, event: Event, actor: Actor, exchange: str, subject: str) -> Job:
        slim = _slim(event) if isinstance(event, QuestionAnswered | ShadowAnswered) else event
        line = seal.line(slim, actor, self.clock(), exchange=exchange, subject=subject)
        return Job([line], self._projection.of(event, line))

    def _entries(self, where: Callable[[Any], ColumnElement[bool]]) -> list[Entry]:
        rows = self.read(self._both(where, *Sealed._fields))
        open_ = self.vault.secrets_of({row.key for row in rows if row.key})
        return [opened(row, open_.get(row.key)) for row in rows]

    def _both(self, where: Callable[[Any], ColumnElement[bool]], *names: str) -> Any:
        """Chained entries and those that wait in the inbox, in one statement so that none is missed or seen twice."""
        chained = select(ENTRY.c.seq, literal(0).label("id"), *(ENTRY.c[name] for name in names)).where(where(ENTRY))
        if self._sequencer is None:
            return chained.order_by(ENTRY.c.seq)
        waiting = select(literal(0).label("seq"), INBOX.c.id, *(INBOX.c[name] for name in names)).where(where(INBOX))
        both = union_all(chained, waiting).subquery()
        return select(both).order_by(both.c.id, both.c.seq)

    def _whole(self, exchange: Exchange) -> Exchange:
        hashes = [one.sha256 for one in exchange.evidence if not one.text]
        rows = self.read(select(PASSAGE.c.sha256, PASSAGE.c.text).where(PASSAGE.c.sha256.in_(hashes)))
        texts = {row[0]: row[1] for row in rows}
        evidence = (one.model_copy(update={"text": texts.get(one.sha256, one.text)}) for one in exchange.evidence)
        return exchange.model_copy(update={"evidence": tuple(evidence)})


def _nothing() -> None:
    pass


def opened(row: Any, secret: bytes | None) -> Entry:
    """A row of the entry table with its words while their key is there.

    Raises `PlaneError` or `ValueError` for a row that was changed.
    """
    private: bytes | None = b""
    if row.key:
        bind = seal.aad(row.kind, row.exchange, row.subject, row.key)
        private = unseal(secret, bind, bytes(row.sealed)) if secret else None
    return Entry(row.seq, moment(row.at), Actor(id=row.actor, role=row.role), seal.join(bytes(row.payload), private))


def _content(row: Any, secret: bytes | None) -> Content:
    if secret is None or not row.sealed:
        return GONE
    return Content(**json.loads(unseal(secret, bound(row.id)(row.key), bytes(row.sealed))))


def _slim(event: QuestionAnswered | ShadowAnswered) -> Event:
    """The exchange without the texts of its passages: those stand once in their own table, by hash."""
    exchange = event.exchange
    evidence = (
        one.model_copy(update={"text": ""}) if one.origin is Origin.PASSAGE else one for one in exchange.evidence
    )
    return event.model_copy(update={"exchange": exchange.model_copy(update={"evidence": tuple(evidence)})})
