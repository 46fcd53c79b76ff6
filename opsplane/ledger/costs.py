"""What was booked, summed in the database in whole micro-dollars: by day, month, customer, release, model, purpose.

Days and months are those of a time zone that is handed in (the bank's, or the provider's for its bill). Their limits
are worked out here, so that the database needs no calendar and a day of 23 or 25 hours gets exactly its own bookings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import BigInteger, ColumnElement, Select, case, distinct, func, literal, or_, select

from opsplane.ledger.seal import micros, moment
from opsplane.ledger.tables import SPEND
from opsplane.spend import Purpose

MOST = 10_000
"""At most so many groups are listed; the total counts all."""
_DAY = 86_400_000_000  # microseconds
_EPOCH = date(1970, 1, 1)


class Record(Protocol):
    """What queries are put to: the ledger, or a database without one."""

    def read(self, statement: Select[Any]) -> Sequence[Any]:
        """Run one query; raise `RecordUnavailable` where the database does not answer."""
        ...


class By(StrEnum):
    """What sums are kept apart by."""

    DAY = "day"
    MONTH = "month"
    CUSTOMER = "customer"
    RELEASE = "release"
    MODEL = "model"
    PURPOSE = "purpose"


class CostQuery(BaseModel):
    """Filters, all of which must hold; empty ones do not filter. Dates are days of the bank, both inclusive.

    `release` is an id or the beginning of a digest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: By = By.DAY
    since: date | None = Field(default=None, ge=date(2000, 1, 1), le=date(2199, 12, 31))
    until: date | None = Field(default=None, ge=date(2000, 1, 1), le=date(2199, 12, 31))
    customer: str = ""
    release: str = ""
    model: str = ""
    purpose: Purpose | None = None


@dataclass(frozen=True)
class CostRow:
    """One group: money in micro-dollars, tokens, and how many exchanges caused them."""

    key: str
    micros: int
    exchanges: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    thinking_tokens: int


@dataclass(frozen=True)
class CostReport:
    """The total, and at most `MOST` of so many groups: days and months in order, anything else by cost."""

    rows: tuple[CostRow, ...]
    total: CostRow
    groups: int


def search(record: Record, query: CostQuery, zone: tzinfo = UTC) -> CostReport:
    """Sums of what fits, in whole micro-dollars; raise `RecordUnavailable` where the record does not answer."""
    where = _conditions(query, zone)
    # Each for itself: together the distinct exchanges would not be counted along their index.
    first, last, money, *tokens = record.read(select(*_ENDS, *_SUMS).where(*where))[0]
    total = _row("", (money, record.read(select(_EXCHANGES).where(*where))[0][0], *tokens))
    if first is None:
        return CostReport((), total, 0)
    key, name = _key(query.by, first, last, zone)
    grouped = select(key, _SUMS[0], _EXCHANGES, *_SUMS[1:]).where(*where).group_by(key)
    in_time = query.by in (By.DAY, By.MONTH)
    order = (key,) if in_time else (func.sum(SPEND.c.cost_micros).desc(), key)
    found = record.read(grouped.order_by(*order).limit(MOST))
    rows = tuple(_row(name(row[0]), row[1:]) for row in found)
    if len(rows) < MOST:
        return CostReport(rows, total, len(rows))
    return CostReport(rows, total, record.read(select(func.count()).select_from(grouped.subquery()))[0][0])


def daily(record: Record, query: CostQuery, zone: tzinfo = UTC) -> dict[date, dict[Purpose, int]]:
    """Micro-dollars of each day and purpose that fits; days without a booking are left out."""
    found: dict[date, dict[Purpose, int]] = {}
    for day, purpose, cost in _by_day(record, query, zone, SPEND.c.purpose):
        found.setdefault(day, {})[Purpose(purpose)] = cost
    return found


def daily_models(record: Record, query: CostQuery, zone: tzinfo = UTC) -> dict[tuple[date, str], int]:
    """Micro-dollars of each day and model that fits, to be held against a provider's bill."""
    return {(day, model): cost for day, model, cost in _by_day(record, query, zone, SPEND.c.model)}


def spent(record: Record, since: datetime, until: datetime, customer: str = "") -> dict[Purpose, int]:
    """Micro-dollars of each purpose from `since` to before `until`: of everybody, or of one customer."""
    return spent_since(record, [since], until, customer)[0]


def spent_since(
    record: Record, starts: Sequence[datetime], until: datetime, customer: str = ""
) -> list[dict[Purpose, int]]:
    """The same from each of several times on, in one query over an index."""
    cost = SPEND.c.cost_micros
    where = [SPEND.c.at >= micros(min(starts)), SPEND.c.at < micros(until)]
    if customer:
        where.append(SPEND.c.customer == customer)
    sums: list[Any] = [func.sum(case((SPEND.c.at >= micros(begun), cost), else_=0)) for begun in starts]
    rows = record.read(select(SPEND.c.purpose, *sums).where(*where).group_by(SPEND.c.purpose))
    return [{Purpose(row[0]): int(row[number]) for row in rows} for number in range(1, len(starts) + 1)]


def start(day: date, zone: tzinfo) -> datetime:
    """When a day begins in this zone, as a UTC time."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


_ENDS: tuple[Any, ...] = (func.min(SPEND.c.at), func.max(SPEND.c.at))
_EXCHANGES: Any = func.count(distinct(func.nullif(SPEND.c.exchange, "")))
_SUMS: tuple[Any, ...] = (
    func.sum(SPEND.c.cost_micros),
    func.sum(SPEND.c.input_tokens),
    func.sum(SPEND.c.output_tokens),
    func.sum(SPEND.c.cached_tokens),
    func.sum(SPEND.c.thinking_tokens),
)


def _row(key: str, sums: Sequence[Any]) -> CostRow:
    """PostgreSQL sums whole numbers to a decimal, and both sum nothing to None."""
    return CostRow(key, *(int(value or 0) for value in sums))


def _by_day(record: Record, query: CostQuery, zone: tzinfo, column: ColumnElement[str]) -> list[tuple[date, str, int]]:
    where = _conditions(query, zone)
    first, last = record.read(select(*_ENDS).where(*where))[0]
    if first is None:
        return []
    day, _ = _key(By.DAY, first, last, zone)
    grouped = select(day, column, func.sum(SPEND.c.cost_micros)).where(*where).group_by(day, column)
    rows = record.read(grouped.order_by(day, column))
    return [(_EPOCH + timedelta(days=row[0]), str(row[1]), int(row[2])) for row in rows]


def _conditions(query: CostQuery, zone: tzinfo) -> list[ColumnElement[bool]]:
    table = SPEND.c
    found: list[ColumnElement[bool]] = []
    if query.since:
        found.append(table.at >= micros(start(query.since, zone)))
    if query.until:
        found.append(table.at < micros(start(query.until + timedelta(days=1), zone)))
    if query.customer:
        found.append(table.customer == query.customer)
    if query.release:
        found.append(or_(table.release == query.release, table.digest.startswith(query.release, autoescape=True)))
    if query.model:
        found.append(table.model == query.model)
    if query.purpose:
        found.append(table.purpose == query.purpose.value)
    return found


def _key(by: By, first: int, last: int, zone: tzinfo) -> tuple[ColumnElement[Any], Callable[[Any], str]]:
    """What bookings between two times are grouped by, and how a group is named."""
    match by:
        case By.DAY:
            return _day(first, last, zone).label("bucket"), lambda day: (_EPOCH + timedelta(days=day)).isoformat()
        case By.MONTH:
            months = _months(first, last, zone)
            ends = [(micros(start(month, zone)), literal(number)) for number, month in enumerate(months[1:])]
            names = [month.strftime("%Y-%m") for month in months]
            return _before(ends, literal(len(ends))).label("bucket"), names.__getitem__
        case _:
            return SPEND.c[by.value].label("bucket"), str


def _day(first: int, last: int, zone: tzinfo) -> ColumnElement[int]:
    """The day's number since 1970 in this zone: whole division, with the distance from UTC that held at the time."""
    spans = offsets(first, last, zone)
    numbers = [(SPEND.c.at + distance) // literal(_DAY, BigInteger) for _, distance in spans]
    return _before([(begun, number) for (begun, _), number in zip(spans[1:], numbers, strict=False)], numbers[-1])


def _before(ends: Sequence[tuple[int, ColumnElement[int]]], otherwise: ColumnElement[int]) -> ColumnElement[int]:
    """The value beside the first of these times that a booking came before."""
    return case(*((SPEND.c.at < end, value) for end, value in ends), else_=otherwise) if ends else otherwise


def offsets(first: int, last: int, zone: tzinfo) -> list[tuple[int, int]]:
    """The spans between two times in which the zone's distance from UTC stayed the same: begin and distance, in µs.

    Two changes within 24 hours would be missed; no zone has had them.
    """
    spans = [(first, _offset(first, zone))]
    low = first
    while low < last:
        high = min(low + _DAY, last)
        if _offset(high, zone) != spans[-1][1]:
            begun = _change(low, high, zone)
            spans.append((begun, _offset(begun, zone)))
        low = high
    return spans


def _change(low: int, high: int, zone: tzinfo) -> int:
    """The first microsecond after `low` at which the distance from UTC is that of `high`."""
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle, zone) == _offset(low, zone):
            low = middle
        else:
            high = middle
    return high


def _offset(at: int, zone: tzinfo) -> int:
    distance = moment(at).astimezone(zone).utcoffset() or timedelta(0)
    return distance // timedelta(microseconds=1)


def _months(first: int, last: int, zone: tzinfo) -> list[date]:
    """The first days of the months from one time's to another's."""
    month = moment(first).astimezone(zone).date().replace(day=1)
    end = moment(last).astimezone(zone).date()
    found = []
    while month <= end:
        found.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    return found


def totals(days: Mapping[date, Mapping[Purpose, int]]) -> dict[date, int]:
    """Micro-dollars of each day, all purposes together."""
    return {day: sum(parts.values()) for day, parts in days.items()}
