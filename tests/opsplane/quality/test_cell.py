"""Sums, quantiles and distinct customers, alone and put together."""

from random import Random

import pytest

from opsplane.quality.cell import Cell, Distinct, Sketch, Sum, together


def summed(*values: float) -> Sum:
    found = Sum()
    for value in values:
        found.add(value)
    return found


def test_the_interval_of_a_share_is_wilsons() -> None:
    low, high = summed(*[1.0] * 15, *[0.0] * 5).interval()  # 15 of 20, by Wilson's formula
    assert [low, high] == pytest.approx([0.5313, 0.8881], abs=1e-4)


def test_values_that_vary_less_have_a_narrower_interval() -> None:
    narrow, wide = summed(*[0.7, 0.8] * 50).interval(), summed(*[1.0] * 75, *[0.0] * 25).interval()
    assert narrow[1] - narrow[0] < (wide[1] - wide[0]) / 2


def test_every_quantile_is_within_two_per_cent() -> None:
    draw, sketch = Random(1), Sketch()
    values = sorted(draw.lognormvariate(6.7, 0.6) for _ in range(20_000))
    for value in values:
        sketch.add(value)
    for share in (0.5, 0.95, 0.99):
        assert sketch.quantile(share) == pytest.approx(values[int(share * 20_000) - 1], rel=0.021)
        low, high = sketch.interval(share)
        assert low <= sketch.quantile(share) <= high


def test_hostile_amounts_take_no_more_room() -> None:
    sketch = Sketch()
    for amount in (0, -5, 1e300, 10**15):
        sketch.add(amount)
    assert len(sketch.counts) <= 3
    assert Sketch().quantile(0.5) == 0


@pytest.mark.parametrize("number", [0, 1, 90, 3_000, 40_000])
def test_customers_are_counted_once_each(number: int) -> None:
    found = Distinct()
    for name in (f"C-{n}" for n in range(number)):
        found.add(name)
        found.add(name)
    assert found.number == pytest.approx(number, rel=0.08)


def test_cells_put_together_are_as_one() -> None:
    one, two, both = Cell(), Cell(), Cell()
    for n in range(200):
        for cell in (one if n % 2 else two, both):
            cell.exchanges += 1
            cell.add("thumbs", n % 3 / 2)
            cell.whole.add(100 + n)
            cell.customers.add(f"C-{n}")
    found = together([one, two])
    assert (found.exchanges, found.sums, found.whole.counts) == (200, both.sums, both.whole.counts)
    assert found.customers.number == both.customers.number
