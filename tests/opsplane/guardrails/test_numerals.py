from decimal import Decimal

import pytest

from opsplane.guardrails import numerals


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("twenty-five days", "25 days"),
        ("fifteen hundred dollars", "1500 dollars"),
        ("two and a half percent", "2.5 percent"),
        ("half a percent", "0.5 percent"),
        ("half of one percent", "0.5 percent"),
        ("three quarters of a percent", "0.75 percent"),
        ("one hundred and five", "105"),
        ("one million two hundred thousand", "1200000"),
        ("half a dozen checks", "6 checks"),
        ("2 and a half years", "2.5 years"),
        ("one and two", "1 and 2"),
    ],
)
def test_numbers_in_words_become_digits(words: str, digits: str) -> None:
    assert numerals.digits(words)[0] == digits


@pytest.mark.parametrize("text", ["the twenty-first of May", "half the fee", "a second look"])
def test_other_words_stay(text: str) -> None:
    assert numerals.digits(text) == (text, [])


def test_the_words_behind_a_number_are_kept_with_its_place() -> None:
    assert numerals.digits("at most twenty-five days") == ("at most 25 days", [(8, 10, "twenty-five")])


def test_thousands_and_hundreds_multiply() -> None:
    assert numerals.value("two thousand five hundred") == Decimal(2_500)
