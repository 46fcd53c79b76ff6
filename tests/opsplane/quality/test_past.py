"""What was usual is what was counted lately."""

from opsplane.quality.past import Past


def past() -> Past:
    found = Past(48)
    for hour in range(100, 160):
        found.add(hour, {hour % 2: 1})
    return found


def test_only_the_newest_hours_count() -> None:
    found = past()
    assert (found.hours[0][0], found.number, dict(found.counts)) == (111, 49, {0: 24, 1: 25})


def test_hours_of_the_day_are_counted_apart() -> None:
    found = past()
    assert sum(sum(one.values()) for one in found.daily) == 49
    assert found.daily[0] == {0: 2}


def test_what_is_cut_out_counts_no_longer() -> None:
    found = past()
    assert [hour for hour, _ in found.cut(158)] == [158, 159]
    assert found.number == 47
    assert found.since(158).total() == 0


def test_a_window_is_widened_until_there_is_enough() -> None:
    found = past()
    assert found.newest(160, 6, 5).total() == 6
    assert found.newest(160, 6, 20).total() == 24
    assert found.newest(160, 6, 1_000).total() == 49
    assert Past(48).newest(160, 6, 5).total() == 0
