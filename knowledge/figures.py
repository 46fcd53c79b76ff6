"""Figures in a text, with their units: amounts, percentages, periods, counts, times of day and dates."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from knowledge.wording import vocabulary

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_NUMBER = r"\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,8})?|\d{1,15}(?:\.\d{1,8})?"
_SPELT = """one 1 two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 ten 10 eleven 11 twelve 12 fifteen 15
twenty 20 thirty 30 sixty 60 ninety 90 second 2 third 3 fourth 4 fifth 5 sixth 6 seventh 7 eighth 8 ninth 9 tenth 10"""
_WORDS = {word: int(number) for word, number in re.findall(r"([a-z]+) (\d+)", _SPELT)}
_PERIOD = r"(?:days?|weeks?|months?|years?|hours?|minutes?|quarters?|billing[ ]cycles?)\b"
_WORKING = r"(?:(?:full|complete|business|banking|working|calendar)[ -]){1,2}"
_FIGURE = re.compile(
    rf"""
    (?P<date>\b(?:{_MONTHS})\ (?:\d{{1,2}}(?:,\ \d{{4}})?|\d{{4}})\b
      |\b\d{{4}}-\d\d-\d\d\b|\b\d{{1,2}}\ (?:{_MONTHS})\ \d{{4}}\b)
    |(?P<phone>\b(?:1-)?\d{{3}}-\d{{3}}-\d{{4}}\b)
    |(?P<time>\b\d{{1,2}}(?::\d\d)?\ ?[ap]\.?m\b\.?)
    |(?:US)?(?P<sign>[$€£])\ ?(?P<amount>{_NUMBER})(?P<scale>\ (?:thousand|million|billion)\b)?
    |(?<![\w./§])(?<![A-Za-z]-)(?:(?P<number>{_NUMBER})|(?P<word>\b(?:{"|".join(_WORDS)})\b(?=[ -])))
      (?:\ ?(?P<percent>%|percent\b|per\ cent\b)
        |\ (?P<points>percentage|basis)\ points?\b
        |(?:(?:st|nd|rd|th)\b)?[ -](?P<working>{_WORKING})?(?P<period>{_PERIOD})
        |\ (?P<currency>US\ dollars|dollars|USD|cents)\b
        |(?![\w/]|[.,]\d|\ (?:CFR|C\.F\.R|U\.?S\.?C)\b))
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CITED = vocabulary(
    "section sections part parts cfr u.s.c. u.s.c usc form forms paragraph paragraphs appendix chapter no. number"
    " check route box regulation age aged"
)
_MOST = """up to|at most|no more than|not more than|maximum of|as much as|not exceed|not exceeding|never exceed
never exceeds|within|no later than|less than|under|below"""
_LEAST = """at least|no less than|not less than|minimum of|start at|starts at|starting at|from|more than|over|above
exceed|exceeds"""
_ABOUT = "about|approximately|around|usually|commonly|often|typically|roughly"
_BOUNDS = {
    words: bound
    for bound, listed in (("max", _MOST), ("min", _LEAST), ("about", _ABOUT))
    for words in re.split(r"[|\n]", listed)
}
_FILLERS = (["the", "first"], ["the"], ["an"], ["a"])
_AFTER = re.compile(r" or (?:(?P<min>more|higher|above|greater|older|longer)|(?P<max>less|below|lower|fewer))\b")
_HINT = re.compile(r"\d| (?:day|week|month|year|hour|minute|quarter|cycle)")
_LOOK = 32
_SCALES = {"": 1, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_LONGER = {"week": ("day", 7), "year": ("month", 12)}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure at `start`:`end` of a text. `value` is canonical: "15", a range "5..7", "16:00" for 4 p.m.

    `unit` is $, €, £, %, point, day, business day, month, hour, minute, quarter, cycle, time, date, phone or,
    for a bare number, count. `bound` is max ("up to"), min ("at least"), about, or empty.
    """

    unit: str
    value: str
    bound: str
    start: int
    end: int


def found(text: str) -> tuple[Figure, ...]:
    """The figures of a text in order, ranges joined. Numbers of sections, forms and parts of law are left out."""
    figures: list[Figure] = []
    if not _HINT.search(text):
        return ()
    for figure in _each(text):
        before = figures[-1] if figures else None
        if before and _makes_range(text, before, figure):
            unit = figure.unit if before.unit == "count" else before.unit
            first, last = _same_scale(text, before, figure)
            bound = _bound(before.bound, text, figure.end)
            figures[-1] = Figure(unit, f"{first}..{last}", bound, before.start, figure.end)
        else:
            figures.append(figure)
    return tuple(figures)


def _each(text: str) -> Iterator[Figure]:
    for match in _FIGURE.finditer(text):
        if match.lastgroup == "word":
            continue
        words = text[max(0, match.start() - _LOOK) : match.start()].lower().split()
        if match.lastgroup == "number" and _is_name(text, match, words):
            continue
        unit, value = _read(match)
        yield Figure(unit, value, _bound(_stated(words), text, match.end()), match.start(), match.end())


def _is_name(text: str, match: re.Match[str], words: list[str]) -> bool:
    """Whether a bare number names a section, a form or a paragraph."""
    if words and (words[-1] in _CITED or words[-1].endswith("§")):
        return True
    return match.start() > 0 and text[match.start() - 1] == "(" and text[match.end() : match.end() + 1] == ")"


def _read(match: re.Match[str]) -> tuple[str, str]:
    """Unit and value of one figure."""
    named = "date" if match["date"] else "phone" if match["phone"] else ""
    if named:
        return named, " ".join(match[named].lower().split())
    if match["time"]:
        return "time", _clock(match["time"])
    if match["sign"]:
        scale = _SCALES[(match["scale"] or "").strip().lower()]
        return match["sign"], _plain(_decimal(match["amount"]) * scale)
    return _counted(match, _decimal(match["number"]) if match["number"] else Decimal(_WORDS[match["word"].lower()]))


def _counted(match: re.Match[str], number: Decimal) -> tuple[str, str]:
    """A number by the unit that follows it."""
    if match["percent"]:
        return "%", _plain(number)
    if match["points"]:
        return "point", _plain(number / 100 if match["points"].lower() == "basis" else number)
    if match["currency"]:
        return "$", _plain(number / 100 if match["currency"].lower() == "cents" else number)
    if match["period"]:
        return _lasting(number, match["period"].lower().removesuffix("s"), (match["working"] or "").lower())
    return "count", _plain(number)


def _lasting(number: Decimal, period: str, working: str) -> tuple[str, str]:
    period = "cycle" if period.startswith("billing") else period
    if any(word in working for word in ("business", "banking", "working")):
        return f"business {period}", _plain(number)
    unit, times = _LONGER.get(period, (period, 1))
    return unit, _plain(number * times)


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _clock(text: str) -> str:
    digits = re.findall(r"\d+", text)
    hour = int(digits[0]) % 12 + (12 if "p" in text.lower() else 0)
    return f"{hour:02}:{digits[1] if len(digits) > 1 else '00'}"


def _makes_range(text: str, first: Figure, last: Figure) -> bool:
    between = text[first.end : last.start] if last.start - first.end <= len(" through ") else ","
    if between == " and ":
        joined = text[max(0, first.start - 9) : first.start].lower().endswith("between ")
    else:
        joined = between in (" to ", "–", "—", "-", " – ", " - ", " through ")
    alike = last.unit == first.unit or first.unit == "count"
    return joined and alike and last.unit not in ("phone", "date") and ".." not in first.value


def _same_scale(text: str, first: Figure, last: Figure) -> tuple[str, str]:
    """Both ends in the unit of the range: the 1 of "1 to 2 years" counts years too."""
    if first.unit != "count":
        return first.value, last.value
    period = re.search(r"week|year", text[last.start : last.end])
    times = _LONGER[period[0]][1] if period and last.unit in ("day", "month") else 1
    return _plain(Decimal(first.value) * times), last.value


def _stated(words: list[str]) -> str:
    """The bound that the words before a figure state."""
    for filler in _FILLERS:
        if words[-len(filler) :] == filler:
            words = words[: -len(filler)]
            break
    for size in (1, 2, 3):
        bound = _BOUNDS.get(" ".join(words[-size:]))
        if bound:
            return bound
    return ""


def _bound(stated: str, text: str, end: int) -> str:
    if stated:
        return stated
    after = _AFTER.match(text, end)
    return (after.lastgroup or "") if after else ""
