"""Sticky customers, growing shares and drifting baselines raise no alarm; what breaks does, early or late."""

from math import log
from statistics import fmean

import pytest
from hypothesis import given

from opsplane.rollouts.arm import Arm
from opsplane.rollouts.betting import DROPS, WEIGHTS
from opsplane.rollouts.clustered import ALIKE, FIRST, ClusteredTest
from tests.opsplane.rollouts.simulated import Exposure, Simulated, exposures

ALARM = log(20)
HARD = Simulated(3_000, ramp=(0.05, 0.25, 0.5), passes=(0.95, 0.7))


def after(rows: list[Exposure], **settings: float) -> ClusteredTest:
    test = ClusteredTest(**settings)  # type: ignore[arg-type]  # settings by name
    for row in rows:
        test.add(*row)
    return test


def alarms(world: Simulated, runs: int, **settings: float) -> list[int]:
    """When each run was stopped, looking at every 50th exposure; runs never stopped are left out."""
    found = []
    for seed in range(runs):
        test = ClusteredTest(**settings)  # type: ignore[arg-type]  # settings by name
        for number, row in enumerate(world.run(seed), 1):
            test.add(*row)
            if number % 50 == 0 and test.log_e >= ALARM:
                found.append(number)
                break
    return found


def test_it_begins_at_1_and_knows_nothing() -> None:
    test = ClusteredTest()
    assert (test.log_e, test.difference, test.interval(0.05), test.low(0.05)) == (0, None, None, None)
    assert test.arms == (Arm(0, 0, None), Arm(0, 0, None))
    assert test.high(0.05) == pytest.approx(1)


@given(exposures)
def test_looking_in_between_and_calling_customers_otherwise_changes_nothing(rows: list[Exposure]) -> None:
    test = ClusteredTest(harm=0.01, restart=30, fewest=3)
    for customer, candidate, share, value in rows:
        test.add(f"other {customer}", candidate, share, value)
        assert test.log_e < 1e3
    same = after(rows, harm=0.01, restart=30, fewest=3)
    assert test.log_e == pytest.approx(same.log_e, abs=1e-9)
    assert (test.difference, test.interval(0.05), test.arms) == (same.difference, same.interval(0.05), same.arms)


@given(exposures)
def test_it_is_the_product_over_customers_that_its_docstring_tells_of(rows: list[Exposure]) -> None:
    test = after(rows, harm=0.02, restart=10**9, fewest=1)
    total = 5.0
    sums: dict[str, tuple[float, float, int]] = {}
    for count, (customer, candidate, share, value) in enumerate(rows):
        m = total / (10 + count)
        total += value
        x, low, n = sums.get(customer, (0.0, 0.0, 0))
        x += ((candidate - share) * (m - value) - 0.02 * (candidate - share) ** 2) / (m * (1 - m))
        low += (max((1 - share) * (1 - m), share * m) + 0.02 * max(share, 1 - share) ** 2) / (m * (1 - m))
        sums[customer] = x, low, n + 1
    mean = 0.0
    for drop, weight in zip(DROPS, WEIGHTS, strict=True):
        product = float(weight)
        for x, low, n in sums.values():
            factor = 1 + min(drop / (1 + ALIKE * (n - 1)), 0.9 / low) * x
            assert factor > 0.09
            product *= factor
        mean += product
    stable, candidate_arm = test.arms
    ready = candidate_arm.customers >= 1 and stable.customers >= 2
    assert test.log_e == pytest.approx(log(1 - FIRST + FIRST * mean) if ready else 0.0, abs=1e-9)


@given(exposures)
def test_a_share_of_0_or_1_is_passed_over(rows: list[Exposure]) -> None:
    test = after(rows)
    before = test.log_e, test.difference, test.arms
    test.add("C-1", False, 0.0, 0.0)
    test.add("C-1", True, 1.0, 0.0)
    assert (test.log_e, test.difference, test.arms) == before


def test_the_e_value_falls_when_the_candidates_values_rise() -> None:
    rows = list(Simulated(1_500, drop=0.1).run(3))
    better = [(who, on, share, 1.0 if on else value) for who, on, share, value in rows]
    assert after(better).log_e < after(rows).log_e


def test_more_harm_borne_means_less_evidence_and_a_bound_that_agrees_with_it() -> None:
    rows = list(Simulated(1_200, drop=0.25).run(4))
    log_es = [after(rows, harm=harm).log_e for harm in (0.0, 0.05, 0.1, 0.2, 0.4)]
    assert log_es == sorted(log_es, reverse=True)
    for harm in (0.0, 0.1, 0.4):
        test = after(rows, harm=harm)
        assert (test.high(0.05) <= -harm) == (test.log_e >= ALARM)
    edge = after(rows).high(0.05)
    assert after(rows, harm=-edge - 0.001).log_e >= ALARM > after(rows, harm=-edge + 0.001).log_e


def test_a_falling_baseline_while_the_share_grows_is_no_harm() -> None:
    assert len(alarms(HARD, 40)) <= 2
    arms = [after(list(HARD.run(seed))).arms for seed in range(10)]
    assert fmean((tried.mean or 0) - (stable.mean or 0) for stable, tried in arms) < -0.04  # what means would say


def test_customers_who_return_are_one_piece_of_evidence_and_not_many() -> None:
    assert len(alarms(Simulated(3_000, ramp=(0.5,), customers=60), 40)) <= 2


def test_a_breakage_is_found_under_all_of_it_together() -> None:
    world = Simulated(3_000, ramp=(0.05, 0.25, 0.5), passes=(0.95, 0.8), drop=0.15)
    assert len(alarms(world, 10)) == 10


def test_restarts_find_what_breaks_late_sooner() -> None:
    world = Simulated(5_000, drop=0.2, start=3_000)
    early, late = (sorted(alarms(world, 9, restart=every)) for every in (300, 10**9))
    assert len(early) == 9
    assert early[4] < late[4] if len(late) == 9 else True


def test_a_pair_of_answers_to_one_question_counts_as_one_draw() -> None:
    test = ClusteredTest(fewest=5)
    for number in range(60):
        test.add(f"C-{number}", False, 0.5, 1.0)
        test.add(f"C-{number}", True, 0.5, 0.0 if number % 3 == 0 else 1.0)
    assert test.log_e > ALARM
    assert test.difference == pytest.approx(-1 / 3, abs=0.02)
