"""Sums in the database: whole micro-dollars, the bank's days, and nothing lost between two groups."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, Select, insert

from opsplane.ledger import costs
from opsplane.ledger.costs import By, CostQuery, search
from opsplane.ledger.database import connect
from opsplane.ledger.seal import micros
from opsplane.ledger.tables import METADATA, SPEND
from opsplane.spend import Purpose

NEW_YORK = ZoneInfo("America/New_York")
HOUR = 3_600_000_000  # microseconds


class Books:
    """A database of bookings alone."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        METADATA.create_all(engine)

    def read(self, statement: Select[Any]) -> Sequence[Any]:
        with self.engine.connect() as connection:
            return connection.execute(statement).all()

    def book(self, *rows: dict[str, Any]) -> None:
        with self.engine.begin() as connection:
            connection.execute(insert(SPEND), list(rows))


@pytest.fixture
def books(record_url: str) -> Iterator[Books]:
    opened = Books(connect(record_url))
    yield opened
    opened.engine.dispose()


def booking(at: datetime, cost: int, **changes: Any) -> dict[str, Any]:
    row = {
        "at": micros(at),
        "purpose": "answer",
        "customer": "C-1001",
        "exchange": "e1",
        "release": "heron-1",
        "digest": "d" * 64,
        "model": "m",
        "region": "",
        "input_tokens": 100,
        "output_tokens": 20,
        "cached_tokens": 10,
        "thinking_tokens": 5,
        "cost_micros": cost,
        "prices": "t",
    }
    return row | changes


def utc(month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def sums(books: Books, query: CostQuery, zone: Any = UTC) -> dict[str, int]:
    return {row.key: row.micros for row in search(books, query, zone).rows}


def test_an_empty_record_costs_nothing(books: Books) -> None:
    report = search(books, CostQuery())
    assert (report.rows, report.total.micros, report.groups) == ((), 0, 0)
    assert costs.daily(books, CostQuery()) == {}
    assert costs.spent(books, utc(1, 1), utc(12, 31)) == {}


def test_money_tokens_and_exchanges_are_summed_and_an_exchange_counts_once(books: Books) -> None:
    books.book(
        booking(utc(11, 1), 7),
        booking(utc(11, 1), 5, purpose="judge"),
        booking(utc(11, 1), 3, exchange="e2"),
        booking(utc(11, 1), 1, purpose="embedding", exchange="", customer=""),
    )
    (row,) = search(books, CostQuery()).rows
    assert (row.key, row.micros, row.exchanges) == ("2026-11-01", 16, 2)
    assert (row.input_tokens, row.output_tokens, row.cached_tokens, row.thinking_tokens) == (400, 80, 40, 20)
    assert all(type(getattr(row, name)) is int for name in row.__dataclass_fields__ if name != "key")


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (By.MONTH, {"2026-10": 1, "2026-11": 62}),
        (By.CUSTOMER, {"C-1002": 56, "C-1001": 7}),
        (By.RELEASE, {"heron-6": 48, "heron-1": 15}),
        (By.MODEL, {"m": 47, "pro": 16}),
        (By.PURPOSE, {"judge": 32, "answer": 31}),
        (By.DAY, {"2026-10-31": 1, "2026-11-01": 6, "2026-11-02": 56}),
    ],
)
def test_sums_are_kept_apart_by_what_was_asked(books: Books, by: By, expected: dict[str, int]) -> None:
    books.book(
        booking(utc(10, 31), 1),
        booking(utc(11, 1), 2),
        booking(utc(11, 1), 4),
        booking(utc(11, 2), 8, customer="C-1002"),
        booking(utc(11, 2), 16, customer="C-1002", release="heron-6", model="pro"),
        booking(utc(11, 2), 32, customer="C-1002", release="heron-6", purpose="judge"),
    )
    report = search(books, CostQuery(by=by))
    assert {row.key: row.micros for row in report.rows} == expected
    assert [row.key for row in report.rows] == list(expected)  # in time, or the largest first
    assert (report.total.micros, report.groups) == (63, len(expected))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"customer": "C-1002"}, 2),
        ({"release": "heron-6"}, 4),
        ({"release": "abc"}, 8),
        ({"release": "%"}, 0),
        ({"model": "pro"}, 16),
        ({"purpose": "shadow"}, 32),
        ({"since": "2026-11-03"}, 64),
        ({"until": "2026-10-30"}, 128),
        ({"since": "2026-11-01", "until": "2026-11-01", "customer": "C-1002"}, 2),
        ({"customer": "nobody"}, 0),
        ({}, 255),
    ],
)
def test_filters_must_all_hold(books: Books, changes: dict[str, str], expected: int) -> None:
    books.book(
        booking(utc(11, 1), 1),
        booking(utc(11, 1), 2, customer="C-1002"),
        booking(utc(11, 1), 4, release="heron-6"),
        booking(utc(11, 1), 8, digest="abcd"),
        booking(utc(11, 1), 16, model="pro"),
        booking(utc(11, 1), 32, purpose="shadow"),
        booking(utc(11, 3), 64),
        booking(utc(10, 30), 128),
    )
    assert search(books, CostQuery.model_validate(changes)).total.micros == expected


def test_a_day_is_the_banks_day(books: Books) -> None:
    books.book(booking(utc(11, 23, 4, 59), 1), booking(utc(11, 23, 5), 2), booking(utc(11, 24, 4, 59), 4))
    assert sums(books, CostQuery(), NEW_YORK) == {"2026-11-22": 1, "2026-11-23": 6}
    assert sums(books, CostQuery(), UTC) == {"2026-11-23": 3, "2026-11-24": 4}
    assert sums(books, CostQuery(since=date(2026, 11, 23), until=date(2026, 11, 23)), NEW_YORK) == {"2026-11-23": 6}


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 8, 23), (11, 1, 25)])
def test_a_day_on_which_the_clock_changes_gets_all_its_hours(books: Books, month: int, day: int, hours: int) -> None:
    begun = costs.start(date(2026, month, day), NEW_YORK) - timedelta(hours=2)
    books.book(*(booking(begun + timedelta(hours=n), 1) for n in range(30)))
    changing = date(2026, month, day)
    found = sums(books, CostQuery(), NEW_YORK)
    assert found[changing.isoformat()] == hours
    assert sum(found.values()) == 30
    for by in (By.DAY, By.MONTH):
        alone = sums(books, CostQuery(by=by, since=changing, until=changing), NEW_YORK)
        assert list(alone.values()) == [hours]


def test_two_years_of_hours_fall_into_the_days_that_python_puts_them_into(books: Books) -> None:
    zone = ZoneInfo("Australia/Lord_Howe")  # its clock changes by half an hour
    times = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=37 + 71 * n) for n in range(14_000)]
    books.book(*(booking(at, 1) for at in times))
    expected: dict[str, int] = {}
    for at in times:
        key = at.astimezone(zone).date().isoformat()
        expected[key] = expected.get(key, 0) + 1
    assert sums(books, CostQuery(), zone) == expected
    months = sums(books, CostQuery(by=By.MONTH), zone)
    assert months == {month: sum(count for day, count in expected.items() if day.startswith(month)) for month in months}
    assert sum(months.values()) == len(times)


def test_the_times_at_which_the_clock_changes_are_found_to_the_microsecond() -> None:
    first, last = micros(datetime(2026, 1, 1, tzinfo=UTC)), micros(datetime(2026, 12, 31, tzinfo=UTC))
    assert costs.offsets(first, last, NEW_YORK) == [
        (first, -5 * HOUR),
        (micros(datetime(2026, 3, 8, 7, tzinfo=UTC)), -4 * HOUR),
        (micros(datetime(2026, 11, 1, 6, tzinfo=UTC)), -5 * HOUR),
    ]


def test_sums_beyond_64_bits_of_float_stay_exact(books: Books) -> None:
    books.book(booking(utc(11, 1), 2**53), booking(utc(11, 1), 1), booking(utc(11, 1), 1))
    assert search(books, CostQuery()).total.micros == 2**53 + 2
    assert costs.spent(books, utc(11, 1, 0), utc(11, 2, 0)) == {Purpose.ANSWER: 2**53 + 2}


def test_purposes_are_kept_apart_day_by_day(books: Books) -> None:
    books.book(
        booking(utc(11, 1), 1), booking(utc(11, 1), 2, purpose="judge"), booking(utc(11, 3), 4), booking(utc(11, 3), 8)
    )
    assert costs.daily(books, CostQuery()) == {
        date(2026, 11, 1): {Purpose.ANSWER: 1, Purpose.JUDGE: 2},
        date(2026, 11, 3): {Purpose.ANSWER: 12},
    }


def test_models_are_kept_apart_day_by_day_for_the_bill(books: Books) -> None:
    books.book(booking(utc(11, 1), 1), booking(utc(11, 1), 2, model="pro"), booking(utc(11, 1), 4, purpose="judge"))
    day = date(2026, 11, 1)
    assert costs.daily_models(books, CostQuery()) == {(day, "m"): 5, (day, "pro"): 2}


def test_what_was_spent_begins_with_its_first_microsecond_and_ends_before_its_last(books: Books) -> None:
    since, until = utc(11, 1, 0), utc(11, 2, 0)
    tick = timedelta(microseconds=1)
    books.book(
        booking(since - tick, 1),
        booking(since, 2),
        booking(until - tick, 4, customer="C-1002", purpose="judge"),
        booking(until, 8),
    )
    assert costs.spent(books, since, until) == {Purpose.ANSWER: 2, Purpose.JUDGE: 4}
    assert costs.spent(books, since, until, "C-1002") == {Purpose.JUDGE: 4}


def test_several_beginnings_are_summed_in_one_query(books: Books) -> None:
    books.book(booking(utc(11, 1), 1), booking(utc(11, 20), 2), booking(utc(11, 23), 4))
    starts = [utc(11, 23, 0), utc(11, 1, 0)]
    assert costs.spent_since(books, starts, utc(12, 1, 0)) == [{Purpose.ANSWER: 4}, {Purpose.ANSWER: 7}]


def test_at_most_so_many_groups_are_listed_and_all_are_counted(books: Books) -> None:
    books.book(*(booking(utc(11, 1), 1, customer=f"C-{n:05}") for n in range(costs.MOST + 3)))
    report = search(books, CostQuery(by=By.CUSTOMER))
    assert (len(report.rows), report.groups, report.total.micros) == (costs.MOST, costs.MOST + 3, costs.MOST + 3)


@pytest.mark.parametrize(
    "wrong", [{"until": "9999-12-31"}, {"since": "0001-01-01"}, {"by": "week"}, {"purpose": "fun"}]
)
def test_what_cannot_be_asked_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        CostQuery.model_validate(wrong)
