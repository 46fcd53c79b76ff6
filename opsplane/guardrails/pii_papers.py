"""Numbers known by the name before them: licence, passport, date of birth, codes; and addresses on the net."""

import ipaddress
import re
from collections.abc import Iterator

from opsplane.guardrails.pii_contexts import Measured, named

_LINK = r"(?:'s)?(?:\s(?:numbers?|nos?\.?|num|id))?\s?[#:]?(?:\s(?:is|was|are|it'?s|it is))?\s?[:#]?\s{0,3}"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DAY = (
    rf"(?:[0-9]{{1,2}}[-/. ][0-9]{{1,2}}[-/. ][0-9]{{2,4}}|[0-9]{{4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,2}}"
    rf"|{_MONTH}\s[0-9]{{1,2}}(?:st|nd|rd|th)?,?\s[0-9]{{4}}|[0-9]{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH},?\s[0-9]{{4}})"
)
_NAMED = {
    "licence": re.compile(
        rf"\b(?:driv(?:er|ing)(?:'?s)?\slicen[cs]e|licen[cs]e\s(?:number|no\.?|#)|dl\b){_LINK}"
        r"(?P<it>(?=[a-z0-9\-]{0,12}[0-9]{3})[a-z]{0,3}-?[0-9][0-9a-z\-]{3,17}[0-9a-z])\b",
    ),
    "passport": re.compile(rf"\bpassport{_LINK}(?P<it>[a-z]{{0,2}}[0-9]{{6,9}})\b"),
    "birth": re.compile(
        rf"\b(?:dates? of birth|d\.?o\.?b\.?|birth ?dates?|birthday|born)\b['.]?s?[\s,.:]{{0,3}}"
        rf"(?:(?:is|was|it'?s|it is|on|=|-)\s){{0,2}}\s?(?P<it>{_DAY})(?![0-9])",
    ),
    "secret": re.compile(
        r"\b(?:(?:pin|passcode|otp|(?:security|verification|one[\s-]time|access|sms)\s(?:pass)?code)"
        r"(?:\s(?:number|code))?(?:\s(?:is|was|=)|\s?[:=])\s?"
        r"|(?:cvv2?|cvc2?|csc)(?:\s(?:number|code))?(?:\s(?:is|was))?\s?[:=]?\s?)(?P<it>[0-9]{3,8})(?![\w\-]|\s?(?:digit|%))",
    ),
}
_HINTS = {
    "licence": ("licen", "dl ", "dl:", "dl#"),
    "passport": ("passport",),
    "birth": ("birth", "born", "dob", "d.o.b"),
    "secret": ("pin", "code", "otp", "cv", "csc"),
}
_IPV4 = re.compile(r"[0-9](?<![\w.][0-9])[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?![\w]|\.[0-9])")
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:(?<=:)[0-9.]{7,15})?(?![\w:])", re.IGNORECASE)
_COLONS = re.compile(r":[0-9a-f]{0,4}:[0-9a-f]{0,4}:|::", re.IGNORECASE)


def papers(text: str) -> Iterator[Measured]:
    """Numbers that only their name tells: the name must stand right before."""
    lowered = text.lower()  # as long as the text, once that has been read
    for kind, hints in _HINTS.items():
        if any(hint in lowered for hint in hints):
            for match in _NAMED[kind].finditer(lowered):
                yield Measured(kind, *match.span("it"), 0.9)


def network(text: str) -> Iterator[Measured]:
    """IP addresses of both versions; not the numbers of programs and sections of a law."""
    if text.count(".") >= 3:
        for match in _IPV4.finditer(text):
            if _valid(match.group()):
                yield Measured("ip", *match.span(), _certainty(match, text))
    if _COLONS.search(text):
        for match in _IPV6.finditer(text):
            written = match.group()
            if (written.count(":") >= 3 or "::" in written) and re.search("[0-9]", written) and _valid(written):
                yield Measured("ip", *match.span(), 0.95)


def _certainty(match: re.Match[str], text: str) -> float:
    kind = named(text, match.start())
    if kind == "version" or (kind != "ip" and len(match.group()) < 8):
        return 0.3
    return 0.95 if kind == "ip" else 0.8


def _valid(written: str) -> bool:
    try:
        ipaddress.ip_address(written)
    except ValueError:
        return False
    return True
