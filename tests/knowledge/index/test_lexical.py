from pathlib import Path

import numpy as np
import pytest

from knowledge.index.lexical import Lexical, build, terms


def test_words_become_stems_and_figures_stay() -> None:
    assert terms("The bank's overdraft fees are $29.50 under Reg E") == [
        "bank",
        "overdraft",
        "fee",
        "29",
        "50",
        "under",
        "reg",
        "e",
    ]


def test_a_reopened_index_ranks_the_text_with_the_words_first(tmp_path: Path) -> None:
    build(tmp_path / "g1", [terms(text) for text in ("wire fees abroad", "", "card fees", "…")])
    scores = Lexical(tmp_path / "g1").scores("Wires abroad?")
    assert int(np.argmax(scores)) == 0
    assert scores[1:].tolist() == [0, 0, 0]


@pytest.mark.parametrize("query", ["", "the of", "zebra", "\x00"])
def test_a_query_without_known_words_scores_nothing(tmp_path: Path, query: str) -> None:
    build(tmp_path / "g1", [["wire", "fee"], ["card", "fee"]])
    assert Lexical(tmp_path / "g1").scores(query).tolist() == [0, 0]


def test_a_second_word_of_the_question_counts_more_than_a_repeated_one(tmp_path: Path) -> None:
    build(tmp_path / "g1", [["wire"] * 4, ["wire", "abroad", "fee", "card"], ["loan"] * 4, ["rate"] * 4])
    repeated, both, *_ = Lexical(tmp_path / "g1").scores("wire abroad")
    assert both > repeated > 0


def test_a_long_text_is_no_better_for_its_length(tmp_path: Path) -> None:
    build(tmp_path / "g1", [["wire", *(f"word{n}" for n in range(200))], ["wire", "fee"]])
    long, short = Lexical(tmp_path / "g1").scores("wire")
    assert short > long


def test_who_has_an_index_open_keeps_it_while_another_takes_its_place(tmp_path: Path) -> None:
    build(tmp_path / "g1", [["wire"], ["card"]])
    opened = Lexical(tmp_path / "g1")
    build(tmp_path / "g1", [["loan"]])
    assert opened.scores("card")[1] > 0
    assert len(Lexical(tmp_path / "g1").scores("card")) == 1
