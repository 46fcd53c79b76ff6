"""Figures that no source states because they were worked out: recomputed, accepted when right, refused when wrong."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations, pairwise, permutations
from typing import NamedTuple

from opsplane.guardrails import figures
from opsplane.guardrails.figures import MONEY, Figure

_MOST = 8
"""Operands that are tried; sums of every choice among them are 247."""
_MOST_LISTED = 12
_FIGURES = 40
"""Figures of a sentence whose arithmetic is looked at."""
_MEASURED = frozenset({*MONEY, "%", "points", "date", "time", "code"})
_ADDING = re.compile(
    r"\b(?:together|total(?:s|ing)?|combined|altogether|in all|overall|sum|add(?:s|ed|ing)? (?:up|to)|plus|both)\b|\+",
    re.IGNORECASE,
)
_TAKING = re.compile(
    r"\b(?:difference|more (?:than|expensive|in)|less (?:than|expensive)|cheaper|dearer|higher|lower|greater|"
    r"sav(?:es?|ing)|extra|"
    r"fewer|longer|shorter|larger|smaller|minus|left|remain(?:s|ing)?|increase[ds]?|rose|fell|drop(?:s|ped)?|off)\b|−",
    re.IGNORECASE,
)
_TIMES = re.compile(
    r"\b(?:times|twice|double|triple|each|every|per|a (?:year|month|week|day)|annual(?:ly)?|year(?:ly)?|monthly|"
    r"(?:in|over|for|after) [0-9a-z]+ (?:days?|weeks?|months?|years?))\b|[×]",
    re.IGNORECASE,
)
_SHARING = re.compile(
    r"%|\b(?:per ?cent|share|proportion|fraction|half|third|quarter|ratio|average|split|divided)\b", re.IGNORECASE
)
_FACTORS = {
    "twice": Decimal(2),
    "double": Decimal(2),
    "triple": Decimal(3),
    "three times": Decimal(3),
    "four times": Decimal(4),
    "five times": Decimal(5),
    "ten times": Decimal(10),
    "half": Decimal("0.5"),
    "a quarter": Decimal("0.25"),
}
_FACTOR = re.compile(rf"\b({'|'.join(_FACTORS)})\b", re.IGNORECASE)
_COMPARED = re.compile(
    rf"\b(?:{'|'.join(_FACTORS)})\b(?= (?:as (?:much|high|long|many|expensive)|that of|what|"
    r"the (?:fee|price|cost|rate))\b)",
    re.IGNORECASE,
)
_COUNTS = frozenset(map(Decimal, range(2, 13)))
_IN_A_YEAR = {"month": 12, "week": 52, "quarter": 4}
_PERIOD = re.compile(
    r"\b(?:a|per|each|every|whole|full) (month|week|quarter)\b|\b(month|week|quarter)ly\b", re.IGNORECASE
)
_YEARLY = re.compile(r"\b(?:year|annual)", re.IGNORECASE)

_RESULT = re.compile(r"=|\b(?:that is|which is|or|makes?|equals?|amounts? to|comes? to)\b", re.IGNORECASE)
_EQUALS = re.compile(
    r"[\s,;:(]{0,3}(?:that|which|it|this|they)?[\s,]?(?:=|≈|(?:is|are|equals?|makes?|mean(?:s|ing)|gives?|giving|"
    r"add(?:s|ing)? up to|comes? to|coming to|total(?:s|ing)?|amounts? to|sum(?:s)? to|for a total of|in total|"
    r"a total of|leav(?:es?|ing)|so you (?:pay|owe|have|get|receive)|together|altogether|in all)"
    r"(?: is| are| to| of)?)\s?(?:a total of |together |about |exactly |only )?\Z",
    re.IGNORECASE,
)
_LINKS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "+",
        re.compile(r"(?:\s[a-z-]{2,14}){0,3}\s?(?:\+|plus|added to)\s?(?:a |an |the )?(?:fee of )?\Z", re.IGNORECASE),
    ),
    ("-", re.compile(r"(?:\s[a-z-]{2,14}){0,3}\s?(?:−|- (?=\Z)|minus)\s?(?:a |an |the )?\Z", re.IGNORECASE)),
    ("*", re.compile(r"\s?(?:×|x|\*|times|multiplied by)\s?\Z", re.IGNORECASE)),
    ("/", re.compile(r"\s?(?:÷|divided by)\s?\Z", re.IGNORECASE)),
    ("of", re.compile(r"\s(?:[a-z-]{2,14} ){0,3}(?:of|at|for|costing) (?:the |a |your )?\Z", re.IGNORECASE)),
)
_AND = re.compile(r"[\w\s-]{0,40}?,? and (?:[\w-]{1,14} ){0,3}\Z", re.IGNORECASE)
_SUMMED = re.compile(r"\b(?:add(?:s|ing)? up to|together|total(?:s|ing)?|altogether|in all|sum)\b", re.IGNORECASE)
_MULTIPLE = re.compile(
    r"\W{0,3}(?:is |are |costs? |or |which is )?(?:exactly )?(twice|double|triple|half)"
    r" (?:of )?(?:as much as )?(?:the |a |your )?(?:[a-z-]{2,14} ){0,4}(?:of )?\Z",
    re.IGNORECASE,
)
_BETWEEN = 50
"""Characters between two figures of one calculation at most."""
_COMMA = re.compile(r",? (?:which is |or |that is |is )?(?:exactly )?", re.IGNORECASE)
_TIMES_THE = re.compile(r" times (?:as much as )?(?:the |a |your )?(?:[a-z-]{2,14} ){0,4}(?:of )?\Z", re.IGNORECASE)
_ITEM = re.compile(r"\s*(?:[-*•]|[0-9]{1,2}[.)])\s")
_ENUMERATED = re.compile(
    r"(?:[^,;:.()]{2,60}, ){1,10}[^,;:.()]{2,60},? (?:and|or) [^,;:.()]{2,60}|[^,;:.()]{2,60} and [^,;:.()]{2,60}"
)


class Shown(NamedTuple):
    """Arithmetic that a sentence spells out: its operands and result as written, and whether it comes out."""

    result: Figure
    right: bool
    operands: tuple[Figure, ...]


def derived(figure: Figure, grounded: Sequence[Figure]) -> bool:
    """Whether the figure is a sum, difference, product, share or ratio of grounded figures of the same sentence."""
    if figure.number is None or not figure.units & {*MONEY, "%", "points", "", *_spans(figure)}:
        return False
    known = [other for other in grounded if other.number is not None][:_MOST]
    like = [other.number for other in known if other.number is not None and other.units & figure.units]
    if any(
        figures.rounded(figure, sum(part, Decimal(0)))
        for size in range(2, len(like) + 1)
        for part in combinations(like, size)
    ):
        return True
    return any(figures.rounded(figure, value) for a, b in permutations(known, 2) for value in _results(figure, a, b))


def _spans(figure: Figure) -> frozenset[str]:
    return figure.units - _MEASURED - {"th"}


def _results(figure: Figure, a: Figure, b: Figure) -> Iterator[Decimal]:
    """a − b in one unit; a × b and a ÷ b where b is bare or a span; b % of a, a with it and without; a as % of b."""
    if a.number is None or b.number is None:
        return
    if b.number and a.units & b.units:
        yield from _ratios(figure, a.number, b.number)
    if not a.units & figure.units:
        return
    if b.units & figure.units:
        yield a.number - b.number
    elif "%" in b.units:
        part = a.number * b.number / 100
        yield from (part, a.number + part, a.number - part)
    elif not b.units & _MEASURED:
        yield a.number * b.number
        if b.number:
            yield a.number / b.number


def _ratios(figure: Figure, a: Decimal, b: Decimal) -> Iterator[Decimal]:
    """What part one is of the other and by what part it differs, in per cent, or how many times it is the other."""
    if "%" in figure.units:
        yield from (a / b * 100, abs(a - b) / b * 100)
    elif "" in figure.units:
        yield a / b


def told(text: str) -> bool:
    """Whether the sentence says that something was added, taken away, multiplied or shared."""
    return any(cue.search(text) for cue in (_ADDING, _TAKING, _TIMES, _SHARING, _FACTOR, _RESULT))


def evident(figure: Figure, text: str, operands: Sequence[Figure], source: str) -> bool:
    """Whether the sentence says how the figure comes about and the nearest passages hold what it needs for that.

    `operands` are the figures of those sentences of the sources that are about the same; `source` is their text.
    """
    if figure.number is None:
        return False
    near = [other for other in dict.fromkeys(operands) if other.number is not None][:_MOST_LISTED]
    like = [other.number for other in near if other.number is not None and other.units & figure.units]
    values: list[Decimal] = []
    if _ADDING.search(text):
        values += [sum(part, Decimal(0)) for size in (2, 3) for part in combinations(like, size)]
    if _TAKING.search(text):
        values += [a - b for a, b in permutations(like, 2)]
    values += [_FACTORS[match.group(1).lower()] * number for match in _FACTOR.finditer(text) for number in like]
    values += _yearly(text, source, like)
    if _TIMES.search(text) or _SHARING.search(text):
        stated = [other for other in figures.read(text) if other.number is not None and other != figure]
        pairs = [*((a, b) for a in near for b in stated), *((a, b) for a in stated for b in near)]
        values += [value for a, b in pairs for value in _results(figure, a, b)]
    if _SHARING.search(text) and "%" in figure.units:
        values += [value for a, b in permutations(near, 2) for value in _results(figure, a, b)]
    return any(figures.rounded(figure, value) for value in values)


def multiplied(figure: Figure, text: str, operands: Sequence[Figure]) -> Figure | None:
    """The figure of the sentence that goes with this amount by an amount or a rate of the source; None where none does.

    A count makes an amount of the source this one ("two stop payments cost $30"); a rate makes one supposed amount of
    the sentence the other ("on a payment of $200 the late fee is $10").
    """
    if figure.number is None or not figure.units & MONEY:
        return None
    number = figure.number
    amounts = [one.number for one in operands if one.number and one.units & figure.units]
    rates = [one.number / 100 for one in operands if one.number and "%" in one.units]
    for one in counts(text):
        if one.number and any(number == one.number * amount for amount in amounts):
            return one
    others = [one for one in figures.read(text) if one.number and one.units & figure.units and one != figure]
    fitting = (one for one in others if one.number and any(_rated(number, one.number, rate) for rate in rates))
    return next(fitting, None)


def _rated(one: Decimal, other: Decimal, rate: Decimal) -> bool:
    return one == other * rate or other == one * rate


def counts(text: str) -> list[Figure]:
    """The small bare numbers and spans of time of the sentence."""
    return [one for one in figures.read(text) if one.number in _COUNTS and not one.units & _MEASURED]


def compares(text: str) -> bool:
    """Whether the sentence sets two things in proportion ("twice as much as")."""
    return _COMPARED.search(text) is not None


def _yearly(text: str, source: str, like: Sequence[Decimal]) -> list[Decimal]:
    """What is said by the month, week or quarter, in a year."""
    if not _YEARLY.search(text):
        return []
    periods = {(match.group(1) or match.group(2)).lower() for match in _PERIOD.finditer(source)}
    return [number * _IN_A_YEAR[period] for period in periods for number in like]


def factor(text: str, operands: Sequence[Figure]) -> bool | None:
    """Whether "twice", "half" and the like hold between two figures; None where nothing of the kind can be computed."""
    match = _FACTOR.search(text)
    numbers = [other.number for other in operands if other.number]
    if match is None or len(numbers) < 2:
        return None
    wanted = _FACTORS[match.group(1).lower()]
    return any(a == wanted * b or b == wanted * a for a, b in combinations(numbers, 2))


def shown(text: str) -> list[Shown]:
    """The arithmetic that the sentence spells out: "3 fees of $15 add up to $45", "$60 plus $3.25, that is $63.25"."""
    written, found = figures.places(text)
    found = found[:_FIGURES]
    between = [written[found[number][2] : found[number + 1][1]] for number in range(len(found) - 1)]
    results = []
    for number in range(2, len(found)):
        if not _EQUALS.search(between[number - 1][-40:]):
            continue
        result = found[number][0]
        chain = _chain([figure for figure, _, _ in found[:number]], between[: number - 1], between[number - 1])
        value = _value(chain, result) if chain else None
        if value is not None:
            right = figures.rounded(result, value) or _loose(result, value)
            before = [figure for figure, _, _ in found[: number - len(chain)]]
            if not right and any(figure.units & result.units for figure in before):
                continue  # the sum may begin with figures that the words between do not link
            results.append(Shown(result, right, tuple(figure for _, figure in chain)))
    return [*results, *_multiples([figure for figure, _, _ in found], between)]


def _multiples(found: Sequence[Figure], between: Sequence[str]) -> Iterator[Shown]:
    """Twice and the like: "$30, twice the $15 of ..." and "$45, which is three times the $15 of ..."."""
    for number, words in enumerate(between):
        match = _MULTIPLE.match(words)
        left, right = found[number], found[number + 1]
        if match and left.number and right.number and left.units & right.units:
            comes_out = left.number == _FACTORS[match.group(1).lower()] * right.number
            yield Shown(left, comes_out, (right,))
    for (left, times, right), (before, after) in zip(_windows(found), pairwise(between), strict=True):
        if not (
            left.units & right.units and "" in times.units and _COMMA.fullmatch(before) and _TIMES_THE.match(after)
        ):
            continue
        if left.number and times.number and right.number:
            yield Shown(left, left.number == times.number * right.number, (times, right))


def _windows(found: Sequence[Figure]) -> Iterator[tuple[Figure, Figure, Figure]]:
    return zip(found, found[1:], found[2:], strict=False)


def _loose(figure: Figure, value: Decimal) -> bool:
    """A result in whole units may be rounded from one that is not whole."""
    return value != value.to_integral_value() and figure.number is not None and abs(figure.number - value) < 1


def _chain(operands: Sequence[Figure], links: Sequence[str], equals: str) -> list[tuple[str, Figure]]:
    """The longest chain of operands before the equals sign, each with the sign before it; empty where there is none."""
    chain: list[tuple[str, Figure]] = []
    summed = bool(_SUMMED.search(equals))
    for place in range(len(links) - 1, -1, -1):
        link = _link(links[place], summed=summed, listed=bool(chain))
        if not link or len(chain) >= _MOST:
            break
        chain.insert(0, (link, operands[place + 1]))
    return [("", operands[len(operands) - len(chain) - 1]), *chain] if chain else []


def _link(words: str, *, summed: bool, listed: bool) -> str:
    """The sign that the words between two figures stand for; a comma is one within a list that ends with "and"."""
    if len(words) > _BETWEEN:
        return ""
    for sign, pattern in _LINKS:
        if pattern.match(words):
            return sign
    return "+" if summed and (_AND.match(words) or (listed and words.strip() == ",")) else ""


def _value(chain: Sequence[tuple[str, Figure]], result: Figure) -> Decimal | None:
    """What the chain comes to in the unit of the result; None where the units do not go together."""
    first = chain[0][1]
    if first.number is None:
        return None
    total, units = first.number, first.units
    for sign, other in chain[1:]:
        if other.number is None:
            return None
        step = _step(total, units, sign, other, other.number)
        if step is None:
            return None
        total, units = step
    return total if units & result.units else None


def _step(
    total: Decimal, units: frozenset[str], sign: str, other: Figure, number: Decimal
) -> tuple[Decimal, frozenset[str]] | None:
    """One operation: the new value with its units; None where the units do not go together."""
    if sign in "+-":
        if not units & other.units:
            return None
        return (total + number if sign == "+" else total - number), units
    if sign == "/":
        return (total / number, units) if number else None
    if "%" in units:
        return (total * number / 100, other.units) if other.units - {"%"} else None
    if sign == "of" and (units & MONEY or not other.units & MONEY):
        return None
    return total * number, units if units & MONEY else other.units


def counted(figure: Figure, text: str, source: str) -> bool:
    """Whether a small bare number counts what the sentence or the source lists: "three ways" over a list of three."""
    if figure.units != {""} or figure.number is None or not 2 <= figure.number <= 20:
        return False
    return int(figure.number) in {*_lists(text), *_lists(source)}


def _lists(text: str) -> set[int]:
    """Lengths of the lists in a text: lines that begin with a mark, rows of a table, and members of an enumeration."""
    sizes: set[int] = set()
    marked = rows = 0
    for line in [*text.split("\n"), ""]:
        if _ITEM.match(line):
            marked += 1
        elif line.strip() or marked:
            sizes |= {marked} if not line.strip() or marked else set()
            marked = 0 if line.strip() else marked
        if line.lstrip().startswith("|"):
            rows += 1
        else:
            sizes, rows = sizes | {rows - 2}, 0
        if len(line) <= 1_000:
            sizes |= {len(re.split(r", (?:and |or )?| and | or ", found)) for found in _ENUMERATED.findall(line)}
    return sizes | {marked}
