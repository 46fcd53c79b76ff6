"""Anybody's rows for the guardrails: a file of JSON lines, read whole or refused with the number of the line."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from opsplane.errors import InvalidRequest
from opsplane.guardrails.measure import Stage

LONGEST = 8_000_000
"""Bytes of one line."""

_BAD = (
    "bad 1 1.0 true block blocked unsafe injection jailbreak attack malicious harmful toxic unsupported not_supported "
    "partially_supported refuted contradiction hallucinated oos out_of_scope off_topic"
)
_GOOD = (
    "good 0 0.0 false pass passed safe benign harmless non_toxic not_toxic supported entailment faithful in_scope "
    "on_topic"
)
_STAGES: dict[str, Stage] = {"question": "question", "passage": "passage", "answer": "answer"}
_LABELS = {**dict.fromkeys(_BAD.split(), True), **dict.fromkeys(_GOOD.split(), False)}


@dataclass(frozen=True)
class Row:
    """One line of a file; `words` are its `text` or its `claim`, `evidence` is None where it has no such field.

    `stage` is what the words are, where the row says: a claim is always of an answer.
    """

    line: int
    words: str
    claim: bool
    stage: Stage | None
    evidence: tuple[str, ...] | None
    given: Mapping[str, Any]

    def bad(self, named: Iterable[str] = ()) -> bool | None:
        """Whether the row should be blocked: its label is one of `named`, or as labels are commonly called.

        None where there is no label, or none that can be read.
        """
        label = self.given.get("label")
        if label is None:
            return None
        word = _plain(label)
        wanted = {_plain(one) for one in named}
        return word in wanted if wanted else _LABELS.get(word)


def read(path: Path) -> list[Row]:
    """Every row of a file of JSON lines, "-" for standard input; raise `InvalidRequest` naming the line that is none.

    A row has `text`, or `claim` and `evidence`: a list of passages, or one passage. Blank lines are left out.
    """
    with _opened(path) as file:
        rows = [_row(line, f"{path}, line {number}", number) for number, line in enumerate(file, 1) if line.strip()]
    if not rows:
        raise InvalidRequest(f"{path}: no row is in it.")
    return rows


def _row(line: bytes, where: str, number: int) -> Row:
    given = _object(line, where)
    text, claim = given.get("text"), given.get("claim")
    if (text is None) == (claim is None):
        raise InvalidRequest(f'{where}: give either "text", or "claim" and "evidence".')
    name, words = ("text", text) if claim is None else ("claim", claim)
    if not isinstance(words, str):
        raise InvalidRequest(f'{where}: "{name}" is {type(words).__name__}, not a text.')
    stage: Stage | None = "answer" if claim is not None else _STAGES.get(str(given.get("stage")))
    return Row(number, _whole(words), claim is not None, stage, _evidence(given, where), given)


def _object(line: bytes, where: str) -> dict[str, Any]:
    if len(line) > LONGEST:
        raise InvalidRequest(f"{where}: more than {LONGEST:,} bytes.")
    try:  # NaN and infinity are no JSON, but common in it
        given = json.loads(line.decode("utf-8-sig"), parse_constant=lambda _: None)
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{where} is not written in UTF-8: {error.reason} at byte {error.start + 1}.") from error
    except RecursionError as error:
        raise InvalidRequest(f"{where} is nested too deeply.") from error
    except ValueError as error:
        raise InvalidRequest(f"{where} is no JSON object: {error}.") from error
    if not isinstance(given, dict):
        raise InvalidRequest(f'{where} is no JSON object like {{"text": "…"}}; each row stands on a line of its own.')
    return given


def _evidence(given: Mapping[str, Any], where: str) -> tuple[str, ...] | None:
    match given.get("evidence"):
        case None:
            return None
        case str(passage):
            return (_whole(passage),)
        case list(passages):
            for number, one in enumerate(passages, 1):
                if not isinstance(one, str | None):
                    raise InvalidRequest(
                        f'{where}: passage {number} of "evidence" is {type(one).__name__}, not a text.'
                    )
            return tuple(_whole(one) for one in passages if one)
        case other:
            raise InvalidRequest(f'{where}: "evidence" is {type(other).__name__}, not a list of passages.')


def _whole(text: str) -> str:
    """Halves of surrogate pairs, which cannot be written in UTF-8, as question marks; no character moves."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _plain(label: object) -> str:
    return str(label).strip().lower().replace("-", "_").replace(" ", "_")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if str(path) == "-":
        yield sys.stdin.buffer
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise InvalidRequest(f"{path}: {error.strerror}.") from error
    with file:
        yield file
