import pytest

from opsplane.guardrails import opposites
from opsplane.guardrails.wording import stem


@pytest.mark.parametrize(
    ("one", "other"),
    [("allowed", "prohibited"), ("required", "optional"), ("before", "after"), ("insured", "uninsured")],
)
def test_opposites_are_known_from_both_sides(one: str, other: str) -> None:
    assert opposites.opposed(stem(one), stem(other))
    assert opposites.opposed(stem(other), stem(one))


def test_words_of_one_side_are_no_opposites() -> None:
    assert not opposites.opposed(stem("allowed"), stem("permitted"))


def test_days_exclude_each_other_and_a_day_is_daily() -> None:
    assert opposites.exclusive(stem("monday"), stem("friday"))
    assert not opposites.exclusive(stem("day"), stem("daily"))


@pytest.mark.parametrize(
    "text", ["There is no monthly fee.", "It is free of charge.", "You pay nothing.", "We waive it."]
)
def test_what_costs_nothing_is_free(text: str) -> None:
    assert "_free" in opposites.levelled(text)


@pytest.mark.parametrize(
    ("mine", "source", "word"),
    [
        ("banks may ask", "banks must ask", "may"),
        ("all wires arrive", "most wires arrive", "all"),
        ("banks can ask", "banks may ask", ""),
    ],
)
def test_a_sentence_may_not_be_surer_than_its_source(mine: str, source: str, word: str) -> None:
    assert opposites.surer(frozenset(mine.split()), frozenset(source.split())) == word
