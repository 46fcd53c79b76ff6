"""Reading the record: exchanges by any combination of filters, newest first.

Filters become facets and blinded words of one index (`facets`, `search`), which gives the numbers of the newest
exchanges that fit; only the rows of one page are then read and opened. Newest first is the order in which the record
received the questions: a clock that was set back does not change it. No list goes deeper than `MOST`: what lies behind
is reached by narrower filters, or in an export, which `walk` reads from row to row without counting.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import func, select

from opsplane.errors import InvalidRequest, NotFound
from opsplane.exchange import Outcome, Tier
from opsplane.ledger.database import BATCH, batches
from opsplane.ledger.facets import DIGEST, PLACES, Facet, beginning, between, token
from opsplane.ledger.seal import moment
from opsplane.ledger.search import Reader, TextIndex, Wanted
from opsplane.ledger.tables import EXCHANGE

SHORTEST = 6
"""The fewest characters by which an exchange may be named."""

MOST = 10_000
"""So many of the newest exchanges that fit can be paged through."""

COUNTED = 1_000
"""So many are counted for a first page; a later page counts as far as the one after it."""

_EPOCH = date(1970, 1, 1)
_MICROS = 1_000_000
_HEX = re.compile("[0-9a-f]+")


def _ends(given: str) -> tuple[Decimal | None, Decimal | None]:
    """The ends of a range as typed, None where it is open; raise `ValueError` that says how one is written."""
    low, dash, high = given.strip().replace("–", "-").partition("-")
    try:
        ends = [Decimal(end.strip().removeprefix("$")) if end.strip() else None for end in (low, high if dash else low)]
    except InvalidOperation:
        ends = [None, None]
    if ends == [None, None] or not all(end is None or (end.is_finite() and end.adjusted() < 100) for end in ends):
        raise ValueError("must be a range like 0.01-0.05, an open one like 0.01- or -0.05, or one figure")
    return ends[0], ends[1]


def _span(given: str) -> str:
    if given:
        _ends(given)
    return given


Span = Annotated[str, AfterValidator(_span)]
"""A range as a person types it, or nothing."""


class AuditQuery(BaseModel):
    """Filters, all of which must hold; empty ones do not filter. Dates are UTC days, both inclusive.

    `customer` is a customer id or a sign-in name; `release` an id or the beginning of a digest; `rule` the beginning
    of a finding's code; `model` the whole name; `route` the tier. `cost` (dollars) and `score` (0 to 100) are ranges,
    both ends inclusive: `0.01-0.05`, `0.01-`, `-0.05`, or one figure. `text` are words and "phrases in quotes".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    customer: str = ""
    since: date | None = None
    until: date | None = None
    outcome: Outcome | None = None
    rule: str = ""
    release: str = ""
    model: str = ""
    route: Tier | None = None
    cost: Span = ""
    score: Span = ""
    rating: Literal["up", "down"] | None = None
    reviewed: bool | None = None
    text: str = ""
    page: int = Field(default=1, ge=1)
    size: int = Field(default=20, ge=1, le=MOST)


@dataclass(frozen=True)
class AuditRow:
    """One exchange in a list; `rating` is 1 for a thumb up and 0 for one down, `score` 0 to 100."""

    id: str
    at: datetime
    customer: str
    outcome: Outcome
    code: str
    release: str
    tier: str
    model: str
    cost_micros: int
    total_ms: int
    rating: int | None
    score: int | None
    question: str
    answer: str


@dataclass(frozen=True)
class AuditPage:
    """A page of exchanges and how many there are; with `more` there are more than `total`, as far as was counted."""

    rows: tuple[AuditRow, ...]
    total: int
    page: int
    size: int
    more: bool = False

    @property
    def pages(self) -> int:
        """How many pages those are, at least one."""
        return max(1, -(-self.total // self.size))


class Record(Reader, Protocol):
    """What is searched: the ledger."""

    @property
    def index(self) -> TextIndex:
        """The index of its exchanges."""
        ...

    def contents(self, rows: Sequence[Any]) -> Mapping[str, Any]:
        """The words of exchanges by id; `rows` have the columns id, key and sealed of the exchange table."""
        ...


_SHOWN = [EXCHANGE.c[name] for name in AuditRow.__dataclass_fields__ if name not in ("question", "answer")]
_SEALED = (EXCHANGE.c.number, EXCHANGE.c.key, EXCHANGE.c.sealed)


def search(record: Record, query: AuditQuery) -> AuditPage:
    """The page of exchanges that fit, newest first.

    Raises `InvalidRequest` for a text without words or a page beyond `MOST`, and `RecordUnavailable` where the record
    does not answer.
    """
    start, end = (query.page - 1) * query.size, query.page * query.size
    limit = min(max(COUNTED, end + query.size), MOST)
    numbers = record.index.newest(record, wanted(record.index, query), limit + 1)
    more = len(numbers) > limit
    if more and start >= MOST:
        raise InvalidRequest(
            f"Only the newest {MOST:,} exchanges that fit can be paged through. Narrow the filters, or export."
        )
    rows = _rows(record, numbers[:limit][start:end])
    return AuditPage(tuple(rows), min(len(numbers), limit), query.page, query.size, more)


def count(record: Record, query: AuditQuery, most: int) -> int:
    """How many exchanges fit, counted no further than `most`."""
    return len(record.index.newest(record, wanted(record.index, query), most))


def walk(record: Record, query: AuditQuery, batch: int = BATCH) -> Iterator[AuditRow]:
    """Every exchange that fits, newest first, read `batch` at a time; `page` and `size` of the query do not count.

    Exchanges received after the first was taken are left out.
    """
    fits = wanted(record.index, query)
    numbers = record.index.newest(record, fits, batch)
    while numbers:
        yield from _rows(record, numbers)
        numbers = record.index.newest(record, fits, batch, below=numbers[-1])


def complete_id(record: Reader, given: str) -> str:
    """The one exchange id that begins so; raise `NotFound` for none and `InvalidRequest` for several."""
    if len(given) < SHORTEST:
        raise InvalidRequest(f"Give at least {SHORTEST} characters of the exchange's id.")
    # The range is what an index can answer, in whatever order PostgreSQL sorts text: ids are letters and figures.
    near = EXCHANGE.c.id.between(given, given + "z" * 64)
    starts = func.substr(EXCHANGE.c.id, 1, len(given)) == given
    rows = record.read(select(EXCHANGE.c.id).where(near, starts).limit(2))
    if not rows:
        raise NotFound(f"There is no exchange {given!r} on the record.")
    if len(rows) > 1:
        raise InvalidRequest(f"Several exchanges begin with {given!r}; give more of the id.")
    return str(rows[0][0])


def _rows(record: Record, numbers: Sequence[int]) -> Iterator[AuditRow]:
    for part in batches(numbers):
        these = EXCHANGE.c.number.in_(part)
        rows = record.read(select(*_SHOWN, *_SEALED).where(these).order_by(EXCHANGE.c.number.desc()))
        told = record.contents(rows)
        for row in rows:
            values = {column.name: row._mapping[column] for column in _SHOWN}
            values |= {"at": moment(row.at), "outcome": Outcome(row.outcome)}
            yield AuditRow(**values, question=told[row.id].question, answer=told[row.id].answer)


def wanted(index: TextIndex, query: AuditQuery) -> Wanted:
    """The query in the index's terms."""
    groups: list[tuple[str, ...]] = []
    if query.customer:
        groups.append((token(Facet.CUSTOMER, query.customer), token(Facet.ACTOR, query.customer)))
    if query.since or query.until:
        groups.append(between(Facet.DAY, *((day - _EPOCH).days for day in _days(query))))
    if query.release:
        groups.append((token(Facet.RELEASE, query.release), *_digest(query.release)))
    if query.rule:
        groups.append((beginning(Facet.RULE, query.rule),))
    if query.cost:
        groups.append(between(Facet.COST, *_whole(query.cost, _MICROS, Facet.COST)))
    if query.score:
        groups.append(between(Facet.SCORE, *_whole(query.score, 1, Facet.SCORE)))
    groups += ((token(facet, value),) for facet, value in _same(query) if value)
    return Wanted(index.phrases(query.text) if query.text else (), tuple(groups))


def _digest(release: str) -> tuple[str, ...]:
    if not _HEX.fullmatch(release):
        return ()
    return ((beginning if len(release) < DIGEST else token)(Facet.DIGEST, release[:DIGEST]),)


def _same(query: AuditQuery) -> Iterator[tuple[str, str]]:
    """Filters that a single value answers."""
    yield Facet.OUTCOME, query.outcome or ""
    yield Facet.MODEL, query.model
    yield Facet.TIER, query.route or ""
    yield Facet.RATING, {"up": "1", "down": "0"}.get(query.rating or "", "")
    yield Facet.REVIEWED, "" if query.reviewed is None else str(int(query.reviewed))


def _days(query: AuditQuery) -> tuple[date, date]:
    return query.since or _EPOCH, query.until or date.max


def _whole(given: str, unit: int, facet: str) -> tuple[int, int]:
    """A range in whole units (micro-dollars, points) that lie within it."""
    low, high = _ends(given)
    most = 10 ** PLACES[facet] - 1
    first = 0 if low is None else int((min(low * unit, Decimal(most))).to_integral_value(ROUND_CEILING))
    last = most if high is None else int(min(high * unit, Decimal(most)).to_integral_value(ROUND_FLOOR))
    return first, last
