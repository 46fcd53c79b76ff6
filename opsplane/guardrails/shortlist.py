"""The few lines of the evidence that speak most of a sentence: weighted words in common, each new one counting more."""

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from opsplane.guardrails import wording

_TOO_LONG = 2_000
"""Characters of one line that are read; a sentence is shorter."""
_LINES = 2_000
_AGAIN = 0.4
"""What a word that an earlier line has covered counts against a new one."""
_NUMBER = re.compile(r"[0-9][0-9,.]{0,20}")
_MONTH_NAMES = "january february march april may june july august september october november december"
_MONTHS = {name[:3]: wording.stem(name) for name in _MONTH_NAMES.split()}
_SHORT_MONTH = re.compile(r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b")
_ISO = re.compile(r"\b([12][0-9]{3})-(0[1-9]|1[0-2])-([0-3][0-9])\b")
_ORDINAL = re.compile(r"\b[0-9]{1,4}(?:st|nd|rd|th)\b")
_COUNTED = "one two three four five six seven eight nine ten eleven twelve"
_NUMBERS = {name: str(value) for value, name in enumerate(_COUNTED.split(), 1)}
_RULER = re.compile(r"[\s|:-]*\Z")
_MARKS = re.compile(r"\*\*|__|`|^\s{0,8}(?:#{1,6}|>|[-*+]|[0-9]{1,3}[.)])\s+")


class Line(NamedTuple):
    """A sentence or table row of a passage as read; `terms` are its stems and numbers, its heading's among them."""

    text: str
    terms: frozenset[str]


@lru_cache(maxsize=4096)
def terms(text: str) -> frozenset[str]:
    """Stems of the content words, the months by their full names, and the numbers as written without commas."""
    numbers = {match.replace(",", "").rstrip(".") for match in _NUMBER.findall(text)}
    months = {_MONTHS[match[0][:3].lower()] for match in _SHORT_MONTH.finditer(text)}
    for year, month, day in _ISO.findall(text) if "-" in text else ():
        numbers |= {year, month.lstrip("0"), day.lstrip("0")}
        months |= {list(_MONTHS.values())[int(month) - 1]}
    counted = {_NUMBERS[word] for word in wording.words(text) if word in _NUMBERS}
    ordinals = {match[:-2] for match in _ORDINAL.findall(text)}
    return wording.stems(text) | frozenset(numbers | months | counted | ordinals)


@lru_cache(maxsize=2048)
def read(passage: str) -> tuple[Line, ...]:
    """The lines of a passage in Markdown or plain text; a table row carries the head of its table."""
    found: list[Line] = []
    heading, head = "", ""
    for written in passage.splitlines():
        line = wording.plain(written).strip()[:_TOO_LONG]
        if line.startswith("#"):
            heading, head = line.lstrip("# "), ""
        elif line.startswith("|"):
            if _RULER.match(line):
                continue
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            row = ", ".join(filter(None, cells))
            found.append(_line(f"{head}: {row}" if head else row, heading))
            head = head or row
            continue
        else:
            head = ""
        found += [_line(part, "" if line.startswith("#") else heading) for part in _parts(line)]
    return tuple(found[:_LINES])


def _parts(line: str) -> list[str]:
    return wording.sentences(_MARKS.sub("", line))


def _line(text: str, heading: str) -> Line:
    return Line(text, terms(f"{heading} {text}" if heading else text))


def nearest(wanted: frozenset[str], lines: Sequence[Line], weights: Mapping[str, float], most: int) -> list[int]:
    """Places of up to `most` lines, best first, that together cover the wanted terms best; unknown terms weigh 1."""
    left = {term: weights.get(term, 1.0) for term in wanted}
    shared = [(place, line.terms & wanted, len(line.terms)) for place, line in enumerate(lines)]
    open_ = [(place, common, size) for place, common, size in shared if common]
    chosen: list[int] = []
    while open_ and len(chosen) < most:
        gains = [math.fsum(map(left.__getitem__, common)) / math.log2(8 + size) for _, common, size in open_]
        best = max(range(len(open_)), key=gains.__getitem__)
        place, common, _ = open_.pop(best)
        chosen.append(place)
        for term in common:
            left[term] *= _AGAIN
    return chosen
