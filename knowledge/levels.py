"""How deep a numbered paragraph stands: (a), (1), (i), (A) of a regulation, 1. and bullets of other texts."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_MARK = re.compile(
    r"\s*(?:\((?P<label>[A-Za-z]{1,5}|\d{1,3})\)|(?P<point>\d{1,3})[.)]|(?P<bullet>[-*•]))(?=\s|\*\*|$)\s*"
)
_ROMAN = re.compile(r"[ivxl]+")
_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50}
_DEEPEST = 8
UNNUMBERED = -1
"""The level of a paragraph without a mark."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark at the head of a paragraph: its label ("a", "12.", "-"; empty without one) and its length."""

    label: str
    length: int


def mark(paragraph: str) -> Mark:
    """The mark of a paragraph."""
    match = _MARK.match(paragraph)
    if match is None:
        return Mark("", 0)
    return Mark(match["label"] or (f"{match['point']}." if match["point"] else "-"), match.end())


def levels(labels: Sequence[str]) -> list[int]:
    """The depth of each label from 0; `UNNUMBERED` where there is none, and numbering begins anew after it.

    An (i) after (h) is the ninth letter unless the next small label is (ii).
    """
    found: list[int] = []
    opened: list[tuple[str, int]] = []
    for label, then in zip(labels, _next_small(labels), strict=True):
        if not label:
            opened = []
            found.append(UNNUMBERED)
            continue
        depth, reading = _place(opened, _readings(label, then))
        opened = [*opened[:depth], reading]
        found.append(depth)
    return found


def _next_small(labels: Sequence[str]) -> list[str]:
    """For each label the next one in small letters after it, in one pass from the end."""
    found: list[str] = []
    then = ""
    for label in reversed(labels):
        found.append(then)
        then = label if label.isalpha() and label.islower() else then
    return found[::-1]


def _readings(label: str, then: str) -> list[tuple[str, int]]:
    """What a label may be: its kind and its number in that kind, likeliest first."""
    if label == "-":
        return [("bullet", 0)]
    if label.endswith("."):
        return [("point", int(label[:-1]))]
    if label.isdigit():
        return [("digit", int(label))]
    if not label.islower():
        return [("upper", _letter(label.lower()))]
    letter = ("letter", _letter(label))
    if not _ROMAN.fullmatch(label):
        return [letter]
    roman = ("roman", _roman(label))
    if label == "i" and then == "ii":
        return [roman]
    return [roman, letter] if len(label) > 1 else [letter, roman]


def _place(opened: Sequence[tuple[str, int]], readings: Sequence[tuple[str, int]]) -> tuple[int, tuple[str, int]]:
    """Where a label stands: after the one it follows, else one level down, else after an earlier one of its kind."""
    follows = next(_after(opened, readings, gaps=False), None)
    if follows:
        return follows
    down = min(len(opened), _DEEPEST)
    first = next((reading for reading in readings if reading[1] <= 1), None)
    if first:
        return down, first
    return next(_after(opened, readings, gaps=True), (down, readings[0]))


def _after(
    opened: Sequence[tuple[str, int]], readings: Sequence[tuple[str, int]], *, gaps: bool
) -> Iterator[tuple[int, tuple[str, int]]]:
    """Open levels that a label may continue, deepest first; with `gaps` it need not be the very next."""
    for kind, number in readings:
        for depth in range(len(opened) - 1, -1, -1):
            same, last = opened[depth]
            if same == kind and (number == last + 1 or kind == "bullet" or (gaps and number >= last)):
                yield depth, (kind, number)


def _letter(label: str) -> int:
    """The number of a letter: a is 1, z is 26, aa is 27."""
    return ord(label[0]) - ord("a") + 1 + 26 * (len(label) - 1)


def _roman(label: str) -> int:
    numbers = [_VALUES[letter] for letter in label]
    return sum(-n if n < max(numbers[place:]) else n for place, n in enumerate(numbers))
