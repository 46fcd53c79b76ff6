"""One sentence taken apart: what it speaks of, what it denies, whether it says "free", under which conditions."""

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from opsplane.guardrails import conditions, figures, opposites, wording
from opsplane.guardrails.conditions import Clause
from opsplane.guardrails.figures import Figure

_TOKEN = re.compile(r"[a-z_]+(?:'[a-z]+)?|#[0-9]+|[,;:()|]")
_SCOPE = 3
"""Content words that a denial reaches."""
_ENDS = frozenset(
    {
        ",",
        ";",
        ":",
        "(",
        ")",
        "|",
        "but",
        "unless",
        "if",
        "when",
        "until",
        "because",
        "as",
        "since",
        "and",
        "while",
        "although",
    }
)
_POINTS = ",;:()|#"
_NAME = re.compile(r"(?<=[\w,;)%] )[A-Z][A-Za-z]{2,}")
_SYNONYMS = """
receive get obtain
buy purchase acquire
begin start commence
client customer
send mail
big large
need require
help assist
tell inform notify
show display
provide supply give offer
choose select pick
happen occur
refund reimburse repay
immediately once promptly
request ask
statement bill
fee charge cost
close shut
whole entire full
usually normally typically generally
may can
must shall
movie film
company firm
"""
_CANON = {
    wording.stem(word): wording.stem(line.split()[0]) for line in _SYNONYMS.strip().split("\n") for word in line.split()
}


class Denial(NamedTuple):
    """A word that denies, and the stems of what it denies."""

    word: str
    scope: frozenset[str]


class Statement(NamedTuple):
    """A sentence taken apart.

    `marks` holds every stem, small words and levelled phrases too, `words` the words; `tokens` are both in order, with
    figures as keys of `numbers`, `couples` every two that follow each other. `free` counts how often it says that
    something costs nothing; `around` are the stems of the sentence that a clause is of.
    """

    text: str
    stems: frozenset[str]
    marks: frozenset[str]
    tokens: tuple[str, ...]
    couples: frozenset[tuple[str, str]]
    numbers: dict[str, Figure]
    words: frozenset[str]
    figures: tuple[Figure, ...]
    denials: tuple[Denial, ...]
    free: int
    paid: bool
    clauses: tuple[Clause, ...]
    names: frozenset[str]
    only: bool
    around: frozenset[str]


def canonical(stems: frozenset[str]) -> frozenset[str]:
    """The stems, those of equal meaning as one."""
    return frozenset(_CANON.get(one, one) for one in stems)


@lru_cache(maxsize=4096)
def read(text: str) -> Statement:
    """The sentence taken apart; read once."""
    written, numbers = _numbered(text)
    tokens = _TOKEN.findall(opposites.levelled(written))
    denials, free, unfree = _denials(tokens)
    found = tuple(figures.required(text))
    order = tuple(_token(token, numbers) for token in tokens if token[0] not in ",;:()|")
    marks = frozenset(token if token[0] == "_" else wording.stem(token) for token in tokens if token[0] not in _POINTS)
    costs = bool(opposites.COSTS & marks) or any(one.units & figures.MONEY and one.number for one in found)
    stems = canonical(wording.stems(figures.without(text)))
    return Statement(
        text=text,
        stems=stems,
        around=stems,
        marks=marks,
        tokens=order,
        couples=frozenset(pairwise(order)),
        numbers={_token(f"#{number}", numbers): figure for number, figure in enumerate(numbers)},
        words=frozenset(tokens),
        figures=found,
        denials=denials,
        free=free,
        paid=unfree or costs,
        clauses=conditions.clauses(text),
        names=frozenset(wording.stem(name.lower()) for name in _NAME.findall(written)),
        only=conditions.ONLY.search(text) is not None,
    )


def _numbered(text: str) -> tuple[str, list[Figure]]:
    """The text with "#0", "#1" and so on in the places of its figures; an amount of nothing is "_free"."""
    written, places = figures.places(text)
    parts: list[str] = []
    end = 0
    for number, (figure, start, stop) in enumerate(places):
        nothing = bool(figure.units & figures.MONEY) and not figure.number
        parts += [written[end:start], " _free " if nothing else f" #{number} "]
        end = stop
    return "".join([*parts, written[end:]]), [figure for figure, _, _ in places]


def _token(token: str, numbers: list[Figure]) -> str:
    """The token as it is compared: a figure by value and units, a word by the stem of its meaning."""
    if token[0] == "#":
        figure = numbers[int(token[1:])]
        return f"#{figure.value} {'/'.join(sorted(figure.units))}"
    one = token if token[0] == "_" else wording.stem(token)
    return _CANON.get(one, one)


def told_of(figure: Figure, statement: Statement) -> frozenset[str]:
    """The words that follow a figure up to the next one: what it is the figure of, in a list."""
    places = [place for place, token in enumerate(statement.tokens) if statement.numbers.get(token) == figure]
    if not places:
        return frozenset()
    rest = statement.tokens[places[0] + 1 : places[0] + 11]
    stop = next((place for place, token in enumerate(rest) if token in statement.numbers), len(rest))
    return frozenset(rest[:stop]) & statement.stems


def _denials(tokens: list[str]) -> tuple[tuple[Denial, ...], int, bool]:
    """The denials, how often the sentence says that something costs nothing, and whether it denies that."""
    found: list[Denial] = []
    free, unfree = tokens.count("_free"), False
    for place, token in enumerate(tokens):
        if token not in opposites.DENIALS:
            continue
        if "_free" in tokens[place + 1 : place + 3]:
            free, unfree = free - 1, True
            continue
        scope = _scope(tokens[place + 1 : place + 13])
        if scope & opposites.COSTS:
            free += 1
        else:
            found.append(Denial(token, canonical(scope)))
    return tuple(found), max(free, 0), unfree


def _scope(tokens: list[str]) -> frozenset[str]:
    scope: list[str] = []
    for token in tokens:
        if token in _ENDS:
            break
        if token.isalpha():
            scope += wording.stems(token)
        if len(scope) >= _SCOPE:
            break
    return frozenset(scope)
