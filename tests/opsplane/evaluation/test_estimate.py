import numpy as np
import pytest

from opsplane.evaluation.estimate import Estimate, Floats, Ranking, bootstrapped, correlations, estimate


def mean_of(values: list[float]) -> Estimate:
    each = np.array(values)
    return bootstrapped(len(each), len(each), lambda drawn: drawn @ each / drawn.sum(axis=1))


def test_a_mean_has_the_interval_that_theory_gives_it() -> None:
    draw = np.random.default_rng(4)
    found = mean_of(draw.normal(5, 2, 400).tolist())
    assert found.value == pytest.approx(5, abs=0.3)
    assert found.high is not None
    assert found.low is not None
    assert found.high - found.low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.1)


def test_the_same_values_give_the_same_interval() -> None:
    assert mean_of([1, 2, 5]) == mean_of([1, 2, 5])


def test_nothing_gives_nothing() -> None:
    assert mean_of([]) == Estimate(number=0)
    assert bootstrapped(3, 3, lambda drawn: np.full(len(drawn), np.nan)) == Estimate(number=3)


def test_resamples_without_a_value_are_left_out() -> None:
    def seldom(drawn: Floats) -> Floats:
        return np.where(drawn[:, 0] > 1, np.nan, 7.0)

    assert bootstrapped(4, 4, seldom) == Estimate(number=4, value=7, low=7, high=7)


def test_ranks_share_the_middle_and_follow_what_was_drawn() -> None:
    ranking = Ranking([3, 1, 3, 2])
    assert ranking.ranks(np.ones((1, 4))).tolist() == [[3, 0.5, 3, 1.5]]
    assert ranking.ranks(np.array([[0.0, 2, 1, 0]]))[0, [1, 2]].tolist() == [1, 2.5]


def test_correlations_are_pearsons_and_unknown_without_variance() -> None:
    one, other = np.array([[1.0, 2, 3, 5]]), np.array([[2.0, 1, 4, 4]])
    found = correlations([one, other, np.ones((1, 4))], np.ones((1, 4)))
    assert found[0, 1, 0] == pytest.approx(np.corrcoef(one[0], other[0])[0, 1])
    assert np.isnan(found[0, 2, 0])


def test_an_estimate_reads_as_people_say_it() -> None:
    assert str(estimate(9, 0.714, (0.6, 0.8))) == "0.71 (0.60 to 0.80)"
    assert str(estimate(9, 0.714, None)) == "0.71"
    assert str(estimate(9, float("nan"), None)) == "unknown"
