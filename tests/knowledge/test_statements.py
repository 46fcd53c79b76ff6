"""Sentences and rows."""

import time

import pytest

from knowledge.statements import of

TEXT = """Call by 5 p.m. Eastern. See 12 U.S.C. 1693 et seq. This is
the third.

* An item. It has two.

| Service | Fee |
|---|---|
| **Wire** | $25 |
"""


def test_a_paragraph_is_cut_at_sentences_and_not_at_abbreviations() -> None:
    texts = [statement.text for statement in of(TEXT) if not statement.cells]
    assert texts == [
        "Call by 5 p.m. Eastern.",
        "See 12 U.S.C. 1693 et seq. This is\nthe third.",
        "* An item.",
        "It has two.",
    ]


def test_a_row_brings_the_header_of_its_table() -> None:
    (row,) = [statement for statement in of(TEXT) if statement.cells]
    assert (row.header, row.cells) == (("Service", "Fee"), ("Wire", "$25"))


def test_every_statement_stands_where_it_says() -> None:
    assert all(TEXT[one.start : one.end].startswith(one.text) for one in of(TEXT))


def test_sentences_of_one_paragraph_share_its_block() -> None:
    blocks = [statement.block for statement in of("One. Two.\n\nThree.")]
    assert blocks == [0, 0, 11]


@pytest.mark.parametrize("text", ["|-" * 100_000 + "x", ". " * 100_000, " " * 200_000 + "x", "\n" * 200_000])
def test_hostile_runs_take_linear_time(text: str) -> None:
    started = time.process_time()
    list(of(text))
    assert time.process_time() - started < 5
