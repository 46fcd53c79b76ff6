"""The trade-off of a check on labelled rows: how much bad and how much good is blocked at each threshold."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, sqrt

Z = 1.959964
"""Standard normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True)
class Scored:
    """One labelled row: the check's score in [0, 1], and whether it should be blocked."""

    score: float
    bad: bool


@dataclass(frozen=True)
class Point:
    """What is blocked at one threshold: so many of the bad rows, and so many of the good ones."""

    threshold: float
    bad: int
    good: int


@dataclass(frozen=True)
class Curve:
    """Every threshold that makes a difference, strictest last; `below`: what scores below the threshold is blocked."""

    points: tuple[Point, ...]
    bad: int  # rows that should be blocked
    good: int
    below: bool

    def at(self, threshold: float) -> Point:
        """What is blocked at any threshold."""
        passing = [one for one in self.points if self._stricter(threshold, one.threshold)]
        last = passing[-1] if passing else Point(threshold, 0, 0)
        return Point(threshold, last.bad, last.good)

    def _stricter(self, threshold: float, point: float) -> bool:
        return point <= threshold if self.below else point >= threshold


def curve(rows: Sequence[Scored], *, below: bool) -> Curve:
    """The trade-off over all rows; thresholds have four digits, as they are written into a release."""
    bad = sorted(row.score for row in rows if row.bad)
    good = sorted(row.score for row in rows if not row.bad)
    limits = {_limit(score, below=below) for score in (*bad, *good)}
    points = []
    for limit in sorted(limits, reverse=not below):
        over = bisect_left(bad, limit), bisect_left(good, limit)
        blocked = over if below else (len(bad) - over[0], len(good) - over[1])
        points.append(Point(limit, *blocked))
    return Curve(tuple(points), len(bad), len(good), below)


def _limit(score: float, *, below: bool) -> float:
    """The mildest threshold of four digits that blocks a score, or 1 where none is above it."""
    if below:
        return min((floor(score * 10_000 + 1e-9) + 1) / 10_000, 1.0)
    return floor(score * 10_000 + 1e-9) / 10_000


def choose(found: Curve, most: float) -> Point | None:
    """The threshold that blocks most of the bad while at most this share of the good is blocked; None where none does.

    Of equal ones the one that blocks less of the good, then the mildest.
    """
    fitting = [one for one in found.points if one.good <= most * found.good + 1e-9 and one.bad]
    return max(fitting, key=lambda one: (one.bad, -one.good), default=None)


def tells_apart(found: Curve, point: Point) -> bool:
    """Whether more of the bad than of the good is blocked beyond chance: their 95 % intervals do not meet."""
    return wilson(point.bad, found.bad)[0] > wilson(point.good, found.good)[1]


def auroc(rows: Sequence[Scored], *, below: bool) -> float | None:
    """The chance that a bad row scores worse than a good one, ties half (Mann and Whitney); None without both."""
    bad = sorted(row.score for row in rows if row.bad)
    good = [row.score for row in rows if not row.bad]
    if not bad or not good:
        return None
    wins = 0.0
    for score in good:
        under = bisect_left(bad, score)
        equal = bisect_left(bad, score + 1e-12) - under
        wins += (under if below else len(bad) - under - equal) + equal / 2
    return wins / (len(bad) * len(good))


def wilson(hits: int, rows: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927); (0, 1) without rows."""
    if not rows:
        return 0.0, 1.0
    share, square = hits / rows, Z * Z
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    reach = Z * sqrt(share * (1 - share) / rows + square / (4 * rows * rows)) / (1 + square / rows)
    return max(0.0, middle - reach), min(1.0, middle + reach)
