"""When a fall began, and where most of it lies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MOSTLY, LARGE = 0.6, 0.5
"""A part of the traffic is named where it has this share of the fall and at most that share of what was counted."""


@dataclass(frozen=True)
class Point:
    """How many values were counted in an hour, and their sum."""

    hour: int
    number: int
    total: float


def turning(points: Sequence[Point], earliest: int, latest: int) -> int:
    """The hour from which on the mean was another: the likeliest single step down between two hours.

    Least squares (Hinkley, Biometrika 57, 1970): where n₁n₂/(n₁+n₂) · (m₁−m₂)² is largest and m₁ > m₂. Where there is
    no step down it is `latest`.
    """
    number, total = sum(one.number for one in points), sum(one.total for one in points)
    best, found, before, below = 0.0, latest, 0, 0.0
    for one in points:
        after = number - before
        if before and after and earliest <= one.hour <= latest:
            step = below / before - (total - below) / after
            gain = before * after / number * step * abs(step)
            if gain > best:
                best, found = gain, one.hour
        before, below = before + one.number, below + one.total
    return found


def mostly(before: Mapping[str, Iterable[Point]], after: Mapping[str, Iterable[Point]]) -> str:
    """The one part (a topic, a release) that the fall lies in, or nothing; both are points by part."""
    losses, numbers = {}, {}
    for part, points in after.items():
        number, total = _sums(points)
        known, sofar = _sums(before.get(part, ()))
        numbers[part] = number
        if known and number:
            losses[part] = max(0.0, number * sofar / known - total)
    whole = sum(losses.values())
    if not whole:
        return ""
    part = max(losses, key=lambda one: losses[one])
    large = numbers[part] > LARGE * sum(numbers.values())
    return "" if large or losses[part] < MOSTLY * whole else part


def _sums(points: Iterable[Point]) -> tuple[int, float]:
    number, total = 0, 0.0
    for one in points:
        number, total = number + one.number, total + one.total
    return number, total
