import numpy as np
import pytest

from opsplane.evaluation.scorers import ragas
from opsplane.evidence import Origin
from tests import fakes
from tests.opsplane.evaluation.scorers.answering import case, exchange


def test_faithfulness_of_the_published_example() -> None:
    """RAGAS documentation: Einstein was born in Germany (yes) on 20th March 1879 (no): 1 / 2."""
    assert ragas.share([True, False]) == 0.5


def test_context_precision_of_the_published_example() -> None:
    """RAGAS documentation: the useful passage second, (0 / 1 · 0 + 1 / 2 · 1) / 1; first, 1."""
    assert ragas.precision([False, True]) == 0.5
    assert ragas.precision([True, False]) == 1


def test_context_precision_is_average_precision() -> None:
    """Manning, Raghavan and Schütze (2008), section 8.4, for three relevant documents at ranks 1, 3 and 6."""
    useful = [True, False, True, False, False, True]
    assert ragas.precision(useful) == pytest.approx((1 + 2 / 3 + 3 / 6) / 3)


def test_nothing_useful_is_nothing_and_nothing_at_all_is_not_scored() -> None:
    assert ragas.precision([False, False]) == 0
    assert ragas.precision([]) is None
    assert ragas.share([]) is None


def test_answer_relevancy_is_the_mean_cosine() -> None:
    question = np.array([2, 0], np.float32)
    others = np.array([[1, 0], [0, 3], [1, 1], [-1, 0]], np.float32)
    assert ragas.relevancy(question, others) == pytest.approx((1 + 0 + 0.5**0.5 - 1) / 4)
    assert ragas.relevancy(question, np.zeros((1, 2), np.float32)) == 0


def test_passages_keep_their_order_and_results_of_tools_have_none() -> None:
    found = [fakes.passage(2), fakes.passage(3, origin=Origin.TOOL), fakes.passage(1)]
    assert [one.number for one in ragas.passages(exchange(evidence=found))] == [1, 2]


def test_facts_are_looked_for_in_the_sources() -> None:
    found = ragas.facts_held(case(facts=("$15", ("five a day", "5 a day"))), exchange("Whatever it says: 5 a day."))
    assert found
    assert (found.value, found.why) == (0.5, "not in the sources: five a day or 5 a day")
    assert ragas.facts_held(case(), exchange("Yes.")) is None
