"""Other people's data, told by structure: what looks like an account must stand in this turn's sources.

Nothing is known here about other customers. Every number like an account's, masked ending, customer id and e-mail
address is read out of the sentence and out of the sources in the same way; what only the sentence holds is foreign.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from opsplane.evidence import Evidence
from opsplane.finding import Action, Finding
from opsplane.guardrails import pii

_NUMBER = r"([0-9](?:[ .\-]{0,2}[0-9]){3,18})(?![0-9])"
_ENDING = re.compile(
    rf"\b(?:end(?:ing|s|ed)?(?: up)?(?: in| with| on)?|last (?:four|4)(?: digits?)?(?: (?:are|is|of|being))?)"
    rf"\s{{0,2}}[:=]?[ …*x.•#-]{{0,12}}{_NUMBER}",
    re.IGNORECASE,
)
_MASKED = re.compile(r"(?:[*•…#]{1,16}|\.{2,16}|\b[xX]{2,16})[ -]{0,2}([0-9]{4})(?![0-9])")
_NAMED = re.compile(
    rf"\b(?:account|acct|card|loan|checking|savings|visa|iban)\.? (?:number|no\.?|id|nr\.?|num|#)"
    rf"(?: is)?[ :=]{{0,3}}{_NUMBER}|\b(?:acct|account|card|loan) #?([0-9]{{4}})\b(?![.,-]\d)",
    re.IGNORECASE,
)
_CUSTOMER = re.compile(
    r"\bC ?[-_]? ?([0-9]{3,12})\b|\b(?:customer|client|member|user|cust)(?: ?(?:id|number|no\.?|#))?[ :=#]{1,3}"
    r"(?:[A-Z]-?)?([0-9]{3,12})\b",
    re.IGNORECASE,
)
_SPOKEN_EMAIL = re.compile(
    r"\b[\w.+-]{1,64} ?[(\[]? ?\bat\b ?[)\]]? ?[\w-]{1,60} ?[(\[]? ?\bdot\b ?[)\]]? ?"
    r"(?:com|org|net|gov|edu|example|io|us)\b",
    re.IGNORECASE,
)
_ACCOUNT_LIKE = frozenset({"card", "account", "ssn", "iban", "licence", "passport", "birth", "secret"})
_YEAR = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(?:-([0-9]{2})-([0-9]{2}))?(?![0-9])")
_DASHES = str.maketrans("‐‑‒–—―−", "-------")

_UNIT_WORDS = "zero one two three four five six seven eight nine"
_UNITS = {word: str(number) for number, word in enumerate(_UNIT_WORDS.split())}
_UNITS |= {"oh": "0", "nought": "0", "naught": "0", "nil": "0"}
_TEEN_WORDS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TEENS = {word: str(number) for number, word in enumerate(_TEEN_WORDS.split(), start=10)}
_TEN_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: str(number) for number, word in enumerate(_TEN_WORDS.split(), start=2)}
_AGAIN = {"double": 2, "triple": 3}
_WORDS = "|".join([*_UNITS, *_TEENS, *_TENS, *_AGAIN])
_ONE = rf"(?:{_WORDS}|[0-9](?![0-9]))"
_RUN = re.compile(
    rf"(?<![\w$€£.,]){_ONE}(?:[\s,./·•|:;*_-]{{1,4}}(?:and )?{_ONE}){{2,40}}(?![\w%])(?![.,]\d)", re.IGNORECASE
)
_HINT = re.compile(rf"[0-9@]|\b(?:{_WORDS}|dot)\b", re.IGNORECASE)
_PIECE = re.compile(rf"{_WORDS}|[0-9]", re.IGNORECASE)


def findings(text: str, sources: Sequence[Evidence]) -> list[Finding]:
    """The first token like an account's that none of `sources` holds: what is cited, and the turn's tool results."""
    tokens = _tokens(text)
    if not tokens:
        return []
    known = frozenset().union(*(_known(f"{source.text}\n{source.version}") for source in sources))
    for kind, token, span in tokens:
        if token not in known:
            # a number is not shown to the record either: how it is written decides whether it could be masked
            shown = pii.mask(span) if kind != "spoken" else re.sub(r"[0-9]", "#", span[:20])
            detail = "an address of a person" if kind == "email" else "a number like an account's"
            return [
                Finding(
                    code="access.foreign_data",
                    action=Action.WITHHOLD,
                    stage="answer",
                    span=shown,
                    detail=f"{detail}, in no source of this turn",
                )
            ]
    return []


@lru_cache(maxsize=512)
def _known(text: str) -> frozenset[str]:
    """Tokens of a source, its years and dates, and the last four digits of its longer numbers, which may be masked."""
    tokens = {token for _, token, _ in _tokens(text)}
    dates = {date for match in _YEAR.finditer(text) for date in (match.group(1), "".join(match.groups("")))}
    return frozenset(tokens | dates | {token[-4:] for token in tokens if token.isdigit() and len(token) >= 8})


@lru_cache(maxsize=512)
def _tokens(text: str) -> tuple[tuple[str, str, str], ...]:
    """Kind, comparable form and written form of everything in the text that is like an account's."""
    plain = _digits(text).translate(_DASHES)
    if not _HINT.search(plain):
        return ()
    spelt = _RUN.sub(lambda run: _spelt(run.group()), plain)
    found = [*_personal(plain), *_written(plain), *_runs(plain)]
    if spelt != plain:
        found += [*_personal(spelt), *_written(spelt)]
    return tuple(dict.fromkeys(found))


def _personal(text: str) -> Iterator[tuple[str, str, str]]:
    for span in pii.measure(text):  # the unsure ones too: a model could call an account number an order number
        written = text[span.start : span.end]
        if span.type in _ACCOUNT_LIKE:
            yield span.type, re.sub(r"[^0-9A-Z]", "", written.upper()), written
        elif span.type == "email":
            yield "email", written.lower(), written


def _written(text: str) -> Iterator[tuple[str, str, str]]:
    """Endings, masked and named numbers, customer ids, addresses in words."""
    for pattern in (_ENDING, _MASKED, _NAMED):
        for match in pattern.finditer(text):
            yield "ending", re.sub(r"[^0-9]", "", next(filter(None, match.groups()))), match.group()
    for match in _CUSTOMER.finditer(text):
        yield "customer", f"C-{match.group(1) or match.group(2)}", match.group()
    for match in _SPOKEN_EMAIL.finditer(text):
        yield "email", match.group().lower(), match.group()


def _runs(text: str) -> Iterator[tuple[str, str, str]]:
    """Four or more digits said or written one by one; counting up (1, 2, 3, 4) and a year are none."""
    for match in _RUN.finditer(text):
        number = _read(match.group())
        if len(number) >= 4 and number not in "01234567890" and not re.fullmatch(r"(?:19|20)[0-9]{2}", number):
            yield "spoken", number, match.group()


def _spelt(run: str) -> str:
    """A run of digits and words as one number, where it has four digits or more."""
    number = _read(run)
    return number if len(number) >= 4 else run


def _read(run: str) -> str:
    """The digits of a run: "double seven" is 77, "forty-eight" is 48."""
    number, times, tens = "", 1, ""
    for match in _PIECE.finditer(run):
        piece = match.group().lower()
        if tens and piece not in _UNITS:
            number, tens = number + tens + "0", ""
        if piece in _AGAIN:
            times = _AGAIN[piece]
        elif piece in _TENS:
            tens = _TENS[piece]
        elif tens:
            number, tens = number + tens + _UNITS[piece], ""
        else:
            number, times = number + (_UNITS.get(piece) or _TEENS.get(piece) or piece) * times, 1
    return number + (tens + "0" if tens else "")


def _digits(text: str) -> str:
    """Digits of every script as 0 to 9."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)
