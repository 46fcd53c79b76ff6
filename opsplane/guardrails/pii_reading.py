"""Digits as a person reads them: other scripts, characters that cannot be seen, one by one, and written as words."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_ONES = "zero one two three four five six seven eight nine"
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_DECADES = "twenty thirty forty fifty sixty seventy eighty ninety"
_UNITS = {word: str(digit) for digit, word in enumerate(_ONES.split())} | {"oh": "0", "o": "0", "nought": "0"}
_PAIRS = {word: str(number) for number, word in enumerate(_TEENS.split(), 10)}
_TENS = {word: str(digit) for digit, word in enumerate(_DECADES.split(), 2)}
_TIMES = {"double": 2, "triple": 3}

_WORD = "|".join(sorted((*_UNITS, *_PAIRS, *_TENS, *_TIMES), key=len, reverse=True))
_TOKEN = re.compile(rf"{_WORD}|[0-9]", re.IGNORECASE)
_SPELLED = re.compile(
    rf"\b(?:(?:{_WORD})\b[\s,.\-]{{1,3}}|[0-9][\s,.\-]{{1,3}}){{5,60}}(?:(?:{_WORD})\b|[0-9]\b)", re.I
)
_LETTERS = re.compile("[a-z]+")
_APART = re.compile(r"[0-9](?<![0-9A-Za-z.,$€£][0-9])([ .\-_*/|,\n]{1,3})[0-9](?:\1[0-9]){7,60}(?![0-9])")
_COUNTING = ("0123456", "1234567", "9876543")
_EXPONENTS = frozenset({"<super>", "<sub>", "<fraction>"})
_FEWEST_WORDS = 5
_WORDS = frozenset((*_UNITS, *_PAIRS, *_TENS, *_TIMES))
_OFTEN = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "teen", "ty")


class Reading(NamedTuple):
    """A text as read, and for each of its characters where the one it stands for begins and ends in the original."""

    text: str
    starts: list[int] | range
    ends: list[int] | range

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]` stands in the original."""
        return self.starts[start], self.ends[end - 1]


def read(text: str) -> Reading:
    """The text with all digits in ASCII, nothing invisible, dashes and spaces plain, and spelled-out digits joined."""
    reading = Reading(text, range(len(text)), range(1, len(text) + 1))
    if not text.isascii():
        reading = _plain(reading)
    if joined := [*_apart(reading.text), *_spelled(reading.text)]:
        reading = _joined(reading, sorted(joined))
    return reading


def _plain(reading: Reading) -> Reading:
    """Characters that stand for one other are exchanged; the offsets move only where one is left out or is several."""
    shown = {char: _shown(char) for char in set(reading.text) if not char.isascii()}
    text = reading.text.translate({ord(char): sign for char, sign in shown.items() if len(sign) == 1})
    others = "".join(char for char, sign in shown.items() if len(sign) != 1)
    if not others:
        return reading._replace(text=text)
    joins = [
        _Join(match.start(), match.end(), _seen(match, shown)) for match in re.finditer(f"[{re.escape(others)}]+", text)
    ]
    return _joined(reading._replace(text=text), joins)


def _seen(match: re.Match[str], shown: dict[str, str]) -> list[tuple[str, int, int]]:
    places = enumerate(match.group(), match.start())
    return [(sign, at, at + 1) for at, char in places for sign in shown[char]]


@lru_cache(maxsize=4096)
def _shown(char: str) -> str:
    """What a character is read as: nothing where it cannot be seen; a raised figure stays as it is."""
    if char == "İ":  # the only letter that takes two when it is made small
        return "I"
    kind = unicodedata.category(char)
    if kind in {"Cf", "Cc", "Mn", "Me", "Cs", "Co", "Cn"}:
        return ""
    if kind in {"Zs", "Pd"}:
        return " " if kind == "Zs" else "-"
    if kind == "Nd":
        return str(unicodedata.decimal(char))
    if unicodedata.decomposition(char).split(" ")[0] in _EXPONENTS:
        return char
    return unicodedata.normalize("NFKC", char)


class _Join(NamedTuple):
    start: int
    end: int
    digits: list[tuple[str, int, int]]  # one digit, and where what it stands for begins and ends


def _apart(text: str) -> Iterator[_Join]:
    """Nine or more single digits with the same separator between them, unless they only count up."""
    for match in _APART.finditer(text):
        digits = [(hit.group(), hit.start(), hit.end()) for hit in re.finditer("[0-9]", match.group())]
        if _tells("".join(digit for digit, _, _ in digits)):
            yield _Join(match.start(), match.end(), [_moved(digit, match.start()) for digit in digits])


def _spelled(text: str) -> Iterator[_Join]:
    """Digits as words, "double four" and "forty-two" among them; a few may stand as digits."""
    if not _in_a_row(text.lower()):
        return
    for match in _SPELLED.finditer(text):
        tokens = list(_TOKEN.finditer(match.group()))
        digits = list(_digits(tokens))
        words = sum(not token.group().isdigit() for token in tokens)
        if words >= _FEWEST_WORDS and _tells("".join(digit for digit, _, _ in digits)):
            yield _Join(match.start(), match.end(), [_moved(digit, match.start()) for digit in digits])


def _in_a_row(lowered: str) -> bool:
    """Whether enough number words follow each other, which is cheaper to see than to match."""
    if sum(lowered.count(word) for word in _OFTEN) < _FEWEST_WORDS:
        return False
    row = 0
    for word in _LETTERS.findall(lowered):
        row = row + 1 if word in _WORDS else 0
        if row == _FEWEST_WORDS:
            return True
    return False


def _digits(tokens: list[re.Match[str]]) -> Iterator[tuple[str, int, int]]:
    """Two digits for "double four", two for "forty two", and 4 and 0 for "forty" before anything else."""
    at = 0
    while at < len(tokens):
        word, begun = tokens[at].group().lower(), tokens[at]
        unit = _unit(tokens[at + 1]) if at + 1 < len(tokens) else ""
        if word in _TIMES:
            shown, taken = unit * _TIMES[word], 2 if unit else 1
        elif word in _TENS:
            shown, taken = _TENS[word] + (unit if unit not in {"", "0"} else "0"), 1 if unit in {"", "0"} else 2
        else:
            shown, taken = _PAIRS.get(word) or _unit(begun), 1
        for digit in shown:
            yield digit, begun.start(), tokens[at + taken - 1].end()
        at += taken


def _unit(token: re.Match[str]) -> str:
    word = token.group().lower()
    return word if word.isdigit() else _UNITS.get(word, "")


def _moved(digit: tuple[str, int, int], by: int) -> tuple[str, int, int]:
    return digit[0], digit[1] + by, digit[2] + by


def _tells(digits: str) -> bool:
    return len(digits) >= 7 and len(set(digits)) > 1 and not digits.startswith(_COUNTING)


def _joined(reading: Reading, joins: list[_Join]) -> Reading:
    signs: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for join in joins:
        if join.start < at:
            continue
        signs.append(reading.text[at : join.start])
        starts.extend(reading.starts[at : join.start])
        ends.extend(reading.ends[at : join.start])
        for digit, start, end in join.digits:
            signs.append(digit)
            starts.append(reading.starts[start])
            ends.append(reading.ends[end - 1])
        at = join.end
    signs.append(reading.text[at:])
    return Reading("".join(signs), [*starts, *reading.starts[at:]], [*ends, *reading.ends[at:]])
