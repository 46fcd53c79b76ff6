"""Tokens and what they cost: the price table, integer micro-dollars for each purpose, and how the month will end."""

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil, sqrt
from pathlib import Path
from statistics import fmean
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from opsplane import yamlfile

TABLE = Path(__file__).parent / "prices.yaml"

Rate = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=8)]
"""Dollars per million tokens, that is micro-dollars per token; so short that every product below is exact."""


class Purpose(StrEnum):
    """What a model call was made for; each purpose has an account of its own."""

    ANSWER = "answer"
    JUDGE = "judge"
    SHADOW = "shadow"
    GUARDRAIL = "guardrail"
    EVALUATION = "evaluation"
    EMBEDDING = "embedding"
    CACHE = "cache"  # that a provider keeps the beginning of prompts


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Usage(_Value):
    """Tokens of one or more model calls; `thinking` is part of `output`, `cached` is part of `input`.

    `stored` is token-seconds: how many tokens a provider was paid to keep, times for how many seconds.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    thinking: int = 0
    stored: int = Field(default=0, exclude_if=lambda stored: stored == 0)  # came later: old records keep their bytes

    def plus(self, other: "Usage") -> "Usage":
        """The sum of two usages."""
        return Usage(
            input=self.input + other.input,
            output=self.output + other.output,
            cached=self.cached + other.cached,
            thinking=self.thinking + other.thinking,
            stored=self.stored + other.stored,
        )


class Rates(_Value):
    """What one model's tokens cost; thinking tokens cost what output costs unless the table says otherwise.

    `storage` is dollars for a million tokens kept for an hour; without one nothing of the model can be kept for money.
    """

    input: Rate
    output: Rate
    cached: Rate
    thinking: Rate | None = None
    storage: Rate | None = None

    def exact(self, usage: Usage) -> Fraction:
        """Micro-dollars, not rounded. More cached or thinking tokens than there are in all count as all of them."""
        cached, thinking = min(usage.cached, usage.input), min(usage.thinking, usage.output)
        thought = self.output if self.thinking is None else self.thinking
        read = (usage.input - cached) * self.input + cached * self.cached
        said = (usage.output - thinking) * self.output + thinking * thought
        return Fraction(read) + Fraction(said) + usage.stored * Fraction(self.storage or 0) / HOUR


HOUR = 3_600
"""Seconds of what storage is paid by."""


class Price(Rates):
    """A model's price, and what it is in regions where it differs.

    A model without `regions` costs the same everywhere. One with `regions` has a price in those and where no region
    is told; in any other it has none, and is booked at the price it has without a region.
    """

    regions: dict[str, Rates] = {}


class EmbeddingPrice(_Value):
    """An embedding model's price: it reads tokens and writes none."""

    input: Rate
    regions: dict[str, Rate] = {}

    def price(self) -> Price:
        """The same as a model whose output is free."""
        return Price(**_reading(self.input), regions={name: Rates(**_reading(at)) for name, at in self.regions.items()})


class Cost(_Value):
    """What calls of one model for one purpose cost, as it stands on the record; `prices` is the table's version."""

    purpose: Purpose
    model: str
    region: str = ""
    usage: Usage
    micros: int = Field(ge=0)
    prices: str


class Prices(_Value):
    """A price table: where its prices come from and when they were read, and the version that stands on bookings."""

    version: str = Field(min_length=1)
    source: str = Field(min_length=1)
    currency: Literal["USD"]
    models: dict[str, Price]
    embeddings: dict[str, EmbeddingPrice] = {}

    def cost(self, model: str, usage: Usage, region: str = "") -> int:
        """Micro-dollars for one call, exact and then rounded half to even; 0 for a model without a price.

        Whether a model has a price is told by `knows`, so that an unknown price is never booked as "free" unnoticed.
        """
        price = self._price(model)
        if price is None:
            return 0
        return round(price.regions.get(region, price).exact(usage))

    def knows(self, model: str, region: str = "", usage: Usage | None = None) -> bool:
        """Whether the table has a price for this model in this region, and for keeping tokens where any were kept."""
        price = self._price(model)
        if price is None or (region and price.regions and region not in price.regions):
            return False
        return usage is None or not usage.stored or price.regions.get(region, price).storage is not None

    def rates(self, model: str, region: str = "") -> Rates | None:
        """What this model's tokens cost in this region, or None."""
        price = self._price(model)
        return None if price is None else price.regions.get(region, price)

    def book(self, purpose: Purpose, model: str, usage: Usage, region: str = "") -> Cost:
        """One call as it goes on the record."""
        micros = self.cost(model, usage, region)
        return Cost(purpose=purpose, model=model, region=region, usage=usage, micros=micros, prices=self.version)

    def _price(self, model: str) -> Price | None:
        if model in self.models:
            return self.models[model]
        return self.embeddings[model].price() if model in self.embeddings else None


def _reading(rate: Decimal) -> dict[str, Decimal]:
    return {"input": rate, "output": Decimal(0), "cached": rate}


def calls_that_pay(rates: Rates, seconds: int, *, made: bool = True) -> int | None:
    """The fewest calls within so many seconds for which keeping a prompt's beginning costs no more than sending it.

    Sent n times, P tokens cost n·P·input. Kept for s seconds they cost P·input once, to make the cache, then
    P·storage·s/3600 and n·P·cached. The two are equal at n = (input + storage·s/3600) / (input − cached), whatever P
    is. Without `made` the cache is there already and its time is made longer: then input is not paid again. None where
    a cached token is no cheaper, or what keeping costs is not known.
    """
    saved = Fraction(rates.input) - Fraction(rates.cached)
    if saved <= 0 or rates.storage is None:
        return None
    once = Fraction(rates.input) if made else Fraction(0)
    return max(1, ceil((once + Fraction(rates.storage) * seconds / HOUR) / saved))


def load(path: Path = TABLE) -> Prices:
    """Read the price table; raise `InvalidRelease` with file, line and field."""
    return yamlfile.read(path, Prices)


def merged(costs: Iterable[Cost]) -> tuple[Cost, ...]:
    """One cost for each purpose, model, region and price table, in the order of their first calls.

    Each call was rounded by itself, so the sum is that of the calls.
    """
    found: dict[tuple[str, ...], Cost] = {}
    for one in costs:
        key = (one.purpose, one.model, one.region, one.prices)
        sofar = found.get(key)
        if sofar is not None:
            one = one.model_copy(update={"usage": sofar.usage.plus(one.usage), "micros": sofar.micros + one.micros})
        found[key] = one
    return tuple(found.values())


@dataclass(frozen=True)
class Forecast:
    """What the month will have cost at its end, in micro-dollars, and by how many whole days that was judged.

    `low` and `high` are a 90 % prediction interval; `high` is None while one day alone cannot tell the spread.
    """

    micros: int
    low: int
    high: int | None
    days: int
    method: str


HISTORY = 28
"""Days that a forecast looks back on: four of each weekday."""
_T95: tuple[float, ...] = (
    *(6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812),
    *(1.796, 1.782, 1.771, 1.761, 1.753, 1.746, 1.740, 1.734, 1.729, 1.725),
    *(1.721, 1.717, 1.714, 1.711, 1.708, 1.706, 1.703, 1.701, 1.699, 1.697),
)
"""Student's t, 95 % quantile, by degrees of freedom from 1."""


def forecast(days: Mapping[date, int], today: date) -> Forecast | None:
    """Where this month's costs will end, from micro-dollars a day; None before there is one whole day.

    Looked at are the whole days among the last 28, from the first with a booking on; days in between without one count
    as 0. With two weeks or more each day to come is taken to cost the mean of its weekday, with fewer the mean of all.
    Today counts as a whole day, or as what it has cost already where that is more. The interval is that of a sum of n
    independent days whose mean was estimated: t · s · √(n + Σ n_w²/k_w), with k_w days behind each mean, s the standard
    deviation around the means and k − (number of means) degrees of freedom. It never ends below what is spent already.
    """
    begun = min((day for day in days if day < today), default=None)
    if begun is None:
        return None
    first = max(begun, today - timedelta(days=HISTORY))
    known = {first + timedelta(days=n): days.get(first + timedelta(days=n), 0) for n in range((today - first).days)}
    weekly = len(known) >= 14
    groups: dict[int, list[int]] = {}
    for day, micros in known.items():
        groups.setdefault(day.weekday() if weekly else 0, []).append(micros)
    means = {group: fmean(values) for group, values in groups.items()}
    last = today.replace(day=calendar.monthrange(today.year, today.month)[1])
    coming = [(today + timedelta(days=n)).weekday() if weekly else 0 for n in range((last - today).days + 1)]
    spent = sum(micros for day, micros in days.items() if today.replace(day=1) <= day <= today)
    before = spent - days.get(today, 0)
    expected = round(before + max(means[coming[0]], days.get(today, 0)) + sum(means[group] for group in coming[1:]))
    method = "the mean of each weekday" if weekly else "the mean of all days"
    margin = _margin(groups, means, coming)
    high = None if margin is None else expected + margin
    low = spent if margin is None else max(spent, expected - margin)
    return Forecast(expected, low, high, len(known), method)


def _margin(groups: Mapping[int, list[int]], means: Mapping[int, float], coming: list[int]) -> int | None:
    """Half the width of the 90 % interval in micro-dollars, or None where a single day tells no spread."""
    freedom = sum(len(values) for values in groups.values()) - len(groups)
    if freedom < 1:
        return None
    squares = sum((value - means[group]) ** 2 for group, values in groups.items() for value in values)
    spread = len(coming) + sum(coming.count(group) ** 2 / len(values) for group, values in groups.items())
    return round(_T95[min(freedom, len(_T95)) - 1] * sqrt(squares / freedom * spread))
