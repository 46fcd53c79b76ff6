"""Figures in characters: what a terminal shows instead of a plot."""

from typing import Any

import pytest

from assistant.charts import in_text


def line(name: str, ys: list[float], **changes: Any) -> dict[str, Any]:
    return {"type": "scatter", "name": name, "x": list(range(0, 10 * len(ys), 10)), "y": ys} | changes


def figure(*traces: dict[str, Any], axis: str = "log") -> dict[str, Any]:
    return {"data": list(traces), "layout": {"yaxis": {"type": axis}}}


def test_a_line_rises_on_a_log_axis_with_its_ends_beside_it() -> None:
    rows = in_text(figure(line("answered", [1.0, 10.0, 100.0]))).splitlines()
    assert rows[0].split("│")[0].strip() == "100"
    assert rows[11].split("│")[0].strip() == "1"
    assert rows[0].endswith("●")
    assert rows[11].split("│")[1].startswith("●")
    assert rows[13].split() == ["0", "20"]
    assert rows[14] == "● answered"


def test_a_dashed_line_lies_behind_the_others() -> None:
    threshold = line("certain harm", [5.0, 5.0], line={"dash": "dash"})
    rows = in_text(figure(line("answered", [5.0, 5.0]), threshold)).splitlines()
    assert "╌" not in "".join(rows[:12])
    assert rows[-1] == "● answered  ╌ certain harm"


def test_every_line_has_a_mark_of_its_own() -> None:
    rows = in_text(figure(line("a", [1.0, 2.0]), line("b", [3.0, 4.0]), axis="linear")).splitlines()
    assert rows[-1] == "● a  ○ b"
    assert "○" in rows[0]
    assert "●" in rows[11]


@pytest.mark.parametrize("value", [1.0, 0.0, -3.0])
def test_one_point_alone_is_drawn_in_the_middle(value: float) -> None:
    rows = in_text(figure(line("a", [value]), axis="linear")).splitlines()
    assert sum("●" in row for row in rows[:12]) == 1
    assert "●" in rows[5] + rows[6]


def test_what_cannot_be_drawn_is_left_out() -> None:
    assert in_text(figure(line("a", [0.0, -1.0]))) == ""
    assert in_text(figure(line("days", [1.0], x=["2026-11-23"]))) == ""
    assert in_text({"data": []}) == ""


def test_more_lines_than_marks_begin_anew() -> None:
    names = [f"m{number}" for number in range(10)]
    rows = in_text(figure(*(line(name, [1.0, 2.0]) for name in names))).splitlines()
    assert rows[-1].startswith("● m0")
    assert "● m8" in rows[-1]
