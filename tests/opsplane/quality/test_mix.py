"""The test of what is asked about."""

from collections import Counter
from random import Random

import pytest

from opsplane.quality.fall import Terms
from opsplane.quality.mix import Mix, deviation, distance

TERMS = Terms(window=6, baseline=14 * 24, least=30, origin=0, alpha=0.001, margin=0.05)
USUAL = (0.4, 0.3, 0.2, 0.1)


def watch(moved: float, seed: int = 1, at: int = 200, *, nightly: bool = False) -> int | None:
    """The hour in which it is certain that so much moved from the first topic to the last one at that hour."""
    draw, test = Random(seed), Mix(TERMS)
    for hour in range(1, 320):
        part = moved * (hour % 24 < 8 if nightly else hour >= at)
        shares = (USUAL[0] - part, USUAL[1], USUAL[2], USUAL[3] + part)
        test.close(hour, Counter(draw.choices(range(4), shares, k=60)))
        if test.certain:
            return hour
    return None


def test_steady_weeks_raise_nothing() -> None:
    assert [watch(0.0, seed) for seed in range(4)] == [None] * 4


def test_less_than_is_borne_raises_nothing() -> None:
    assert watch(0.04) is None


def test_another_mix_is_found_after_it_moved() -> None:
    assert 200 < (watch(0.25) or 0) < 224


def test_nights_that_always_differ_raise_nothing() -> None:
    assert watch(0.2, nightly=True) is None


def test_distances_are_total_variation() -> None:
    assert distance({0: 50, 1: 50}, {0: 25, 1: 75}) == pytest.approx(0.25)
    assert distance({0: 1}, {1: 1}) == 1
    assert deviation(100_000, 0.05) < 0.02


def test_topics_beyond_what_is_told_apart_count_as_the_last() -> None:
    assert distance({19: 5}, {10**9: 5}) == 0
