import pytest

from knowledge import table
from knowledge.reading import Unfit


def test_rows_are_filled_up_bars_are_harmless_and_empty_rows_left_out() -> None:
    assert table.markdown([["A", "B"], ["", ""], ["x|y\nz"]]) == ["| A | B |", "|---|---|", "| x/y z |  |"]


def test_no_rows_are_no_table() -> None:
    assert table.markdown([["", ""]]) == []


def test_a_caption_after_an_empty_row_begins_a_table_of_its_own() -> None:
    rows = [["Wires", ""], ["Way", "Fee"], ["out", "$25"], ["", ""], ["Checks", ""], ["Kind", "Fee"], ["plain", "$9"]]
    told = [line for line in table.sheet(rows) if line]
    assert told[0] == "Wires"
    assert told[1:4] == ["| Way | Fee |", "|---|---|", "| out | $25 |"]
    assert told[4:] == ["Checks", "| Kind | Fee |", "|---|---|", "| plain | $9 |"]


def test_a_row_with_one_filled_cell_inside_a_table_belongs_to_it() -> None:
    assert table.sheet([["A", "B"], ["x", ""], ["y", "2"]])[2] == "| x |  |"


def test_columns_that_are_empty_in_every_row_are_left_out() -> None:
    assert table.sheet([["A", "", "B"], ["1", "", "2"]])[0] == "| A | B |"


def test_a_table_that_nobody_could_read_is_refused() -> None:
    with pytest.raises(Unfit, match="200,000 cells"):
        table.markdown([["x"] * 1000] * 201)
