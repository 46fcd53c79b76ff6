"""Costs as people see them: sums, forecast, budgets, a plot, a file; and in words where there is nothing."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from assistant.charts import in_text
from assistant.cost_panel import Costs, bar, panel, parse, read, reconciled
from opsplane.budget import Budget, Standing, stand
from opsplane.errors import InvalidRequest
from opsplane.ledger.costs import By, CostQuery
from opsplane.ledger.database import connect
from opsplane.reconcile import Bill, compare
from opsplane.spend import Purpose
from tests.opsplane.ledger.test_costs import Books, booking

NOW = datetime(2026, 11, 23, 17, tzinfo=UTC)
MONTH = date(2026, 11, 1)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    opened = Books(connect(f"sqlite:///{tmp_path}/record.db"))
    yield opened
    opened.engine.dispose()


def look(books: Books, arguments: str = "") -> Costs:
    return read(books, parse(arguments), UTC, NOW)


def budget(spent: int, **changes: Any) -> Standing:
    steps = {"warn": "0.8", "flash": "1", "stop": "1.2"}
    data = {"id": "bank-month", "scope": "total", "period": "month", "limit": "10", "steps": steps}
    return stand(Budget.model_validate(data | changes), spent)


def fill(books: Books, days: int = 22) -> None:
    for n in range(1, days + 1):
        books.book(booking(NOW - timedelta(days=n), 1_000_000), booking(NOW - timedelta(days=n), 500, purpose="judge"))


def test_filters_are_read_as_they_are_typed() -> None:
    query = parse('by=month since=2026-11-01 until=2026-11-30 customer="C 1" release=r model=m purpose=judge')
    expected = CostQuery(
        by=By.MONTH,
        since=MONTH,
        until=date(2026, 11, 30),
        customer="C 1",
        release="r",
        model="m",
        purpose=Purpose.JUDGE,
    )
    assert query == expected
    assert parse("") == CostQuery()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("nonsense", "'nonsense' is not a filter. Filters: by=…, since=…"),
        ("by=week", "by=week: Input should be 'day', 'month'"),
        ("since=yesterday", "since=yesterday"),
        ("until=9999-12-31", "until=9999-12-31"),
        ("purpose=fun", "purpose=fun"),
        ('customer="open', "quotation mark is not closed"),
        ("since=2026-11-02 until=2026-11-01", "since=2026-11-02 is after until=2026-11-01"),
    ],
)
def test_a_filter_that_cannot_be_read_is_named(typed: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        parse(typed)


def test_nothing_booked_is_said_in_words(books: Books) -> None:
    found = panel(look(books, "customer=C-1|"), [])
    assert found.text.startswith("### Costs\n\nNothing was booked from 2026-11-01 to 2026-11-23, customer C\\-1\\|.")
    assert (found.download, found.figure) == (None, None)


def test_this_month_is_shown_day_by_day_with_a_forecast(books: Books) -> None:
    fill(books, 30)
    text = panel(look(books), []).text
    assert "**$22.011000** for 1 exchanges, 2026-11-01 to 2026-11-23" in text
    assert "about **$30.02**, with 9 chances in 10 between $30.02 and $30.02" in text  # 22 days and 8 to come
    assert "| answer | $22\\.000000 | 100\\.0 % |" in text.replace("\\$", "$")
    assert text.count("| 2026") == 22


def test_months_are_shown_from_the_beginning(books: Books) -> None:
    fill(books, 30)
    found = look(books, "by=month")
    assert [row.key for row in found.report.rows] == ["2026-10", "2026-11"]


def test_a_time_that_is_over_has_no_forecast(books: Books) -> None:
    fill(books)
    found = look(books, "until=2026-11-10")
    assert found.ahead is None
    assert "month's end" not in panel(found, []).text


def test_the_forecast_is_for_what_was_asked(books: Books) -> None:
    fill(books)
    found = look(books, "purpose=judge")
    assert found.ahead is not None
    assert found.ahead.micros == 30 * 500


def test_one_day_says_that_it_tells_little(books: Books) -> None:
    fill(books, 1)
    assert "from a single whole day, so it may end anywhere" in panel(look(books), []).text


def test_budgets_are_shown_with_a_bar_and_what_follows(books: Books) -> None:
    standings = [
        budget(5_000_000),
        budget(12_000_000, id="day", period="day"),
        budget(1, id="one", scope="customer", customer="C-9"),
    ]
    text = panel(look(books), standings).text
    assert "| bank\\-month | everybody | month | ██████████░░░░░░░░░░ 50 % | \\$10\\.00 | within |" in text
    assert "| day | everybody | day | ████████████████████ 120 % | \\$10\\.00 | stopped |" in text
    assert "| one | C\\-9 | month |" in text


def test_a_bar_is_full_only_when_everything_is_spent() -> None:
    assert [bar(part, 100).count("█") for part in (0, 99, 100, 500)] == [0, 19, 20, 20]


def test_a_long_table_is_cut_and_the_file_holds_all(books: Books) -> None:
    books.book(*(booking(NOW, n, customer=f"C-{n:03}") for n in range(1, 41)))
    found = panel(look(books, "by=customer"), [])
    assert "9 more are in the CSV file." in found.text
    assert "C\\-040" in found.text
    assert "C\\-009" not in found.text
    assert found.download
    assert len(list(csv.DictReader(io.StringIO(found.download.content.decode("utf-8-sig"))))) == 40


def test_no_cell_of_the_file_starts_a_formula_and_none_comes_to_life(books: Books) -> None:
    for name in ("=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "<b>"):
        books.book(booking(NOW, 1, customer=name))
    found = panel(look(books, "by=customer"), [])
    assert found.download
    rows = list(csv.DictReader(io.StringIO(found.download.content.decode("utf-8-sig"), newline="")))
    assert {row["customer"] for row in rows} == {"'=HYPERLINK(1)", "'+1", "'-1", "'@x", "'\tx", "<b>"}
    assert {row["micros"] for row in rows} == {"1"}
    assert "<b>" not in found.text


def test_what_belongs_to_nobody_is_called_so(books: Books) -> None:
    books.book(booking(NOW, 1, customer="", exchange=""))
    assert "| \\(none\\) | \\$0\\.000001 | 0 |" in panel(look(books, "by=customer"), []).text


def test_the_figure_is_plain_json_with_a_bar_for_each_purpose(books: Books) -> None:
    fill(books)
    figure = panel(look(books), [budget(5_000_000), budget(1, id="day", period="day")]).figure
    assert figure is not None
    assert json.loads(json.dumps(figure, allow_nan=False)) == figure
    kinds = [(trace["type"], trace["name"]) for trace in figure["data"]]
    assert kinds == [
        ("bar", "answer"),
        ("bar", "judge"),
        ("scatter", "sum so far"),
        ("scatter", "forecast"),
        ("scatter", "budget bank-month"),
    ]
    answer, _, sums, ahead, limit = figure["data"]
    assert (answer["x"][0], answer["y"][0], len(answer["x"])) == ("2026-11-01", 1.0, 22)
    assert sums["y"][-1] == ahead["y"][0] == 22.011
    assert (limit["y"], limit["x"]) == ([10.0, 10.0], ["2026-11-01", "2026-11-30"])


def test_a_figure_of_other_times_has_no_forecast_and_no_budget(books: Books) -> None:
    fill(books)
    figure = panel(look(books, "since=2026-11-05"), [budget(1)]).figure
    assert figure is not None
    assert [trace["name"] for trace in figure["data"]] == ["answer", "judge", "sum so far"]


def test_a_terminal_draws_the_same_bars(books: Books) -> None:
    books.book(
        booking(NOW - timedelta(days=1), 2_000_000), booking(NOW, 3_000_000), booking(NOW, 1_000_000, purpose="judge")
    )
    figure = panel(look(books), []).figure
    assert figure is not None
    assert in_text(figure).splitlines() == [
        f"2026-11-22  {'█' * 20:<40}  $2.00",
        f"2026-11-23  {'█' * 30 + '▓' * 10}  $4.00",
        "█ answer  ▓ judge",
    ]


def test_free_days_are_drawn_without_a_bar(books: Books) -> None:
    books.book(booking(NOW, 0))
    figure = panel(look(books), []).figure
    assert figure is not None
    assert in_text(figure).splitlines()[0] == f"2026-11-23  {'':<40}  $0.00"
    assert in_text({"data": []}) == ""


def test_a_reconciliation_shows_what_does_not_match() -> None:
    day = date(2026, 11, 23)
    bill = Bill({(day, "same"): Decimal(1), (day, "more"): Decimal(2), (day, "credit"): Decimal(-1)}, 3, 4, 5)
    text = reconciled(compare(bill, {(day, "same"): 1_000_000, (day, "more"): 1_500_000})).text.replace("\\", "")
    assert "Booked **$2.500000**, billed **$2.000000**: $0.500000 (+25.00 %)." in text
    assert "Days of models: 1 matched, 1 different, 1 only billed; 1.00 % apart is a match." in text
    assert "4 lines of other services, 5 lines without a day" in text
    assert "| 2026-11-23 | more | $1.500000 | $2.000000 | -$0.500000 | -25.00 % | different |" in text
    assert "| 2026-11-23 | credit | — | -$1.000000 | $1.000000 | -100.00 % | only billed |" in text
    assert "| same |" not in text


def test_a_reconciliation_of_nothing_says_so() -> None:
    assert "nothing to compare" in reconciled(compare(Bill({}, 0), {})).text


def test_many_differences_are_cut() -> None:
    days = {(date(2026, 1, 1) + timedelta(days=n), "m"): 1_000_000 for n in range(120)}
    assert reconciled(compare(Bill({}, 0), days)).text.endswith("20 more differ.")
