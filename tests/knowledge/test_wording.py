"""Words of labels and titles."""

import pytest

from knowledge.wording import content, names_a_subject, subject


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the monthly maintenance fees", "Monthly fee"),
        ("cost of cashier's checks", "Cashier’s check price"),
        ("certificates of deposit", "CDs"),
        ("late payment fee", "Late charge"),
        ("outgoing wire transfers", "Outgoing wire"),
    ],
)
def test_one_thing_has_one_set_of_words(one: str, other: str) -> None:
    assert set(content(one)) == set(content(other))


def test_a_title_is_about_what_is_left_without_the_sort_of_document() -> None:
    assert subject("Consumer Deposit Fee Schedule 2026") == {"deposit"}
    assert subject("Travel Visa Terms") == {"travel", "visa"}


def test_a_monthly_fee_does_not_say_of_what() -> None:
    assert not names_a_subject(frozenset({"monthly", "fee"}))
    assert names_a_subject(frozenset({"overdraft", "fee"}))
