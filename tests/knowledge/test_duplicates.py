"""Near-duplicates."""

import random
from datetime import date
from typing import Any

import pytest

from knowledge.document import Document, Section, text_hash
from knowledge.duplicates import Signed, near, repeated, signature

WORDS = [
    "account",
    "balance",
    "branch",
    "card",
    "check",
    "customer",
    "deposit",
    "notice",
    "payment",
    "statement",
    "transfer",
    "account",
    "holder",
]


def prose(seed: int, sentences: int = 60) -> str:
    rng = random.Random(seed)
    return " ".join(f"The {' '.join(rng.choices(WORDS, k=9))}." for _ in range(sentences))


TEXT = f"{prose(1)} The overdraft fee is $15 for each item. {prose(2)}"


def made(name: str, text: str = TEXT, **fields: Any) -> Signed:
    sections = (Section(path=("Fees",), text=text),)
    document = Document(
        id=name, title="Overdraft Terms", source="x", sections=sections, sha256=text_hash(sections), **fields
    )
    return Signed(document, signature(document))


def test_a_copy_with_a_few_other_words_is_left_out_for_the_newer_one() -> None:
    old = made("a", TEXT.replace("holder", "owner", 3), effective_from=date(2025, 1, 1))
    (found,) = near([made("b", effective_from=date(2026, 1, 1)), old])
    assert (found.dropped, found.kept, found.since) == ("a@1", "b@1", date(2026, 1, 1))
    assert 0.9 <= found.similarity < 1


def test_the_order_of_the_documents_does_not_matter() -> None:
    documents = [made("c"), made("a"), made("b", owner="Deposits"), made("d", TEXT.replace("holder", "owner", 2))]
    assert near(documents) == near(documents[::-1])
    assert {found.kept for found in near(documents)} == {"b@1"}


@pytest.mark.parametrize(
    "other",
    [
        TEXT.replace("$15", "$34"),
        TEXT.replace("each item", "each item within 30 days"),
        TEXT.replace("fee is $15", "fee is not $15"),
        TEXT.replace("The overdraft fee", "The returned item fee"),
    ],
)
def test_another_figure_is_no_duplicate_whatever_the_overlap(other: str) -> None:
    assert near([made("a"), made("b", other)]) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"name": "a", "version": "1"}, {"name": "a", "version": "2"}),
        ({"name": "a", "audience": "staff"}, {"name": "b"}),
        ({"name": "a", "effective_to": date(2025, 12, 31)}, {"name": "b", "effective_from": date(2026, 1, 1)}),
        ({"name": "a"}, {"name": "b", "supersedes": ("a",)}),
    ],
)
def test_versions_audiences_and_periods_are_kept_apart(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert near([made(**first), made(**second)]) == []


def test_titles_that_name_two_products_are_kept_apart() -> None:
    student = made("a").document.model_copy(update={"title": "Student Checking"})
    premier = made("b").document.model_copy(update={"title": "Premier Checking"})
    assert near([Signed(student, signature(student)), Signed(premier, signature(premier))]) == []


def test_the_one_that_holds_longest_is_kept() -> None:
    ending = made("a", effective_from=date(2026, 6, 1), effective_to=date(2026, 12, 31))
    (found,) = near([ending, made("b", effective_from=date(2025, 1, 1))])
    assert (found.dropped, found.kept) == ("a@1", "b@1")


def test_a_signature_depends_on_the_text_alone_and_stays_the_same() -> None:
    assert made("a").signature == made("b", owner="x").signature
    assert len(made("a").signature) == 528
    assert signature(made("a", "one two three").document).hex().startswith("cae66941d9efbd404e4d88758ea67670")


def test_layout_makes_no_difference() -> None:
    table = "| Overdraft | $15 |\n|---|---|\n| Wire | $25 |"
    assert made("a", f"1. {table}").signature == made("a", table.replace("| $", "| **$**")).signature


def test_a_passage_that_three_documents_repeat_is_reported() -> None:
    notice = Section(path=("Contact",), text=prose(9, 5))
    documents = [made(name, prose(seed)).document for seed, name in enumerate("abcd", 20)]
    documents = [one.model_copy(update={"sections": (*one.sections, notice)}) for one in documents]
    (found,) = repeated(documents)
    assert [name for name, _ in found.places] == ["a@1", "b@1", "c@1", "d@1"]


def test_a_document_without_words_has_no_twin_with_words() -> None:
    assert near([made("a", "—"), made("b", "no figures here at all")]) == []


def test_hundreds_of_copies_leave_one() -> None:
    assert len(near([made(f"copy-{number}", TEXT[:400]) for number in range(300)])) == 299
