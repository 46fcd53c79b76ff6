"""A chart is well-formed by itself, and its points are where they belong."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsplane.rollouts.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Axes, Series, lines

SVG = "{http://www.w3.org/2000/svg}"
AXES = Axes("exchanges", "e-value")


def points(svg: str) -> list[list[tuple[float, float]]]:
    found = []
    for line in ElementTree.fromstring(svg).iter(f"{SVG}polyline"):
        places = (one.split(",") for one in line.attrib["points"].split())
        found.append([(float(x), float(y)) for x, y in places])
    return found


def test_points_are_in_proportion_and_up_is_more() -> None:
    (found,) = points(lines("t", [Series("a", [(0, 0), (50, 5), (100, 10)])], AXES))
    middle = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    assert found == [(LEFT, HEIGHT - BOTTOM), middle, (WIDTH - RIGHT, TOP)]


def test_on_a_logarithmic_axis_equal_factors_are_equal_distances() -> None:
    (found,) = points(lines("t", [Series("a", [(0, 1), (1, 10), (2, 100), (3, 0)])], Axes("x", "y", log=True)))
    assert len(found) == 3  # 0 has no place
    assert found[0][1] - found[1][1] == pytest.approx(found[1][1] - found[2][1], abs=0.11)


def test_the_threshold_is_drawn_across_even_when_no_line_reaches_it() -> None:
    root = ElementTree.fromstring(lines("t", [Series("a", [(0, 1), (1, 2)])], Axes("x", "y", log=True), threshold=20))
    (line,) = [one for one in root.iter(f"{SVG}line") if one.attrib.get("class") == "threshold"]
    assert line.attrib["y1"] == line.attrib["y2"]
    assert TOP <= float(line.attrib["y1"]) < HEIGHT - BOTTOM


def test_what_is_written_is_escaped_and_nothing_is_fetched() -> None:
    svg = lines("<script>alert(1)</script> & more", [Series('"x" <b>', [(0, 1)])], Axes("a < b", "&"))
    texts = [one.text for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert {"<script>alert(1)</script> & more", '"x" <b>', "a < b", "&"} <= set(texts)
    assert svg.count("http") == 1  # the namespace
    assert "<script" not in svg


@given(
    st.lists(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e3, 1e9)), max_size=20), max_size=4),
    st.booleans(),
    st.none() | st.floats(0.1, 1e3),
)
def test_every_point_lies_within_the_frame(drawn: list[list[tuple[float, float]]], log: bool, at: float | None) -> None:
    svg = lines("t", [Series(str(number), one) for number, one in enumerate(drawn)], Axes("x", "y", log), at)
    for line in points(svg):
        assert all(LEFT <= x <= WIDTH - RIGHT and TOP <= y <= HEIGHT - BOTTOM for x, y in line)
