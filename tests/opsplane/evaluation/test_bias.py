import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsplane.evaluation.bias import length, position
from opsplane.evaluation.estimate import Estimate
from opsplane.evaluation.pairwise import Word

word: st.SearchStrategy[Word] = st.sampled_from(["first", "second", "tie", "unscored"])


def judged(
    weight: float, *, labels: float = 0.3, scale: float = 1.0, answers: int = 300
) -> tuple[list[float], list[float], list[float]]:
    """A judge that adds `weight` for each standard deviation of length, people, and lengths that go with quality."""
    draw = np.random.default_rng(11)
    worth = draw.normal(size=answers)
    size = 0.4 * worth + 0.9 * draw.normal(size=answers)
    people = worth + draw.normal(0, labels, answers)
    judge = scale * worth + weight * size + draw.normal(0, 0.3, answers)
    return judge.tolist(), people.tolist(), (500 + 100 * size).tolist()


def ends(found: Estimate) -> tuple[float, float, float]:
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    return found.value, found.low, found.high


def test_a_judge_that_likes_length_is_found_beyond_doubt() -> None:
    assert ends(length(*judged(0.5)))[1] > 0.3


def test_a_judge_that_likes_brevity_is_found_beyond_doubt() -> None:
    assert ends(length(*judged(-0.5)))[2] < -0.3


@pytest.mark.parametrize(("labels", "scale"), [(0.3, 1.0), (0.7, 1.0), (0.3, 0.5)])
def test_neither_noisy_labels_nor_a_cautious_judge_look_like_bias(labels: float, scale: float) -> None:
    """Lengths go with quality; holding people's score alone would give 0.23 for the second and no hold −0.24."""
    assert abs(ends(length(*judged(0, labels=labels, scale=scale)))[0]) < 0.15


def test_only_ranks_count() -> None:
    judge, people, sizes = judged(0.3, answers=60)
    assert length(judge, people, sizes) == length(judge, people, np.exp(np.array(sizes) / 100))


def test_equal_lengths_and_perfect_judges_tell_nothing() -> None:
    judge, people, sizes = judged(0.3, answers=40)
    assert length(judge, people, [7] * 40).value is None
    assert length(people, people, sizes).value is None
    assert length([], [], []).number == 0


def test_a_judge_that_takes_whatever_stands_first_is_unmasked() -> None:
    found = position([("first", "second")] * 12)
    assert ends(found.swayed) == pytest.approx((1, 0.7575, 1), abs=5e-5)  # Wilson: 12 of 12
    assert (found.earlier, found.later, found.lean) == (12, 0, "earlier")


def test_a_judge_that_takes_whatever_stands_last_is_unmasked() -> None:
    assert position([("second", "first")] * 12).lean == "later"


def test_a_judge_that_sticks_to_its_word_is_not() -> None:
    found = position([("first", "first"), ("second", "second"), ("tie", "tie")] * 10)
    assert (found.pairs, found.swayed.value, found.wavered, found.lean) == (30, 0, 0, "")


def test_chance_has_no_direction() -> None:
    assert position([("first", "second"), ("second", "first")] * 9).lean == ""


def test_a_tie_in_one_order_is_wavering_and_what_is_unscored_counts_nowhere() -> None:
    found = position([("first", "tie"), ("tie", "second"), ("unscored", "first"), ("first", "first")])
    assert (found.pairs, found.wavered, found.unscored, found.swayed.value) == (3, 2, 1, 0)


def test_without_pairs_nothing_is_known() -> None:
    assert position([]).swayed == Estimate(number=0)


@given(st.lists(st.tuples(word, word), max_size=40))
def test_every_pair_is_counted_once_and_answers_may_change_names(said: list[tuple[Word, Word]]) -> None:
    found = position(said)
    assert found.pairs + found.unscored == len(said)
    assert found.earlier + found.later + found.wavered <= found.pairs
    other: dict[Word, Word] = {"first": "second", "second": "first", "tie": "tie", "unscored": "unscored"}
    swapped = position([(other[backward], other[forward]) for forward, backward in said])
    assert (found.earlier, found.later, found.swayed) == (swapped.earlier, swapped.later, swapped.swayed)
