"""Which lines of account tools answer a question: a total, one fact, or the whole list."""

import re
from collections.abc import Sequence

from assistant.extractive.lexicon import terms
from assistant.sentences import split

_LISTS = re.compile(
    r"\b(?:list|show|see|which|what (?:are|were|did)|transactions|purchases|activity|recent|all|give)\b", re.IGNORECASE
)
_SUMS = re.compile(r"\b(?:how much|total|altogether|in all|sum|spend|spent|add up|how many)\b", re.IGNORECASE)
_EACH = re.compile(r"\bhow much (?:is|was) my\b", re.IGNORECASE)
_TOTAL = re.compile(r"\badd(?:s)? up to\b|\bin all\b|\btotals?\b", re.IGNORECASE)
_LONGEST = 12
_SHORT = 7


def choose(question: str, looked: Sequence[tuple[int, str]], most: int) -> list[str]:
    """Marked lines of the results (number and text each): all that were asked for, the summary first.

    `most` bounds prose; a list that the customer asked for is told to its end, up to a dozen lines.
    """
    said: list[str] = []
    for number, text in looked:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        chosen = _lines(question, lines, _LONGEST if len(lines) <= _SHORT or _LISTS.search(question) else most)
        said += [f"{sentence} [{number}]" for line in chosen for sentence in split(line)]
    return said


def _lines(question: str, lines: list[str], room: int) -> list[str]:
    totals = [line for line in lines[1:] if _TOTAL.search(line)]
    if totals and "transaction" in lines[0] and _SUMS.search(question) and not _EACH.search(question):
        return [lines[0], *totals]
    if len(lines) <= room:
        return lines
    asked = frozenset(terms(question))
    ranked = sorted(range(1, len(lines)), key=lambda n: (-len(asked & frozenset(terms(lines[n]))), n))
    return [lines[n] for n in sorted([0, *ranked[: room - 1]])]
