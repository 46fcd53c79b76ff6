import pytest

from opsplane.guardrails import reading

TABLE = "## Fees\n| Service | Fee |\n|---|---|\n| Wire | $25 |"


@pytest.mark.parametrize(
    ("text", "said"), [("A wire costs $25.", True), ("wire costs $25.", False), ("A wire costs", False)]
)
def test_only_a_whole_sentence_is_said_verbatim(text: str, said: bool) -> None:
    assert reading.read("Ask us. A wire costs $25. It is quick.").says(text) is said


def test_a_row_is_read_with_the_head_of_its_table() -> None:
    row = reading.read(TABLE).parts[-1]
    assert {"servic", "fee", "wire"} <= row.stems


def test_headings_and_heads_of_tables_say_nothing() -> None:
    assert [part.said for part in reading.read(TABLE).parts] == [False, False, False, True]


def test_digits_of_phone_numbers_are_no_figures() -> None:
    assert reading.read("Call 1-800-555-0142 about the $25 fee.").figures[0].text == "$25"


def test_a_sentence_without_end_is_read_in_pieces() -> None:
    assert max(len(part.text) for part in reading.read("word " * 20_000).parts) <= reading.LONGEST


def test_a_word_or_two_are_copied_only_as_a_whole_cell() -> None:
    assert reading.read(TABLE).says("Wire")
    assert not reading.read("A wire is free for Premier customers.").says("A wire")


def test_a_cell_may_be_told_with_its_row_and_its_head() -> None:
    table = "| Case | Fee | When |\n|---|---|---|\n| Overdrawn, not covered in time | $15 per item | at once |"
    source = reading.read(table)
    assert source.tells("Overdrawn, not covered in time — fee: $15 per item.")
    assert not source.tells("Overdrawn, not covered in time — when: $15 per item.")
    assert not source.tells("Overdrawn, covered in time — fee: $15 per item.")
