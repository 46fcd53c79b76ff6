"""Numbers with a checksum: cards, social security numbers, IBANs; and account numbers, by length and name."""

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from stdnum.us import ssn

from opsplane.guardrails.pii_contexts import Measured, counted, named
from opsplane.guardrails.pii_phones import toll_free

_RUN = re.compile(r"[0-9](?<![\w$€£][0-9])(?<![0-9][.,][0-9])[0-9]*(?:(?: ?[.\-/_] ?| {1,3}|\n)[0-9]+)*")
_ISSUER = re.compile(r"4|5[0-9]|2[2-7]|3[0-9]|6|2131|1800")
_TWELVE = re.compile(r"5[0678]|6")
_GROUPED = frozenset(
    {(4, 4, 4, 4), (4, 4, 4, 1), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 5, 6), (4, 4, 4), (4, 4, 5)}
)
_DATE = re.compile(r"(?:19|20)[0-9]{2}[-. ]?(?:0[1-9]|1[0-2])[-. ]?(?:0[1-9]|[12][0-9]|3[01])(?![0-9])")
_IBAN = re.compile(
    r"[0-9]{2}(?<=[A-Z]{2}[0-9]{2})(?<![A-Z0-9][A-Z]{2}[0-9]{2})(?:[ .\-]?[A-Z0-9]){10,38}", re.IGNORECASE
)
_IBAN_LENGTHS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 "
    "EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 "
    "KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 "
    "PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 "
    "UA29 VA22 VG24 XK20 YE30"
)
_IN_ONE = re.compile(
    "(?:[A-Z0-9]{14,34}|[A-Z]{2}[0-9]{2}(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?)(?![A-Z0-9])", re.IGNORECASE
)
_LENGTH = {entry[:2]: int(entry[2:]) for entry in _IBAN_LENGTHS.split()}
_SLUG = re.compile(r"(?:://|www\.)[^\s?=]{0,200}[/\-_]$")
_ACCOUNT = re.compile(r"\b(?:account|acct|a/c)\.?(?: (?:numbers?|no\.?|id))?(?: ?[#:]| is| was)? ?$", re.IGNORECASE)
_REFERENCE = re.compile(
    r"\b(?:orders?|invoices?|references?|ref|confirmation|tracking|cases?|tickets?|serial|parcel|shipment|isbn|volume)"
    r"(?: (?:numbers?|no\.?|id|code))?(?: ?[#:]| is| was)? ?$",
    re.IGNORECASE,
)
_STREET = re.compile(" [A-Za-z]")
_SHORTEST = 7


class _Group(NamedTuple):
    start: int
    end: int
    digits: str


def ibans(text: str) -> Iterator[Measured]:
    """As many characters as the country writes with a valid checksum; others where the whole is valid or so named."""
    for match in _IBAN.finditer(text):
        places = [at for at in range(match.start() - 2, match.end()) if text[at].isalnum()]
        code = "".join(text[at] for at in places).upper()
        length = _LENGTH.get(code[:2], 0)
        whole = _IN_ONE.match(text, places[0])
        if 0 < length <= len(code) and _checks(code[:length]):
            yield Measured("iban", places[0], places[length - 1] + 1, 0.99)
        elif whole and (named(text, places[0]) == "iban" or _checks(re.sub("[^A-Z0-9]", "", whole.group().upper()))):
            yield Measured("iban", *whole.span(), 0.8)


def _checks(code: str) -> bool:
    """The checksum of ISO 13616: the remainder is 1 modulo 97."""
    return int("".join(str(int(sign, 36)) for sign in code[4:] + code[:4])) % 97 == 1


def numbers(text: str) -> Iterator[Measured]:
    """Cards, social security numbers and accounts among the runs of digits."""
    for run in _RUN.finditer(text):
        if run.end() - run.start() < _SHORTEST:
            continue
        groups = [
            _Group(run.start() + part.start(), run.start() + part.end(), part.group())
            for part in re.finditer("[0-9]+", run.group())
        ]
        yield from _cards(groups, text)
        yield from _socials(groups, text)
        yield from _accounts(groups, text)


def _cards(groups: list[_Group], text: str) -> Iterator[Measured]:
    """Of the ways to read a card that begin with the same group the surest, of equally sure ones the longest."""
    digits = "".join(group.digits for group in groups)
    if len(digits) < 12:
        return
    places = [0, *accumulate(len(group.digits) for group in groups)]
    sums = _luhn_sums(digits)
    at = 0
    while at < len(groups):
        best, last = 0.0, at + 1
        for end in _ends(groups, at):
            left, right = places[at], places[end]
            if 12 <= right - left <= 19:
                valid = (sums[right % 2][right] - sums[right % 2][left]) % 10 == 0
                kind = _kind(groups[at].start, groups[end - 1].end, text)
                usual = end == at + 1 or _sizes(groups, at, end) in _GROUPED
                sure = _card(digits[left:right], valid, kind, end - at if usual else 0)
                best, last = (sure, end) if sure and sure >= best else (best, last)
        if best:
            yield Measured("card", groups[at].start, groups[last - 1].end, best)
        at = last


def _kind(start: int, end: int, text: str) -> str:
    return "phone" if text[start - 1 : start] == "+" else named(text, start, end)


def _ends(groups: list[_Group], at: int) -> Iterator[int]:
    """Where a card that begins with this group may end: with it, after groups as cards have them, or with the last."""
    yield at + 1
    if len(groups[at].digits) == 4:
        yield from (end for end in range(at + 3, min(at + 5, len(groups)) + 1) if _sizes(groups, at, end) in _GROUPED)
    if at == 0 and 1 < len(groups) <= 19:
        yield len(groups)


def _sizes(groups: list[_Group], at: int, end: int) -> tuple[int, ...]:
    return tuple(len(group.digits) for group in groups[at:end])


def _luhn_sums(digits: str) -> tuple[list[int], list[int]]:
    """Running sums of Luhn's checksum (ISO/IEC 7812-1) with each second digit doubled: for even ends, for odd ends."""
    plain = [int(digit) for digit in digits]
    doubled = [2 * digit - 9 * (digit > 4) for digit in plain]
    even = [*plain]
    even[::2] = doubled[::2]
    odd = [*plain]
    odd[1::2] = doubled[1::2]
    return [0, *accumulate(even)], [0, *accumulate(odd)]


def _card(digits: str, valid: bool, kind: str, groups: int) -> float:
    """A checksum needs no name and a name no checksum, for customers mistype; unusual groups (0) need the name."""
    if len(set(digits)) < 2 or not (groups or kind == "card"):
        return 0.0
    issued = _TWELVE.match(digits) if len(digits) == 12 else _ISSUER.match(digits)
    if len(digits) == 12:
        return 0.6 if groups and (kind == "card" or (not kind and valid and issued)) else 0.0
    if valid and issued:
        return 0.85 if kind == "phone" else 0.99
    if kind == "card":
        return 0.7 if groups else 0.0
    return 0.6 if groups == 4 and len(digits) == 16 and issued and not kind else 0.0


def _socials(groups: list[_Group], text: str) -> Iterator[Measured]:
    for at, group in enumerate(groups):
        if len(group.digits) not in (3, 9):
            continue
        if len(group.digits) == 9 and named(text, group.start, group.end) == "ssn":
            yield Measured("ssn", group.start, group.end, 0.9)
        three = groups[at : at + 3]
        if [len(part.digits) for part in three] == [3, 2, 4]:
            yield Measured("ssn", group.start, three[2].end, _social(three, text))


def _social(three: list[_Group], text: str) -> float:
    """Sure where named; unnamed, only numbers that may have been given out, and written with hyphens or alone."""
    kind = named(text, three[0].start, three[2].end)
    if kind == "ssn":
        return 0.95
    if kind in {"phone", "reference", "amount"} or not ssn.is_valid("-".join(part.digits for part in three)):
        return 0.3
    if text[three[0].end] == "-":
        return 0.9
    return 0.3 if _STREET.match(text, three[2].end) else 0.6


def _accounts(groups: list[_Group], text: str) -> Iterator[Measured]:
    """Eight to seventeen digits in one run, or seven and more in groups where the words before say account."""
    first = groups[0].start
    if _in_groups(groups, text):
        yield Measured("account", first, groups[-1].end, 0.8)
        return
    for group in groups:
        decimals = group.start > first and text[group.start - 1] == "."
        if 7 <= len(group.digits) <= 17 and not decimals and (certainty := _account(group, text)):
            yield Measured("account", group.start, group.end, certainty)


def _in_groups(groups: list[_Group], text: str) -> bool:
    first, last = groups[0].start, groups[-1].end
    if len(groups) == 1 or len(groups[0].digits) > 7 or not 7 <= sum(len(group.digits) for group in groups) <= 17:
        return False
    named_so = _ACCOUNT.search(text, max(0, first - 40), first) is not None
    return named_so and "/" not in text[first:last] and not _DATE.match(text, first) and not counted(text, last)


def _account(group: _Group, text: str) -> float:
    """Unless it is a date, an amount, a count, toll-free, a routing number, an order or a part of an address."""
    kind = named(text, group.start, group.end)
    if kind in {"public", "phone"} or _DATE.fullmatch(group.digits) or counted(text, group.end):
        return 0.0
    if toll_free(group.digits) or _SLUG.search(text, max(0, group.start - 200), group.start):
        return 0.0
    if kind == "account":
        return 0.8
    if len(group.digits) == 7 or _REFERENCE.search(text, max(0, group.start - 40), group.start):
        return 0.4
    return 0.6
