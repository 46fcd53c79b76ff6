import pytest

from opsplane.guardrails import derivation, figures


@pytest.mark.parametrize(
    ("figure", "operands"),
    [
        ("$11", "$8 and $3"),
        ("$50", "$2,391.17 and $2,341.17"),
        ("$45", "3 fees of $15"),
        ("$5", "1% of $500"),
        ("20%", "$5 of $25"),
        ("$105", "$100 and 5%"),
        ("83.3%", "$25 of $30"),
    ],
)
def test_simple_arithmetic_with_stated_operands_is_derived(figure: str, operands: str) -> None:
    assert derivation.derived(figures.read(figure)[0], figures.read(operands))


def test_a_figure_out_of_nowhere_is_not_derived() -> None:
    assert not derivation.derived(figures.read("$12")[0], figures.read("$8 and $3"))


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("3 fees of $15 add up to $45.", True),
        ("3 fees of $15 add up to $50.", False),
        ("You pay $60 plus $3.25 plus $2.50, that is $65.75.", True),
        ("You pay $60 plus $3.25 plus $2.50, that is $66.75.", False),
        ("5% of $200 is $10.", True),
        ("5% of $200 is $15.", False),
        ("It costs $30, twice the $15 of a stop payment.", True),
        ("It costs $30, three times the $15 of a stop payment.", False),
        ("$8, $3 and $4 add up to $15.", True),
    ],
)
def test_arithmetic_that_is_spelled_out_is_recomputed(text: str, right: bool) -> None:
    assert [one.right for one in derivation.shown(text)] == [right]


@pytest.mark.parametrize(
    "text", ["A wire costs $25 online and $30 in a branch.", "From $40,000 in cash, $90,000 is left."]
)
def test_figures_side_by_side_are_no_arithmetic(text: str) -> None:
    assert derivation.shown(text) == []


@pytest.mark.parametrize(
    ("text", "counted"), [("You can pay in three ways.", True), ("You can pay in four ways.", False)]
)
def test_a_number_may_count_the_items_of_a_list(text: str, counted: bool) -> None:
    source = "Ways to pay:\n- by mail\n- online\n- by phone"
    assert derivation.counted(figures.read(text)[0], text, source) is counted
