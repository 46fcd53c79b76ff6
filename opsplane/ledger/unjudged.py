"""What a judge has not looked at yet, told by the record: answered exchanges, and those that a shadow answered too.

Only what is readable without a key is read. Newest first and in blocks, back to a time: neither the whole record nor
more than `MOST` exchanges are gone through, however often somebody asks.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Select, select

from opsplane.exchange import Outcome
from opsplane.ledger.database import batches
from opsplane.ledger.seal import micros, moment
from opsplane.ledger.tables import ENTRY, EXCHANGE, INBOX, REVIEW
from opsplane.review import Reason, queue_thumb
from opsplane.sampling import ALWAYS, Candidate

BLOCK = 2_000
"""Rows of one query."""
MOST = 100_000
"""At most so many of the newest exchanges, and so many words of judges, are gone through."""
_WORDS = ("exchange_scored", "exchange_unscored", "preference_scored")


class Record(Protocol):
    """What queries are put to: the ledger."""

    def read(self, statement: Select[Any] | Any) -> Sequence[Any]:
        """Run one query; raise `RecordUnavailable` where the database does not answer."""
        ...


@dataclass
class Words:
    """What one judge said: of which exchanges and pairs, and why it gave nothing, attempt by attempt."""

    scored: set[str] = field(default_factory=set)
    preferred: set[str] = field(default_factory=set)
    unscored: dict[str, list[str]] = field(default_factory=dict)
    unpreferred: Counter[str] = field(default_factory=Counter)


def candidates(record: Record, since: datetime, *, block: int = BLOCK, most: int = MOST) -> list[Candidate]:
    """The exchanges whose question came at `since` or later and whose words are still there, newest first.

    At most `most` are gone through, `block` in one query.
    """
    shadowed = {row.exchange for row in _entries(record, ("shadow_answered",), since)}
    return [_candidate(row, row.id in shadowed) for row in _exchanges(record, micros(since), block, most)]


def words(record: Record, since: datetime) -> dict[str, Words]:
    """What each judge said at `since` or later, whichever process it ran in."""
    found: dict[str, Words] = {}
    for row in _entries(record, _WORDS, since):
        told = json.loads(bytes(row.payload))
        _heard(found.setdefault(told["scorer"], Words()), row.kind, told)
    return found


def topics(record: Record, exchanges: Iterable[str]) -> dict[str, str]:
    """What these exchanges are about; empty for what was met before anybody looked."""
    found: dict[str, str] = {}
    for some in batches(exchanges):
        for table in (INBOX, ENTRY):
            ended = table.c.kind == "question_answered", table.c.exchange.in_(some)
            for row in record.read(select(table.c.exchange, table.c.payload).where(*ended)):
                found[row.exchange] = json.loads(bytes(row.payload))["exchange"].get("topic", "")
    return found


def _heard(words: Words, kind: str, told: Mapping[str, Any]) -> None:
    exchange = told["exchange"]
    match kind:
        case "exchange_scored":
            words.scored.add(exchange)
        case "exchange_unscored":
            words.unscored.setdefault(exchange, []).append(told["reason"])
        case _ if "unscored" in (told["forward"], told["backward"]):
            words.unpreferred[exchange] += 1
        case _:
            words.preferred.add(exchange)


def _candidate(row: Any, shadowed: bool) -> Candidate:
    reason = Reason(row.reason) if row.reason else None
    if reason not in ALWAYS:  # it may have been decided before the customer's thumb went down
        reason = queue_thumb(row.rating) or reason
    return Candidate(row.id, moment(row.at), Outcome(row.outcome), reason, shadowed)


def _exchanges(record: Record, since: int, block: int, most: int) -> Iterator[Any]:
    """By the numbers in which they came, which have an index; a clock that was set back a little changes nothing."""
    table = EXCHANGE.c
    columns = table.number, table.id, table.at, table.outcome, table.rating, REVIEW.c.reason
    joined = select(*columns).select_from(EXCHANGE.outerjoin(REVIEW, REVIEW.c.exchange == table.id))
    readable = joined.where(table.sealed != b"").order_by(table.number.desc()).limit(block)
    before: int | None = None
    for _ in range(0, most, block):
        rows = record.read(readable if before is None else readable.where(table.number < before))
        yield from (row for row in rows if row.at >= since)
        if len(rows) < block or max(row.at for row in rows) < since:
            return
        before = rows[-1].number


def _entries(record: Record, kinds: Sequence[str], since: datetime) -> Iterator[Any]:
    """Entries of these kinds, each once; what is not chained yet is read first, so that none is missed as it moves."""
    begin, table = micros(since), ENTRY.c
    wanted = [(one.at, one.kind, one.exchange, one.payload) for one in (INBOX.c, table)]
    waiting = record.read(select(*wanted[0]).where(INBOX.c.kind.in_(kinds)).limit(MOST))
    yield from waiting
    met = {(row.at, row.exchange, bytes(row.payload)) for row in waiting}
    chained, before = select(table.seq, *wanted[1]).where(table.kind.in_(kinds)).order_by(table.seq.desc()), None
    for _ in range(0, MOST, BLOCK):
        rows = record.read((chained if before is None else chained.where(table.seq < before)).limit(BLOCK))
        yield from (row for row in rows if row.at >= begin and (row.at, row.exchange, bytes(row.payload)) not in met)
        if len(rows) < BLOCK or max(row.at for row in rows) < begin:
            return
        before = rows[-1].seq
