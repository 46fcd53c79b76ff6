"""Personal data by pattern and checksum: cards, social security numbers, IBANs, e-mail, phones, account numbers."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from stdnum import iban, luhn
from stdnum.us import ssn

LABELS = {
    "card": "card number",
    "account": "account number",
    "ssn": "social security number",
    "iban": "IBAN",
    "email": "e-mail address",
    "phone": "phone number",
}
"""What each type is called where it is masked."""

_ASCII_DIGITS = str.maketrans(
    "０１２３４５６７８９٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹\u00a0\u2010\u2011\u2013\u2014", "0123456789" * 3 + " ----"
)
_GAP = r"[ .\-\u200b-\u200d\u2060]?"
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+%-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}\b")
_IBAN = re.compile(r"\b[A-Z]{2}[0-9]{2}[A-Z0-9 ]{10,40}", re.IGNORECASE)
_DIGITS = re.compile(rf"(?<![\w$€£.])[0-9](?:{_GAP}[0-9]){{6,30}}(?![0-9])")
_SSN = re.compile(r"[0-9]{3}[ -][0-9]{2}[ -][0-9]{4}\b")
_PHONE = re.compile(r"(?<![\w$.,-])(?:\+?1[-. ]?)?(?:\([0-9]{3}\) ?|[0-9]{3}[-. ])[0-9]{3}[-. ][0-9]{4}(?![\w-])")
_TOLL_FREE = re.compile(r"^1?8(?:00|33|44|55|66|77|88)")
_DATE = re.compile(r"(?:19|20)[0-9]{2}[-. ]?(?:0[1-9]|1[0-2])[-. ]?(?:0[1-9]|[12][0-9]|3[01])(?![0-9])")
_SSN_CONTEXT = re.compile(r"\b(?:ssn|social|tax id|itin)\b[^0-9]{0,30}$", re.IGNORECASE)
_PHONE_CONTEXT = re.compile(r"\b(?:phone|cell|mobile|call|text|reach|tel|telephone)\b[^0-9]{0,30}$", re.IGNORECASE)
_PUBLIC_CONTEXT = re.compile(r"\b(?:routing|aba|transit|swift)\b[^0-9]{0,30}$", re.IGNORECASE)


class Span(NamedTuple):
    """Where a piece of personal data stands: `text[start:end]`."""

    type: str  # a key of LABELS
    start: int
    end: int


def find(text: str) -> list[Span]:
    """Every piece of personal data in order of appearance, without overlaps."""
    ascii_text = text.translate(_ASCII_DIGITS)
    found: list[Span] = []
    for span in (*_emails(ascii_text), *_ibans(ascii_text), *_phones(ascii_text), *_numbers(ascii_text)):
        if not any(span.start < other.end and other.start < span.end for other in found):
            found.append(span)
    return sorted(found, key=lambda span: span.start)


def mask(text: str) -> str:
    """The text with personal data replaced by its name; cards and accounts keep their last four digits."""
    for span in reversed(find(text)):
        text = text[: span.start] + stand_in(span, text) + text[span.end :]
    return text


def stand_in(span: Span, text: str) -> str:
    """What is shown in place of `text[span.start:span.end]`."""
    if span.type not in {"card", "account"}:
        return f"[{LABELS[span.type]}]"
    digits = re.sub(r"[^0-9]", "", text[span.start : span.end].translate(_ASCII_DIGITS))
    return f"[{LABELS[span.type]} …{digits[-4:]}]"


def _emails(text: str) -> Iterator[Span]:
    for match in _EMAIL.finditer(text):
        yield Span("email", match.start(), match.end())


def _ibans(text: str) -> Iterator[Span]:
    """An IBAN may be followed by more letters, so the longest prefix with a valid checksum counts."""
    for match in _IBAN.finditer(text):
        candidate = match.group()
        for end in range(len(candidate), 14, -1):
            if candidate[end - 1] != " " and iban.is_valid(candidate[:end]):
                yield Span("iban", match.start(), match.start() + end)
                break


def _phones(text: str) -> Iterator[Span]:
    """US numbers written with separators; toll-free ones belong to businesses and are not personal."""
    for match in _PHONE.finditer(text):
        if not _TOLL_FREE.match(re.sub(r"[^0-9]", "", match.group())):
            yield Span("phone", match.start(), match.end())


def _numbers(text: str) -> Iterator[Span]:
    for match in _DIGITS.finditer(text):
        if span := _card(match) or _social(match, text) or _account(match, text):
            yield span


def _card(match: re.Match[str]) -> Span | None:
    """The longest run of whole groups with 13 to 19 digits, a card issuer's first digits and a valid checksum."""
    written = match.group()
    ends = [len(written), *(gap.start() for gap in re.finditer(r"[^0-9]", written))]
    for end in sorted(ends, reverse=True):
        digits = re.sub(r"[^0-9]", "", written[:end])
        if 13 <= len(digits) <= 19 and re.match(r"[3-6]|2[2-7]", digits) and luhn.is_valid(digits):
            return Span("card", match.start(), match.start() + end)
    return None


def _social(match: re.Match[str], text: str) -> Span | None:
    named = _SSN_CONTEXT.search(text[max(0, match.start() - 60) : match.start()])
    written = _SSN.match(match.group())
    if written and (named or ssn.is_valid(written.group().replace(" ", "-"))):
        return Span("ssn", match.start(), match.start() + written.end())
    if named and re.fullmatch(r"[0-9]{9}", match.group()):
        return Span("ssn", match.start(), match.end())
    return None


def _account(match: re.Match[str], text: str) -> Span | None:
    """Eight to seventeen digits in one run, unless they are a date, an amount, toll-free or a routing number."""
    run = re.match(r"[0-9]{8,17}(?![0-9])", match.group())
    before = text[max(0, match.start() - 60) : match.start()]
    if run is None or _DATE.fullmatch(run.group()) or _PUBLIC_CONTEXT.search(before):
        return None
    end = match.start() + run.end()
    if (_TOLL_FREE.match(run.group()) and run.end() in (10, 11)) or re.match(r"\.[0-9]{2}\b|%", text[end:]):
        return None
    kind = "phone" if run.end() in (10, 11) and _PHONE_CONTEXT.search(before) else "account"
    return Span(kind, match.start(), end)
