import pytest

from opsplane.evaluation import paired
from opsplane.evaluation.paired import Paired, Part


def scores(*values: float) -> dict[str, Part]:
    return {f"q{number}": (value, 1.0) for number, value in enumerate(values)}


def found(old: dict[str, Part], new: dict[str, Part]) -> Paired:
    one = paired.compare("recall", old, new)
    assert one is not None
    return one


def test_equal_sides_differ_by_nothing() -> None:
    one = found(scores(*[0.5] * 30), scores(*[0.5] * 30))
    assert (one.difference, one.low, one.high, one.won, one.lost) == (0, 0, 0, (), ())
    assert paired.worse([one], 0.05) == []


def test_questions_won_and_lost_are_named() -> None:
    one = found(scores(0, 1, 1), scores(1, 0, 1))
    assert (one.won, one.lost) == (("q0",), ("q1",))
    assert one.low < 0 < one.high


def test_the_interval_goes_by_question_and_is_the_same_each_time() -> None:
    old, new = scores(*[0.2, 0.8] * 30), scores(*[0.3, 0.9] * 30)
    one = found(old, new)
    assert [one.low, one.high] == pytest.approx([0.1, 0.1])
    assert one == found(old, new)


def test_sides_are_sums_over_sums_and_what_was_not_measured_counts_for_nothing() -> None:
    old: dict[str, Part] = {"a": (3, 4), "b": (1, 1), "c": (0, 0)}
    new: dict[str, Part] = {"a": (2, 2), "b": (0, 0), "c": (0, 0)}
    one = found(old, new)
    assert (one.questions, one.old, one.new) == (2, 0.8, 1)
    assert (one.won, one.lost) == (("a",), ())


def test_nothing_measured_on_one_side_is_no_comparison() -> None:
    assert paired.compare("recall", {"a": (0, 0)}, {"a": (1, 1)}) is None
    assert paired.compare("recall", {}, {}) is None


def test_a_loss_that_cannot_be_ruled_out_is_told() -> None:
    one = found(scores(*[1] * 40), scores(*[1] * 34, *[0] * 6))
    assert "recall changed by -0.150 (between" in paired.worse([one], 0.05)[0]
    assert paired.worse([one], 0.4) == []


def test_too_few_questions_prove_nothing() -> None:
    one = found(scores(1, 1), scores(1, 1))
    assert paired.worse([one], 0.05) == ["recall was measured on 2 questions only; at least 20 are needed"]
