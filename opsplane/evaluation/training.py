"""Training data as it is exported for tuning, read as texts that a model has seen: JSON lines in the usual shapes.

Vertex AI's `contents` (Gemini; with `completions` where preferences are tuned) and `input_text` with `output_text`,
`messages` of roles and contents, and `question` with `answer`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from opsplane.errors import InvalidRequest
from opsplane.evaluation.contamination import Origin, Seen

LONGEST = 4_000_000
"""Bytes of one line."""

_SHAPES = 'fields like "contents", "messages" or "question" and "answer"'
_PAIRS = (("question", "answer"), ("input_text", "output_text"), ("prompt", "completion"))
_ASKS = frozenset({"user", "human", ""})
_ANSWERS = frozenset({"model", "assistant", "ai"})


def read(path: Path) -> Iterator[Seen]:
    """Each line of an export, one at a time; raise `InvalidRequest` naming the line that is none."""
    if not path.is_file():
        raise InvalidRequest(f"{path}: there is no such file.")
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST + 1):
                number += 1
                if line.strip():
                    yield _seen(line, f"{path.name}, line {number}")
    except OSError as error:
        raise InvalidRequest(f"{path}: {error.strerror}.") from error
    if not number:
        raise InvalidRequest(f"{path}: no example is in it.")


def _seen(line: bytes, where: str) -> Seen:
    if len(line) > LONGEST:
        raise InvalidRequest(f"{where}: more than {LONGEST:,} bytes.")
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{where}: not written in UTF-8: {error.reason} at byte {error.start + 1}.") from error
    except RecursionError as error:
        raise InvalidRequest(f"{where}: nested too deeply.") from error
    except ValueError as error:
        raise InvalidRequest(f"{where}: no JSON object: {error}.") from error
    told = _told(row) if isinstance(row, dict) else None
    if told is None:
        raise InvalidRequest(f"{where}: no training example; it should have {_SHAPES}.")
    question, answer = told
    return Seen(origin=Origin.TRAINING, where=where, question=question, answer=answer)


def _told(row: Mapping[str, Any]) -> tuple[str, str] | None:
    """Everything that is asked and everything that is answered, or None where the shape is not known."""
    for asks, answers in _PAIRS:
        if isinstance(row.get(asks), str):
            return row[asks], _text(row.get(answers))
    turns = row.get("contents", row.get("messages"))
    if not isinstance(turns, list):
        return None
    held = [turn for turn in turns if isinstance(turn, dict)]
    chosen = [one.get("completion") for one in _list(row.get("completions")) if isinstance(one, dict)]
    answers_ = [*_said(held, _ANSWERS), *(_text(one) for one in chosen)]
    return "\n".join(_said(held, _ASKS)), "\n".join(answers_)


def _said(turns: Sequence[Mapping[str, Any]], roles: frozenset[str]) -> list[str]:
    return [_text(turn) for turn in turns if str(turn.get("role", "")).lower() in roles]


def _text(value: Any) -> str:
    """The text of a turn, a part, or a list of parts."""
    match value:
        case str():
            return value
        case {"text": str(text)}:
            return text
        case {"parts": parts} | {"content": parts}:
            return _text(parts) if isinstance(parts, str) else "\n".join(_parts(parts))
        case list():
            return "\n".join(_parts(value))
    return ""


def _parts(value: Any) -> Iterator[str]:
    for one in _list(value):
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict) and isinstance(one.get("text"), str):
            yield one["text"]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
