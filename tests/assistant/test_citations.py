"""Answers and passages as inert Markdown."""

from datetime import date

import pytest

from assistant import citations
from opsplane.evidence import Evidence, Origin, Sentence


def evidence(text: str, origin: Origin = Origin.PASSAGE, number: int = 2) -> Evidence:
    return Evidence(
        number=number,
        origin=origin,
        id="c",
        document="fees",
        title="Fee Schedule",
        section="Overdraft",
        version="2026-07",
        effective_from=date(2026, 7, 1),
        source="https://wrenfield.example/fees",
        text=text,
        sha256="0",
    )


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("**bold**", r"\*\*bold\*\*"),
        ("<b>", r"\<b\>"),
        ("![i](/x)", r"\!\[i\]\(/x\)"),
        ("IBAN:DE89", r"IBAN\:DE89"),
        ("https://evil.example", "https\\:\u2060//evil\\.example"),
        ("WWW.evil.example", "WWW\u2060\\.evil\\.example"),
        ("you@evil.example", "you\u2060@evil\\.example"),
        ("a\n# heading", r"a \# heading"),
    ],
)
def test_words_never_become_markup_or_links(written: str, shown: str) -> None:
    assert citations.words(written) == shown


def test_a_sentence_is_followed_by_its_marks() -> None:
    said = Sentence(text="The fee is $15.", cites=(2, 3))
    assert citations.token(said, None, []) == r"The fee is \$15\. [2] [3]"


def test_sentences_of_documents_follow_each_other_in_one_paragraph() -> None:
    first, second = Sentence(text="One.", cites=(2,)), Sentence(text="Two.", cites=(2,))
    assert citations.token(second, first, [evidence("x")]) == r" Two\. [2]"


def test_further_facts_of_an_account_become_a_list_and_end_with_it() -> None:
    sources = [evidence("x", Origin.TOOL, 7), evidence("y")]
    first, second = Sentence(text="Two accounts.", cites=(7,)), Sentence(text="Checking.", cites=(7,))
    after = Sentence(text="A fee.", cites=(2,))
    assert citations.token(second, first, sources).startswith("\n- ")
    assert citations.token(after, second, sources).startswith("\n\n")


def test_the_numbers_that_are_cited_come_once_and_in_order() -> None:
    assert citations.cited([Sentence(text="a", cites=(5, 2)), Sentence(text="b", cites=(2,))]) == [2, 5]


def test_a_passage_names_title_section_version_date_and_source() -> None:
    shown = citations.passage(evidence("The fee is $15."))
    assert shown.startswith("### Fee Schedule\n\nOverdraft\n\n*Version 2026\\-07, in force since July 1, 2026*")
    assert shown.endswith("*Source: https\\:\u2060//wrenfield\\.example/fees*")


def test_tables_lists_and_headings_of_a_passage_keep_their_shape() -> None:
    text = "## Fees\n| Item | Fee |\n|---|---:|\n| **Wire** | $25 |\n\n- one\n2. two"
    body = citations.passage(evidence(text))
    assert "#### Fees\n" in body
    assert "| Item | Fee |\n| --- | --- |\n| Wire | \\$25 |" in body
    assert "- one\n2. two" in body


def test_markup_in_a_passage_is_shown_letter_by_letter() -> None:
    body = citations.passage(evidence("<script>alert(1)</script>\n| <img src=x> |\n- [l](https://evil.example)"))
    assert "<script>" not in body.replace("\\<", "")
    assert r"| \<img src=x\> |" in body
    assert r"- \[l\]\(https" in body


def test_the_result_of_an_account_tool_is_a_summary_and_a_list() -> None:
    shown = citations.passage(evidence("Two accounts.\nChecking.\nSavings.", Origin.TOOL))
    assert "Read from your own accounts" in shown
    assert "Two accounts\\.\n\n- Checking\\.\n- Savings\\." in shown
    assert "Version" not in shown
