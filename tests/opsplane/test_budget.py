"""Budgets: what is reached, by whom, and that it is told once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Select, insert

from opsplane import budget
from opsplane.budget import Budget, Crossing, Guard, Level, Period, decide, stand
from opsplane.errors import InvalidRelease
from opsplane.ledger.database import connect
from opsplane.ledger.seal import micros
from opsplane.ledger.tables import METADATA, SPEND

NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)
DOLLAR = 1_000_000
ALL = {"warn": "0.8", "flash": "1", "stop": "1.2"}


def limit(**changes: Any) -> Budget:
    data = {"id": "b", "scope": "total", "period": "month", "limit": "10", "steps": ALL}
    return Budget.model_validate(data | changes)


@pytest.mark.parametrize(
    ("spent", "level"),
    [
        (0, Level.OK),
        (8 * DOLLAR - 1, Level.OK),
        (8 * DOLLAR, Level.WARN),
        (10 * DOLLAR - 1, Level.WARN),
        (10 * DOLLAR, Level.FLASH),
        (12 * DOLLAR, Level.STOP),
        (10**15, Level.STOP),
    ],
)
def test_a_step_is_reached_when_exactly_its_share_is_spent(spent: int, level: Level) -> None:
    assert limit().level(spent) is level


def test_steps_may_be_left_out() -> None:
    assert limit(steps={"stop": "1"}).level(10 * DOLLAR - 1) is Level.OK
    assert limit(steps={"warn": "0.5", "stop": "2"}).level(12 * DOLLAR) is Level.WARN


def test_a_share_of_an_odd_limit_is_exact() -> None:
    third = limit(limit="0.000003", steps={"warn": "0.3334"})  # 1.0002 micro-dollars
    assert (third.level(1), third.level(2)) == (Level.OK, Level.WARN)


def test_the_worst_budget_decides_and_says_why() -> None:
    budgets = [limit(id="month"), limit(id="day", period="day", limit="1"), limit(id="wide", limit="1000")]
    found = decide(budgets, {"month": 9 * DOLLAR, "day": 1_234_567, "wide": 9 * DOLLAR})
    assert found.budget is not None
    assert (found.level, found.budget.id, found.spent, found.limit) == (Level.STOP, "day", 1_234_567, DOLLAR)
    assert found.reason == "Budget day: $1.23 of $1.00 spent today (123 %)."


def test_of_equally_bad_budgets_the_fullest_decides() -> None:
    found = decide([limit(id="a"), limit(id="b"), limit(id="c")], {"a": 1, "b": 3, "c": 2})
    assert found.budget is not None
    assert (found.budget.id, found.level) == ("b", Level.OK)


def test_without_a_budget_everything_is_allowed() -> None:
    assert decide([], {}).level is Level.OK


def test_a_limit_is_never_said_to_be_reached_before_it_is() -> None:
    assert stand(limit(), 10 * DOLLAR - 1).reason == "Budget b: $9.99 of $10.00 spent this month (99 %)."


def test_a_customers_budget_concerns_that_customer() -> None:
    each, one = limit(scope="customer"), limit(scope="customer", customer="C-1001")
    assert [limit().concerns(who) for who in ("", "C-1001", "C-1002")] == [True, True, True]
    assert [each.concerns(who) for who in ("", "C-1001", "C-1002")] == [False, True, True]
    assert [one.concerns(who) for who in ("", "C-1001", "C-1002")] == [False, True, False]


def test_the_file_that_ships_limits_nothing() -> None:
    assert budget.load().budgets == ()


def test_the_example_in_the_file_that_ships_can_be_used(tmp_path: Path) -> None:
    lines = budget.FILE.read_text(encoding="utf-8").splitlines()
    example = [line.removeprefix("# ") for line in lines[lines.index("# budgets:") :] if line.startswith("#")]
    path = tmp_path / "budgets.yaml"
    path.write_text("\n".join(example))
    assert len(budget.load(path).budgets) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("limit: ten", "line 5: budgets.0.limit: Input should be a valid decimal"),
        ("limit: -1", "line 5: budgets.0.limit: Input should be greater than 0"),
        ('limit: "0.0000001"', "line 5: budgets.0.limit: .* 6 decimal places"),
        ("steps: {}", "line 6: budgets.0.steps: .*at least one of warn, flash and stop"),
        ("steps: {warn: 1, flash: 0.8}", "line 6: budgets.0.steps: .*must rise"),
        ("steps: {warm: 1}", "line 6: budgets.0.steps.warm: Extra inputs"),
        ("period: week", "line 4: budgets.0.period"),
        ("purposes: []", "line 7: budgets.0.purposes"),
        ("purposes: [answers]", "line 7: budgets.0.purposes.0"),
        ("customer: C-1001", "line 2: budgets.0: .*a customer is named, but the scope is total"),
        ("id: Upper Case", "line 2: budgets.0.id"),
    ],
)
def test_a_wrong_budget_is_named_with_file_line_and_field(tmp_path: Path, change: str, message: str) -> None:
    fields = {"id": "b", "scope": "total", "period": "day", "limit": '"1"', "steps": "{warn: 1}"}
    name, _, value = change.partition(": ")
    lines = [f"{field}: {given}" for field, given in (fields | {name: value}).items()]
    path = tmp_path / "budgets.yaml"
    path.write_text("budgets:\n  - " + "\n    ".join(lines) + "\n")
    with pytest.raises(InvalidRelease, match=f"budgets.yaml: {message}"):
        budget.load(path)


def test_two_budgets_of_one_name_are_refused(tmp_path: Path) -> None:
    one = "  - {id: b, scope: total, period: day, limit: 1, steps: {warn: 1}}\n"
    path = tmp_path / "budgets.yaml"
    path.write_text(f"budgets:\n{one}{one}")
    with pytest.raises(InvalidRelease, match="two budgets are called 'b'"):
        budget.load(path)


@dataclass
class Entry:
    """A row of the record, as far as a guard reads it."""

    event: Crossing


@dataclass
class Record:
    """Bookings in a database, and crossings as they were put on the record."""

    url: str
    crossed: list[Entry] = field(default_factory=list)
    queries: int = 0

    def __post_init__(self) -> None:
        self.engine = connect(self.url)
        METADATA.create_all(self.engine)

    def read(self, statement: Select[Any]) -> Sequence[Any]:
        self.queries += 1
        with self.engine.connect() as connection:
            return connection.execute(statement).all()

    def events(self, kinds: Sequence[str]) -> Sequence[Entry]:
        assert list(kinds) == ["budget_crossed"]
        return self.crossed

    def book(self, dollars: float, at: datetime = NOON, customer: str = "C-1001", purpose: str = "answer") -> None:
        names = ("exchange", "release", "digest", "model", "region", "prices")
        tokens = ("input_tokens", "output_tokens", "cached_tokens", "thinking_tokens")
        row: dict[str, Any] = dict.fromkeys(names, "") | dict.fromkeys(tokens, 0)
        row |= {"at": micros(at), "purpose": purpose, "customer": customer, "cost_micros": round(dollars * DOLLAR)}
        with self.engine.begin() as connection:
            connection.execute(insert(SPEND), row)


@pytest.fixture
def record(record_url: str) -> Any:
    opened = Record(record_url)
    yield opened
    opened.engine.dispose()


LATER = NOON + timedelta(seconds=16)


def test_a_guard_sums_what_its_budgets_are_about(record: Record) -> None:
    record.book(1)
    record.book(2, purpose="judge")
    record.book(4, customer="C-1002")
    record.book(8, at=NOON - timedelta(days=3))
    record.book(16, at=NOON - timedelta(days=30))
    budgets = [
        limit(id="month"),
        limit(id="day", period="day"),
        limit(id="judge", purposes=["judge"]),
        limit(id="each", scope="customer"),
        limit(id="other", scope="customer", customer="C-1002"),
    ]
    found = Guard(record, budgets, NEW_YORK).standings("C-1001", NOON)
    told = {one.budget.id: one.spent // DOLLAR for one in found if one.budget}
    assert told == {"month": 15, "day": 7, "judge": 2, "each": 11}


def test_a_guard_asks_twice_at_most_and_then_not_for_a_while(record: Record) -> None:
    budgets = [limit(id=f"{scope}-{period}", scope=scope, period=period) for scope in budget.Scope for period in Period]
    guard = Guard(record, budgets, NEW_YORK)
    guard.standing("C-1001", NOON)
    assert record.queries == 2
    guard.standing("C-1001", NOON + timedelta(seconds=14))
    assert record.queries == 2
    guard.standing("C-1001", LATER)
    assert record.queries == 4


def test_without_budgets_nothing_is_asked(record: Record) -> None:
    assert Guard(record, []).standing("C-1001", NOON).level is Level.OK
    assert Guard(record, []).crossings("C-1001", NOON) == []
    assert record.queries == 0


def test_what_was_spent_meanwhile_is_seen_when_the_sums_are_old(record: Record) -> None:
    guard = Guard(record, [limit()], NEW_YORK)
    assert guard.standing("C-1001", NOON).level is Level.OK
    record.book(10)
    assert guard.standing("C-1001", NOON + timedelta(seconds=1)).level is Level.OK
    assert guard.standing("C-1001", LATER).level is Level.FLASH


def test_a_new_day_of_the_bank_begins_at_once(record: Record) -> None:
    last = datetime(2026, 11, 24, 4, 59, 59, tzinfo=UTC)  # one second before midnight in New York
    record.book(12, at=last)
    guard = Guard(record, [limit(period="day")], NEW_YORK)
    assert guard.standing("C-1001", last).level is Level.STOP
    assert guard.standing("C-1001", last + timedelta(seconds=1)).level is Level.OK


def test_each_step_is_told_once(record: Record) -> None:
    guard = Guard(record, [limit()], NEW_YORK)
    record.book(10)
    warned, routed = guard.crossings("C-1001", NOON)
    assert warned == Crossing("b", "2026-11", Level.WARN, "", 10 * DOLLAR, 10 * DOLLAR)
    assert routed.level is Level.FLASH
    assert guard.crossings("C-1001", NOON) == []
    record.crossed += [Entry(warned), Entry(routed)]
    record.book(5)
    (stopped,) = guard.crossings("C-1002", LATER)
    assert (stopped.level, stopped.spent_micros) == (Level.STOP, 15 * DOLLAR)


def test_what_is_on_the_record_is_not_told_again_after_a_restart(record: Record) -> None:
    record.book(9)
    budgets = [limit(), limit(id="each", scope="customer")]
    record.crossed += [Entry(one) for one in Guard(record, budgets, NEW_YORK).crossings("C-1001", NOON)]
    assert [one.event.customer for one in record.crossed] == ["", "C-1001"]
    assert Guard(record, budgets, NEW_YORK).crossings("C-1001", NOON) == []


def test_a_step_is_told_again_in_the_next_period_and_for_the_next_customer(record: Record) -> None:
    next_month = NOON + timedelta(days=10)
    guard = Guard(record, [limit(scope="customer", steps={"warn": "0.1"})], NEW_YORK)
    for at, customer in ((NOON, "C-1001"), (NOON, "C-1002"), (next_month, "C-1001")):
        record.book(1, at=at, customer=customer)
        (told,) = guard.crossings(customer, at)
        record.crossed.append(Entry(told))
    assert [(one.event.period, one.event.customer) for one in record.crossed] == [
        ("2026-11", "C-1001"),
        ("2026-11", "C-1002"),
        ("2026-12", "C-1001"),
    ]


def test_a_step_that_did_not_get_onto_the_record_is_told_again(record: Record) -> None:
    record.book(9)
    guard = Guard(record, [limit()], NEW_YORK)
    told = guard.crossings("C-1001", NOON)
    assert guard.crossings("C-1001", NOON + timedelta(seconds=5)) == []
    assert guard.crossings("C-1001", LATER) == told
