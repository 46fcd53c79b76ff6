"""The sentences of a window, as places in its text: what a vector of its own is kept for."""

import re

_END = re.compile(r"(?<=[.!?;:])\s+|\n+")
_SHORTEST = 80  # characters, about 20 word pieces; what is shorter goes with what follows
MOST = 64
"""Sentences of one window; what comes after goes with the last."""


def sentences(window: str) -> list[tuple[int, int]]:
    """Start and end of each sentence, list item or row; the first of several lines, title and headings, is none."""
    begin = window.find("\n") + 1
    found: list[tuple[int, int]] = []
    for end in [*(one.span() for one in _END.finditer(window, begin)), (len(window), len(window))]:
        start, begin = begin, end[1]
        if end[0] <= start:
            continue
        if found and (found[-1][1] - found[-1][0] < _SHORTEST or len(found) == MOST):
            found[-1] = (found[-1][0], end[0])
        else:
            found.append((start, end[0]))
    return found
