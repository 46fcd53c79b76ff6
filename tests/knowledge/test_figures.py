"""Figures in texts."""

import time

import pytest

from knowledge.figures import found


def read(text: str) -> list[tuple[str, str, str]]:
    return [(figure.unit, figure.value, figure.bound) for figure in found(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$25 online and $30.50 in a branch", [("$", "25", ""), ("$", "30.5", "")]),
        ("$1.2 million or 1,195 dollars", [("$", "1200000", ""), ("$", "1195", "")]),
        ("at least 3.60% APY, 0.25 percentage points", [("%", "3.6", "min"), ("point", "0.25", "")]),
        ("up to $10,000 a day", [("$", "10000", "max")]),
        ("$500 or more", [("$", "500", "min")]),
        ("no later than the seventh business day", [("business day", "7", "max")]),
        ("two weeks, 1 year, thirty calendar days", [("day", "14", ""), ("month", "12", ""), ("day", "30", "")]),
        ("4:00 p.m. Eastern, 12 a.m.", [("time", "16:00", ""), ("time", "00:00", "")]),
        ("on March 3, 2026", [("date", "march 3, 2026", "")]),
        ("at most 3 fees", [("count", "3", "max")]),
    ],
)
def test_a_figure_has_unit_value_and_bound(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("19.24%–28.24% variable", "%", "19.24..28.24"),
        ("5-7 business days", "business day", "5..7"),
        ("1 to 2 years", "month", "12..24"),
        ("between 6 and 12 months", "month", "6..12"),
    ],
)
def test_two_ends_are_one_range(text: str, unit: str, value: str) -> None:
    assert read(text) == [(unit, value, "")]


@pytest.mark.parametrize("text", ["12 CFR 1005.17", "§ 1005.6(b)(2)", "Form 1098", "a 3x5 box", "W-2", "one day"[:3]])
def test_what_only_names_something_is_no_figure(text: str) -> None:
    assert read(text) == []


def test_a_figure_knows_where_it_stands() -> None:
    text = "The fee is $1,195 today."
    (figure,) = found(text)
    assert text[figure.start : figure.end] == "$1,195"


@pytest.mark.parametrize("text", ["1," * 100_000, "1,000," * 50_000 + "x", "within " * 50_000, "1 to " * 20_000])
def test_hostile_runs_take_linear_time(text: str) -> None:
    started = time.process_time()
    found(text)
    assert time.process_time() - started < 5
