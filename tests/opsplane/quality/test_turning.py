"""When a fall began and where it lies."""

from opsplane.quality.turning import Point, mostly, turning


def points(*means: float, number: int = 10) -> list[Point]:
    return [Point(hour, number, mean * number) for hour, mean in enumerate(means)]


def test_the_step_down_is_found() -> None:
    assert turning(points(0.8, 0.7, 0.8, 0.75, 0.5, 0.4, 0.5), 0, 6) == 4


def test_a_step_up_is_no_fall() -> None:
    assert turning(points(0.4, 0.5, 0.8, 0.9), 0, 3) == 3
    assert turning([], 0, 9) == 9


def test_hours_outside_are_not_looked_at() -> None:
    assert turning(points(0.9, 0.3, 0.3, 0.3, 0.2), 3, 4) == 3


def test_a_part_is_named_where_the_fall_lies_in_it() -> None:
    before = {"cards": points(0.8), "fees": points(0.8), "loans": points(0.8)}
    after = {"cards": points(0.3), "fees": points(0.79), "loans": points(0.8)}
    assert mostly(before, after) == "cards"


def test_no_part_is_named_where_all_fell_or_one_is_nearly_all() -> None:
    before = {"cards": points(0.8), "fees": points(0.8)}
    assert mostly(before, {"cards": points(0.5), "fees": points(0.5)}) == ""
    assert mostly(before, {"cards": points(0.5, number=90), "fees": points(0.8)}) == ""
    assert mostly(before, {"cards": points(0.9), "new": points(0.1)}) == ""
