"""What a turn books: calls on the account of its purpose, and what is kept on an account of its own."""

from decimal import Decimal

import pytest

from opsplane.draft import Draft
from opsplane.exchange import Used
from opsplane.plane import Serving
from opsplane.spend import Price, Prices, Purpose, Usage
from tests import fakes

KEPT = Price(input=Decimal("0.75"), output=Decimal("3.75"), cached=Decimal("0.075"), storage=Decimal("1"))
TABLE = Prices(
    version="t",
    source="tests",
    currency="USD",
    models={"kept": KEPT, "plain": KEPT.model_copy(update={"storage": None})},
)
CALL = Used(model="kept", usage=Usage(input=3_000, output=10, cached=2_048))
BOUGHT = Used(model="kept", usage=Usage(input=2_048, stored=2_048 * 3_600), purpose=Purpose.CACHE)


def draft(purpose: Purpose = Purpose.ANSWER) -> Draft:
    return Draft(fakes.question(), Serving(fakes.release(), "stable"), TABLE, lambda: 0.0, purpose)


@pytest.mark.parametrize("purpose", [Purpose.ANSWER, Purpose.EVALUATION, Purpose.SHADOW])
def test_keeping_has_an_account_of_its_own(purpose: Purpose) -> None:
    one = draft(purpose)
    one.use(CALL)
    one.use(BOUGHT)
    exchange = one.exchange()
    assert [(cost.purpose, cost.micros) for cost in exchange.costs] == [(purpose, 905), (Purpose.CACHE, 3_584)]
    assert exchange.cost_micros == 905 + 3_584


def test_the_tokens_of_an_answer_are_those_of_its_own_calls() -> None:
    one = draft()
    one.use(CALL)
    one.use(BOUGHT)
    assert one.exchange().usage == CALL.usage


def test_the_same_cache_bought_twice_is_one_booking() -> None:
    one = draft()
    one.use(BOUGHT)
    one.use(BOUGHT)
    (cost,) = one.exchange().costs
    assert (cost.micros, cost.usage.stored) == (2 * 3_584, 2 * 2_048 * 3_600)


def test_keeping_without_a_price_is_noted_and_not_silently_free() -> None:
    one = draft()
    one.use(BOUGHT.model_copy(update={"model": "plain"}))
    one.use(CALL.model_copy(update={"model": "plain"}))
    (note,) = one.exchange().findings
    assert (note.code, note.detail) == (
        "spend.unpriced",
        "what keeping tokens of plain costs is not in the price table t",
    )
