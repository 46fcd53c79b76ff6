"""Whether a statement speaks of another time than the question: what was in force before, or will be later."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_DATE = rf"(?P<month>{'|'.join(_MONTHS)})\s(?P<day>\d{{1,2}}),?\s(?P<year>\d{{4}})"
_UNTIL = re.compile(rf"\b(?:until|before|through|to|ended(?: on)?|up to)\s{_DATE}", re.IGNORECASE)
_FROM = re.compile(rf"\b(?:from|starting|beginning|effective|since|as of|on|after)\s{_DATE}", re.IGNORECASE)
_PAST = re.compile(
    r"\b(?:used to|before|previous(?:ly)?|former(?:ly)?|last year|was|were|did|earlier|old|until|history)\b|\b20\d\d\b",
    re.IGNORECASE,
)
_FUTURE = re.compile(
    r"\b(?:next year|will|going to|soon|upcoming|new|future|change[sd]?|changing|from|after)\b|\b20\d\d\b",
    re.IGNORECASE,
)
_THEN = re.compile(
    r"\b(?:(?P<side>in|before|until|prior to|after|since)\s)?"
    rf"(?:(?P<month>{'|'.join(_MONTHS)})\b(?:\s\d{{1,2}}\b)?,?\s?)?"
    r"(?P<year>(?<![$\d.,-])(?:19|20)\d\d\b(?!\s?(?:dollars|bucks|%))|(?:last|next)\syear\b)?",
    re.IGNORECASE,
)
_WAS = re.compile(r"\b(?:was|were|did|used to|had)\b", re.IGNORECASE)
_WILL = re.compile(r"\b(?:will|going to|gonna|won't|shall)\b|\w'll\b", re.IGNORECASE)
_IS = re.compile(r"\b(?:is|are|am|do|does|can|could|may|must|should|have|has|now|today|still)\b|'s\b", re.IGNORECASE)
_ASKED = re.compile(r"[^.?!]+(?:\?|[.!]?\s*$)")


@dataclass(frozen=True)
class Period:
    """The days that a question asks about, both ends included."""

    first: date
    last: date


def asked(question: str, today: date) -> Period | None:
    """The time other than today that a question asks about ("last year", "in March 2026"), None where it is today."""
    for sentence in _ASKED.findall(question):
        past, future = bool(_WAS.search(sentence)), bool(_WILL.search(sentence))
        for found in _THEN.finditer(sentence):
            period = _period(found, today, past=past)
            if period is None or period.first <= today <= period.last:
                continue
            over = period.last < today
            if (past if over else future) or not (past or future or _IS.search(sentence)):
                return period
    return None


def timeless(question: str) -> str:
    """The question without its months and years, for those are held against dates and not against words."""
    return re.sub(r"\s+", " ", _THEN.sub(lambda found: " " if found["month"] or found["year"] else found[0], question))


def covers(text: str, effective: str, period: Period, today: date) -> bool:
    """Whether a statement holds for a period: it is dated so, or its source (ISO date or empty) was in force then."""
    ends = [day for found in _UNTIL.finditer(text) if (day := _date(found))]
    begins = [day for found in _FROM.finditer(text) if (day := _date(found))]
    if period.first > today:
        return any(today < day <= period.first for day in begins) or str(period.first.year) in text
    if ends or begins:
        return all(day >= period.last for day in ends) and all(day <= period.first for day in begins)
    if str(period.first.year) in text:
        return True
    return bool(effective) and effective <= period.first.isoformat()


def _period(found: re.Match[str], today: date, *, past: bool) -> Period | None:
    """The days of a month or year, or the day before or after it; None where neither is said."""
    month, side = (found["month"] or "").lower(), (found["side"] or "").lower()
    if not found["year"] and not (month and side):
        return None
    place = _MONTHS.index(month) + 1 if month else 1
    first = date(_year(found["year"] or "", today, latest=past and place > today.month), place, 1)
    after = date(first.year + (not month or month == "december"), place % 12 + 1 if month else 1, 1)
    if side in {"before", "until", "prior to"}:
        return Period(first - timedelta(days=1), first - timedelta(days=1))
    return Period(after, after) if side == "after" else Period(first, after - timedelta(days=1))


def _year(said: str, today: date, *, latest: bool) -> int:
    """The year that is said; where none is, this one, or the one before for a month that is yet to come."""
    if said.isdigit():
        return int(said)
    return today.year + (1 if said.lower().startswith("next") else -1 if said or latest else 0)


def elsewhere(text: str, question: str, today: date) -> bool:
    """Whether the statement is about a time that is over, or not yet begun, and the question does not ask for it."""
    over = any((day := _date(found)) and day < today for found in _UNTIL.finditer(text))
    later = any((day := _date(found)) and day > today for found in _FROM.finditer(text))
    return (over and not _PAST.search(question)) or (later and not _FUTURE.search(question))


def _date(found: re.Match[str]) -> date | None:
    try:
        return date(int(found["year"]), _MONTHS.index(found["month"].lower()) + 1, int(found["day"]))
    except ValueError:
        return None
