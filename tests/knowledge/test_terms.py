"""Defined terms and how far their definitions reach."""

import time

import pytest

from knowledge.document import Section
from knowledge.terms import defined

REGULATION = """As used in this part:

(a)

(1) “Access device” means a card or code.

(2) An access device becomes an “accepted access device” when the consumer:

(i) Requests it; or

(ii) Uses it.

(b) Adverse action

(1) The term means:

(i) A refusal of credit.

(2) The term does not include a change of terms.

(m) “Unauthorized transfer” means a transfer by another person. The term does not include a transfer:

(1) By a person who was given the card; or

(2) With fraudulent intent.

(n) Person is defined in § 3.
"""


def terms(text: str, *path: str) -> dict[str, str]:
    return {one.term: one.text for one in defined(Section(path=path, text=text))}


def test_definitions_of_a_regulation_are_found_with_their_conditions() -> None:
    found = terms(REGULATION, "Definitions")
    assert list(found) == [
        "Access device",
        "accepted access device",
        "Adverse action",
        "Unauthorized transfer",
        "Person",
    ]
    assert found["accepted access device"].endswith("(ii) Uses it.")
    assert found["Adverse action"].startswith("(b) Adverse action\n\n(1) The term means:")
    assert found["Adverse action"].endswith("(2) The term does not include a change of terms.")
    assert found["Unauthorized transfer"].endswith("(2) With fraudulent intent.")


def test_a_definition_stands_where_it_says() -> None:
    for one in defined(Section(path=(), text=REGULATION)):
        assert REGULATION[one.start : one.end] == one.text


@pytest.mark.parametrize(
    ("text", "path", "term"),
    [
        ('"You" means every owner of the account.', (), "You"),
        ("* **Maturity date** means the last day of the term.", (), "Maturity date"),
        ("**Available balance** is the balance less holds.", (), "Available balance"),
        ("Available balance: the balance less holds.", ("Glossary",), "Available balance"),
        ("| Term | Meaning |\n|---|---|\n| Hold | Money that waits. |", (), "Hold"),
        ("A cashier's check is a check that the bank draws on itself.", ("Cashier's checks",), "cashier's check"),
        ("The available balance is the balance of the account less holds.", (), "available balance"),
        ("We waive it if you pay by noon; this is called NextDay Grace.", (), "NextDay Grace"),
        ('This contract (the "Agreement") binds you and us.', (), "Agreement"),
        ("(4) the term “business day” means any day but Sunday;", (), "business day"),
        ("(v) Negative factor, in relation to age, means a low score.", (), "Negative factor"),
        ("Age refers only to natural persons and means full years.", (), "Age"),
    ],
)
def test_the_ways_of_defining_are_known(text: str, path: tuple[str, ...], term: str) -> None:
    assert list(terms(text, *path)) == [term]


@pytest.mark.parametrize(
    "text",
    [
        "By electronic means.",
        "The means by which the consumer may obtain information are listed.",
        "This means that we may decline.",
        "Availability does not mean that the check is good.",
        "Wrenfield pays at its discretion, which means that it need not.",
        "The overdraft fee is $15.",
        "**Market risk.** Prices go up and down.",
        "Note: call us.",
    ],
)
def test_other_sentences_define_nothing(text: str) -> None:
    assert terms(text) == {}


def test_what_follows_in_the_paragraph_belongs_as_far_as_it_goes_on_about_the_term() -> None:
    found = terms("We pay interest. APY means annual percentage yield. It includes compounding. Call us.")
    assert found == {"APY": "APY means annual percentage yield. It includes compounding."}


def test_a_definition_is_cut_at_a_paragraph_when_it_is_very_long() -> None:
    items = "\n\n".join(f"({number}) {'word ' * 40}." for number in range(1, 60))
    (text,) = terms(f"(a) Loan means:\n\n{items}").values()
    assert 3_000 < len(text) <= 4_000


@pytest.mark.parametrize(
    "text", ["X means y. " * 10_000, '"a" ' * 30_000, "(i)\n" * 30_000, "Foo means\n\n" * 8_000, "**a" * 50_000]
)
def test_hostile_runs_take_linear_time(text: str) -> None:
    started = time.process_time()
    terms(text, "Definitions")
    assert time.process_time() - started < 5
