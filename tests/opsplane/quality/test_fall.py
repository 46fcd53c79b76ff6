"""The test of a fall: silent in steady weeks, loud after a fall, and never for less than is borne."""

from collections import Counter
from random import Random

import pytest

from opsplane.quality.fall import Fall, Terms, lifetime, weight

TERMS = Terms(window=6, baseline=14 * 24, least=30, origin=0, alpha=0.001, margin=0.025)


def scores(draw: Random, number: int, mean: float) -> Counter[int]:
    return Counter(min(100, max(0, round(draw.gauss(mean, 12)))) for _ in range(number))


def watch(terms: Terms, fall: float, at: int = 200, seed: int = 1, until: int = 350) -> int | None:
    """The hour in which a fall of so many points at that hour is certain."""
    draw, test = Random(seed), Fall(terms)
    for hour in range(1, until):
        test.close(hour, scores(draw, 10, 75 - fall * (hour >= at)))
        if test.certain:
            return hour
    return None


def test_steady_weeks_raise_nothing() -> None:
    assert [watch(TERMS, 0, seed=seed) for seed in range(4)] == [None] * 4


def test_less_than_is_borne_raises_nothing() -> None:
    assert [watch(TERMS, 2, seed=seed) for seed in range(4)] == [None] * 4


def test_a_fall_is_found_after_it_and_within_a_day() -> None:
    assert all(200 < (watch(TERMS, 12, seed=seed) or 0) <= 224 for seed in range(3))


def test_a_rise_raises_nothing() -> None:
    assert watch(TERMS, -15) is None


def test_hours_of_the_day_that_are_always_worse_raise_nothing() -> None:
    draw, test = Random(1), Fall(TERMS)
    for hour in range(1, 500):
        test.close(hour, scores(draw, 20, 75 - 12 * (hour % 24 < 6)))
        assert not test.certain


def test_nothing_is_said_before_there_is_a_baseline_and_enough() -> None:
    draw, test = Random(1), Fall(TERMS)
    for hour in range(1, 20):
        test.close(hour, scores(draw, 1, 75 if hour < 10 else 5))
        assert not test.certain
    assert test.loudest is None


def test_hours_without_anything_are_passed_over() -> None:
    draw, test = Random(1), Fall(TERMS)
    for hour in (*range(1, 100), 4_000):
        test.close(hour, scores(draw, 10, 75))
    assert test.past.number == 10
    test.close(5_000, {})
    assert test.log_e == -float("inf")


def test_a_reset_begins_anew() -> None:
    draw, test = Random(1), Fall(TERMS)
    for hour in range(1, 250):
        test.close(hour, scores(draw, 10, 75 - 12 * (hour > 200)))
    assert test.certain
    test.reset(test.past)
    assert not test.certain


def test_weights_sum_to_one_and_few_tests_live_long() -> None:
    assert sum(weight(number) for number in range(1, 200_000)) == pytest.approx(1, abs=1e-3)
    alive = [sum(now - number < lifetime(number, TERMS) / 6 for number in range(1, now)) for now in (100, 1_000)]
    assert max(alive) <= 20
