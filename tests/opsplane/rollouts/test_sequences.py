"""Bounds agree with published values, and cover what they must."""

from math import erfc, inf, isfinite, log, log1p, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsplane.rollouts.sequences import bernoulli, crossing, log_phi, one_sided, two_sided


def precision(alpha: float, variance: float = 100) -> float:
    """The mixture that is narrowest at this variance, as the R package confseq chooses it."""
    wide = -2 * log(alpha)
    return variance / (wide + log1p(wide))


def test_the_two_sided_normal_mixture_has_its_published_bound() -> None:
    assert two_sided(100, precision(0.05), 0.05) == pytest.approx(30.35209, abs=1e-5)


def test_the_one_sided_normal_mixture_has_its_published_bound() -> None:
    found = crossing(lambda score: one_sided(score, 100, precision(0.1)) >= log(20), 0, 100)
    assert found == pytest.approx(27.66071, abs=1e-5)


def test_the_bernoulli_sequence_has_its_published_ends() -> None:
    assert bernoulli(700, 1000, 0.05) == pytest.approx((0.651629, 0.745949), abs=1e-6)


def test_log_phi_is_the_logarithm_of_phi_and_goes_on_where_phi_is_0() -> None:
    for x in (-29.9, -10, -1, 0, 0.5):
        assert log_phi(x) == pytest.approx(log(erfc(-x / sqrt(2)) / 2), rel=1e-14)
    assert log_phi(9) == pytest.approx(-1.1285884059538408e-19, rel=1e-12)
    assert log_phi(-40) == pytest.approx(-804.608442, abs=1e-6)
    assert isfinite(log_phi(-1e8))
    assert log_phi(-30 - 1e-9) == pytest.approx(log_phi(-30 + 1e-9), rel=1e-9)


@given(st.floats(-1e3, 1e3), st.floats(0, 10))
def test_log_phi_grows(x: float, more: float) -> None:
    assert -inf < log_phi(x) <= log_phi(x + more) <= 0


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_rates_sequence_contains_the_rate_and_mirrors(passes: int, failures: int) -> None:
    low, high = bernoulli(passes, passes + failures, 0.05)
    assert 0 <= low <= high <= 1
    if passes + failures:
        assert low <= passes / (passes + failures) <= high
    mirrored = bernoulli(failures, passes + failures, 0.05)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_nothing_seen_leaves_every_rate_possible() -> None:
    assert bernoulli(0, 0, 0.05) == (0, 1)


def test_a_crossing_that_never_comes_is_the_upper_end() -> None:
    assert crossing(lambda _: False, 2, 3) == 3
    assert crossing(lambda x: x >= 2.5, 2, 3) == pytest.approx(2.5)
