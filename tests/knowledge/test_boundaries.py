from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import boundaries
from knowledge.units import Boundary, Unit


def units(*sizes: int, boundary: int = Boundary.PARAGRAPH) -> list[Unit]:
    return [Unit(f"text {number} {size}", size, boundary, "\n") for number, size in enumerate(sizes)]


def parts(places: list[int], sizes: list[int]) -> list[int]:
    edges = [0, *places, len(sizes)]
    return [sum(sizes[a:b]) for a, b in pairwise(edges)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(min_value=1, max_value=40), min_size=1, max_size=120))
def test_no_part_is_larger_than_the_limit(sizes: list[int]) -> None:
    keys = boundaries.strong(units(*sizes))
    assert max(parts(boundaries.cuts(keys, sizes, [50] * len(sizes)), sizes)) <= 50


def test_two_neighbours_that_fit_are_parted_only_by_a_stronger_boundary() -> None:
    sizes = [20, 20, 20, 20]
    keys = [(20, b""), (20, b""), (10, b""), (20, b"")]
    assert boundaries.cuts(keys, sizes, [50] * 4) == [2]


def test_a_change_moves_only_the_cuts_beside_it() -> None:
    draw = Random(5)
    made = units(*(draw.randint(5, 40) for _ in range(400)))
    before = _texts(made)
    for place in range(0, 400, 9):
        changed = Unit(f"{made[place].text} more", made[place].tokens + 3, made[place].boundary, "\n")
        assert len(_texts([*made[:place], changed, *made[place + 1 :]]) - before) <= 4


def test_the_same_text_again_has_another_strength() -> None:
    assert len(set(boundaries.strong([Unit("same", 1, 20, "\n")] * 50))) == 50


def test_parts_are_as_few_as_can_be_and_of_like_size() -> None:
    assert boundaries.fill(units(10, 10, 10, 10, 10, 10), 40) == [(0, 3), (3, 6)]


def test_a_table_head_counts_once_for_each_part() -> None:
    rows = [Unit(f"| {n} |", 10, Boundary.ROW, "\n", "head", 10) for n in range(6)]
    assert boundaries.fill(rows, 40) == [(0, 3), (3, 6)]
    assert boundaries.fill(rows, 70) == [(0, 6)]


def test_no_units_make_no_parts() -> None:
    assert boundaries.fill([], 40) == []
    assert boundaries.cuts([], [], []) == []


def _texts(made: list[Unit]) -> set[tuple[str, ...]]:
    sizes = [unit.tokens for unit in made]
    places = [0, *boundaries.cuts(boundaries.strong(made), sizes, [100] * len(sizes)), len(sizes)]
    return {tuple(unit.text for unit in made[a:b]) for a, b in pairwise(places)}
