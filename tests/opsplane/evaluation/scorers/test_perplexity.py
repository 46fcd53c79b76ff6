import math

import pytest

from opsplane.evaluation.scorers import perplexity
from tests.opsplane.evaluation.scorers.answering import case, exchange


def test_a_model_that_chooses_among_k_equally_likely_tokens_has_a_perplexity_of_k() -> None:
    assert perplexity.perplexity([math.log(1 / 6)] * 50) == pytest.approx(6)
    assert perplexity.perplexity([0.0, 0.0]) == 1


def test_tokens_count_by_their_geometric_mean() -> None:
    assert perplexity.perplexity([math.log(0.5), math.log(0.125)]) == pytest.approx(4)


@pytest.mark.parametrize("wrong", [None, [], [0.5], [math.nan], [-math.inf], [-1e6]])
def test_what_are_no_log_probabilities_have_none(wrong: list[float] | None) -> None:
    assert perplexity.perplexity(wrong) is None


async def test_answers_of_models_that_report_nothing_say_nothing() -> None:
    assert await perplexity.scorer(lambda _: None).score(case(), exchange("Yes.")) is None
    wrong = await perplexity.scorer(lambda _: [1.0]).score(case(), exchange("Yes."))
    assert wrong
    assert (wrong.value, wrong.why) == (None, "what the model reported has no perplexity")
