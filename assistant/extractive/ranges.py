"""Figures that a statement makes a condition of, such as "over 36 months", held against the figure of a question."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

_NUMBER = r"\d[\d,]*(?:\.\d+)?"
_MONEY = r"(?P<money>\$)?"
_UNIT = r"(?:[-\s]?(?P<unit>days?|weeks?|months?|years?)\b)?"
_LOW, _HIGH = rf"(?P<low>{_NUMBER})", rf"(?P<high>{_NUMBER})"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_FIGURE = _pattern(rf"{_MONEY}(?P<low>{_NUMBER}){_UNIT}")
_RANGES = (
    _pattern(rf"{_MONEY}{_LOW}(?:\s?[–-]\s?|\s(?:to|and)\s)\$?{_HIGH}{_UNIT}"),
    _pattern(rf"\b(?:up to|at most|no more than|below|under|less than|within)\s{_MONEY}{_HIGH}{_UNIT}"),
    _pattern(rf"\b(?:over|more than|above|longer than|at least|from)\s{_MONEY}{_LOW}{_UNIT}"),
    _pattern(rf"{_MONEY}{_LOW}{_UNIT}\s(?:and|or)\s(?:more|over|above|longer)"),
)
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 360}


@dataclass(frozen=True)
class Range:
    """From `low` to `high` (None is open) of one measure: dollars, or a length of time in days."""

    measure: str
    low: Decimal | None
    high: Decimal | None

    def holds(self, figure: Decimal) -> bool:
        """Whether the figure lies in it, its ends included."""
        return (self.low is None or figure >= self.low) and (self.high is None or figure <= self.high)


def fit(question: str, statement: str) -> float:
    """1 where a figure of the question lies in a range of the statement, -1 where all lie outside, else 0."""
    verdicts = [
        one.holds(asked.low)
        for asked in _read(question, (_FIGURE,))
        for one in _read(statement, _RANGES)
        if asked.low is not None and one.measure == asked.measure
    ]
    return (1.0 if any(verdicts) else -1.0) if verdicts else 0.0


@lru_cache(maxsize=8_192)
def _read(text: str, patterns: tuple[re.Pattern[str], ...]) -> tuple[Range, ...]:
    """The ranges that patterns find; numbers without a measure are none."""
    found = [_range(match.groupdict()) for pattern in patterns for match in pattern.finditer(text)]
    return tuple(one for one in found if one.measure)


def _range(parts: dict[str, str | None]) -> Range:
    unit = (parts.get("unit") or "").lower().rstrip("s")
    size = _DAYS.get(unit, 1)
    measure = "dollars" if parts.get("money") else "time" if unit else ""
    return Range(measure, _amount(parts.get("low"), size), _amount(parts.get("high"), size))


def _amount(number: str | None, size: int) -> Decimal | None:
    return Decimal(number.replace(",", "")) * size if number else None
