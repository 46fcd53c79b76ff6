"""The reviewers' queue in the database: what waits, what was decided, and the counts for the coverage report.

`queue` and `decide` run in the transaction of the entry that causes them, called by the projection.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, union_all, update

from opsplane.coverage import Count, Opinion, Preference
from opsplane.event import ERASED
from opsplane.events import ExchangeReviewed
from opsplane.ledger.database import upsert
from opsplane.ledger.seal import moment
from opsplane.ledger.tables import ENTRY, EXCHANGE, INBOX, REVIEW
from opsplane.review import RANK, Reason

BATCH = 50
"""So many waiting exchanges are looked at in one query."""
_BOTH = (ENTRY, INBOX)


class Record(Protocol):
    """What queries are put to: the ledger, which itself stands on this module."""

    def read(self, statement: Any) -> Sequence[Any]:
        """Run one query; raise `RecordUnavailable` where the database does not answer."""
        ...

    def contents(self, rows: Sequence[Any]) -> Mapping[str, Any]:
        """The words of exchanges by id."""
        ...


@dataclass(frozen=True)
class Waiting:
    """An exchange's place in the queue; `verdict` and `reviewer` are empty while it waits."""

    exchange: str
    at: datetime
    reason: Reason
    verdict: str
    reviewer: str
    decided: datetime | None


def queue(connection: Connection, exchange: str, at: int, reason: Reason) -> None:
    """Put an exchange into the queue at a time (microseconds), once: while it waits, the more urgent reason stands."""
    put = upsert(connection, REVIEW).values(_row(exchange, at, reason))
    more_urgent = and_(REVIEW.c.verdict == "", REVIEW.c.rank > put.excluded.rank)
    connection.execute(
        put.on_conflict_do_update(
            index_elements=["exchange"],
            set_={"reason": put.excluded.reason, "rank": put.excluded.rank},
            where=more_urgent,
        )
    )


def decide(connection: Connection, event: ExchangeReviewed, reviewer: str, at: int) -> None:
    """Take an exchange out of the queue and give it its score; a second reviewer's opinion changes neither.

    `at` is when it was decided, in microseconds. The first reviewer's last word counts.
    """
    row = _row(event.exchange, at, event.reason)
    put = upsert(connection, REVIEW).values(row | {"verdict": event.verdict.value, "reviewer": reviewer, "decided": at})
    mine = or_(REVIEW.c.verdict == "", REVIEW.c.reviewer == reviewer)
    words = {"verdict": put.excluded.verdict, "reviewer": put.excluded.reviewer, "decided": put.excluded.decided}
    connection.execute(put.on_conflict_do_update(index_elements=["exchange"], set_=words, where=mine))
    if event.score is not None:
        first = select(REVIEW.c.exchange).where(REVIEW.c.exchange == event.exchange, REVIEW.c.reviewer == reviewer)
        this = and_(EXCHANGE.c.id == event.exchange, first.exists())
        connection.execute(update(EXCHANGE).where(this).values(score=event.score))


_WAITS: tuple[ColumnElement[bool], ...] = (REVIEW.c.verdict == "", EXCHANGE.c.sealed != b"")
"""Not decided yet, and its words are there to be judged: an erasure takes them out."""


def waiting(record: Record) -> dict[Reason, int]:
    """How many exchanges wait, by reason; raise `RecordUnavailable` where the record does not answer."""
    joined = REVIEW.join(EXCHANGE, EXCHANGE.c.id == REVIEW.c.exchange)
    counted = select(REVIEW.c.reason, func.count()).select_from(joined).where(*_WAITS).group_by(REVIEW.c.reason)
    found = {Reason(reason): int(number) for reason, number in record.read(counted)}
    return {reason: found[reason] for reason in Reason if reason in found}


def upcoming(record: Record, reason: Reason | None = None, after: int = 0) -> tuple[list[Waiting], int | None]:
    """Waiting exchanges, most urgent first and then oldest, and where to go on; None where there are no more."""
    where = (*_WAITS, REVIEW.c.rank == RANK[reason]) if reason else _WAITS
    words = EXCHANGE.c.id, EXCHANGE.c.key, EXCHANGE.c.sealed
    joined = select(REVIEW, *words).join(EXCHANGE, EXCHANGE.c.id == REVIEW.c.exchange).where(*where)
    rows = record.read(joined.order_by(REVIEW.c.rank, REVIEW.c.at, REVIEW.c.exchange).limit(BATCH).offset(after))
    told = record.contents(rows)
    readable = [_waiting(row) for row in rows if told[row.id].question != ERASED]
    return readable, after + BATCH if len(rows) == BATCH else None


def judged_by_others(record: Record, reviewer: str) -> list[str]:
    """Some exchanges that were judged, but not by this reviewer, in the order of their ids, which are drawn by lot."""
    own = [select(one.c.exchange).where(one.c.kind == "exchange_reviewed", one.c.actor == reviewer) for one in _BOTH]
    words = EXCHANGE.c.id, EXCHANGE.c.key, EXCHANGE.c.sealed
    judged = REVIEW.c.verdict != "", EXCHANGE.c.sealed != b"", EXCHANGE.c.id.not_in(union_all(*own))
    joined = select(*words).select_from(REVIEW.join(EXCHANGE, EXCHANGE.c.id == REVIEW.c.exchange)).where(*judged)
    rows = record.read(joined.order_by(EXCHANGE.c.id).limit(BATCH))
    told = record.contents(rows)
    return [row.id for row in rows if told[row.id].question != ERASED]


def place(record: Record, exchange: str) -> Waiting | None:
    """An exchange's place in the queue, or None where it was never in it."""
    rows = record.read(select(REVIEW).where(REVIEW.c.exchange == exchange))
    return _waiting(rows[0]) if rows else None


def counts(record: Record, since: int | None, until: int | None) -> list[Count]:
    """How many exchanges of a time (microseconds, from `since` to before `until`) stand how with the reviewers."""
    reason, verdict = func.coalesce(REVIEW.c.reason, ""), func.coalesce(REVIEW.c.verdict, "")
    groups = EXCHANGE.c.outcome, reason, verdict
    joined = EXCHANGE.outerjoin(REVIEW, REVIEW.c.exchange == EXCHANGE.c.id)
    counted = select(*groups, func.count()).select_from(joined).where(*_between(since, until)).group_by(*groups)
    return [Count(outcome, why, said, int(number)) for outcome, why, said, number in record.read(counted)]


def opinions(record: Record, since: int | None, until: int | None) -> list[Opinion]:
    """What reviewers said of exchanges of that time, oldest word first; read from the ledger's public part alone."""
    found = []
    for row, told in _said(record, "exchange_reviewed", since, until):
        marks = told.get("marks", {})
        found.append(Opinion(row.exchange, row.actor, told["verdict"], told.get("score"), marks))
    return found


def preferences(record: Record, since: int | None, until: int | None) -> list[Preference]:
    """Which of two answers reviewers preferred in exchanges of that time, oldest word first; releases by digest."""
    said = _said(record, "preference_given", since, until)
    return [Preference(row.exchange, row.actor, told["first"], told["second"], told["preferred"]) for row, told in said]


def _said(record: Record, kind: str, since: int | None, until: int | None) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Rows of one kind of event about exchanges of that time, oldest first, each with its public part."""
    bounded = since is not None or until is not None

    def among(table: Any, number: Any) -> Any:
        about = select(table.c.exchange, table.c.actor, table.c.payload, table.c.at, number.label("number"))
        of_then = select(EXCHANGE.c.id).where(*_between(since, until))
        where = [table.c.kind == kind]
        return about.where(*where, table.c.exchange.in_(of_then)) if bounded else about.where(*where)

    both = union_all(among(ENTRY, ENTRY.c.seq), among(INBOX, INBOX.c.id)).subquery()
    for row in record.read(select(both).order_by(both.c.at, both.c.number)):
        yield row, json.loads(bytes(row.payload))


def _between(since: int | None, until: int | None) -> list[ColumnElement[bool]]:
    found = []
    if since is not None:
        found.append(EXCHANGE.c.at >= since)
    if until is not None:
        found.append(EXCHANGE.c.at < until)
    return found


def _row(exchange: str, at: int, reason: Reason) -> dict[str, Any]:
    return {
        "exchange": exchange,
        "at": at,
        "reason": reason.value,
        "rank": RANK[reason],
        "verdict": "",
        "reviewer": "",
        "decided": None,
    }


def _waiting(row: Any) -> Waiting:
    decided = moment(row.decided) if row.decided is not None else None
    return Waiting(row.exchange, moment(row.at), Reason(row.reason), row.verdict, row.reviewer, decided)
