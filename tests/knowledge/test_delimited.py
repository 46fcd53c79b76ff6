import pytest

from knowledge.delimited import delimited
from knowledge.reading import Unfit


def lines(text: str) -> list[str]:
    return delimited(text).sections[0].text.split("\n")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    rows = (("Service", "Fee"), ("Wire", "$25"), ("Check", "$9"))
    assert lines("\n".join(map(delimiter.join, rows))) == [
        "| Service | Fee |",
        "|---|---|",
        "| Wire | $25 |",
        "| Check | $9 |",
    ]


def test_quoted_cells_may_hold_delimiters_quotes_and_line_ends() -> None:
    assert lines('Service,Fee\n"Wire, ""out""\nabroad",25\n')[2] == '| Wire, "out" abroad | 25 |'


def test_a_comma_in_an_amount_does_not_win_over_semicolons() -> None:
    assert lines("Entgelt;Betrag\nKarte;25,00\nScheck;9,50")[2] == "| Karte | 25,00 |"


@pytest.mark.parametrize("cell", ["=HYPERLINK(1)", "+1", "-5", "@SUM(A1)"])
def test_a_cell_that_looks_like_a_formula_stays_text(cell: str) -> None:
    assert lines(f"a,b\n{cell},2")[2] == f"| {cell} | 2 |"


def test_a_single_column_is_lines() -> None:
    assert lines("First\nSecond") == ["First", "Second"]


def test_too_many_cells_are_refused() -> None:
    with pytest.raises(Unfit, match="more than 200,000 cells"):
        delimited("," * 200_001)


def test_a_cell_that_never_ends_is_refused() -> None:
    with pytest.raises(Unfit, match="damaged: row 2"):
        delimited('a,b\n"' + "x" * 200_000)
