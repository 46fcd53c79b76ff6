"""Figures of a text with their units, so that "$1,500" and "1,500.00 dollars" are the same and 3% and $3 are not."""

import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations, permutations

from opsplane.guardrails.wording import words

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SMALL = "zero one two three four five six seven eight nine ten eleven twelve"
_LARGE = {"fifteen": 15, "twenty": 20, "thirty": 30, "forty-five": 45, "sixty": 60, "ninety": 90, "hundred": 100}
_WORDS = {word: Decimal(value) for value, word in enumerate(_SMALL.split())}
_WORDS |= {word: Decimal(value) for word, value in _LARGE.items()}
_SCALE = {"k": 1_000, "thousand": 1_000, "m": 1_000_000, "million": 1_000_000, "billion": 1_000_000_000}
_SHORT = {"sec": "second", "min": "minute", "hr": "hour", "h": "hour", "wk": "week", "yr": "year", "mo": "month"}

_NUMBER = r"[0-9]{1,3}(?:,[0-9]{3}){1,6}(?:\.[0-9]{1,9})?|[0-9]{1,20}(?:\.[0-9]{1,9})?|\.[0-9]{1,9}"
_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_MONTH = (
    r"(?-i:(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?)"
)
_FIGURE = re.compile(
    rf"""
    (?=[0-9$.]|\b[a-z])(?:
    \b(?P<iso>[0-9]{{4}}-[0-9]{{2}}(?:-[0-9]{{2}})?)\b
    | \b(?P<us>[0-9]{{1,2}}/[0-9]{{1,2}}/(?:[0-9]{{4}}|[0-9]{{2}}))\b
    | \b(?P<mdy>{_MONTH}\s(?:[0-9]{{1,2}}(?:st|nd|rd|th)?\b(?![:.]?[0-9%])(?:,?\s[0-9]{{4}}\b)?|[0-9]{{4}}\b))
    | \b(?P<dmy>[0-9]{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH}(?:,?\s[0-9]{{4}}\b)?)
    | \b(?P<time>[0-9]{{1,2}}(?::[0-9]{{2}})?\s?[ap]\.?m\b\.?|[0-9]{{1,2}}:[0-9]{{2}}|noon|midnight)
    | (?P<money>(?:US\s?)?\$\s?(?:{_NUMBER})(?:\s?(?:k|m|thousand|million|billion)\b)?
        |(?<![\w.])(?:{_NUMBER})\s?(?:dollars?|USD)\b|(?<![\w.])(?:{_NUMBER})\s?cents?\b)
    | (?<![\w.])(?P<points>(?:{_NUMBER})[\s-]?(?:percentage[\s-]points?|basis[\s-]points?|bps)\b)
    | (?<![\w.])(?P<percent>(?:{_NUMBER}|(?:{_WORD})(?=[\s-]))[\s-]?(?:%|percent\b(?!age)|per\scent\b))
    | (?<![\w.])(?P<span>(?:{_NUMBER}|(?:{_WORD})(?=[\s-]))[\s-]?
        (?:(?:business|banking|working|calendar|full|consecutive)[\s-])?(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|h|days?|weeks?|wk|months?|mos?|years?|yrs?|quarters?|
        (?:billing\s|statement\s)?(?:cycles?|periods?))\b)
    | \b(?P<ordinal>[0-9]{{1,3}}(?:st|nd|rd|th)\b)
    | (?<![\w.$])(?P<code>[0-9]{{1,6}}[a-z][\w]{{0,12}}|[a-z]{{1,12}}[0-9]\w{{0,16}})\b
    | (?<![\w.])(?P<plain>{_NUMBER})
    | \b(?P<word>(?:{_WORD})\b))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_DIGIT = re.compile("[0-9]")
_NAMED = frozenset(_WORDS) | {"noon", "midnight"}
_RANGE = re.compile(r"\s?(?:-|–|—|/|,|to|and|or|through|, or|, and)\s?(?:the\s)?", re.IGNORECASE)
_LABEL_AFTER = re.compile(
    r"[\s*|]{0,3}(?:variable |fixed |intro |introductory )?(APY|APR|annual percentage (?:yield|rate))\b", re.IGNORECASE
)
_LABEL_BEFORE = re.compile(r"\b(APY|APR)(?: of| is|:)?(?: up to| from)?\s*$", re.IGNORECASE)
_MEASURED = frozenset({"$", "%", "points", "date", "time", "code"})


@dataclass(frozen=True)
class Figure:
    """One figure: its value in canonical writing, the units it may carry, its rate label and how it was written."""

    value: str
    units: frozenset[str]
    text: str
    label: str = ""  # "APY" or "APR"
    number: Decimal | None = None


def read(text: str) -> list[Figure]:
    """Every figure in order; a range ("5–7 business days") gives its unit to both ends."""
    if not _DIGIT.search(text) and _NAMED.isdisjoint(words(text)):
        return []
    matches = list(_FIGURE.finditer(text))
    found = [_figure(match, text) for match in matches]
    for left in range(len(found) - 2, -1, -1):
        between = text[matches[left].end() : matches[left + 1].start()]
        if len(between) <= 8 and _RANGE.fullmatch(between):
            found[left], found[left + 1] = _share(found[left], found[left + 1])
    return found


def required(text: str) -> list[Figure]:
    """The figures of a sentence that evidence must hold: not "one" as a pronoun."""
    figures = dict.fromkeys(read(text))
    return [figure for figure in figures if figure.units != {""} or figure.text.lower() not in {"one", "zero"}]


def without(text: str) -> str:
    """The text with its figures and their units left out."""
    return _FIGURE.sub(" ", text)


def holds(figure: Figure, others: list[Figure], text: str) -> bool:
    """Whether a source with these figures and this text (in lower case) states the figure."""
    return any(_same(figure, other, text) for other in others)


def derived(figure: Figure, grounded: list[Figure]) -> bool:
    """Whether the figure is the sum, difference, product or share of grounded figures of the same sentence."""
    if figure.number is None or not figure.units & {"$", "%", "points", ""}:
        return False
    known = [other for other in grounded if other.number is not None][:8]
    like = [other.number for other in known if other.number is not None and other.units & figure.units]
    if any(sum(part) == figure.number for size in range(2, len(like) + 1) for part in combinations(like, size)):
        return True
    return any(_result(figure, a, b) for a, b in permutations(known, 2))


def _result(figure: Figure, a: Figure, b: Figure) -> bool:
    """a − b in one unit; a × b and a ÷ b where b is a bare number or a span; b % of a."""
    if a.number is None or b.number is None or not a.units & figure.units:
        return False
    if b.units & figure.units and a.number - b.number == figure.number:
        return True
    if "%" in b.units:
        return a.number * b.number / 100 == figure.number
    if b.units & _MEASURED:
        return False
    return a.number * b.number == figure.number or (b.number != 0 and a.number / b.number == figure.number)


def _same(figure: Figure, other: Figure, text: str) -> bool:
    if "date" in figure.units and "date" in other.units:
        pairs = zip(figure.value.split("-"), other.value.split("-"), strict=True)
        return all(not want or want == have for want, have in pairs)
    if "date" in other.units and figure.units == {""}:
        return figure.value == other.value.split("-")[0]
    if figure.value != other.value or (figure.label and other.label and figure.label != other.label):
        return False
    if figure.label and not other.label and figure.label.lower() not in text:
        return False
    if figure.units & other.units:
        return True
    if "" in other.units:  # a table names the unit in its head
        return any(unit and unit not in _MEASURED and unit.split()[-1] in text for unit in figure.units)
    return "" in figure.units and not other.units & _MEASURED


def _figure(match: re.Match[str], text: str) -> Figure:
    kind, written = match.lastgroup or "", match.group()
    if kind in {"iso", "us", "mdy", "dmy"}:
        return Figure(_date(written, kind), frozenset({"date"}), written)
    if kind == "time":
        return Figure(_time(written), frozenset({"time"}), written)
    if kind == "code":
        return Figure(written.lower(), frozenset({"code"}), written)
    number = _number(written)
    unit = {"money": "$", "points": "points", "percent": "%", "ordinal": "th"}.get(kind, "")
    if kind == "span":
        unit = _span_unit(written)
    if kind == "points" and re.search(r"basis|bps", written, re.IGNORECASE):
        number /= 100
    label = _label(text, match) if kind == "percent" else ""
    return Figure(_canonical(number), frozenset({unit}), written, label, number)


def _share(left: Figure, right: Figure) -> tuple[Figure, Figure]:
    """Units across a range or list: "5–7 days" to the left, "$5–7" to the right."""
    if left.units == {""} and left.number is not None and right.number is not None:
        left = Figure(left.value, left.units | right.units, left.text, right.label, left.number)
    elif right.units == {""} and "$" in left.units:
        right = Figure(right.value, right.units | left.units, right.text, left.label, right.number)
    return left, right


def _number(written: str) -> Decimal:
    found = re.search(_NUMBER, written)
    if found is None:
        word = re.match(_WORD, written, re.IGNORECASE)
        return _WORDS[word.group().lower()] if word else Decimal(0)
    number = Decimal(found.group().replace(",", ""))
    rest = written[found.end() :].strip().lower()
    if rest.startswith("cent"):
        return number / 100
    return number * _SCALE.get(rest, 1)


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
    name = re.search(r"[A-Za-z]{3,}", written.replace("of", ""))
    month = f"{_MONTHS.index(name.group()[:3].lower()) + 1:02}" if name else ""
    numbers = re.findall(r"[0-9]+", written)
    years = [part for part in numbers if len(part) == 4]
    days = [f"{int(part):02}" for part in numbers if len(part) < 3]
    return f"{years[0] if years else ''}-{month}-{days[0] if days else ''}"
