"""Personal data by pattern, checksum and the words around: found, measured, and masked so that the sense stays."""

import re
from bisect import bisect
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from opsplane.guardrails.pii_contexts import Measured
from opsplane.guardrails.pii_numbers import ibans, numbers
from opsplane.guardrails.pii_papers import network, papers
from opsplane.guardrails.pii_phones import phones
from opsplane.guardrails.pii_reading import read

LABELS = {
    "card": "card number",
    "account": "account number",
    "ssn": "social security number",
    "iban": "IBAN",
    "email": "e-mail address",
    "phone": "phone number",
    "ip": "IP address",
    "licence": "driver's licence number",
    "passport": "passport number",
    "birth": "date of birth",
    "secret": "security code",
}
"""What each type is called where it is masked."""

THRESHOLD = 0.5
"""How sure `find` must be; what `measure` is less sure of is left as it stands."""

_HINT = re.compile(r"[0-9@]|\b(?:at|two|four|six|eight|zero)\b|[^\x00-\x7f]", re.IGNORECASE)
_EMAIL = re.compile(r"@ ?[\w.-]{1,190}\.[^\W\d_]{2,24}\b")
_MAILBOX = re.compile(r"[\w.+%'-]{1,64} ?$")
_EMAIL_SAID = re.compile(
    r"(?<![\w.+%-])[\w.+%-]{1,64}(?: ?[\[({] ?at ?[\])}] ?| at )[\w-]{1,63}"
    r"(?:(?: ?[\[({] ?dot ?[\])}] ?| dot |\.)[\w-]{2,63}){1,4}",
    re.IGNORECASE,
)
_SAID_SIGN = re.compile(r"[\[({] ?(?:at|dot) ?[\])}]| dot ", re.IGNORECASE)


class Span(NamedTuple):
    """Where a piece of personal data stands: `text[start:end]`."""

    type: str  # a key of LABELS
    start: int
    end: int


def find(text: str) -> list[Span]:
    """Every piece of personal data in order of appearance, without overlaps."""
    return [Span(kind, start, end) for kind, start, end, certainty in measure(text) if certainty >= THRESHOLD]


def measure(text: str) -> list[Measured]:
    """What may be personal data, in order and without overlaps, with how sure that is: a surer reading wins."""
    if not _HINT.search(text):
        return []
    reading = read(text)
    plain = reading.text
    sought = chain(_emails(plain), ibans(plain), network(plain), papers(plain), phones(plain), numbers(plain))
    return [Measured(kind, *reading.place(start, end), certainty) for kind, start, end, certainty in _apart(sought)]


def mask(text: str) -> str:
    """The text with personal data replaced by its name; cards and accounts keep their last four digits."""
    parts, at = [], 0
    for span in find(text):
        parts += [text[at : span.start], stand_in(span, text)]
        at = span.end
    return "".join([*parts, text[at:]])


def stand_in(span: Span, text: str) -> str:
    """What is shown in place of `text[span.start:span.end]`."""
    if span.type not in {"card", "account"}:
        return f"[{LABELS[span.type]}]"
    digits = re.sub(r"[^0-9]", "", read(text[span.start : span.end]).text)
    return f"[{LABELS[span.type]} …{digits[-4:]}]"


def _emails(text: str) -> Iterator[Measured]:
    for match in _EMAIL.finditer(text):
        if mailbox := _MAILBOX.search(text, max(0, match.start() - 65), match.start()):
            yield Measured("email", mailbox.start(), match.end(), 0.95)
    if _SAID_SIGN.search(text):
        for match in _EMAIL_SAID.finditer(text):
            if _SAID_SIGN.search(match.group()):
                yield Measured("email", *match.span(), 0.7)


def _apart(found: Iterable[Measured]) -> list[Measured]:
    """Of finds that overlap only the surest, of equally sure ones the longest."""
    chosen: list[Measured] = []
    starts: list[int] = []
    for item in sorted(found, key=lambda item: (-item.certainty, item.start - item.end)):
        at = bisect(starts, item.start)
        if (at == 0 or chosen[at - 1].end <= item.start) and (at == len(starts) or item.end <= starts[at]):
            starts.insert(at, item.start)
            chosen.insert(at, item)
    return chosen
