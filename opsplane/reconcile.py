"""The record's costs against the provider's bill: a billing export as CSV, compared by day and model.

A Google Cloud billing export works as it is, out of BigQuery or downloaded from the console's cost table. Columns are
found by their names, whatever their case and punctuation ("Cost ($)", "usage_start_time", "service.description"):

    day       usage_start_time, usage_start_date, usage_date, start_time, start_date, day, date
    cost      cost, cost_usd, unrounded_cost, subtotal, unrounded_subtotal, amount
    sku       sku_description, sku, sku_name, description, resource_type
    service   service_description, service, service_name, product            (optional)
    currency  currency, currency_code                                        (optional; US dollars where left out)
    usage     usage_amount, usage, quantity                                  (optional; must be a number, not compared)

Of several columns that would do, the first in this list is taken. Lines before the headings are passed over, and so are
lines without a day (sums, taxes). A date is taken as it is; a time is turned into a day of the zone that is handed in,
and is UTC where it names no zone, as BigQuery writes it. A SKU belongs to the model whose name it holds ("Gemini 3.8
Flash Text Input - Predictions": `google_genai:gemini-3.8-flash`); of two names that it holds the longer one counts.
Services other than those that serve models are left out and counted.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from opsplane.errors import InvalidRequest

COLUMNS = {
    "day": ("usage_start_time", "usage_start_date", "usage_date", "start_time", "start_date", "day", "date"),
    "cost": ("cost", "cost_usd", "unrounded_cost", "subtotal", "unrounded_subtotal", "amount"),
    "sku": ("sku_description", "sku", "sku_name", "description", "resource_type"),
    "service": ("service_description", "service", "service_name", "product"),
    "currency": ("currency", "currency_code"),
    "usage": ("usage_amount", "usage", "quantity"),
}
SERVICES = ("vertex ai", "generative language", "gemini")
"""A service that holds one of these serves models."""
_NEEDED = ("day", "cost", "sku")
_PREAMBLE = 20  # lines in which the headings must come
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d{1,2})?")
_OWN = {"lite", "live", "image", "nano", "tts", "native", "8b"}
"""Words that after a model's name make the name of another model."""


@dataclass(frozen=True)
class Bill:
    """What a provider wants for its models: exact dollars by day and model (or SKU, where it names no model)."""

    costs: Mapping[tuple[date, str], Decimal]
    lines: int  # that count
    elsewhere: int = 0  # lines of other services
    undated: int = 0  # lines without a day

    @property
    def days(self) -> tuple[date, date] | None:
        """The first and the last day, None for an empty bill."""
        found = [day for day, _ in self.costs]
        return (min(found), max(found)) if found else None


def read(text: str, models: Iterable[str], zone: tzinfo = UTC) -> Bill:
    """Read an export; `models` are the names in the price table.

    Raises `InvalidRequest` for missing columns, another currency, and what cannot be read, with its line.
    """
    known = {_words(model.partition(":")[2] or model): model for model in models}
    costs: dict[tuple[date, str], Decimal] = {}
    counted = elsewhere = undated = 0
    for line, cells in _cells(text):
        if not cells["day"]:
            undated += 1
        elif "service" in cells and not any(one in cells["service"].lower() for one in SERVICES):
            elsewhere += 1
        else:
            _demand_dollars(cells.get("currency", ""), line)
            key = _day(cells["day"], zone, line), _model(cells["sku"], known)
            if cells.get("usage"):
                _number(cells["usage"], "usage amount", line)
            costs[key] = costs.get(key, Decimal(0)) + _number(cells["cost"], "cost", line)
            counted += 1
    return Bill(costs, counted, elsewhere, undated)


def _cells(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each line after the headings with its number: the cells of the columns that count, by our names."""
    text = text.removeprefix("\ufeff")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        columns = _headings(rows)
        for row in rows:
            if any(cell.strip() for cell in row):
                yield rows.line_num, {name: row[n].strip() if n < len(row) else "" for name, n in columns.items()}
    except csv.Error as error:
        raise InvalidRequest(f"line {rows.line_num}: this is no CSV: {error}") from error


def _delimiter(text: str) -> str:
    """What separates the cells: whatever the first lines hold most of."""
    head = "\n".join(text.splitlines()[:_PREAMBLE])
    return max(",;\t", key=head.count)


def _headings(rows: Iterator[list[str]]) -> dict[str, int]:
    """The place of each column that counts, once the line with the headings has come."""
    best: list[str] = []
    for _ in range(_PREAMBLE):
        row = next(rows, None)
        if row is None:
            break
        names = [re.sub(r"[^a-z0-9]+", "_", cell.lower()).strip("_") for cell in row]
        columns = {
            column: names.index(found)
            for column, accepted in COLUMNS.items()
            if (found := next((name for name in accepted if name in names), None))
        }
        if all(column in columns for column in _NEEDED):
            return columns
        best = max(best, [cell.strip() for cell in row if cell.strip()], key=len)
    wanted = "; ".join(f"{column}: {', '.join(COLUMNS[column])}" for column in _NEEDED)
    raise InvalidRequest(
        f"No line names all columns that are needed ({wanted}). Found: {', '.join(best) or 'nothing'}."
    )


def _demand_dollars(currency: str, line: int) -> None:
    if currency.upper() not in ("", "USD", "US$", "$"):
        raise InvalidRequest(f"line {line}: the currency is {currency[:20]!r}; the record is kept in USD")


def _number(text: str, what: str, line: int) -> Decimal:
    bare = text.replace("$", "").strip()
    if not _NUMBER.fullmatch(bare) or not any(character.isdecimal() for character in bare):
        raise InvalidRequest(f"line {line}: the {what} {text[:40]!r} is not a number")
    return Decimal(bare.replace(",", ""))


def _day(text: str, zone: tzinfo, line: int) -> date:
    try:
        if len(text) <= len("2026-11-23"):
            return date.fromisoformat(text)
        at = datetime.fromisoformat(re.sub(r"\s*UTC$", "+00:00", text))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(zone).date()
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(f"line {line}: {text[:40]!r} is not a day such as 2026-11-23") from error


def _words(text: str) -> str:
    return f" {' '.join(re.sub(r'[^a-z0-9.]+', ' ', text.lower()).split())} "


def _model(sku: str, known: Mapping[str, str]) -> str:
    """The model with the longest name in the SKU that is not the beginning of another model's; else the SKU."""
    words = _words(sku)
    fitting = [name for name in known if name in words and words.partition(name)[2].partition(" ")[0] not in _OWN]
    return known[max(fitting, key=len)] if fitting else sku or "no SKU"


class Match(StrEnum):
    """How one day of one model compares."""

    MATCHED = "matched"
    DIFFERENT = "different"
    BOOKED = "only booked"
    BILLED = "only billed"


@dataclass(frozen=True)
class Line:
    """One day of one model: micro-dollars booked and billed, None where there is nothing."""

    day: date
    model: str
    booked: int | None
    billed: int | None
    match: Match

    @property
    def difference(self) -> int:
        """By how much more was booked than billed."""
        return (self.booked or 0) - (self.billed or 0)


@dataclass(frozen=True)
class Reconciliation:
    """The whole comparison, by day and model; money in micro-dollars."""

    lines: tuple[Line, ...]
    booked: int
    billed: int
    tolerance: Decimal  # share of what is billed
    elsewhere: int  # lines of the bill for other services
    undated: int  # lines of the bill without a day

    @property
    def agrees(self) -> bool:
        """Whether every day of every model matches."""
        return all(line.match is Match.MATCHED for line in self.lines)


TOLERANCE = Decimal("0.01")
"""A share of what is billed."""
CENT = 10_000
"""Bills are rounded: a difference up to a cent, in micro-dollars, is none."""


def compare(
    bill: Bill, booked: Mapping[tuple[date, str], int], tolerance: Decimal = TOLERANCE, least: int = CENT
) -> Reconciliation:
    """Hold micro-dollars by day and model against a bill.

    What differs by at most `tolerance` of what is billed, or by `least` micro-dollars, matches. Free models that the
    bill does not mention are left out.
    """
    billed = {key: _micros(dollars) for key, dollars in bill.costs.items()}
    keys = sorted(set(billed) | {key for key, cost in booked.items() if cost})
    lines = tuple(
        Line(*key, booked.get(key), billed.get(key), _match(booked.get(key), billed.get(key), tolerance, least))
        for key in keys
    )
    sums = sum(line.booked or 0 for line in lines), _micros(sum(bill.costs.values(), Decimal(0)))
    return Reconciliation(lines, *sums, tolerance, bill.elsewhere, bill.undated)


def _match(booked: int | None, billed: int | None, tolerance: Decimal, least: int) -> Match:
    if abs((booked or 0) - (billed or 0)) <= max(Decimal(least), abs(billed or 0) * tolerance):
        return Match.MATCHED
    if booked is None:
        return Match.BILLED
    return Match.BOOKED if billed is None else Match.DIFFERENT


def _micros(dollars: Decimal) -> int:
    return int((dollars * 1_000_000).to_integral_value(ROUND_HALF_EVEN))
