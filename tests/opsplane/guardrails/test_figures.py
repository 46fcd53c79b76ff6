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
        ("twenty-five days", "25 days"),
        ("fifteen hundred dollars", "$1,500"),
        ("1.5 thousand dollars", "$1,500"),
        ("half a percent", "0.50%"),
        ("0.50 %", "50 basis points"),
        ("two and a half percent", "2.5%"),
        ("about $1,200", "$1,187.43"),
        ("a year", "one year"),
        ("12 months", "1 year"),
        ("a 7-day wait", "1 week"),
        ("March 3", "2026-03-03"),
        ("the 3rd of March", "March 3, 2026"),
        ("the 2nd payment", "the second payment"),
        ("5 p.m. Eastern", "5:00 p.m. ET"),
        ("20 euros", "€20"),
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
        ("0.5%", "0.5 percentage points"),
        ("about $1,500", "$1,187.43"),
        ("$1,200", "$1,187.43"),
        ("5 p.m. Pacific", "5 p.m. Eastern"),
        ("20 euros", "$20"),
        ("fifteen dollars", "$50"),
        ("2 years", "2 months"),
    ],
)
def test_another_value_or_unit_is_not_held(sentence: str, source: str) -> None:
    assert not held(sentence, source)


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("up to $500", "<"),
        ("no more than $500", "<"),
        ("$500 or less", "<"),
        ("at least $500", ">"),
        ("no less than $500", ">"),
        ("$500 or more", ">"),
        ("before 4:00 p.m.", "<"),
        ("after July 1, 2026", ">"),
        ("about $500", "~"),
        ("a fee of $500", ""),
    ],
)
def test_a_figure_knows_its_bound(text: str, bound: str) -> None:
    assert figures.read(text)[0].bound == bound


def test_a_figure_in_words_is_shown_as_it_was_written() -> None:
    assert figures.read("It takes twenty-five days.")[0].text == "twenty-five days"
