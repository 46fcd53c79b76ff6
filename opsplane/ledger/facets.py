"""What an exchange can be filtered by, as tokens of one inverted index: `o=answered`, `x=grounding.figure`, `p5=0`.

Every filter is then a posting list, and any combination an intersection of lists: its cost does not depend on what a
query planner believes about how filters go together, nor on whether two of them meet at all.

Ranges (day, cost, score) are exact too. A figure is written once for every decimal place it can be rounded down to,
12,345 as `p0=12345`, `p1=1234`, `p2=123` and so on, so that a range is a handful of whole decades: the numeric
trie of Schindler and Diepenbroek (2008), as Lucene had it. What a facet holds is in the public part of the record.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

DIGEST = 16
"""So many characters of a release's digest are kept; a longer beginning is compared that far."""

_DAY = 86_400_000_000
_LONGEST = 200
_ODD = re.compile(r"[^a-z0-9._-]")


class Facet:
    """The names; short, because each stands in the index a million times."""

    CUSTOMER = "c"
    ACTOR = "a"
    OUTCOME = "o"
    RELEASE = "r"
    DIGEST = "h"
    RULE = "x"
    TIER = "t"
    MODEL = "m"
    RATING = "g"
    REVIEWED = "v"
    DAY = "d"
    COST = "p"
    SCORE = "s"


BEGUN = (Facet.DIGEST, Facet.RULE)
"""Facets that can be given by their beginning."""

PLACES = {Facet.DAY: 5, Facet.COST: 9, Facet.SCORE: 3}
"""Decimal places of the figures: days since 1970 (to 2243), micro-dollars (dearer counts as $999.999999), 0 to 100."""


class Row(NamedTuple):
    """The columns of the exchange table that facets are made of, and whether a reviewer has decided."""

    number: int
    at: int
    customer: str
    actor: str
    outcome: str
    release: str
    digest: str
    codes: str
    tier: str
    model: str
    cost_micros: int
    rating: int | None
    score: int | None
    reviewed: bool


def of(row: Row) -> tuple[str, ...]:
    """The tokens of one exchange, none twice."""
    found = [
        token(Facet.CUSTOMER, row.customer),
        token(Facet.ACTOR, row.actor),
        token(Facet.OUTCOME, row.outcome),
        token(Facet.RELEASE, row.release),
        token(Facet.DIGEST, row.digest[:DIGEST]),
        token(Facet.REVIEWED, "1" if row.reviewed else "0"),
        *_days(row.at // _DAY),
        *_places(Facet.COST, row.cost_micros),
        *(token(Facet.RULE, code) for code in set(row.codes.split())),
    ]
    if row.tier:
        found.append(token(Facet.TIER, row.tier))
    if row.model:
        found.append(token(Facet.MODEL, row.model))
    if row.rating is not None:
        found.append(token(Facet.RATING, str(row.rating)))
    if row.score is not None:
        found += _places(Facet.SCORE, row.score)
    return tuple(found)


@lru_cache(maxsize=50_000)
def token(facet: str, value: str) -> str:
    """A value as one token of `a-z0-9._-%`; different values, upper and lower case too, are different tokens."""
    return f"{facet}={_ODD.sub(_escaped, value)[:_LONGEST]}"


def beginning(facet: str, value: str) -> str:
    """All values of one of `BEGUN` that begin so; the star is for the index."""
    return f"{token(facet, value)}*"


def between(facet: str, low: int, high: int) -> tuple[str, ...]:
    """Tokens of which a figure from `low` to `high` (both inclusive) has exactly one; none where there is no such."""
    return tuple(_decades(facet, max(low, 0), min(high, 10 ** PLACES[facet] - 1)))


def _decades(facet: str, low: int, high: int) -> Iterator[str]:
    last = PLACES[facet] - 1
    for place in range(last + 1):
        while low <= high and (low % 10 or place == last):
            yield f"{facet}{place}={low}"
            low += 1
        while low <= high and high % 10 != 9:
            yield f"{facet}{place}={high}"
            high -= 1
        if low > high:
            return
        low, high = low // 10, high // 10


def _places(facet: str, value: int) -> list[str]:
    places = PLACES[facet]
    left, found = min(max(value, 0), 10**places - 1), []
    for place in range(places):
        found.append(f"{facet}{place}={left}")
        left //= 10
    return found


@lru_cache(maxsize=64)
def _days(day: int) -> list[str]:
    return _places(Facet.DAY, day)


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02x}" for byte in found[0].encode("utf-8", "surrogatepass"))
