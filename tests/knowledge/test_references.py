"""Cross-references."""

import time

import pytest

from knowledge.references import Titles, found

TITLES = Titles(
    {
        "1005-6": "§ 1005.6 Liability of consumer.",
        "15-usc-1693g": "§ 1693g. Consumer liability",
        "fees": "Consumer Deposit Fee Schedule",
        "agreement": "Deposit Account Agreement",
        "premier": "Premier Checking",
        "hardship": "Hardship Help",
    }
)


def read(text: str) -> list[tuple[str, str]]:
    return [(one.target, one.part) for one in found(text, TITLES)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("under § 1005.6(b)(2)", [("1005-6", "(b)(2)")]),
        ("section 1005.11 applies", [("12 CFR 1005.11", "")]),
        ("paragraph (c)(2) of this section", [("here", "(c)(2)")]),
        ("12 CFR 1030.5", [("12 CFR 1030.5", "")]),
        ("15 U.S.C. 1693g(a)", [("15-usc-1693g", "(a)")]),
        ("as Regulation E says", [("12 CFR 1005", "")]),
        ("Regulation D", [("Regulation D", "")]),
        ("31 CFR Part 212", [("31 CFR 212", "")]),
        ("§§ 1005.6(a) and (b) or 1005.8", [("1005-6", "(a)"), ("1005-6", "(b)"), ("12 CFR 1005.8", "")]),
        ("appendix A to part 1030", [("12 CFR 1030", "appendix A")]),
        ("see comment 12(a)-5", [("comment", "12(a)-5")]),
    ],
)
def test_law_is_cited_in_one_form(text: str, expected: list[tuple[str, str]]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is part of your Deposit Account Agreement.", [("agreement", "")]),
        ("See the Fee Schedule.", [("fees", "")]),
        ("Section 4.2 of the Deposit Account Agreement", [("agreement", "4.2")]),
        ("See Hardship Help.", [("hardship", "")]),
        ("Read [the fees](../deposits/fees.md#wires).", [("fees", "wires")]),
        ("Read [this](https://example.org/a).", [("https://example.org/a", "")]),
        ("The Wire Transfer Fee Table lists them.", [("Wire Transfer Fee Table", "")]),
    ],
)
def test_documents_are_named_by_id_where_the_library_has_them(text: str, expected: list[tuple[str, str]]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text", ["Premier Checking has a fee of $20.", "hardship help is free", "your agreement", "1005.6"]
)
def test_a_name_or_a_number_alone_is_no_reference(text: str) -> None:
    assert read(text) == []


def test_an_ending_that_two_titles_share_is_left_as_it_stands() -> None:
    titles = Titles({"a": "Consumer Fee Schedule", "b": "Business Fee Schedule"})
    assert [one.target for one in found("See the Fee Schedule.", titles)] == ["Fee Schedule"]


def test_a_reference_stands_where_it_says() -> None:
    text = "See § 1005.6(b) and the Deposit Account Agreement."
    assert all(text[one.start : one.end] == one.text for one in found(text, TITLES))


@pytest.mark.parametrize("text", ["A-" * 100_000, "Aa " * 50_000, "[a](" * 50_000, "§ 1.1(a)" * 20_000, "§" * 100_000])
def test_hostile_runs_take_linear_time(text: str) -> None:
    started = time.process_time()
    found(text, TITLES)
    assert time.process_time() - started < 5
