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
    build(tmp_path / "g1", ["wire fees abroad", "", "card fees", "…"])
    scores = Lexical(tmp_path / "g1").scores("Wires abroad?")
    assert int(np.argmax(scores)) == 0
    assert scores[1:].tolist() == [0, 0, 0]


@pytest.mark.parametrize("query", ["", "the of", "zebra", "\x00"])
def test_a_query_without_known_words_scores_nothing(tmp_path: Path, query: str) -> None:
    build(tmp_path / "g1", ["wire fees", "card fees"])
    assert Lexical(tmp_path / "g1").scores(query).tolist() == [0, 0]
