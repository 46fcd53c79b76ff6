"""A spreadsheet's value as its reader sees it: "$35.00", "4.25%", "2026-07-01"."""

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

_CURRENCY = re.compile(r"\[\$([^\]-]*)(?:-[^\]]*)?\]")
_BRACKETS = re.compile(r"\[[^\]]*\]")
_QUOTED = re.compile(r'"([^"]*)"|\\(.)')
_SPACING = re.compile(r"[_*].")
_PATTERN = re.compile(r"[#0?,]*[#0?](?:\.([0#?]+))?")
_LONGEST = 12
_GENERAL = ("general", "@", "")


def shown(value: object, pattern: str) -> str:
    """The text of a cell with the number format `pattern`; formats beyond money, shares and plain numbers as such."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, pattern)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, date | timedelta):
        return str(value)
    return str(value)


def _number(value: float, pattern: str) -> str:
    """A number under the first section of its format, which is the one for positive numbers."""
    section = pattern.split(";")[0]
    if section.strip().lower() in _GENERAL or re.search(r"[eE][+-]|/", section):
        return _general(value)
    bare = _BRACKETS.sub("", _CURRENCY.sub(lambda found: _literal(found[1]), section))
    literals: list[str] = []

    def kept(found: re.Match[str]) -> str:
        literals.append(found[1] if found[1] is not None else found[2])
        return f"\x00{len(literals) - 1}\x00"

    bare = _SPACING.sub("", _QUOTED.sub(kept, bare))
    spaced = re.sub(r"\x00\d+\x00", lambda mark: "\x01" * len(mark[0]), bare)
    digits = _PATTERN.search(spaced)
    if digits is None:
        return _general(value)
    before, after = bare[: digits.start()], bare[digits.end() :]
    text = _figure(abs(value), digits, percent="%" in spaced)
    sign = "-" if value < 0 and any(c in "123456789" for c in text) else ""

    def told(part: str) -> str:
        return re.sub(r"\x00(\d+)\x00", lambda mark: literals[int(mark[1])], part).replace("(", "").replace(")", "")

    return f"{sign}{told(before).strip()}{text}{told(after).rstrip()}".strip()


def _literal(symbol: str) -> str:
    return '"' + symbol.replace('"', "") + '"'


def _figure(size: float, digits: re.Match[str], *, percent: bool) -> str:
    """The digits: as many decimals as the pattern asks for, halves rounded up, thousands apart for a comma."""
    decimals = digits[1] or ""
    exact = Decimal(f"{size:.15g}") * (100 if percent else 1)
    if not exact.is_finite() or exact.adjusted() > _LONGEST:
        return _general(size)
    rounded = exact.quantize(Decimal(1).scaleb(-min(len(decimals), _LONGEST)), ROUND_HALF_UP)
    text = f"{rounded:{',' if ',' in digits[0] else ''}f}"
    optional = len(decimals) - len(decimals.rstrip("#?"))
    while optional and text.endswith("0"):
        text, optional = text[:-1], optional - 1
    return text.rstrip(".") if decimals else text


def _general(value: float) -> str:
    """A number without a format: fifteen figures, as spreadsheets keep them."""
    if isinstance(value, int) or (abs(value) < 1e15 and value == int(value)):
        return str(int(value))
    return f"{value:.15g}"
