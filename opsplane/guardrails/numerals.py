"""Numbers in words: "twenty-five", "fifteen hundred", "two and a half", "half a percent"."""

import re
from decimal import Decimal

_UNIT_WORDS = "zero one two three four five six seven eight nine"
_TEEN_WORDS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TEN_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_UNITS, _TEENS, _TENS = _UNIT_WORDS.split(), _TEEN_WORDS.split(), _TEN_WORDS.split()
_VALUES = {word: Decimal(value) for value, word in enumerate(_UNITS + _TEENS)}
_VALUES |= {word: Decimal(20 + 10 * place) for place, word in enumerate(_TENS)}
_SCALES = {"hundred": Decimal(100), "thousand": Decimal(1_000), "million": Decimal(1_000_000)}
_PARTS = {"half": Decimal("0.5"), "quarter": Decimal("0.25"), "quarters": Decimal("0.75")}
NAMES = frozenset({*_VALUES, *_SCALES, *_PARTS, "dozen"})
"""The words that a number in words is made of."""

_TENS_ONE = rf"(?:(?:{'|'.join(_TENS)})(?:[\s-](?:{'|'.join(_UNITS[1:])}))?|{'|'.join(_TEENS)}|{'|'.join(_UNITS)})"
_HUNDREDS = rf"(?:{_TENS_ONE}(?:\shundred(?:(?:\sand)?\s{_TENS_ONE}\b)?)?|a\shundred)"
_WHOLE = rf"(?:(?:{_HUNDREDS}|a)\s(?:thousand|million)(?:(?:,|\sand)?\s{_HUNDREDS}\b(?:\sthousand\b)?)?|{_HUNDREDS})"
_AND_PART = r"\sand\s(?:(?:a|one)[\s-](?:half|quarter)|three[\s-]quarters)"
_PART = (
    r"(?:(?:one\s|a\s)?(?:half|quarter)|three[\s-]quarters)(?:\sof)?\s(?:an?|one)\s"
    r"(?=percent|per\scent|percentage|million|hour|year|day|dozen|minute)"
)
_SPELLED = re.compile(
    rf"\b(?:half\sa\sdozen\b|a\sdozen\b|{_PART}|{_WHOLE}(?:{_AND_PART})?\b(?!-(?:first|second|third|[a-z]{{4,6}}th)\b))",
    re.IGNORECASE,
)
_DIGITS_PART = re.compile(r"(?<![\d.,])([0-9]{1,6})\s(?:and\s(?:a|one)\shalf|1/2)\b|(?<![\d.,])([0-9]{0,6})½")


def digits(text: str) -> tuple[str, list[tuple[int, int, str]]]:
    """The text with its numbers in digits, and for each replaced one its new start, new end and words."""
    if NAMES.isdisjoint(re.findall("[a-z]{3,8}", text.lower())) and "½" not in text and "1/2" not in text:
        return text, []
    parts: list[str] = []
    places: list[tuple[int, int, str]] = []
    end = length = 0
    for match in _SPELLED.finditer(text):
        number = f"{value(match.group()).normalize():f}"
        before = text[end : match.start()]
        space = " " if match.group().endswith(" ") else ""  # "half a percent" ends before its unit
        parts += [before, number, space]
        places.append((length + len(before), length + len(before) + len(number), match.group().strip()))
        length += len(before) + len(number) + len(space)
        end = match.end()
    written = "".join([*parts, text[end:]])
    return (written if places else _DIGITS_PART.sub(_and_half, written)), places


def value(words: str) -> Decimal:
    """What the words say: hundreds, thousands and millions multiply, the rest adds up."""
    lowered = words.lower()
    found = re.findall("[a-z]+", lowered)
    if "dozen" in found:
        return Decimal(6 if "half" in found else 12)
    total, current = Decimal(0), Decimal(0)
    for word in found:
        if word in _VALUES and not (word in {"one", "three"} and _counts_parts(lowered, word)):
            current += _VALUES[word]
        elif word == "hundred":
            current = (current or Decimal(1)) * 100
        elif word in _SCALES:
            total, current = total + (current or Decimal(1)) * _SCALES[word], Decimal(0)
        elif word in _PARTS:
            current += _PARTS[word]
    return total + current


def _counts_parts(lowered: str, word: str) -> bool:
    """ "one half", "three quarters", or the "one" of "half of one percent"."""
    return re.search(rf"\b{word}[\s-](?:half|quarters?)\b", lowered) is not None or (
        word == "one" and re.search(r"(?:half|quarters?)(?:\sof)?\sone\b", lowered) is not None
    )


def _and_half(match: re.Match[str]) -> str:
    return f"{match.group(1) or match.group(2) or 0}.5"
