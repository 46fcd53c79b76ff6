"""Stretches of time as customers write them, turned into dates."""

import re
from calendar import monthrange
from datetime import date, timedelta

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_YEAR = r"(?:,?\s\d{4})?"
_DAY = (
    r"(?:\d{4}-\d\d-\d\d|\d{1,2}/\d{1,2}(?:/(?:\d{4}|\d\d))?"
    rf"|(?:the\s)?\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH}{_YEAR}"
    rf"|{_MONTH}(?:\s(?:the\s)?\d{{1,2}}(?:st|nd|rd|th)?\b)?{_YEAR}|(?:last\s)?(?:{'|'.join(_WEEKDAYS)}))"
)
_COUNT = rf"(?:\d{{1,3}}|an?|couple of|few|{'|'.join(_NUMBERS)})"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_BETWEEN = _pattern(rf"\b(?:between|from)\s(?P<a>{_DAY})\s(?:and|to|until|till|through|[-–])\s(?P<b>{_DAY})")
_SINCE = _pattern(rf"\b(?:since|after|from|starting)\s(?P<a>{_DAY}|yesterday|last month|last week)")
_UNTIL = _pattern(rf"\b(?P<how>until|till|before|up to|by)\s(?P<b>{_DAY})")
_ON = _pattern(rf"\b(?:in|on|during|of|for|this|last|my|the)\s(?P<a>{_DAY})")
_BACK = _pattern(rf"\b(?:last|past|previous)\s(?P<n>{_COUNT})\s(?P<unit>day|week|month|year)s?\b")
_NAMED = _pattern(r"\b(?:(?:this|last|past|previous)\s(?:week|month|year|weekend|quarter)|today|yesterday)\b")

EVERY = (_BETWEEN, _SINCE, _UNTIL, _BACK, _NAMED, _ON)
"""What names a time; used to tell it from the name of a shop."""

Span = tuple[date | None, date | None]


def read(text: str, today: date) -> Span:
    """First and last day that the text names, each None where it names none."""
    if found := _BETWEEN.search(text):
        return _dates(found["a"], today)[0], _dates(found["b"], today)[1]
    if found := _BACK.search(text):
        return _before(today, _number(found["n"]), found["unit"].lower()), today
    since, until = _SINCE.search(text), _UNTIL.search(text)
    if since or until:
        return _first(since, today), _last(until, today)
    if found := _NAMED.search(text):
        return _named(found[0].lower(), today)
    found = _ON.search(text)
    return _dates(found["a"], today) if found else (None, None)


def _first(since: re.Match[str] | None, today: date) -> date | None:
    if since is None:
        return None
    return (_named(since["a"].lower(), today) if _NAMED.fullmatch(since["a"]) else _dates(since["a"], today))[0]


def _last(until: re.Match[str] | None, today: date) -> date | None:
    day = _dates(until["b"], today)[0] if until else None
    return day - timedelta(days=1) if day and until and until["how"].lower() == "before" else day


def _named(text: str, today: date) -> Span:
    if text in {"today", "yesterday"}:
        day = today if text == "today" else today - timedelta(days=1)
        return day, day
    which, unit = text.split()
    if unit.startswith("week"):
        monday = today - timedelta(days=today.weekday())
        if which == "this":
            return monday, today
        return monday - timedelta(days=2 if unit == "weekend" else 7), monday - timedelta(days=1)
    size = {"month": 1, "quarter": 3, "year": 12}[unit]
    first = date(today.year, (today.month - 1) // size * size + 1, 1)
    return (first, today) if which == "this" else (_months_before(first, size), first - timedelta(days=1))


def _before(today: date, count: int, unit: str) -> date:
    if unit in {"month", "year"}:
        return _months_before(today, count * (12 if unit == "year" else 1))
    return today - timedelta(days=count * (7 if unit == "week" else 1))


def _months_before(day: date, count: int) -> date:
    years, month = divmod(day.year * 12 + day.month - 1 - count, 12)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def _number(text: str) -> int:
    plain = text.lower()
    if plain in _NUMBERS:
        return _NUMBERS.index(plain)
    return int(plain) if plain.isdigit() else {"a": 1, "an": 1, "couple of": 2}.get(plain, 3)


def _dates(text: str, today: date) -> Span:
    """First and last day of a day or a month; without a year, the latest that is not to come."""
    if (weekday := text.lower().removeprefix("last ")) in _WEEKDAYS:
        latest = today - timedelta(days=(today.weekday() - _WEEKDAYS.index(weekday)) % 7)
        return latest, latest
    numbers = [int(part) for part in re.findall(r"\d+", text)]
    name = re.search(_MONTH, text, re.IGNORECASE)
    try:
        if name is None:
            return _written(text, numbers, today)
        month = next(n for n, full in enumerate(_MONTHS, 1) if full.startswith(name[0].lower()[:3]))
        year = next((number for number in numbers if number > 31), None)
        day = next((number for number in numbers if number <= 31), None)
        start = _day(today, month, day or 1, year)
        return start, start if day else start.replace(day=monthrange(start.year, month)[1])
    except ValueError:  # the thirty-first of a shorter month
        return None, None


def _written(text: str, numbers: list[int], today: date) -> Span:
    """A day in figures: 2026-11-23, 11/23 or 11/23/26."""
    if "-" in text:
        return date.fromisoformat(text), date.fromisoformat(text)
    year = numbers[2] if len(numbers) > 2 else None
    day = _day(today, numbers[0], numbers[1], 2000 + year if year is not None and year < 100 else year)
    return day, day


def _day(today: date, month: int, day: int, year: int | None) -> date:
    found = date(year or today.year, month, day)
    return found if year or found <= today else found.replace(year=today.year - 1)
