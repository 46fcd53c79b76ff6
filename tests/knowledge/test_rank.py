import numpy as np
import pytest

from knowledge import rank


def test_min_max_stretches_scores_over_zero_to_one() -> None:
    assert rank.min_max(np.array([1, 2, 3], np.float32)).tolist() == [0, 0.5, 1]


def test_what_was_not_found_counts_nothing_and_what_stands_alone_counts_whole() -> None:
    assert rank.min_max(np.array([2, np.nan], np.float32)).tolist() == [1, 0]
    assert rank.min_max(np.array([np.nan], np.float32)).tolist() == [0]
    assert rank.min_max(np.empty(0, np.float32)).size == 0


def test_fusion_is_a_convex_combination() -> None:
    dense, lexical = np.array([0.2, 0.6, np.nan], np.float32), np.array([4, 2, 0], np.float32)
    assert rank.fuse(dense, lexical, 0.7).tolist() == pytest.approx([0.3, 0.85, 0])
    assert rank.fuse(dense, np.zeros(3, np.float32), 1).tolist() == [0, 1, 0]


def test_a_kind_without_a_weight_keeps_its_score() -> None:
    weighed = rank.weigh(np.ones(2, np.float32), ["marketing", "fees"], {"marketing": 0.5})
    assert weighed.tolist() == [0.5, 1]


def test_equal_scores_keep_their_order() -> None:
    assert rank.best(np.array([1, 3, 3, 0], np.float32), 3) == [1, 2, 0]
