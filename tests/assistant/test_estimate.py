"""What a run will cost, before it begins."""

from assistant import estimate
from assistant.estimate import Language
from opsplane import spend
from tests import fakes

PRICES = spend.load()
FLASH = "google_genai:gemini-3.8-flash"


def test_each_judge_of_a_panel_is_counted_and_the_first_reads_alone() -> None:
    one, two = (Language((FLASH,) * count) for count in (1, 2))
    judged = estimate.reading(PRICES, one, "judge", 4_000)
    assert judged > PRICES.cost(FLASH, spend.Usage(input=1_000))
    assert estimate.reading(PRICES, two, "judge", 4_000) == 2 * judged
    read = estimate.reading(PRICES, one, "faithfulness", 4_000)
    assert read == estimate.reading(PRICES, two, "faithfulness", 4_000)
    assert read == 2 * estimate.reading(PRICES, one, "context_recall", 4_000) > 0


def test_a_measure_that_asks_nobody_costs_nothing() -> None:
    assert estimate.reading(PRICES, Language((FLASH,)), "perplexity", 4_000) == 0
    assert estimate.reading(PRICES, Language(), "judge", 4_000) == 0


def test_a_pair_is_read_in_both_orders() -> None:
    once = estimate.pairs(PRICES, Language((FLASH,)), fakes.release(), 1)
    assert once > 0
    assert estimate.pairs(PRICES, Language((FLASH, FLASH)), fakes.release(), 3) == 6 * once


def test_models_without_a_price_are_named() -> None:
    assert estimate.unpriced_judges(PRICES, Language((FLASH, "openai:unheard-of"))) == ["openai:unheard-of"]
    models = {"flash": {"name": FLASH}, "pro": {"name": "openai:unheard-of"}}
    assert estimate.unpriced(PRICES, fakes.release(models=models)) == ["openai:unheard-of"]
