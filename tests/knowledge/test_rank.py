from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from knowledge import rank
from knowledge.rank import SearchPlan


def floats(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def test_a_chunk_is_as_near_as_its_best_part_and_a_little_nearer_where_several_are_good() -> None:
    found = rank.soft_maximum(floats(0.8, 0.1, 0.8, 0.8, 0.8, 0.7), np.array([0, 2, 4]))
    alone, both, close = found.tolist()
    assert both == pytest.approx(0.8)
    assert 0.79 < alone < 0.8
    assert 0.7 < close < 0.8


def test_a_chunk_without_parts_has_none_to_be_near() -> None:
    found = rank.soft_maximum(floats(0.2, 0.4), np.array([0, 0, 1, 2]))
    assert np.isnan(found).tolist() == [True, False, False, True]
    assert np.isnan(rank.soft_maximum(floats(), np.array([0, 0]))).all()
    assert not rank.soft_maximum(floats(), np.array([], np.int64)).size


def test_the_meaning_is_made_of_the_window_its_parts_and_the_document() -> None:
    plan = SearchPlan(part_weight=0.5, document_weight=0.25)
    assert rank.meaning(floats(0.4), floats(0.8), floats(0.2), plan).tolist() == pytest.approx([0.55])


def test_where_parts_or_document_have_no_vector_the_window_speaks_for_them() -> None:
    nothing = floats(np.nan, np.nan)
    assert rank.meaning(floats(0.4, -0.1), nothing, nothing, SearchPlan()).tolist() == pytest.approx([0.4, -0.1])


def test_shares_of_more_than_the_whole_are_refused() -> None:
    with pytest.raises(ValidationError, match="together at most 1"):
        SearchPlan(part_weight=0.7, document_weight=0.4)


def test_scores_keep_their_size_when_they_are_fused() -> None:
    dense, lexical = floats(0.2, 0.6, -0.3), floats(rank.POINTS, 0, 0)
    assert rank.fuse(dense, lexical, 0.7).tolist() == pytest.approx([0.44, 0.42, 0])
    assert rank.fuse(dense, lexical, 1).tolist() == pytest.approx([0.2, 0.6, 0])
    assert rank.fuse(dense, lexical, 0).tolist() == pytest.approx([1, 0, 0])


def test_other_candidates_change_no_score() -> None:
    few = rank.fuse(floats(0.5, 0.4), floats(3, 9), 0.7)
    more = rank.fuse(floats(0.5, 0.4, 0.9), floats(3, 9, 40), 0.7)
    assert few.tolist() == more[:2].tolist()


def test_a_kind_without_a_weight_keeps_its_score() -> None:
    weighed = rank.weigh(np.ones(2, np.float32), ["marketing", "fees"], {"marketing": 0.5})
    assert weighed.tolist() == [0.5, 1]


def test_equal_scores_keep_their_order() -> None:
    assert rank.best(floats(1, 3, 3, 0), 3) == [1, 2, 0]
    assert rank.best(floats(1, 1, 2, 1), 2) == [2, 0]


@given(st.lists(st.integers(-3, 3), max_size=12), st.integers(0, 14))
def test_the_best_are_the_first_of_all_in_order(values: list[int], count: int) -> None:
    everything = sorted(range(len(values)), key=lambda place: -values[place])
    assert rank.best(floats(*values), count) == everything[:count]


def test_the_best_of_a_hundred_thousand_are_found_without_sorting_them() -> None:
    scores = np.random.default_rng(1).random(100_000).astype(np.float32)
    started = process_time()
    for _ in range(10):
        rank.best(scores, 100)
    assert (process_time() - started) / 10 < 0.008
