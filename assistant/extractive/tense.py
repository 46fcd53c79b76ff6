"""Whether a statement speaks of another time than the question: what was in force before, or will be later."""

import re
from datetime import date

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
