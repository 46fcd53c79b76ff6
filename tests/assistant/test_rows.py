"""Rows of anybody's file: read whole, or refused with the number of the line."""

import io
import json
from pathlib import Path

import pytest

from assistant import rows
from assistant.rows import Row
from opsplane.errors import InvalidRequest


def written(path: Path, *lines: object) -> Path:
    """A file of JSON lines; a text or bytes stand as they are."""
    path.write_bytes(
        b"\n".join(
            line if isinstance(line, bytes) else line.encode() if isinstance(line, str) else json.dumps(line).encode()
            for line in lines
        )
    )
    return path


def one(path: Path, line: object) -> Row:
    (row,) = rows.read(written(path / "rows.jsonl", line))
    return row


def test_rows_keep_the_order_and_the_number_of_their_line(tmp_path: Path) -> None:
    read = rows.read(written(tmp_path / "rows.jsonl", {"text": "a", "id": 7}, "", {"claim": "b", "evidence": ["c"]}))
    assert [(row.line, row.words, row.claim, row.evidence) for row in read] == [
        (1, "a", False, None),
        (3, "b", True, ("c",)),
    ]
    assert read[0].given["id"] == 7


@pytest.mark.parametrize(
    ("given", "evidence"),
    [(None, None), ([], ()), ("one passage", ("one passage",)), (["a", None, ""], ("a",)), (["x"] * 300, ("x",) * 300)],
)
def test_evidence_may_be_a_list_a_text_or_null(given: object, evidence: object, tmp_path: Path) -> None:
    assert one(tmp_path, {"claim": "b", "evidence": given, "text": None}).evidence == evidence


def test_halves_of_surrogate_pairs_leave_every_character_in_its_place(tmp_path: Path) -> None:
    assert one(tmp_path, b'{"text": "\\ud800 a \\udfffb"}').words == "? a ?b"


def test_a_mark_of_byte_order_and_a_number_that_is_none_are_read(tmp_path: Path) -> None:
    assert one(tmp_path, b'\xef\xbb\xbf{"text": "a", "x": NaN}\r\n').given == {"text": "a", "x": None}


def test_a_row_may_say_what_its_words_are_but_a_claim_is_of_an_answer(tmp_path: Path) -> None:
    assert one(tmp_path, {"text": "a", "stage": "passage"}).stage == "passage"
    assert one(tmp_path, {"text": "a", "stage": ["nonsense"]}).stage is None
    assert one(tmp_path, {"claim": "a", "stage": "question"}).stage == "answer"


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"text": "a"}\n')))
    assert [row.words for row in rows.read(Path("-"))] == ["a"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{nonsense", "line 2 is no JSON object"),
        ("[1]", "line 2 is no JSON object like"),
        (b"\xff\xfe", "line 2 is not written in UTF-8"),
        ("[" * 100_000, "line 2 is nested too deeply"),
        ("1" * 5_000, "line 2 is no JSON object"),
        ({"other": 1}, 'line 2: give either "text"'),
        ({"text": "a", "claim": "b"}, 'line 2: give either "text"'),
        ({"text": 5}, 'line 2: "text" is int'),
        ({"claim": "a", "evidence": {"a": 1}}, 'line 2: "evidence" is dict'),
        ({"claim": "a", "evidence": ["a", 1]}, 'line 2: passage 2 of "evidence" is int'),
    ],
)
def test_a_line_that_is_no_row_is_named(line: object, told: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=told):
        rows.read(written(tmp_path / "rows.jsonl", {"text": "fine"}, line))


def test_a_file_that_is_missing_empty_or_too_long_is_told(tmp_path: Path) -> None:
    for path, told in ((tmp_path / "none.jsonl", "No such file"), (written(tmp_path / "empty", ""), "no row")):
        with pytest.raises(InvalidRequest, match=told):
            rows.read(path)
    with pytest.raises(InvalidRequest, match="line 1: more than"):
        one(tmp_path, {"text": "a" * rows.LONGEST})


@pytest.mark.parametrize(
    ("label", "bad"),
    [
        ("bad", True), ("Not supported", True), (1, True), (True, True), (1.0, True), ("out-of-scope", True),
        ("good", False), ("Supported", False), (0, False), (False, False), ("in_scope", False),
        ("perhaps", None), (None, None), ([1], None),
    ],
)  # fmt: skip
def test_labels_are_read_as_they_are_commonly_called(label: object, bad: bool | None, tmp_path: Path) -> None:
    assert one(tmp_path, {"text": "a", "label": label}).bad() is bad


def test_other_labels_may_be_named(tmp_path: Path) -> None:
    assert one(tmp_path, {"text": "a", "label": "Spam"}).bad(["spam", "scam"]) is True
    assert one(tmp_path, {"text": "a", "label": "bad"}).bad(["spam"]) is False
    assert one(tmp_path, {"text": "a"}).bad(["spam"]) is None
