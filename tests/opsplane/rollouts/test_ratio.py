"""The sample-ratio test is fair at every share, and finds customers that are lost."""

import random
from math import exp, inf, lgamma, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsplane.rollouts.ratio import WEIGHT, RatioTest

SHARES = st.lists(st.integers(1, 50), min_size=3, max_size=3).map(lambda parts: [one / sum(parts) for one in parts])


@given(st.lists(st.tuples(st.integers(0, 2), SHARES), max_size=60), SHARES)
def test_the_next_customer_leaves_the_e_value_as_it_is_in_the_mean(
    before: list[tuple[int, list[float]]], shares: list[float]
) -> None:
    mean = 0.0
    for arm, share in enumerate(shares):
        test = RatioTest(3)
        for one in before:
            test.add(*one)
        at = test.log_e
        test.add(arm, shares)
        mean += share * exp(test.log_e - at)
    assert mean == pytest.approx(1, abs=1e-9)


@given(st.lists(st.integers(0, 2), max_size=100), SHARES)
def test_at_one_share_it_is_the_multinomial_test_of_lindon_and_malek(arms: list[int], shares: list[float]) -> None:
    test = RatioTest(3)
    for arm in arms:
        test.add(arm, shares)
    expected = lgamma(WEIGHT) - lgamma(WEIGHT + len(arms))
    for arm, share in enumerate(shares):
        count = arms.count(arm)
        expected += lgamma(WEIGHT * share + count) - lgamma(WEIGHT * share) - count * log(share)
    assert test.log_e == pytest.approx(expected, abs=1e-8)


def arrivals(seed: int, lost: float) -> float:
    chance, test = random.Random(seed), RatioTest(2)
    for number in range(6_000):
        share = (0.05, 0.25, 0.5)[number // 2_000]
        on = chance.random() < share
        if not (on and chance.random() < lost):
            test.add(int(on), [1 - share, share])
    return test.log_e


def test_a_growing_share_raises_no_alarm_and_lost_customers_do() -> None:
    assert sum(arrivals(seed, 0.0) >= log(20) for seed in range(40)) <= 2
    assert all(arrivals(seed, 0.2) >= log(20) for seed in range(10))


def test_somebody_on_an_arm_of_share_0_is_certain() -> None:
    test = RatioTest(2)
    test.add(0, [1.0, 0.0])
    assert test.log_e == 0
    test.add(1, [1.0, 0.0])
    assert test.log_e == inf


@pytest.mark.parametrize("shares", [[0.5, 0.6], [1.0], [1.5, -0.5]])
def test_shares_must_be_shares(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="2 shares that sum to 1"):
        RatioTest(2).add(0, shares)
