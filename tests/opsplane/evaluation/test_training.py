"""Training exports in the usual shapes."""

import json
from pathlib import Path
from typing import Any

import pytest

from opsplane.errors import InvalidRequest
from opsplane.evaluation import training
from opsplane.evaluation.contamination import Origin


def export(folder: Path, *rows: Any) -> Path:
    path = folder / "train.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "row",
    [
        {"question": "Q?", "answer": "A."},
        {"input_text": "Q?", "output_text": "A."},
        {
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "Q?"}, {"inlineData": {}}]},
                {"role": "model", "parts": [{"text": "A."}]},
            ],
        },
        {"contents": [{"parts": [{"text": "Q?"}]}], "completions": [{"completion": {"parts": [{"text": "A."}]}}]},
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Q?"}]},
                {"role": "assistant", "content": "A."},
            ]
        },
    ],
)
def test_every_usual_shape_is_read(tmp_path: Path, row: Any) -> None:
    (found,) = training.read(export(tmp_path, row, ""))
    assert (found.question, found.answer, found.origin) == ("Q?", "A.", Origin.TRAINING)
    assert found.where == "train.jsonl, line 1"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"text": "x"}, "train.jsonl, line 2: no training example; it should have fields like"),
        ({"contents": "x"}, "line 2: no training example"),
        ("[1]", "line 2: no training example"),
        ("{", "line 2: no JSON object"),
        ("[" * 100_000, "line 2: nested too deeply"),
    ],
)
def test_a_line_that_is_no_example_is_named(tmp_path: Path, row: Any, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        list(training.read(export(tmp_path, {"question": "Q?"}, row)))


def test_a_file_without_examples_another_encoding_and_no_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "latin.jsonl").write_bytes(b'{"question": "\xe9"}')
    for path, told in (
        (export(tmp_path), "no example is in it"),
        (tmp_path / "latin.jsonl", "latin.jsonl, line 1: not written in UTF-8"),
        (tmp_path / "none.jsonl", "there is no such file"),
    ):
        with pytest.raises(InvalidRequest, match=told):
            list(training.read(path))


def test_strange_turns_are_passed_over(tmp_path: Path) -> None:
    row = {"contents": [7, {"role": "tool", "parts": [{"text": "x"}]}, {"role": "user", "parts": 7}], "completions": 7}
    (found,) = training.read(export(tmp_path, row))
    assert (found.question, found.answer) == ("", "")
