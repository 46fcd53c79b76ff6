"""The exact test is fair: no bet gains in the mean, whatever the share, the baseline and the harm that is borne."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsplane.rollouts.betting import BettingTest
from tests.opsplane.rollouts.simulated import Exposure, exposures

ALARM = log(20)


def after(rows: list[Exposure], harm: float = 0.0, restart: int = 500) -> BettingTest:
    test = BettingTest(harm, restart)
    for number, (_, candidate, share, value) in enumerate(rows):
        test.add(f"C-{number}", candidate, share, value)
    return test


@given(exposures, st.floats(0.01, 0.99), st.floats(0, 1), st.sampled_from([0.0, 0.05, 0.3]), st.sampled_from([7, 500]))
def test_the_next_exchange_leaves_the_capital_as_it_is_in_the_mean(
    rows: list[Exposure], share: float, passes: float, harm: float, restart: int
) -> None:
    """Over both arms and both outcomes, weighted by their probabilities, at exactly the harm that is borne."""
    on = max(0.0, passes - harm)
    mean = 0.0
    for candidate, rate in ((True, on), (False, passes)):
        for value, chance in ((1.0, rate), (0.0, 1 - rate)):
            test = after(rows, harm, restart)
            before = test.log_e
            test.add("new", candidate, share, value)
            mean += (share if candidate else 1 - share) * chance * exp(test.log_e - before)
    assert mean == pytest.approx(1, abs=1e-9) if passes >= harm else mean <= 1 + 1e-9


def test_it_begins_at_1_and_knows_nothing() -> None:
    test = BettingTest()
    assert test.log_e == pytest.approx(0, abs=1e-12)
    assert (test.difference, test.interval(0.05), test.low(0.05)) == (None, None, None)


@given(exposures)
def test_of_each_customer_the_first_exchange_counts(rows: list[Exposure]) -> None:
    every, first, met = BettingTest(), BettingTest(), set()
    for row in rows:
        every.add(*row)
        if row[0] not in met:
            first.add(*row)
        met.add(row[0])
    assert (every.log_e, every.arms, every.difference) == (first.log_e, first.arms, first.difference)


@given(exposures)
def test_a_share_of_0_or_1_is_passed_over(rows: list[Exposure]) -> None:
    test = after(rows)
    before = test.log_e, test.arms
    test.add("new", True, 1.0, 0.0)
    test.add("newer", False, 0.0, 0.0)
    assert (test.log_e, test.arms) == before


def drawn(seed: int, rows: int, drop: float, start: int = 0) -> list[Exposure]:
    chance = np.random.default_rng(seed)
    found = []
    for number in range(rows):
        on = bool(chance.random() < 0.1)
        found.append(("", on, 0.1, float(chance.random() < 0.9 - drop * (on and number >= start))))
    return found


def stopped(rows: list[Exposure], restart: int = 500) -> int | None:
    test = BettingTest(restart=restart)
    for number, (_, candidate, share, value) in enumerate(rows):
        test.add(f"C-{number}", candidate, share, value)
        if test.log_e >= ALARM:
            return number
    return None


def test_false_alarms_are_as_rare_as_promised() -> None:
    assert sum(stopped(drawn(seed, 2_000, 0.0)) is not None for seed in range(60)) <= 3


def test_twenty_points_are_found_within_eighty_canary_exchanges() -> None:
    found = [stopped(drawn(seed, 2_000, 0.2)) for seed in range(20)]
    assert sorted(number or 2_000 for number in found)[10] < 800


def test_restarts_find_what_breaks_late_sooner() -> None:
    rows = [drawn(seed, 9_000, 0.2, start=4_000) for seed in range(9)]
    soon, late = (sorted(stopped(one, every) or 9_000 for one in rows)[4] for every in (500, 10**9))
    assert 4_000 < soon < late


def test_the_interval_surrounds_the_difference() -> None:
    test = after(drawn(1, 3_000, 0.1))
    interval, low = test.interval(0.05), test.low(0.05)
    assert interval is not None
    assert low is not None
    assert interval[0] < low < (test.difference or 0) < interval[1]
    assert [arm.exposures for arm in test.arms] == [arm.customers for arm in test.arms]
