"""Bounds by betting: they hold at every look, and they close in."""

from collections import Counter
from random import Random

import pytest

from opsplane.quality import bets


def drawn(mean: float, number: int, seed: int) -> Counter[int]:
    draw = Random(seed)
    return Counter(bets.LEVELS * (draw.random() < mean) for _ in range(number))


def test_bounds_hold_at_every_look() -> None:
    missed = 0
    for seed in range(60):
        looks = (drawn(0.3, number, seed) for number in range(10, 400, 30))
        missed += any(bets.low(one, 0.1) > 0.3 for one in looks)
    assert missed <= 6


def test_bounds_close_in_on_the_mean() -> None:
    few, many = drawn(0.7, 100, 1), drawn(0.7, 20_000, 1)
    assert bets.low(few, 0.05) < bets.low(many, 0.05) < bets.mean(many) < bets.high(many, 0.05) < bets.high(few, 0.05)
    assert bets.high(many, 0.05) - bets.low(many, 0.05) < 0.03


def test_values_that_hardly_vary_are_known_sooner() -> None:
    scores, shares = {75: 100, 77: 100}, {0: 48, 100: 152}
    assert bets.low(scores, 0.05) > bets.low(shares, 0.05) + 0.05


@pytest.mark.parametrize(("counts", "ends"), [({}, (0, 1)), ({0: 50}, (0, 0.2)), ({100: 50}, (0.8, 1))])
def test_nothing_and_extremes_have_bounds_too(counts: dict[int, int], ends: tuple[float, float]) -> None:
    low, high = bets.low(counts, 0.05), bets.high(counts, 0.05)
    assert 0 <= low <= high <= 1
    assert [low, high] == pytest.approx(list(ends), abs=0.12)


def test_a_difference_lies_between_both() -> None:
    low, high = bets.difference(drawn(0.9, 5_000, 1), drawn(0.8, 5_000, 2), 0.05)
    assert -0.15 < low < -0.1 < high < -0.05
