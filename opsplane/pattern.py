"""Patterns that come from files: read by RE2, whose time grows with the length of the text and with nothing else.

RE2 has neither look-around nor back-references. A release that was registered before this engine may hold such a
pattern; Python's `re` reads those, and of the text only the first `LONGEST` characters.
"""

import re
from collections.abc import Callable
from functools import lru_cache

import re2

LONGEST = 2_000
"""Characters that a pattern outside RE2 reads; sentences of answers and of questions are cut to about that."""
MEMORY = 16 << 20
"""Bytes that one compiled pattern may take; a pattern that needs more is refused."""

_REASONS = (
    (re.compile(r"\(\?<?[=!]"), "look-ahead and look-behind are not supported"),
    (re.compile(r"\(\?P=|\\[1-9]"), "back-references are not supported"),
    (re.compile(r"\(\?>|[*+?}]\+"), "atomic groups and possessive repetitions are not supported"),
    (re.compile(r"\\Z"), r"the end of the text is written \z"),
    (re.compile(r"\{\d{4,}|\{\d*,\d{4,}\}"), "at most 1,000 repetitions are supported"),
)

Search = Callable[[str], str | None]
"""From a text to the words that match, or None."""


@lru_cache(maxsize=4_096)
def refusal(pattern: str) -> str:
    """Why RE2 does not take the pattern, in words for its author; empty where it does."""
    try:
        re2.compile(pattern, _options())
    except re2.error as error:
        told = error.args[0] if error.args else ""
        said = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
        reason = next((reason for shape, reason in _REASONS if shape.search(pattern)), "")
        return f"{reason}; RE2 says: {said}" if reason else said
    return ""


@lru_cache(maxsize=4_096)
def broken(pattern: str) -> str:
    """Why neither RE2 nor Python takes the pattern; empty where one does."""
    if not (refused := refusal(pattern)):
        return ""
    try:
        re.compile(pattern, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError):
        return refused
    return ""


@lru_cache(maxsize=4_096)
def searcher(patterns: tuple[str, ...]) -> Search:
    """Search for any of the patterns, whatever their case; all that RE2 takes are one pass over the text."""
    linear = [pattern for pattern in patterns if not refusal(pattern)]
    engines = [re2.compile(one, _options()).search for one in _joined(linear)]
    old = [re.compile(pattern, re.IGNORECASE).search for pattern in patterns if refusal(pattern)]

    def search(text: str) -> str | None:
        for engine in engines:
            if found := engine(text):
                return str(found.group())
        for engine in old:
            if found := engine(text[:LONGEST]):
                return str(found.group())
        return None

    return search


Sieve = Callable[[str], list[int]]
"""From a text to the numbers of the groups of patterns that may match, in ascending order."""


def sieve(groups: tuple[tuple[str, ...], ...]) -> Sieve:
    """One pass that says which groups may match, so that only those are looked at one by one."""
    engine = re2.Set.SearchSet(_options())
    owners = [number for number, group in enumerate(groups) for one in group if not refusal(one)]
    for group in groups:
        for one in group:
            if not refusal(one):
                engine.Add(one)
    always = [number for number, group in enumerate(groups) if any(refusal(one) for one in group)]
    if not owners:
        return lambda _: always
    try:
        engine.Compile()
    except re2.error:  # too large together
        return lambda _: list(range(len(groups)))
    return lambda text: sorted({*always, *(owners[found] for found in engine.Match(text) or ())})


def _joined(patterns: list[str]) -> list[str]:
    """One pattern for all of them, or each alone where together they would be too large."""
    together = "|".join(f"(?:{pattern})" for pattern in patterns)
    return [together] if patterns and not refusal(together) else patterns


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False
    options.max_mem = MEMORY
    return options
