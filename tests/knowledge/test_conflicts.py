"""Conflicts between documents in force."""

from datetime import date
from typing import Any

import pytest

from knowledge.claims import claims
from knowledge.conflicts import MOST_FOR_A_LABEL, Conflict, conflicts
from knowledge.document import Document, Section, text_hash

ON = date(2026, 7, 1)


def made(name: str, text: str, title: str = "Fee Schedule", **fields: Any) -> Document:
    sections = (Section(path=("Prices",), text=text),)
    return Document(id=name, title=title, source=name, sections=sections, sha256=text_hash(sections), **fields)


def between(first: str, second: str, title: str = "Fee Schedule", **fields: Any) -> list[Conflict]:
    return conflicts([made("a", first), made("b", second, title, **fields)], ON)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The overdraft fee is $15.", "Overdraft fee: $34"),
        ("The overdraft fee is $15 for each item.", "| Event | Fee |\n|---|---|\n| Overdraft | $34 per item |"),
        ("Wrenfield Savings pays 0.40% APY.", "Wrenfield Savings pays 0.55% APY."),
        ("The QuickSend limit is $2,000 a day.", "The QuickSend daily limit is $2,500."),
        ("Stop payments cost $30 by phone or in a branch.", "Stop payments cost $35 by phone."),
        ("Report an error within 60 days after the statement.", "Report an error within 30 days after the statement."),
        ("The cut-off for wires is 4:00 p.m. Eastern.", "The cut-off for wires is 3:00 p.m. Eastern."),
        ("Incoming wires are free.", "The incoming wire fee is $12."),
        ("The card's foreign transaction fee is 3%.", "The card's foreign transaction fee is $0."),
    ],
)
def test_two_figures_for_one_thing_are_a_conflict(first: str, second: str) -> None:
    (found,) = between(first, second)
    assert {found.first.document, found.second.document} == {"a@1", "b@1"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The domestic wire fee is $25 online.", "The domestic wire fee is $30 in a branch."),
        ("The domestic wire fee is $25 online and $30 in a branch.", "The domestic wire fee is $25."),
        ("The overdraft fee is $15.", "The overdraft fee is $15.00 for each item."),
        ("The ATM limit is $800 a day.", "The ATM limit is $5,000 a month."),
        ("The loan amount is up to $40,000.", "The loan amount is at least $2,000."),
        ("The paper statement fee is $3.", "Paper statements are free for Premier customers."),
        ("The late fee is $28.", "The late fee is $25."),
        ("The replacement takes 5 business days.", "The replacement takes 7 days."),
        ("The overdraft fee is $15.", "The business overdraft fee is $30."),
        ("The overdraft fee is $15.", "Example: the overdraft fee is $30."),
    ],
)
def test_other_conditions_channels_periods_and_units_are_none(first: str, second: str) -> None:
    assert between(first, second) == []


def test_two_products_may_have_two_prices() -> None:
    text = "{} is a card. The cash advance fee is {}."
    travel = made("a", text.format("Travel Visa", "5%"), "Travel Visa Terms")
    rewards = made("b", text.format("Rewards Visa", "3%"), "Rewards Visa Terms")
    assert conflicts([travel, rewards], ON) == []


def test_a_product_page_is_compared_with_the_general_schedule() -> None:
    page = made(
        "b", "Student Checking.\n\n| | Student Checking |\n|---|---|\n| Paper statement | $3 |", "Student Checking"
    )
    (found,) = conflicts([made("a", "The paper statement fee is $4."), page], ON)
    assert found.label == "fee paper statement"


def test_a_fee_without_a_subject_is_compared_under_its_title_only() -> None:
    auto = made("a", "An auto loan. The late fee is $25.", "Auto Loan Terms")
    other = auto.model_copy(update={"id": "b", "sections": made("b", "Auto loan. The late fee is $30.").sections})
    assert len(conflicts([auto, other], ON)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"audience": "staff"},
        {"effective_from": date(2026, 7, 2)},
        {"effective_to": date(2026, 6, 30)},
        {"supersedes": ("a",)},
    ],
)
def test_only_documents_for_the_same_people_on_the_same_day_are_compared(fields: dict[str, Any]) -> None:
    assert between("The overdraft fee is $15.", "The overdraft fee is $34.", **fields) == []


def test_of_two_versions_the_newer_one_counts() -> None:
    old = made("a", "The overdraft fee is $29.", version="1", effective_from=date(2025, 1, 1))
    new = made("a", "The overdraft fee is $15.", version="2", effective_from=date(2026, 1, 1))
    assert conflicts([new, old], ON) == []


def test_the_later_document_comes_first_with_owner_value_and_line() -> None:
    (found,) = between("The overdraft fee is $29.", "The overdraft fee is $15.", owner="Fees", effective_from=ON)
    assert (found.first.document, found.first.owner, found.first.effective_from) == ("b@1", "Fees", ON)
    assert (found.first.value, found.first.quote) == ("$ 15", "The overdraft fee is $15.")
    assert (found.first.path, found.second.value) == (("Prices",), "$ 29")


def test_a_document_may_contradict_itself() -> None:
    (found,) = conflicts([made("a", "The overdraft fee is $15.\n\nOverdraft fee: $29")], ON)
    assert found.first.document == found.second.document == "a@1"


def test_the_order_of_the_documents_does_not_matter() -> None:
    documents = [made(name, f"The overdraft fee is ${number}.") for number, name in enumerate("abc", 10)]
    assert conflicts(documents, ON) == conflicts(documents[::-1], ON)


def test_claims_that_were_read_before_are_used() -> None:
    documents = [made("a", "The overdraft fee is $15."), made("b", "The overdraft fee is $34.")]
    read = {one.sha256: claims(one) for one in documents}
    assert conflicts(documents, ON, read) == conflicts(documents, ON)
    assert conflicts(documents, ON, dict.fromkeys(read, ())) == []


def test_a_thousand_contradictions_are_not_all_listed() -> None:
    documents = [made(f"d{number}", f"The overdraft fee is ${number}.") for number in range(1, 1_000)]
    assert len(conflicts(documents, ON)) == MOST_FOR_A_LABEL
