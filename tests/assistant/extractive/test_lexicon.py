import pytest

from assistant.extractive.lexicon import reader, terms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What do you charge if I go below zero?", "overdraft fee"),
        ("my paycheck", "direct deposits"),
        ("monthly maintenance fee", "fee per month"),
        ("interest rate", "APY"),
        ("cash machine", "ATMs"),
        ("half a year", "6 months"),
        ("$10,000", "10000"),
        ("the bank’s branches", "branch"),
    ],
)
def test_one_meaning_has_one_spelling(one: str, other: str) -> None:
    assert frozenset(terms(one)) == frozenset(terms(other))


def test_words_without_a_topic_are_left_out() -> None:
    assert terms("What is it that you would like to do with this, please?") == ()


def test_products_are_told_apart() -> None:
    assert frozenset(terms("Premier Checking")) != frozenset(terms("Student Checking"))


def test_the_longest_phrase_wins() -> None:
    assert terms("mobile check deposit") == terms("photo of a check")
    assert terms("mobile check deposit") != terms("mobile")


def test_every_phrase_of_the_lexicon_has_one_meaning() -> None:
    phrases = [phrase for group in reader().lexicon.same for phrase in group]
    assert sorted(phrase for phrase in phrases if phrases.count(phrase) > 1) == []


def test_checking_is_not_a_check() -> None:
    assert frozenset(terms("a check")).isdisjoint(terms("a checking account"))


def test_a_business_day_is_no_business_account() -> None:
    assert frozenset(terms("business days")).isdisjoint(terms("business account"))


def test_the_lists_of_the_lexicon_are_terms() -> None:
    assert frozenset(terms("yesterday evening")) <= reader().weak
    assert frozenset(terms("boat")) <= reader().naming
