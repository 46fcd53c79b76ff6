"""Depth of numbered paragraphs."""

import pytest

from knowledge.levels import UNNUMBERED, levels, mark


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("a 1 i A B ii 2 b", [0, 1, 2, 3, 3, 2, 1, 0]),
        ("g h i j", [0, 0, 0, 0]),
        ("h 1 i ii i", [0, 1, 2, 2, 0]),
        ("1. 2. - - 3.", [0, 0, 1, 1, 0]),
        ("1 2 4 4 5", [0, 0, 0, 0, 0]),
    ],
)
def test_a_label_stands_below_the_ones_it_does_not_follow(labels: str, expected: list[int]) -> None:
    assert levels(labels.split()) == expected


def test_numbering_begins_anew_after_a_paragraph_without_a_mark() -> None:
    assert levels(["a", "1", "", "1"]) == [0, 1, UNNUMBERED, 0]


@pytest.mark.parametrize(
    ("paragraph", "label"),
    [("(b) Consumer means", "b"), ("12. Twelfth", "12."), ("* **Term** means", "-"), ("(a)", "a"), ("Plain (a)", "")],
)
def test_the_mark_at_the_head_is_read(paragraph: str, label: str) -> None:
    assert mark(paragraph).label == label
