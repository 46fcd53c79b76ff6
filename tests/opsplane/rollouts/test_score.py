"""The score is the sandwich estimate written out, whatever order its sums were made in."""

import pytest
from hypothesis import given

from opsplane.rollouts.score import Score
from tests.opsplane.rollouts.simulated import Exposure, Simulated, exposures


def scored(rows: list[Exposure]) -> Score:
    score = Score()
    for customer, candidate, share, value in rows:
        score.add(customer, candidate - share, value - 0.5)
    return score


@given(exposures)
def test_the_running_sums_are_those_over_customers(rows: list[Exposure]) -> None:
    score = scored(rows)
    sums: dict[str, tuple[float, float]] = {}
    for customer, candidate, share, value in rows:
        g, w = sums.get(customer, (0.0, 0.0))
        sums[customer] = g + (candidate - share) * (value - 0.5), w + (candidate - share) ** 2
    if len(sums) < 2:
        return
    whole = sum(w for _, w in sums.values())
    difference = sum(g for g, _ in sums.values()) / whole
    variance = sum((g - difference * w) ** 2 for g, w in sums.values()) / whole**2 * len(sums) / (len(sums) - 1)
    assert score.difference == pytest.approx(max(-1, min(1, difference)), abs=1e-12)
    assert score.variance == pytest.approx(max(variance, 1e-12), rel=1e-6, abs=1e-11)


@given(exposures)
def test_the_sequences_contain_the_difference_or_end_at_the_possible(rows: list[Exposure]) -> None:
    score = scored(rows)
    if len({row[0] for row in rows}) < 2 or score.difference is None:
        return
    low, high = score.interval(0.05, 0.05)
    assert -1 <= low <= score.difference <= high <= 1
    assert low - 1e-9 <= score.low(0.05, 0.05) <= score.difference


def test_one_sided_is_closer_than_two_sided_and_small_alpha_is_farther() -> None:
    score = scored(list(Simulated(2_000).run(1)))
    assert score.interval(0.01, 0.05)[0] < score.interval(0.05, 0.05)[0] < score.low(0.05, 0.05)


def test_without_exposures_there_is_no_difference() -> None:
    assert Score().difference is None
    assert not Score().enough
