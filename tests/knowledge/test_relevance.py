from math import log2

import pytest

from knowledge import relevance

JUDGED = {"a": 1.0, "b": 1.0, "x": 0.0}


def test_the_best_possible_ranking_scores_one() -> None:
    assert relevance.ndcg(["a", "b", "c"], JUDGED) == 1
    assert relevance.recall(["a", "b", "c"], JUDGED) == 1
    assert relevance.reciprocal_rank(["a", "b"], JUDGED) == 1
    assert relevance.average_precision(["b", "a"], JUDGED) == 1


def test_gain_is_discounted_by_the_logarithm_of_the_rank() -> None:
    assert relevance.ndcg(["c", "a"], {"a": 1.0}) == pytest.approx(1 / log2(3))
    assert relevance.ndcg(["a", "b"], {"a": 1.0, "b": 2.0}) == pytest.approx((1 + 2 / log2(3)) / (2 + 1 / log2(3)))


def test_what_comes_after_the_cut_does_not_count() -> None:
    ranked = [*"cdefghijkl", "a"]
    assert relevance.ndcg(ranked, JUDGED) == 0
    assert relevance.recall(ranked, JUDGED, at=5) == 0
    assert relevance.reciprocal_rank(ranked, JUDGED) == 0


def test_a_name_that_comes_twice_counts_once() -> None:
    assert relevance.recall(["c", "c", "c", "c", "c", "a"], JUDGED, at=2) == 0.5
    assert relevance.average_precision(["a", "a", "b"], JUDGED) == 1


def test_precision_is_taken_at_each_relevant_rank() -> None:
    assert relevance.average_precision(["a", "c", "b"], JUDGED) == pytest.approx((1 + 2 / 3) / 2)
    assert relevance.average_precision(["a", "c"], JUDGED, at=1) == 1


def test_a_question_without_an_answer_has_no_measure() -> None:
    with pytest.raises(ValueError, match="Nothing is judged relevant"):
        relevance.ndcg(["a"], {"x": 0.0})
