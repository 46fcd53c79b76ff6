import pytest

from opsplane.guardrails import pii


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("My card is 4242 4242 4242 4242.", "My card is [card number …4242]."),
        ("4242-4242-4242-4242 12/27", "[card number …4242] 12/27"),
        ("amex 378282246310005", "amex [card number …0005]"),
        ("４２４２４２４２４２４２４２４２", "[card number …4242]"),
        ("SSN 536-90-4399", "SSN [social security number]"),
        ("my social is 536904399", "my social is [social security number]"),
        ("send it to maya.o@mail.example", "send it to [e-mail address]"),
        ("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [IBAN] please"),
        ("call me at (614) 555-0133", "call me at [phone number]"),
        ("reach me on my cell 6145550133", "reach me on my cell [phone number]"),
        ("account 000123456789", "account [account number …6789]"),
    ],
)
def test_personal_data_is_masked(text: str, masked: str) -> None:
    assert pii.mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "Call 1-800-555-0142 or 1-800-555-0143.",
        "The limit is $50,000,000 or 12345678.90 dollars.",
        "On 2026-11-23, November 23, 2026 or 20261123 at 11:59 p.m.",
        "Customer C-1001, form 1099-INT, 12 CFR 1005.17(b), P.O. Box 4100, Ashby, OH 43999",
        "Our routing number is 000000518.",
        "Your account ending in 4821 pays 4.00% APY.",
        "$1,500.00 $2,341.17 $2,391.17 $10,000",
    ],
)
def test_amounts_dates_and_public_numbers_stay(text: str) -> None:
    assert pii.mask(text) == text


def test_spans_say_what_and_where() -> None:
    text = "a@b.example and 4111111111111111"
    assert [(span.type, text[span.start : span.end]) for span in pii.find(text)] == [
        ("email", "a@b.example"),
        ("card", "4111111111111111"),
    ]


def test_a_number_that_fails_its_checksum_is_an_account_not_a_card() -> None:
    assert pii.mask("4242424242424241") == "[account number …4241]"


def test_masking_twice_changes_nothing() -> None:
    once = pii.mask("4242 4242 4242 4242, 000123456789, (614) 555-0133")
    assert pii.mask(once) == once
