"""The ledger: appends events durably and reads them back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Select, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from opsplane.access import Actor
from opsplane.errors import RecordUnavailable
from opsplane.events import EVENTS, Event, QuestionAnswered, QuestionReceived, SentenceSaid
from opsplane.evidence import Evidence, Origin
from opsplane.exchange import Earlier, Exchange, Outcome
from opsplane.ledger.tables import EXCHANGE, LEDGER, METADATA, PASSAGE
from opsplane.ledger.writer import Write, Writer

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime) -> int:
    """Microseconds since 1970 UTC, as the tables hold times; `at` must carry its time zone."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """The UTC time of a column of microseconds."""
    return _EPOCH + timedelta(microseconds=at)


@dataclass(frozen=True)
class Entry:
    """One event as it stands on the record."""

    seq: int
    at: datetime
    actor: Actor
    event: Event


class Ledger:
    """Appends are durable when they return; every failure to write or read is `RecordUnavailable`."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self._engine = engine
        try:
            METADATA.create_all(engine)
        except SQLAlchemyError as error:
            raise RecordUnavailable(f"The record cannot be opened: {error}") from error
        self._writer = Writer(engine)

    def close(self) -> None:
        """Write what waits, then let go of the database."""
        self._writer.close()
        self._engine.dispose()

    async def append(self, event: Event, actor: Actor, exchange: str | None = None) -> None:
        """Put one event on the record; `exchange` is the id of the turn that it is about."""
        await self._writer.write([self._entry(event, actor, exchange)])

    def append_now(self, event: Event, actor: Actor) -> None:
        """The same for callers without an event loop; blocks until durable."""
        self._writer.submit([self._entry(event, actor)]).result()

    async def received(self, exchange: Exchange) -> None:
        """A question, before any model is called."""
        entry = self._entry(QuestionReceived(exchange=exchange), exchange.actor, exchange.id)
        await self._writer.write([entry, (insert(EXCHANGE), _columns(exchange))])

    async def said(self, event: SentenceSaid, actor: Actor) -> None:
        """A sentence, before it is shown."""
        await self._writer.write([self._entry(event, actor, event.exchange)])

    async def answered(self, exchange: Exchange) -> None:
        """The whole turn, before it is reported complete; the text of each passage is kept once."""
        entry = self._entry(QuestionAnswered(exchange=_slim(exchange)), exchange.actor, exchange.id)
        passages = [one for one in exchange.evidence if one.origin is Origin.PASSAGE]
        change = update(EXCHANGE).where(EXCHANGE.c.id == exchange.id).values(**_columns(exchange))
        await self._writer.write([entry, *((self._once(one), None) for one in passages), (change, None)])

    def count(self, kinds: Sequence[str]) -> int:
        """How many events of these kinds there are."""
        return int(self.read(select(func.count()).where(LEDGER.c.kind.in_(kinds)))[0][0])

    def events(self, kinds: Sequence[str]) -> list[Entry]:
        """The events of these kinds, oldest first."""
        return self._entries(LEDGER.c.kind.in_(kinds))

    def story(self, exchange: str) -> list[Entry]:
        """The events of one exchange, oldest first."""
        return self._entries(LEDGER.c.exchange == exchange)

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
        columns = EXCHANGE.c.standalone, EXCHANGE.c.answer, EXCHANGE.c.tier
        ended = EXCHANGE.c.outcome.in_([Outcome.ANSWERED.value, Outcome.ABSTAINED.value])
        rows = self.read(select(*columns).where(*where, ended).order_by(EXCHANGE.c.at.desc()).limit(limit))
        return tuple(Earlier(question=row[0], answer=row[1], tier=row[2] or None) for row in reversed(rows))

    def read(self, statement: Select[Any]) -> Sequence[Any]:
        """Run one query; raise `RecordUnavailable` where the database does not answer."""
        try:
            with self._engine.connect() as connection:
                return connection.execute(statement).all()
        except SQLAlchemyError as error:
            raise RecordUnavailable(f"The record cannot be read: {error}") from error

    def _whole(self, exchange: Exchange) -> Exchange:
        hashes = [one.sha256 for one in exchange.evidence if not one.text]
        rows = self.read(select(PASSAGE.c.sha256, PASSAGE.c.text).where(PASSAGE.c.sha256.in_(hashes)))
        texts = {row[0]: row[1] for row in rows}
        evidence = (one.model_copy(update={"text": texts.get(one.sha256, one.text)}) for one in exchange.evidence)
        return exchange.model_copy(update={"evidence": tuple(evidence)})

    def _once(self, passage: Evidence) -> Any:
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        row = {"sha256": passage.sha256, "text": passage.text}
        return dialect.insert(PASSAGE).values(row).on_conflict_do_nothing()

    def _entry(self, event: Event, actor: Actor, exchange: str | None = None) -> Write:
        values = {"at": micros(self.clock()), "kind": event.kind, "actor": actor.id, "role": actor.role.value}
        return insert(LEDGER), values | {"exchange": exchange, "payload": event.model_dump_json()}

    def _entries(self, where: Any) -> list[Entry]:
        columns = (LEDGER.c.seq, LEDGER.c.at, LEDGER.c.actor, LEDGER.c.role, LEDGER.c.payload)
        return [
            Entry(seq, moment(at), Actor(id=actor, role=role), EVENTS.validate_json(payload))
            for seq, at, actor, role, payload in self.read(select(*columns).where(where).order_by(LEDGER.c.seq))
        ]


def _slim(exchange: Exchange) -> Exchange:
    """The exchange without the texts of its passages: those stand once in their own table, by hash."""
    evidence = (
        one.model_copy(update={"text": ""}) if one.origin is Origin.PASSAGE else one for one in exchange.evidence
    )
    return exchange.model_copy(update={"evidence": tuple(evidence)})


def _columns(exchange: Exchange) -> dict[str, Any]:
    route = exchange.route
    return {
        "id": exchange.id,
        "at": micros(exchange.at),
        "conversation": exchange.conversation,
        "customer": exchange.customer,
        "actor": exchange.actor.id,
        "release": exchange.release,
        "digest": exchange.digest,
        "arm": exchange.arm,
        "outcome": exchange.outcome.value,
        "code": exchange.code,
        "codes": f" {' '.join(dict.fromkeys(finding.code for finding in exchange.findings))} ",
        "tier": route.tier.value if route else "",
        "model": route.model if route else "",
        "input_tokens": exchange.usage.input,
        "output_tokens": exchange.usage.output,
        "cached_tokens": exchange.usage.cached,
        "cost_micros": exchange.cost_micros,
        "first_sentence_ms": exchange.first_sentence_ms,
        "total_ms": exchange.total_ms,
        "question": exchange.question,
        "standalone": exchange.standalone,
        "answer": exchange.answer,
    }
