"""Other people's data, told by structure: it stands in no source of this turn."""

import pytest

from opsplane.evidence import Origin
from opsplane.guardrails import foreign
from tests import fakes

OWN = fakes.passage(
    text="You have 2 accounts: Everyday Checking ending in 4821 and Wrenfield Savings ending in 3057. "
    "Your card …1188 is locked. The account number is 000123456789. You are customer C-1001 (maria@example.com). "
    "It was opened on 2024-05-17.",
    origin=Origin.TOOL,
)
FEES = fakes.passage(text="The overdraft fee is $15 for each item; call 1-800-555-0142.")


@pytest.mark.parametrize(
    "text",
    [
        "Your account ending in 7777 is overdrawn.",
        "It is the one ending in four five one two.",
        "It is the one ending in 4 5 1 2.",
        "It ends with 45-12.",
        "The last four digits are 7 7 7 7.",
        "See acct #7777.",
        "Your card xxxx7777 is locked.",
        "Your card …7777 is locked.",
        "The number is 7 7 7 7 1 2 1 2.",
        "It is seven seven nine seven.",
        "It is double seven, double six.",
        "It is forty-eight twenty-two.",
        "Customer 1002 has an overdraft.",
        "Customer ID: C1002.",
        "Write to ben@example.com.",
        "Write to ben at example dot com.",
        "Account 123456789012 is overdrawn.",
        "The card is 4111 1111 1111 1111.",
        "It is the one ending in ٧٧٧٧.",
    ],
)
def test_what_no_source_holds_is_foreign(text: str) -> None:
    [finding] = foreign.findings(text, [OWN, FEES])
    assert finding.code == "access.foreign_data"
    assert foreign.findings(text, []) != []


@pytest.mark.parametrize(
    "text",
    [
        "Your Everyday Checking account ending in 4821 is open.",
        "Your card 1188 is locked.",
        "Account four eight two one is yours.",
        "Account 000123456789 is open.",
        "The account ending in 6789 is open.",
        "You are customer 1001.",
        "We write to Maria@example.com.",
        "The overdraft fee is $15 for each item.",
        "Call 1-800-555-0142.",
        "Follow the steps 1, 2, 3, 4.",
        "The agents are there 24 hours, 7 days a week.",
        "One or two of five items are free.",
        "It was opened in the year ending in 2024.",
        "That was good in twenty twenty-six.",
    ],
)
def test_the_customers_own_and_ordinary_figures_pass(text: str) -> None:
    assert foreign.findings(text, [OWN, FEES]) == []


def test_digits_of_a_phone_number_or_an_amount_are_no_account() -> None:
    source = fakes.passage(text="You have $7,777.00; call 1-800-555-7777.")
    assert foreign.findings("Your account ending in 7777 is open.", [source]) != []


def test_the_record_does_not_get_the_number_either() -> None:
    [finding] = foreign.findings("The card is 4111 1111 1111 1111.", [])
    assert "4111 1111" not in finding.span
    [spaced] = foreign.findings("The number is 7 7 7 7 1 2 1 2.", [])
    assert "7" not in spaced.span
