"""Rows put through the guardrails of a release, side by side and in order, without a record."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant import rows
from assistant.measuring import AT_ONCE, Bench, measuring
from assistant.settings import Settings
from opsplane.errors import NotFound
from opsplane.evidence import Retrieved
from opsplane.guardrails.rails import Rails
from opsplane.guardrails.scope import Scope
from opsplane.release import Release
from tests import fakes


def silent(_what: str, _done: int, _total: int) -> None:
    """Nobody looks."""


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.full((len(texts), 4), 0.5, np.float32)


async def retrieve(query: str, _release: Release) -> Retrieved:
    if "number 3" in query:
        raise RuntimeError("the index is gone")
    return Retrieved()


BENCH = Bench(Rails(Scope(encode)), fakes.release(), retrieve)


def read(folder: Path, *given: object) -> list[rows.Row]:
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in given))
    return rows.read(file)


def test_rows_come_back_in_order_and_the_bar_follows(tmp_path: Path) -> None:
    given = read(tmp_path, *({"text": f"message {n}"} for n in range(AT_ONCE + 2)))
    steps: list[tuple[int, int]] = []
    found = list(BENCH.all(given, lambda _, done, total: steps.append((done, total))))
    assert [row.line for row, _ in found] == list(range(1, AT_ONCE + 3))
    assert steps == [(AT_ONCE, AT_ONCE + 2), (AT_ONCE + 2, AT_ONCE + 2)]


def test_a_row_on_which_a_check_fails_is_an_error_and_the_others_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = read(tmp_path, *({"text": f"message number {n}"} for n in range(1, 5)))
    with caplog.at_level(logging.ERROR):
        found = [one for _, one in BENCH.all(given, silent)]
    assert [one.verdict == "error" for one in found] == [False, False, True, False]
    assert found[2].code == "RuntimeError"
    assert "line 3 could not be checked" in caplog.text


async def test_words_are_what_their_row_or_else_the_command_says(tmp_path: Path) -> None:
    bench = Bench(BENCH.rails, BENCH.release, retrieve, "passage")
    given = read(
        tmp_path, {"text": "a"}, {"text": "a", "stage": "answer"}, {"claim": "a"}, {"text": "?", "stage": "question"}
    )
    assert [(await bench.measure(row)).stage for row in given] == ["passage", "answer", "answer", "question"]


async def test_an_answer_is_held_against_passages_only_where_there_are_some(tmp_path: Path) -> None:
    bench = Bench(BENCH.rails, BENCH.release, retrieve, "answer")
    given = read(
        tmp_path, {"text": "The fee is $5."}, {"text": "The fee is $5.", "evidence": []}, {"claim": "The fee is $5."}
    )
    assert [(await bench.measure(row)).code for row in given] == ["", "grounding.uncited", "grounding.uncited"]


def test_the_installed_release_and_library_are_opened_without_a_record(settings: Settings, tmp_path: Path) -> None:
    given = read(tmp_path, {"text": "What does an outgoing wire cost?"})
    with measuring(settings, "question", silent) as bench:
        ((_, found),) = bench.all(given, silent)
    assert (found.verdict, found.kind) == ("pass", "in_scope")
    with measuring(settings, "question", silent, searching=False) as bench:
        ((_, found),) = bench.all(given, silent)
    assert found.verdict == "pass"


def test_a_release_that_no_file_has_is_told(settings: Settings) -> None:
    wanted = Settings(data=settings.data, release="heron-99")
    with pytest.raises(NotFound, match="heron-99"), measuring(wanted, "question", silent):
        pass
