"""No cell starts a formula."""

import pytest

from opsplane.sheet import harmless


@pytest.mark.parametrize("first", "=+-@\t\r\n＝＋－＠")
def test_what_a_spreadsheet_would_compute_is_marked_as_text(first: str) -> None:
    assert harmless(f"{first}1+1") == f"'{first}1+1"


@pytest.mark.parametrize(("value", "cell"), [("", ""), ("a=1", "a=1"), (17, "17"), (None, "None")])
def test_everything_else_stays_as_it_is(value: object, cell: str) -> None:
    assert harmless(value) == cell
