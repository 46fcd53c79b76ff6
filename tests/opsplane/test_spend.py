"""Costs are integers and unknown prices are not free unnoticed."""

from decimal import Decimal

from opsplane import spend
from opsplane.exchange import Usage
from opsplane.spend import Price, Prices

TABLE = Prices(
    version="t",
    source="test",
    currency="USD",
    models={"m": Price(input=Decimal("0.75"), output=Decimal("3.75"), cached=Decimal("0.075"))},
)


def test_tokens_cost_their_price_and_cached_ones_theirs() -> None:
    assert TABLE.cost("m", Usage(input=1_000_000)) == 750_000
    assert TABLE.cost("m", Usage(input=1_000, output=200, cached=400)) == 600 * 3 // 4 + 30 + 750


def test_halves_are_rounded_to_even() -> None:
    assert TABLE.cost("m", Usage(input=2)) == 2  # 1.5
    assert TABLE.cost("m", Usage(output=2)) == 8  # 7.5


def test_an_unknown_model_is_told_from_a_free_one() -> None:
    assert TABLE.cost("other", Usage(input=10)) == 0
    assert not TABLE.knows("other")


def test_the_table_that_ships_knows_the_embedded_model_as_free() -> None:
    table = spend.load()
    assert table.knows("embedded:extractive")
    assert table.cost("embedded:extractive", Usage(input=10_000, output=500)) == 0
