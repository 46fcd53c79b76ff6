"""What is never cut: lines, sentences and table rows, with how strong the boundary before each of them is."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from knowledge.levels import mark

CountTokens = Callable[[str], int]
"""How many word pieces a model reads of a text."""

_SENTENCE = re.compile(r"(?<=[.!?;:])\s+")
_RULE = re.compile(r"\|?[\s:|-]*-[\s:|-]*")
_OPENS = (":", "—", "unless", "if", "that", "following")
_ROMAN = re.compile(r"[ivxl]+")
_HEADER = 3  # a table's header may take a third of the room


class Boundary(IntEnum):
    """Where a text may be cut, best places first. Numbered paragraphs lie between by their depth."""

    HEADING = 0
    NUMBERED = 10
    PARAGRAPH = 20
    LINE = 21
    ROW = 22
    SENTENCE = 23
    WORDS = 24
    INSIDE = 40
    """Added where the line before opens a list, which belongs to its first item."""


@dataclass(frozen=True, slots=True)
class Unit:
    """`text` and its size in word pieces; `glue` is what stands before it; `header` is the head of its table."""

    text: str
    tokens: int
    boundary: int
    glue: str
    header: str = ""
    header_tokens: int = 0


def of(text: str, largest: int, count_tokens: CountTokens) -> list[Unit]:
    """The units of a text in order, none larger than `largest` word pieces together with its table's header."""
    lines = text.split("\n")
    found: list[Unit] = []
    header, letter, first, blank, opened = "", "", 0, True, False
    for number, line in enumerate(lines):
        if not line.strip():
            blank = True
            continue
        if not line.lstrip().startswith("|"):
            header, label = "", mark(line).label
            boundary = _boundary(line, _depth(label, letter), blank, opened)
            letter = label if len(label) == 1 and label.islower() else letter
            found += _fitting(line, largest, boundary, "\n\n" if blank else "\n", count_tokens)
            opened = line.rstrip().endswith(_OPENS) or line.startswith("#")
        elif _RULE.fullmatch(line.strip()):
            continue
        elif not header and number + 1 < len(lines) and _RULE.fullmatch(lines[number + 1].strip()):
            header, first = f"{line}\n{lines[number + 1]}", _boundary("", None, blank, opened)
        else:
            found += _row(line, header, largest, first or Boundary.ROW, count_tokens)
            first, opened = 0, False
        blank = False
    return found


def _boundary(line: str, depth: int | None, blank: bool, opened: bool) -> int:
    inside = Boundary.INSIDE if opened else 0
    if line.startswith("#"):
        return Boundary.NUMBERED - 1
    if depth is not None:
        return Boundary.NUMBERED + depth + inside
    return (Boundary.PARAGRAPH if blank else Boundary.LINE) + inside


def _depth(label: str, letter: str) -> int | None:
    """How deep a regulation numbers with a label: (a), (1), (i), (A). It looks no further back than the letter before,
    unlike `levels`, so that a lost mark does not change the depth of all that follows."""
    if not label.isalnum():
        return None
    if label.isdigit():
        return 1
    if not label.islower():
        return 3
    roman = _ROMAN.fullmatch(label) and not (letter and ord(letter) + 1 == ord(label[0]) and len(label) == 1)
    return 2 if roman else 0


def _row(line: str, header: str, largest: int, boundary: int, count_tokens: CountTokens) -> Iterator[Unit]:
    """A table row with the table's header, unless that is too large to repeat."""
    size = count_tokens(header)
    if size > largest // _HEADER:
        header, size = "", 0
    for unit in _fitting(line, largest - size, boundary, "\n", count_tokens):
        yield Unit(unit.text, unit.tokens, unit.boundary, unit.glue, header, size)


def _fitting(line: str, largest: int, boundary: int, glue: str, count_tokens: CountTokens) -> Iterator[Unit]:
    """A line whole where it fits, else its sentences; a sentence that does not fit as runs of words."""
    tokens = count_tokens(line)
    if tokens <= largest:
        yield Unit(line, tokens, boundary, glue)
        return
    for sentence in _SENTENCE.split(line) if not line.startswith("|") else [line]:
        size = count_tokens(sentence)
        parts = [(sentence, size)] if size <= largest else _words(sentence, largest, count_tokens)
        for index, (part, tokens) in enumerate(parts):
            yield Unit(part, tokens, boundary, glue)
            boundary, glue = (Boundary.SENTENCE if index == len(parts) - 1 else Boundary.WORDS), " "


def _words(text: str, largest: int, count_tokens: CountTokens) -> list[tuple[str, int]]:
    """Runs of words of at most `largest` word pieces, with their sizes; a longer word as runs of letters."""
    runs: list[tuple[str, int]] = []
    run: list[str] = []
    total = 0
    for word in text.split(" "):
        for start in range(0, max(len(word), 1), largest):
            part = word[start : start + largest]
            size = count_tokens(part)
            if run and total + size > largest:
                runs.append((" ".join(run), total))
                run, total = [], 0
            run.append(part)
            total += size
    return [*runs, (" ".join(run), total)]


def size(units: Sequence[Unit]) -> int:
    """Word pieces of the joined units: a table's header counts once for each run of its rows."""
    total, header = 0, ""
    for unit in units:
        total += unit.tokens + (unit.header_tokens if unit.header != header else 0)
        header = unit.header
    return total


def join(units: Sequence[Unit]) -> str:
    """The text of the units, each run of rows under its table's header."""
    parts: list[str] = []
    header = ""
    for unit in units:
        new = unit.header if unit.header != header else ""
        glue = unit.glue if parts else ""
        if new:
            parts.append(f"{chr(10) * 2 if parts else ''}{new}")
            glue = "\n"
        elif header and not unit.header:
            glue = "\n\n"
        parts.append(glue + unit.text)
        header = unit.header
    return "".join(parts).strip()
