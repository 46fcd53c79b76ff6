"""Agreement comes out as in the papers that define it, and keeps to its bounds for any data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsplane.evaluation.agreement import Level, Weights, alpha, kappa, raw, spearman, table
from opsplane.evaluation.estimate import Estimate

COHEN = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
"""200 diagnoses: Cohen (1960), table 1, in counts; again in Cohen (1968), table 1, with weights of disagreement."""
FLEISS = [[106, 10, 4], [22, 28, 10], [2, 12, 6]]
"""Fleiss, Cohen and Everitt (1969), their example of 200, with its weights of agreement."""
ALIKE = [[1, 0, 0.4444], [0, 1, 0.6667], [0.4444, 0.6667, 1]]
SAS = [[0, 4, 1], [0, 8, 0], [0, 1, 5]]
"""The SAS printout that the tests of statsmodels reproduce (statsmodels/stats/tests/test_inter_rater.py)."""
KRIPPENDORFF = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
"""Krippendorff (2011), example C: four observers, twelve units, gaps. His D gives the three levels of alpha."""

Units = list[list[float | None]]
grades = st.integers(1, 4).map(float)
units = st.lists(st.lists(st.one_of(st.none(), grades), max_size=4), max_size=12)
tables = st.integers(2, 4).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, 9), min_size=size, max_size=size), min_size=size, max_size=size)
)


def ends(found: Estimate) -> tuple[float, float, float]:
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    return found.value, found.low, found.high


def test_kappa_is_cohens_of_1960() -> None:
    assert ends(kappa(COHEN))[0] == pytest.approx(0.492, abs=5e-4)


def test_weighted_kappa_is_cohens_of_1968() -> None:
    apart = np.array([[0, 1, 3], [1, 0, 6], [3, 6, 0]])
    assert ends(kappa(COHEN, 1 - apart / 6))[0] == pytest.approx(0.348, abs=5e-4)


@pytest.mark.parametrize(("weights", "value", "error"), [(Weights.NONE, 0.429, 0.054), (ALIKE, 0.507, 0.057)])
def test_kappa_and_its_standard_error_are_fleiss_cohen_and_everitts(
    weights: Weights | list[list[float]], value: float, error: float
) -> None:
    found, low, high = ends(kappa(FLEISS, weights))
    assert found == pytest.approx(value, abs=5e-4)
    assert (high - low) / 2 / 1.959964 == pytest.approx(error, abs=5e-4)


def test_kappa_and_its_interval_are_those_that_sas_prints() -> None:
    assert ends(kappa(SAS)) == pytest.approx((0.4842, 0.2137, 0.7547), abs=5e-5)
    assert ends(kappa(SAS, Weights.LINEAR)) == pytest.approx((0.4701, 0.1845, 0.7558), abs=5e-5)


def test_quadratic_weights_are_those_of_statsmodels() -> None:
    """Made by `cohens_kappa(table, wt="quadratic")`, statsmodels 0.14."""
    counts = [[11, 8, 0, 8, 4], [5, 11, 2, 9, 0], [2, 3, 10, 4, 1], [0, 0, 0, 6, 9], [1, 6, 7, 2, 7]]
    assert ends(kappa(counts, Weights.QUADRATIC)) == pytest.approx((0.340195, 0.170990, 0.509400), abs=1e-6)


@pytest.mark.parametrize(("level", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_krippendorffs_of_2011(level: str, value: float) -> None:
    found = alpha(list(zip(*KRIPPENDORFF, strict=True)), Level(level))
    assert ends(found)[0] == pytest.approx(value, abs=5e-4)
    assert found.number == 11  # the unit that only one observer saw does not count


def test_alpha_of_two_observers_and_two_values_is_krippendorffs() -> None:
    """His example A: ten units, 0.095."""
    first, second = (0, 1, 0, 0, 0, 0, 0, 0, 1, 0), (1, 1, 1, 0, 0, 1, 0, 0, 0, 0)
    for level in Level:  # two values have one difference, whatever it means
        assert ends(alpha(list(zip(first, second, strict=True)), level))[0] == pytest.approx(0.095, abs=5e-4)


def test_alpha_of_two_observers_and_names_is_krippendorffs() -> None:
    """His example B: twelve units, five names, 0.692."""
    pairs: Units = [
        [float(ord(one)), float(ord(other))] for one, other in zip("aabbdcccedda", "babbbccceddd", strict=True)
    ]
    assert ends(alpha(pairs, Level.NOMINAL))[0] == pytest.approx(0.692, abs=5e-4)


def test_where_all_say_the_same_there_is_no_agreement_to_tell() -> None:
    assert alpha([(1, 1), (1, 1)]).value is None
    assert alpha([(0, 1), (1, None)]) == Estimate(number=1)
    assert kappa([[7, 0], [0, 0]]).value is None
    assert spearman([1, 1, 1], [1, 2, 3]).value is None


def test_nothing_is_no_agreement() -> None:
    assert [alpha([]).number, kappa([[0, 0], [0, 0]]).number, spearman([], []).number] == [0, 0, 0]
    assert raw([], []) == Estimate(number=0)


def test_a_milder_rater_costs_alpha_and_not_spearman() -> None:
    first = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6] * 4
    milder = [one + 0.4 for one in first]
    assert ends(spearman(first, milder))[0] == 1
    assert ends(alpha(list(zip(first, milder, strict=True))))[0] < 0.2


def test_raw_agreement_counts_chance_too() -> None:
    assert ends(raw([True] * 9 + [False], [True] * 10))[0] == 0.9


def test_a_table_refuses_what_is_no_category() -> None:
    assert table("aab", "aba", "ab").tolist() == [[1, 1], [1, 0]]
    with pytest.raises(KeyError):
        table("a", "x", "ab")


@settings(max_examples=30)
@given(units, st.sampled_from(Level))
def test_alpha_is_within_its_bounds_whatever_the_units(found: Units, level: Level) -> None:
    one = alpha(found, level)
    if one.value is not None:
        value, low, high = ends(one)
        assert max(value, low, high) <= 1
        assert low <= high


@settings(max_examples=30)
@given(units, st.sampled_from(Level))
def test_alpha_does_not_ask_who_said_what_nor_in_which_order(found: Units, level: Level) -> None:
    turned = [list(reversed(unit)) for unit in reversed(found)]
    assert alpha(found, level).value == pytest.approx(alpha(turned, level).value)


@settings(max_examples=30)
@given(units, st.floats(0.5, 3), st.floats(-5, 5))
def test_alpha_does_not_ask_for_the_scale(found: Units, factor: float, more: float) -> None:
    scaled: Units = [[None if one is None else factor * one + more for one in unit] for unit in found]
    for level in Level:
        assert alpha(scaled, level).value == pytest.approx(alpha(found, level).value, abs=2e-6)


@settings(max_examples=30)
@given(tables, st.sampled_from(Weights))
def test_kappa_is_within_its_bounds_and_symmetric(counts: list[list[int]], weights: Weights) -> None:
    one, turned = kappa(counts, weights), kappa(np.array(counts).T, weights)
    assert one.value == pytest.approx(turned.value, abs=2e-6)
    if one.value is not None:
        value, low, high = ends(one)
        assert -1 <= low <= value <= high <= 1


@settings(max_examples=30)
@given(st.lists(st.tuples(grades, grades), min_size=2, max_size=20))
def test_spearman_does_not_ask_for_the_order(pairs: list[tuple[float, float]]) -> None:
    first, second = zip(*pairs, strict=True)
    turned = spearman(second[::-1], first[::-1])
    assert spearman(first, second).value == pytest.approx(turned.value, abs=2e-6)
