"""Phone numbers: how they are grouped and what the words around them say decide together."""

import re
from collections.abc import Iterator

from opsplane.guardrails.pii_contexts import Measured, counted, named

_EXTENDED = r"(?: ?(?:x|ext\.?|extension) ?[0-9]{1,6})?(?![0-9])"
_CANDIDATE = re.compile(
    r"[0-9](?<![\w$€£#][0-9])(?<![0-9][.,:/-][0-9])(?:[ .\-/()]{0,3}[0-9]){5,17}"
    rf"{_EXTENDED}(?!\w|[.,:][0-9])",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"(?<![\w)*=])(?:\+ ?\(?|\(\+?)$")
_DATE = re.compile(
    r"(?:(?:19|20)[0-9]{2}[-./ ](?:0?[1-9]|1[0-2])[-./ ](?:0?[1-9]|[12][0-9]|3[01])"
    r"|(?:0?[1-9]|[12][0-9]|3[01])[-./ ](?:0?[1-9]|[12][0-9]|3[01])[-./ ](?:(?:19|20)[0-9]{2}|[0-9]{2}))(?! ?[0-9./-])"
)
_ZIP = re.compile(r"\b[A-Z]{2},? [0-9]{5}-[0-9]{4}$")
_YEARS = re.compile(r"(?:19|20)[0-9]{2}(?: ?[-/] ?| )(?:19|20)[0-9]{2}$")
_NORTH_AMERICAN = re.compile(
    r"(?:\+?1[-. ]?|001[-. ])?(?:\([0-9]{3}\)[ .\-]?|[0-9]{3}[-. /])[0-9]{3}[-. ][0-9]{4}" + _EXTENDED, re.IGNORECASE
)
_ABROAD = re.compile(r"\(?\+ ?\(?[0-9]|00 ?[1-9][0-9]{0,2}[ .\-(]")
_AREA_CODE = re.compile(r"\(0?[0-9]{1,4}\)[ .\-]?[0-9]{2,4}[ .\-]?[0-9]{2,4}")
_TRUNK = re.compile(r"0[0-9]{1,4}[ .\-/][0-9]{2,8}(?:[ .\-][0-9]{2,4}){0,4}(?![0-9 ])")
_EXTENSION = re.compile(r" ?(?:x|ext)", re.IGNORECASE)
_AFTER = re.compile(r"[\s\-,(:]{0,3}(?:office|fax|mobile|cell|home|work|phone|tel|landline)(?![a-z])", re.IGNORECASE)
_GOES_ON = re.compile(r" ?[\w(]")
_TOLL_FREE = re.compile(
    r"[+(]{0,2}(?:(?:001|1)[ .\-(]{0,2})?8(?:00|33|44|55|66|77|88)[ .\-)/]{0,2}[0-9]{3}[ .\-]?[0-9]{4}"
)
_OTHER = frozenset({"account", "card", "ssn", "public", "iban", "licence", "version", "reference"})


def phones(text: str) -> Iterator[Measured]:
    """Numbers that are written as phone numbers are, or named as such; toll-free ones belong to businesses."""
    at = 0
    while match := _CANDIDATE.search(text, at):
        before = _BEFORE.search(text, max(0, match.start() - 3), match.start())
        start = before.start() if before else match.start()
        first = _NORTH_AMERICAN.match(text, start, match.end())  # of two with a space between
        at = end = first.end() if first else match.end()
        if certainty := _certainty(text, start, end):
            yield Measured("phone", start, end, certainty)


def toll_free(written: str) -> bool:
    """Whether it is a toll-free number of North America; one with an extension reaches a person."""
    return _TOLL_FREE.fullmatch(written) is not None


def _certainty(text: str, start: int, end: int) -> float:
    """By shape and name; without a name only shapes that hardly anything else has."""
    written = text[start:end]
    if _DATE.match(written) or _YEARS.match(written) or _ZIP.search(text, max(0, start - 5), end):
        return 0.0
    if counted(text, end) or toll_free(written):
        return 0.0
    labelled = _AFTER.match(text, end) is not None
    kind = "phone" if labelled else named(text, start, end)
    groups = [len(group) for group in re.findall("[0-9]+", _EXTENSION.split(written)[0])]
    if not 6 <= sum(groups) <= 15 or (sum(groups) < 7 and len(groups) < 2):
        return 0.0
    shaped = _shaped(written, sum(groups))
    if kind == "phone":
        goes_on = sum(groups) < 7 and not labelled and _GOES_ON.match(text, end)
        return 0.95 if shaped else 0.3 if goes_on else 0.8
    if kind in _OTHER or (kind == "amount" and shaped < 0.8):
        return 0.3 if shaped else 0.0
    return shaped or (0.65 if (len(groups) > 1 or sum(groups) in (10, 11)) and _alone(text, start, end) else 0.0)


def _shaped(written: str, digits: int) -> float:
    """How much the writing alone says."""
    if _NORTH_AMERICAN.match(written) or (_ABROAD.match(written) and 8 <= digits <= 18):
        return 0.9
    if digits >= 7 and (_EXTENSION.search(written) or _AREA_CODE.match(written)):
        return 0.7
    return 0.6 if 9 <= digits <= 12 and _TRUNK.match(written) else 0.0


def _alone(text: str, start: int, end: int) -> bool:
    """Whether the number is a line of its own below others, as in a signature."""
    before, after = text[max(0, start - 9) : start].rstrip(" \t"), text[end : end + 3].lstrip(" \t\r")
    return before.endswith("\n") and after[:1] in {"\n", ""}
