from time import process_time

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
        ("account no. 0001 2345 6789", "account no. [account number …6789]"),
        ("login from 203.0.113.77 was not me", "login from [IP address] was not me"),
        ("my address is 2001:db8:0:1:1:1:1:1", "my address is [IP address]"),
        ("driver's license number is D123-4567-8901", "driver's license number is [driver's licence number]"),
        ("passport no. 523456789", "passport no. [passport number]"),
        ("I was born on May 12, 1971", "I was born on [date of birth]"),
        ("4242 4242 4242 4242 cvv 123", "[card number …4242] cvv [security code]"),
        ("my PIN is 4821", "my PIN is [security code]"),
        ("passt gb82 west 1234 5698 7654 32 so", "passt [IBAN] so"),
        ("IBAN: GB00WEST12345698765432", "IBAN: [IBAN]"),
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
        "Order 614-555-0133, invoice no. 123456789, tracking 9400111899",
        "Release 10.2.33.41 of 12 CFR 1005.30(c), between 10:30:45 and 11:00:00",
        "A total of 12050277 shares, 0.928571429 of them sold, see https://news.example/2026/130408926",
        "Call us by 11/23/2026, 24 hours a day, in Ashby, OH 43999-4100",
        "Count one two three four five six seven eight nine ten, 1 2 3 4 5 6 7 8 9 10",
        "Your PIN has 4 digits, and you may be born before January 1, 1960. Is your passport 10 years old?",
    ],
)
def test_amounts_dates_and_public_numbers_stay(text: str) -> None:
    assert pii.mask(text) == text


@pytest.mark.parametrize(
    "written",
    [
        "+44 (0)20 7946 0958",
        "001-614-555-0133x4208",
        "614.555.0133 ext. 22",
        "(0116) 496 0123",
        "0431 35 06 90",
        "tel: 75 196 772",
        "reach me at 785 8949",
        "They are not answering at (32) 484-557",
        "13812345678 is my phone number",
        "Maya Ortiz\n12 Mill Lane\n33 93 31 office",
        "My number is 03 20 52 76 01",
    ],
)
def test_phones_of_many_countries_are_known_by_shape_or_name(written: str) -> None:
    assert [span.type for span in pii.find(written)] == ["phone"]


def test_two_phones_with_a_space_between_are_two() -> None:
    assert pii.mask("614-555-0133 614-555-0134") == "[phone number] [phone number]"


@pytest.mark.parametrize("digits", ["60412345678" + "9", "36227206271667", "3530111333300000", "180012345678907"])
def test_cards_of_every_issuer_are_known_where_they_are_named(digits: str) -> None:
    assert [span.type for span in pii.find(f"please block my card {digits} now")] == ["card"]


def test_a_card_with_a_digit_wrong_is_masked_where_it_is_named() -> None:
    assert pii.mask("my card is 4242 4242 4242 4241") == "my card is [card number …4241]"


@pytest.mark.parametrize(
    "written",
    [
        "4" + "\u200b" * 1_000 + "242424242424242",
        "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2",
        "4-2-4-2-4-2-4-2-4-2-4-2-4-2-4-2",
        "four two " * 8,
        "Forty-two " * 8,
        "four 2 " + "four two " * 7,
        "٤٢٤٢ ٤٢٤٢ ٤٢٤٢ ٤٢٤٢",
        "2 4242 4242 4242 4242",
        "4242/4242/4242/4242",
    ],
)
def test_disguised_digits_are_read(written: str) -> None:
    (span,) = pii.find(written)
    assert pii.stand_in(span, written) == "[card number …4242]"


@pytest.mark.parametrize("written", ["maya (at) mail (dot) example", "maya at mail dot example", "maya＠mail.example"])
def test_disguised_addresses_are_read(written: str) -> None:
    assert pii.mask(f"write to {written}") == "write to [e-mail address]"


def test_measure_tells_what_find_leaves_and_how_sure_it_is() -> None:
    text = "order 123456789, card 4111111111111111"
    low, high = pii.measure(text)
    assert (low.type, text[low.start : low.end]) == ("account", "123456789")
    assert low.certainty < pii.THRESHOLD < high.certainty
    assert [span.type for span in pii.find(text)] == ["card"]


@pytest.mark.parametrize("part", ["1", "4 ", "1.", "a@", "4\u200b", "one two ", "1.2.3.4 ", "born is "])
def test_a_hundred_thousand_characters_take_seconds_at_most(part: str) -> None:
    text = (part * 100_000)[:100_000]
    begun = process_time()
    pii.mask(text)
    assert process_time() - begun < 5


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
