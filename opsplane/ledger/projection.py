"""What is derived from the ledger to search and to count, brought up to date in the entry's own transaction.

Nothing here is proof: every row can be made anew from the entries. Words are sealed here as they are there.
"""

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, insert, select, update

from opsplane.events import (
    CostBooked,
    Event,
    ExchangeReviewed,
    FeedbackGiven,
    QuestionAnswered,
    QuestionReceived,
    ShadowAnswered,
)
from opsplane.evidence import Evidence, Origin
from opsplane.exchange import Exchange
from opsplane.ledger import reviews
from opsplane.ledger.database import upsert
from opsplane.ledger.seal import Line, aad, micros
from opsplane.ledger.search import TextIndex
from opsplane.ledger.tables import EXCHANGE, PASSAGE, SPEND
from opsplane.ledger.writer import Project, Sealer
from opsplane.review import SHARE, queue_answered, queue_thumb
from opsplane.spend import Cost, Purpose, Usage


class Projection:
    """Says what each event changes in the read models; reviewers are given `share` of the exchanges by lot."""

    def __init__(self, index: TextIndex, share: float = SHARE) -> None:
        self._index = index
        self._share = share

    def of(self, event: Event, line: Line) -> Project | None:
        """What the event changes, or None where it changes nothing."""
        match event:
            case QuestionReceived(exchange=exchange):
                return lambda connection, sealer: self._received(connection, sealer, exchange, line)
            case QuestionAnswered(exchange=exchange):
                return lambda connection, sealer: self._answered(connection, sealer, exchange, line)
            case ShadowAnswered(exchange=exchange):
                return lambda connection, _: keep_passages(connection, exchange)
            case CostBooked(cost=cost):
                return lambda connection, _: _book(connection, cost, line.at, event, event.exchange)
            case FeedbackGiven(exchange=identity, value=value):
                return lambda connection, _: self._rated(connection, identity, value, line)
            case ExchangeReviewed() as reviewed:
                return lambda connection, _: self._reviewed(connection, reviewed, line)
        return None

    def _received(self, connection: Connection, sealer: Sealer, exchange: Exchange, line: Line) -> None:
        values = columns(exchange) | words(exchange, sealer, line)
        number = connection.execute(insert(EXCHANGE).returning(EXCHANGE.c.number), values).scalar_one()
        self._index.put(connection, number, f"{exchange.question}\n{exchange.standalone}")

    def _answered(self, connection: Connection, sealer: Sealer, exchange: Exchange, line: Line) -> None:
        values = columns(exchange) | words(exchange, sealer, line)
        _set(connection, exchange.id, **values)
        number = connection.scalar(select(EXCHANGE.c.number).where(EXCHANGE.c.id == exchange.id))
        if number is not None:
            text = f"{exchange.question}\n{exchange.standalone}\n{exchange.answer}"
            self._index.put(connection, number, text)
        keep_passages(connection, exchange)
        for cost in exchange.costs or _in_one(exchange):
            _book(connection, cost, micros(exchange.at), exchange, exchange.id)
        if reason := queue_answered(exchange, self._share):
            reviews.queue(connection, exchange.id, line.at, reason)

    def _rated(self, connection: Connection, exchange: str, value: int | None, line: Line) -> None:
        _set(connection, exchange, rating=value)
        self._index.refresh(connection, exchange)
        if reason := queue_thumb(value):
            reviews.queue(connection, exchange, line.at, reason)

    def _reviewed(self, connection: Connection, reviewed: ExchangeReviewed, line: Line) -> None:
        reviews.decide(connection, reviewed, line.actor, line.at)
        self._index.refresh(connection, reviewed.exchange)


def keep_passages(connection: Connection, exchange: Exchange) -> None:
    """The text of each passage that was read, once, by its hash."""
    rows = [_passage(one) for one in exchange.evidence if one.origin is Origin.PASSAGE]
    if rows:
        connection.execute(upsert(connection, PASSAGE).on_conflict_do_nothing(), rows)


def columns(exchange: Exchange) -> dict[str, Any]:
    """The public columns of an exchange's row."""
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
    }


def words(exchange: Exchange, sealer: Sealer, line: Line) -> dict[str, Any]:
    """The sealed columns of an exchange's row."""
    told = {"question": exchange.question, "standalone": exchange.standalone, "answer": exchange.answer}
    key, sealed = sealer.words(line.subject, line.at, bound(exchange.id), json.dumps(told).encode())
    return {"key": key, "sealed": sealed}


def bound(exchange: str) -> Callable[[str], bytes]:
    """What the sealed words of an exchange's row are bound to, given the key's id."""
    return lambda key: aad("exchange", exchange, "", key)


def _set(connection: Connection, exchange: str, **values: Any) -> None:
    connection.execute(update(EXCHANGE).where(EXCHANGE.c.id == exchange).values(**values))


def _passage(one: Evidence) -> dict[str, str]:
    return {"sha256": one.sha256, "text": one.text}


def _in_one(exchange: Exchange) -> tuple[Cost, ...]:
    """The cost of an exchange of the record's first schema, which did not tell calls apart."""
    if exchange.route is None or exchange.usage == Usage():
        return ()
    told = {"usage": exchange.usage, "micros": exchange.cost_micros, "prices": exchange.prices}
    return (Cost(purpose=Purpose.ANSWER, model=exchange.route.model, **told),)


def _book(connection: Connection, cost: Cost, at: int, whose: Exchange | CostBooked, exchange: str) -> None:
    usage = cost.usage
    values = {
        "at": at,
        "purpose": cost.purpose.value,
        "customer": whose.customer,
        "exchange": exchange,
        "release": whose.release,
        "digest": whose.digest,
        "model": cost.model,
        "region": cost.region,
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cached_tokens": usage.cached,
        "thinking_tokens": usage.thinking,
        "cost_micros": cost.micros,
        "prices": cost.prices,
    }
    connection.execute(insert(SPEND), values)
