"""What the benchmark compares with gives the values that were published for it."""

import pytest

from benchmarks.rollout_methods import chi_square, logistic_moment, spending
from benchmarks.rollouts import agreement, bound


@pytest.mark.parametrize(
    ("kind", "published"),
    [
        ("obrien-fleming", (4.8769, 3.3569, 2.6803, 2.2898, 2.0310)),
        ("pocock", (2.4380, 2.4268, 2.4101, 2.3966, 2.3859)),
    ],
)
def test_lan_demets_bounds_at_five_looks(kind: str, published: tuple[float, ...]) -> None:
    assert spending(kind, 5, 0.025, both_sides=True) == pytest.approx(published, abs=1.5e-4)


def test_the_safe_test_of_two_proportions_has_its_moments() -> None:
    published = (1, 1.173516, 1.520548, 2.105509, 3.057222)
    assert [logistic_moment(power) for power in range(1, 6)] == pytest.approx(published, abs=1e-6)


def test_the_classic_sample_ratio_test_has_growthbooks_p_value() -> None:
    assert chi_square((1000, 1200), (0.5, 0.5)) == pytest.approx(2.0079e-05, abs=1e-9)


def test_the_information_bound_is_276_77_and_23_canary_exchanges() -> None:
    assert [round(bound(0.9, drop, 0.1)) for drop in (0.05, 0.1, 0.2)] == [276, 77, 23]


def test_what_the_benchmark_measures_is_what_the_product_uses() -> None:
    assert "no look further apart" in agreement(3, 2_000)
