from assistant.extractive.statements import Statement, statements
from assistant.sources import Source

PASSAGE = """# Fees

Wires are quick. They cost money:

- $25 online, except on holidays
- $30 in a branch. Bring a card.

| Service | Fee | When charged |
|---|---|---|
| Stop payment | $30 | at once |
| Copy | | later |

## Examples

Lena pays $9. Her fee is lower.
"""


def read(text: str) -> tuple[Statement, ...]:
    return statements(Source(1, "Fee Schedule", "", "fees", "2026-07-01", text))


def test_sentences_items_and_rows_are_statements() -> None:
    assert [one.text for one in read(PASSAGE)] == [
        "Wires are quick.",
        "$25 online, except on holidays.",
        "$30 in a branch.",
        "Bring a card.",
        "Stop payment — fee: $30; when charged: at once.",
        "Copy — when charged: later.",
        "Lena pays $9.",
        "Her fee is lower.",
    ]


def test_headings_and_the_line_before_a_list_are_kept_beside_the_text() -> None:
    said = {one.text: one.heading for one in read(PASSAGE)}
    assert said["$30 in a branch."] == "Fees They cost money:"
    assert said["Lena pays $9."] == "Examples"


def test_rows_and_examples_are_known_as_such() -> None:
    said = read(PASSAGE)
    assert [one.row for one in said] == [False, False, False, False, True, True, False, False]
    assert [one.example for one in said] == [False, False, False, False, False, False, True, True]


def test_an_example_in_running_text_ends_with_its_paragraph() -> None:
    said = read("Example: 9 withdrawals cost $15. Ten cost $20.\n\nThe fee is $5.")
    assert [one.example for one in said] == [True, True, False]


def test_columns_named_like_products_keep_their_capitals() -> None:
    said = read("| Item | Everyday Checking | APY |\n|---|---|---|\n| Opening | $25 | 0% |")
    assert said[0].text == "Opening — Everyday Checking: $25; APY: 0%."


def test_wrapped_lines_are_one_sentence() -> None:
    assert [one.text for one in read("The fee\nis $5 for\neach item.")] == ["The fee is $5 for each item."]


def test_numbered_items_lose_their_numbers() -> None:
    assert [one.text for one in read("1. Call us.\n2. Wait.")] == ["Call us.", "Wait."]


def test_the_number_of_the_source_is_that_of_the_turn() -> None:
    again = Source(5, "Fee Schedule", "", "fees", "2026-07-01", PASSAGE)
    assert {one.source.number for one in read(PASSAGE)} == {1}
    assert {one.source.number for one in statements(again)} == {5}
