"""Whether keeping paid is read off the bookings: what was bought, and what cached tokens would have cost."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistant import cost_keeping, cost_panel
from opsplane.ledger.costs import CostQuery
from opsplane.ledger.database import connect
from opsplane.spend import Purpose, load
from tests.opsplane.ledger.test_costs import Books, booking

NOW = datetime(2026, 11, 23, 17, tzinfo=UTC)
FLASH, PRO = "google_genai:gemini-3.8-flash", "google_genai:gemini-4-argon"


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    opened = Books(connect(f"sqlite:///{tmp_path}/record.db"))
    yield opened
    opened.engine.dispose()


def text(books: Books, filters: str = "") -> str:
    return cost_panel.panel(cost_panel.read(books, cost_panel.parse(filters), UTC, NOW), []).text


def test_what_keeping_cost_is_held_against_what_it_spared(books: Books) -> None:
    books.book(booking(NOW, 3_584, model=FLASH, purpose="cache", cached_tokens=0))
    for _ in range(4):
        books.book(booking(NOW, 900, model=FLASH, cached_tokens=2_048))
    found = cost_keeping.read(books, CostQuery(), UTC, load())
    assert found == cost_keeping.Keeping(3_584, 5_530, ((FLASH, 3),))  # 4 · 2,048 · 0.675 = 5,529.6
    told = cost_keeping.line(found).replace("\\", "")
    assert "cost $0.003584, and cached tokens spared $0.005530 of input: it paid." in told
    assert "It pays from 3 calls in an hour (google_genai:gemini-3.8-flash)." in told


def test_the_panel_says_so_in_one_line_also_of_the_account_alone(books: Books) -> None:
    books.book(booking(NOW, 3_584, model=FLASH, purpose="cache", cached_tokens=0))
    books.book(booking(NOW, 900, model=FLASH, cached_tokens=2_048))
    for filters in ("", "purpose=cache", f"model={FLASH}"):
        assert "it did not pay" in text(books, filters)
    assert "| cache |" in text(books, "by=purpose")


def test_where_nothing_was_kept_nothing_is_said(books: Books) -> None:
    books.book(booking(NOW, 900, model=FLASH, cached_tokens=50))
    assert "Keeping" not in text(books)
    assert "Keeping" not in text(books, "purpose=answer")
    assert cost_keeping.read(books, CostQuery(), UTC, load()) is None


def test_a_model_without_a_price_spares_nothing(books: Books) -> None:
    books.book(booking(NOW, 0, model="other", purpose="cache"), booking(NOW, 0, model="other", cached_tokens=500))
    assert cost_keeping.read(books, CostQuery(), UTC, load()) == cost_keeping.Keeping(0, 0, ())


def test_the_account_has_a_colour_of_its_own() -> None:
    colours = cost_panel._COLORS
    assert len(set(colours.values())) == len(Purpose)
