"""Figures of a text with their units, so that "$1,500" and "fifteen hundred dollars" are the same and 3% and $3 not."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from opsplane.guardrails import numerals
from opsplane.guardrails.wording import words

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SCALE = {"k": 1_000, "thousand": 1_000, "m": 1_000_000, "million": 1_000_000, "billion": 1_000_000_000}
_SHORT = {"sec": "second", "min": "minute", "hr": "hour", "h": "hour", "wk": "week", "yr": "year", "mo": "month"}
_LASTING = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_COUNTED_IN_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_CURRENCIES = (
    ("C$", r"C\$|CA\$|CAD"),
    ("€", r"€|EUR|euros?"),
    ("£", r"£|GBP|pounds?"),
    ("¥", r"¥|JPY|yen"),
    ("MX$", r"MX\$|MXN|pesos?"),
)
MONEY = frozenset({"$", *(sign for sign, _ in _CURRENCIES)})

_NUMBER = r"[0-9]{1,3}(?:,[0-9]{3}){1,6}(?:\.[0-9]{1,9})?|[0-9]{1,20}(?:\.[0-9]{1,9})?|\.[0-9]{1,9}"
_MONTH = (
    r"(?-i:(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?)"
)
_FIGURE = re.compile(
    rf"""
    (?=[0-9$.€£¥~]|\b[a-z])(?:
    \b(?P<iso>[0-9]{{4}}-[0-9]{{2}}(?:-[0-9]{{2}})?)\b
    | \b(?P<us>[0-9]{{1,2}}/[0-9]{{1,2}}/(?:[0-9]{{4}}|[0-9]{{2}}))\b
    | \b(?P<mdy>{_MONTH}\s(?:(?:the\s)?[0-9]{{1,2}}(?:st|nd|rd|th)?\b(?![:.]?[0-9%])(?:,?\s[0-9]{{4}}\b)?|[0-9]{{4}}\b))
    | \b(?P<dmy>[0-9]{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH}(?:,?\s[0-9]{{4}}\b)?)
    | \b(?P<time>[0-9]{{1,2}}(?::[0-9]{{2}})?\s?[ap]\.?m\b\.?|[0-9]{{1,2}}:[0-9]{{2}}|noon|midnight)
    | (?P<money>(?:(?:US|CA?|MX)\s?)?[$€£¥]\s?(?:{_NUMBER})(?:\s?(?:k|m|thousand|million|billion)\b)?
        |\b(?:EUR|GBP|USD|CAD|JPY|MXN)\s(?:{_NUMBER})
        |(?<![\w.])(?:{_NUMBER})(?:\s(?:thousand|million|billion))?\s?
            (?:(?:dollars?|bucks|USD|euros?|EUR|GBP|pounds?|CAD|yen|JPY|pesos?|MXN)\b|€|£)
        |(?<![\w.])(?:{_NUMBER})\s?cents?\b)
    | (?<![\w.])(?P<points>(?:{_NUMBER})[\s-]?(?:(?:of\s)?(?:an?\s)?percentage[\s-]points?|basis[\s-]points?|bps)\b)
    | (?<![\w.])(?P<percent>(?:{_NUMBER})[\s-]?(?:%|percent\b(?!age)|per\scent\b))
    | (?<![\w.])(?P<span>(?:{_NUMBER})[\s-]?
        (?:(?:business|banking|working|calendar|full|consecutive)[\s-])?(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|h|days?|weeks?|wk|months?|mos?|years?|yrs?|quarters?|
        (?:billing\s|statement\s)?(?:cycles?|periods?))\b)
    | \b(?P<ordinal>[0-9]{{1,3}}(?:st|nd|rd|th)\b)
    | (?<![\w.$])(?P<code>[0-9]{{1,6}}[a-z][\w]{{0,12}}|[a-z]{{1,12}}[0-9]\w{{0,16}})\b
    | (?<![\w.])(?P<plain>(?:{_NUMBER})(?:\s(?:thousand|million|billion)\b)?))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_DIGIT = re.compile("[0-9½]")
_NAMED = numerals.NAMES | {"noon", "midnight"}
_RANGE = re.compile(r"\s?(?:-|–|—|/|,|to|and|or|through|, or|, and)\s?(?:the\s)?", re.IGNORECASE)
_LABEL_AFTER = re.compile(
    r"[\s*|]{0,3}(?:variable |fixed |intro |introductory )?(APY|APR|annual percentage (?:yield|rate))\b", re.IGNORECASE
)
_LABEL_BEFORE = re.compile(r"\b(APY|APR)(?: of| is|:)?(?: up to| from)?\s*$", re.IGNORECASE)
_ZONE = re.compile(r"\s?\(?(?:(Eastern|Central|Mountain|Pacific)\b|([ECMP])[SD]?T\b)")
_MEASURED = frozenset({*MONEY, "%", "points", "date", "time", "code"})
_MOMENT = frozenset({"date", "time", "th"})
_LINK = r"(?:(?:a|an|the)\s)?(?:total\sof\s|combined\s)?(?:US\s)?\Z"
_AT_MOST = re.compile(
    rf"\b(?:up to|at (?:the )?most|(?:no|not) (?:more|later|longer|greater|higher|older) than|maximum(?: of)?|within|"
    rf"(?<!no )(?<!not )(?:less|fewer|lower|smaller|earlier|sooner) than|below|under|"
    rf"not exceed(?:ing)?|capped at) {_LINK}",
    re.IGNORECASE,
)
_AT_LEAST = re.compile(
    rf"\b(?:at (?:the (?:very )?)?least|(?:no|not) (?:less|fewer|earlier|lower|sooner) than|minimum(?: of)?|"
    rf"(?<!no )(?<!not )(?:more|greater|longer|higher|older|later) than|above|exceed(?:s|ing)?|starting (?:at|from)|"
    rf"upwards of) {_LINK}",
    re.IGNORECASE,
)
_MOMENT_MOST = re.compile(r"\b(?:before|until|till|by|prior to) (?:the )?\Z", re.IGNORECASE)
_MOMENT_LEAST = re.compile(r"\b(?:after|since|from|as of|starting|beginning)(?: on)? (?:the )?\Z", re.IGNORECASE)
_OVER = re.compile(rf"\b(?:over|from) {_LINK}", re.IGNORECASE)
_OR_LESS = re.compile(
    r"\s?\)?\s(?:or (?:less|fewer|under|below|lower|earlier|sooner|younger)|(?:at (?:the )?most|maximum|max)\b)",
    re.IGNORECASE,
)
_OR_MORE = re.compile(
    r"\+|\s(?:or|and) (?:more|over|above|higher|later|older|longer|up)\b|\s(?:at least|minimum)\b", re.IGNORECASE
)
_ABOUT = re.compile(
    rf"(?:\b(?:about|around|roughly|approximately|approx\.?|nearly|almost|close to|some|circa|just (?:over|under)|"
    rf"a (?:little|bit) (?:over|under|more than|less than)) (?:the )?|~\s?){_LINK}",
    re.IGNORECASE,
)
_CLOSE = Decimal("0.05")
"""How far, of itself, a figure may lie from what an "about" says of it."""


@dataclass(frozen=True)
class Figure:
    """One figure: its value in canonical writing, the units it may carry, its label and how it was written.

    `label` is "APY" or "APR" of a rate, "ET" and the like of a time; `bound` is "<" for at most, up to or before, ">"
    for at least, over or after, "~" for about, and empty where the figure is said to be just that.
    """

    value: str
    units: frozenset[str]
    text: str
    label: str = ""
    number: Decimal | None = None
    bound: str = ""


def read(text: str) -> list[Figure]:
    """Every figure in order; a range ("5–7 business days") gives its unit to both ends."""
    return list(_read(text))


@lru_cache(maxsize=8192)
def _read(text: str) -> tuple[Figure, ...]:
    return tuple(figure for figure, _, _ in _places(text)[1])


def places(text: str) -> tuple[str, list[tuple[Figure, int, int]]]:
    """The text with numbers in digits, and every figure with its start and end in that text."""
    written, found = _places(text)
    return written, list(found)


@lru_cache(maxsize=8192)
def _places(text: str) -> tuple[str, tuple[tuple[Figure, int, int], ...]]:
    if not _DIGIT.search(text) and _NAMED.isdisjoint(words(text)):
        return text, ()
    written, spelled = numerals.digits(text)
    matches = list(_FIGURE.finditer(written))
    found = [_figure(match, written) for match in matches]
    for left in range(len(found) - 2, -1, -1):
        between = written[matches[left].end() : matches[left + 1].start()]
        if len(between) <= 8 and _RANGE.fullmatch(between):
            found[left], found[left + 1] = _share(found[left], found[left + 1])
    for start, end, said in spelled:
        for number, match in enumerate(matches):
            if match.start() <= start < match.end():
                found[number] = replace(found[number], text=said + written[end : match.end()])
    return written, tuple((figure, match.start(), match.end()) for figure, match in zip(found, matches, strict=True))


def required(text: str) -> list[Figure]:
    """The figures of a sentence that evidence must hold: not "one" as a pronoun."""
    figures = dict.fromkeys(read(text))
    return [figure for figure in figures if figure.units != {""} or figure.text.lower() not in {"one", "zero"}]


def without(text: str) -> str:
    """The text with its figures and their units left out."""
    return _FIGURE.sub(" ", numerals.digits(text)[0])


def holds(figure: Figure, others: Sequence[Figure], text: str) -> bool:
    """Whether a source with these figures and this text (in lower case) states the figure, whatever bounds it."""
    return any(_same(figure, other, text) for other in others) or _in_order(figure, text)


def opposed(figure: Figure, other: Figure) -> bool:
    """Whether one says at most and the other at least."""
    return {figure.bound, other.bound} == {"<", ">"}


def alike(figure: Figure, other: Figure) -> bool:
    """Whether both measure the same: another value of one would be a contradiction of the other."""
    return bool(_families(figure) & _families(other))


def _families(figure: Figure) -> frozenset[str]:
    """The units, all spans of time as one; none for bare numbers and codes."""
    spans = _LASTING.keys() | _COUNTED_IN_MONTHS.keys()
    found = {"span" if unit.removeprefix("business ") in spans else unit for unit in figure.units}
    return frozenset(found - {"", "code"})


_ORDER_WORDS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_ORDER = _ORDER_WORDS.split()


def _in_order(figure: Figure, text: str) -> bool:
    """ "2nd" where the source writes "second"."""
    if figure.units != {"th"} or figure.number is None or figure.number > len(_ORDER):
        return False
    return _ORDER[int(figure.number) - 1] in text


def _same(figure: Figure, other: Figure, text: str) -> bool:
    if "date" in figure.units and "date" in other.units:
        pairs = zip(figure.value.split("-"), other.value.split("-"), strict=True)
        return all(not want or want == have for want, have in pairs)
    if "date" in other.units and figure.units == {""}:
        return figure.value == other.value.split("-")[0]
    if not _equal(figure, other) or (figure.label and other.label and figure.label != other.label):
        return False
    if figure.label and not other.label and not _labelled(figure.label, text):
        return False
    if figure.units & other.units or _converted(figure, other):
        return True
    if "" in other.units:  # a table names the unit in its head
        return any(unit and unit not in _MEASURED and unit.split()[-1] in text for unit in figure.units)
    return "" in figure.units and not other.units & _MEASURED


def _equal(figure: Figure, other: Figure) -> bool:
    if figure.value == other.value:
        return True
    if figure.number is None or other.number is None:
        return False
    if "~" in figure.bound and figure.units & other.units:
        return near(figure.number, other.number)
    return _converted(figure, other)


def near(said: Decimal, exact: Decimal) -> bool:
    """Whether "about `said`" may be told of `exact`: a rounding of it, or at most a twentieth away."""
    if exact == 0 or said == 0:
        return said == exact
    return abs(said - exact) <= _CLOSE * abs(exact)


def rounded(figure: Figure, exact: Decimal) -> bool:
    """Whether the figure is the value, rounded to as many decimal places as the figure has."""
    if figure.number is None:
        return False
    if figure.bound == "~":
        return near(figure.number, exact)
    written = re.search(r"\.([0-9]+)", figure.text)
    decimals = len(written.group(1)) if written else 0
    if not decimals:
        return figure.number == exact
    return figure.number == exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def _converted(figure: Figure, other: Figure) -> bool:
    """The same span of time in another unit: a year and twelve months, a week and seven days."""
    if figure.number is None or other.number is None:
        return False
    for table in (_LASTING, _COUNTED_IN_MONTHS):
        for unit in figure.units & table.keys():
            if any(
                figure.number * table[unit] == other.number * table[theirs] for theirs in other.units & table.keys()
            ):
                return True
    return False


def _labelled(label: str, text: str) -> bool:
    if label in {"ET", "CT", "MT", "PT"}:
        name = {"ET": "eastern", "CT": "central", "MT": "mountain", "PT": "pacific"}[label]
        return re.search(rf"\b(?:{name}|{label[0].lower()}[sd]?t)\b", text) is not None
    return label.lower() in text


def _figure(match: re.Match[str], text: str) -> Figure:
    kind, written = match.lastgroup or "", match.group()
    if kind in {"iso", "us", "mdy", "dmy"}:
        return Figure(_date(written, kind), frozenset({"date"}), written, bound=_bound(match, text, "date"))
    if kind == "time":
        return Figure(
            _time(written), frozenset({"time"}), written, _zone(match, text), bound=_bound(match, text, "time")
        )
    if kind == "code":
        return Figure(written.lower(), frozenset({"code"}), written)
    number = _number(written)
    units = frozenset({_unit(kind, written)})
    if kind == "points" and re.search(r"basis|bps", written, re.IGNORECASE):
        number /= 100
        units = frozenset({"points", "%"})
    label = _label(text, match) if kind == "percent" else ""
    return Figure(_canonical(number), units, written, label, number, _bound(match, text, min(units)))


def _unit(kind: str, written: str) -> str:
    if kind == "span":
        return _span_unit(written)
    if kind == "money":
        named = (sign for sign, names in _CURRENCIES if re.search(rf"(?:{names})(?![a-z])", written, re.IGNORECASE))
        return next(named, "$")
    return {"points": "points", "percent": "%", "ordinal": "th"}.get(kind, "")


def _bound(match: re.Match[str], text: str, unit: str) -> str:
    before = text[max(0, match.start() - 32) : match.start()]
    after = text[match.end() : match.end() + 24]
    if _ABOUT.search(before):
        return "~"
    if _AT_MOST.search(before) or _OR_LESS.match(after):
        return "<"
    if _AT_LEAST.search(before) or _OR_MORE.match(after):
        return ">"
    if unit in _MOMENT:
        return "<" if _MOMENT_MOST.search(before) else ">" if _MOMENT_LEAST.search(before) else ""
    return ">" if unit in {*MONEY, "%", ""} and _OVER.search(before) else ""


def _share(left: Figure, right: Figure) -> tuple[Figure, Figure]:
    """Units across a range or list: "5–7 days" to the left, "$5–7" to the right."""
    if left.units == {""} and left.number is not None and right.number is not None:
        left = replace(left, units=left.units | right.units, label=right.label)
    elif right.units == {""} and left.units & MONEY:
        right = replace(right, units=right.units | left.units, label=left.label)
    return left, right


def _number(written: str) -> Decimal:
    found = re.search(_NUMBER, written)
    if found is None:
        return Decimal(0)
    number = Decimal(found.group().replace(",", ""))
    rest = written[found.end() :].strip().lower()
    if rest.startswith("cent"):
        return number / 100
    return number * _SCALE.get(rest.split(" ")[0], 1)


def _canonical(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _span_unit(written: str) -> str:
    parts = re.findall(r"[a-z]+", written.lower())
    unit = parts[-1].rstrip("s")
    unit = _SHORT.get(unit, unit)
    business = not {"business", "banking", "working"}.isdisjoint(parts)
    return f"business {unit}" if business else unit


def _label(text: str, match: re.Match[str]) -> str:
    after = _LABEL_AFTER.match(text[match.end() : match.end() + 45])
    before = _LABEL_BEFORE.search(text[max(0, match.start() - 20) : match.start()])
    found = after or before
    if found is None:
        return ""
    name = found.group(1).upper()
    return name if len(name) == 3 else {"D": "APY", "E": "APR"}[name[-1]]


def _zone(match: re.Match[str], text: str) -> str:
    found = _ZONE.match(text[match.end() : match.end() + 12])
    return f"{(found.group(1) or found.group(2))[0]}T" if found else ""


def _time(written: str) -> str:
    lowered = written.lower()
    if lowered in {"noon", "midnight"}:
        return "12:00" if lowered == "noon" else "00:00"
    hour, minute = [*re.findall(r"[0-9]+", lowered), "00"][:2]
    if "p" in lowered or "a" in lowered:
        hour = str(int(hour) % 12 + (12 if "p" in lowered else 0))
    return f"{int(hour):02}:{minute}"


def _date(written: str, kind: str) -> str:
    """year-month-day, an unknown part left empty."""
    if kind == "iso":
        year, month, day = [*written.split("-"), ""][:3]
        return f"{year}-{month}-{day}"
    if kind == "us":
        month, day, year = written.split("/")
        return f"{year if len(year) == 4 else '20' + year}-{int(month):02}-{int(day):02}"
    name = re.search(r"[A-Za-z]{3,}", re.sub(r"\b(?:of|the)\b", "", written))
    month = f"{_MONTHS.index(name.group()[:3].lower()) + 1:02}" if name else ""
    numbers = re.findall(r"[0-9]+", written)
    years = [part for part in numbers if len(part) == 4]
    days = [f"{int(part):02}" for part in numbers if len(part) < 3]
    return f"{years[0] if years else ''}-{month}-{days[0] if days else ''}"
