"""Where to cut a run of units, so that an edit moves only the cuts beside it.

A text that is filled up from its beginning is cut elsewhere behind every edit. Here a boundary has a strength that
depends on nothing but what follows it (its place in the outline, then a hash), and is cut where too much stands
between its stronger neighbours: a treap (Aragon, Seidel 1989, "Randomized Search Trees") of which only the nodes above
a size are kept. An edit then touches the cuts whose span holds it.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from knowledge.units import Unit

Key = tuple[int, bytes]


def strong(units: Sequence[Unit]) -> list[Key]:
    """The strength of the boundary before each unit, lowest strongest; the same text again gets another hash."""
    seen: Counter[str] = Counter()
    keys: list[Key] = []
    for unit in units:
        told = f"{seen[unit.text]}\x1f{unit.text}".encode()
        keys.append((unit.boundary, hashlib.blake2b(told, digest_size=8).digest()))
        seen[unit.text] += 1
    return keys


def cuts(keys: Sequence[Key], sizes: Sequence[int], limits: Sequence[int]) -> list[int]:
    """Places before which to cut: where more than the boundary's limit lies between the stronger boundaries on both
    sides. Linear in the number of units."""
    total = [0, *accumulate(sizes)]
    left, right = _stronger(keys), _stronger(keys, backwards=True)
    return [place for place in range(1, len(keys)) if total[right[place]] - total[left[place]] > limits[place]]


def _stronger(keys: Sequence[Key], *, backwards: bool = False) -> list[int]:
    """For each place the nearest stronger one before it (0 where there is none) or behind it (the end)."""
    count = len(keys)
    nearest = [count if backwards else 0] * count
    held: list[int] = []
    for place in range(count - 1, 0, -1) if backwards else range(1, count):
        while held and keys[held[-1]] > keys[place]:
            held.pop()
        if held:
            nearest[place] = held[-1]
        held.append(place)
    return nearest


def fill(units: Sequence[Unit], largest: int) -> list[tuple[int, int]]:
    """Begin and end of the fewest parts of at most `largest` word pieces, cut at strong boundaries and of like size.

    Least sum over the parts of 1 + (share left empty)²/2 + the weight of the boundary before it; for short runs, since
    it looks at every pair of places within `largest`.
    """
    least, begin = [0.0], [0]
    for end in range(1, len(units) + 1):
        size, header, best = 0, "", (float("inf"), end - 1)
        for start in range(end - 1, -1, -1):
            unit = units[start]
            size += unit.tokens + (unit.header_tokens if unit.header != header else 0)
            header = unit.header
            if size > largest and start < end - 1:
                break
            weight = _WEIGHTS[min(unit.boundary, len(_WEIGHTS) - 1)] if start else 0.0
            best = min(best, (least[start] + 1 + weight + max(0.0, 1 - size / largest) ** 2 / 2, start))
        least.append(best[0])
        begin.append(best[1])
    found: list[tuple[int, int]] = []
    end = len(units)
    while end:
        found.append((begin[end], end))
        end = begin[end]
    return found[::-1]


_WEIGHTS = (*[0.0] * 10, 0.05, 0.15, 0.4, *[0.5] * 7, 0.3, 0.4, 0.4, 0.8, 1.2, *[1.4] * 40)
"""What it costs to cut at a boundary of each strength: headings, (a), (1), (i), deeper, paragraphs and so on."""
