import pytest

from opsplane.guardrails import figures


def held(sentence: str, source: str) -> bool:
    known = figures.read(source)
    return all(figures.holds(figure, known, source.lower()) for figure in figures.required(sentence))


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("$1,500", "1,500.00 dollars"),
        ("3.60 %", "3.60 percent"),
        ("3.6%", "3.60%"),
        ("three days", "3 days"),
        ("at most three fees", "at most 3 fees"),
        ("5 p.m.", "5:00 p.m."),
        ("17:00", "5 pm"),
        ("November 23, 2026", "2026-11-23"),
        ("11/23/2026", "Nov 23, 2026"),
        ("23 November", "November 23, 2026"),
        ("in 2026", "since July 1, 2026"),
        ("1 business day", "1–3 business days"),
        ("5 to 7 business days", "5-7 business days"),
        ("12-month term", "terms of 12, 24 and 36 months"),
        ("12 months", "| Term (months) | APY | | 12 | 4.00% |"),
        ("0.25 percentage points", "25 basis points"),
        ("4.00% APY", "an annual percentage yield of 4.00%, the APY"),
        ("$2 million", "$2,000,000"),
        ("50 cents", "$0.50"),
        ("$5,000", "$2,000–5,000"),
        ("one of them", "no figure here"),
    ],
)
def test_the_same_figure_in_other_writing_is_held(sentence: str, source: str) -> None:
    assert held(sentence, source)


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("$15", "$29"),
        ("$3", "3%"),
        ("3%", "$3"),
        ("$3", "3 fees"),
        ("4.00% APR", "4.00% APY"),
        ("2 days", "2 business days"),
        ("2 business days", "2 days"),
        ("10 months", "10 days"),
        ("July 2, 2026", "July 1, 2026"),
        ("July 1, 2025", "July 1, 2026"),
        ("5 a.m.", "5 p.m."),
        ("$1,500", "$15,000"),
        ("two ways", "3 ways"),
        ("0.25%", "25%"),
    ],
)
def test_another_value_or_unit_is_not_held(sentence: str, source: str) -> None:
    assert not held(sentence, source)


@pytest.mark.parametrize(
    ("figure", "operands"),
    [("$11", "$8 and $3"), ("$50", "$2,391.17 and $2,341.17"), ("$45", "3 fees of $15"), ("$5", "1% of $500")],
)
def test_simple_arithmetic_with_stated_operands_is_derived(figure: str, operands: str) -> None:
    assert figures.derived(figures.read(figure)[0], figures.read(operands))


def test_a_figure_out_of_nowhere_is_not_derived() -> None:
    assert not figures.derived(figures.read("$12")[0], figures.read("$8 and $3"))
