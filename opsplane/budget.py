"""Budgets: limits in dollars for a day or a month, and what happens on the way to them and beyond."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from opsplane import yamlfile
from opsplane.ledger import costs
from opsplane.ledger.costs import Record
from opsplane.spend import Purpose

FILE = Path(__file__).parent / "budgets.yaml"


class Level(StrEnum):
    """How far a budget is used up, and so what happens; each includes what the one before does."""

    OK = "ok"
    WARN = "warn"  # people are told
    FLASH = "flash"  # every question goes to the Flash tier
    STOP = "stop"  # no model is called

    @property
    def rank(self) -> int:
        """Larger is worse."""
        return list(Level).index(self)


class Scope(StrEnum):
    """Whose costs count together."""

    TOTAL = "total"
    CUSTOMER = "customer"


class Period(StrEnum):
    """The time after which a budget begins anew, in the bank's time zone."""

    DAY = "day"
    MONTH = "month"

    def first(self, day: date) -> date:
        """The first day of the period that holds `day`."""
        return day if self is Period.DAY else day.replace(day=1)

    def after(self, day: date) -> date:
        """The first day of the period after it."""
        if self is Period.DAY:
            return day + timedelta(days=1)
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)

    def label(self, day: date) -> str:
        """The period that holds `day`, as it stands on the record: 2026-11-23 or 2026-11."""
        return day.isoformat() if self is Period.DAY else f"{day:%Y-%m}"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Share = Annotated[Decimal, Field(gt=0, le=100, max_digits=8, decimal_places=4)]


class Steps(_Value):
    """From which share of the limit on something happens (1 is the limit itself); at least one is given."""

    warn: Share | None = None
    flash: Share | None = None
    stop: Share | None = None

    def given(self) -> list[tuple[Level, Decimal]]:
        """The steps that there are, mildest first."""
        shares = (Level.WARN, self.warn), (Level.FLASH, self.flash), (Level.STOP, self.stop)
        return [(level, share) for level, share in shares if share is not None]

    @model_validator(mode="after")
    def _rise(self) -> Self:
        shares = [share for _, share in self.given()]
        if not shares:
            raise ValueError("give at least one of warn, flash and stop")
        if any(later <= earlier for earlier, later in pairwise(shares)):
            raise ValueError("warn, flash and stop must rise in this order")
        return self


class Budget(_Value):
    """A limit on what some purposes may cost in a period: everybody together, each customer, or one customer."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    scope: Scope
    customer: str = ""  # with scope customer: this one alone
    period: Period
    limit: Decimal = Field(gt=0, max_digits=15, decimal_places=6)  # dollars
    purposes: tuple[Purpose, ...] = Field(default=tuple(Purpose), min_length=1)
    steps: Steps

    @property
    def limit_micros(self) -> int:
        """The limit in micro-dollars."""
        return int(self.limit * 1_000_000)

    def concerns(self, customer: str) -> bool:
        """Whether what is done for this customer counts; for nobody in particular (""), only the total does."""
        return self.scope is Scope.TOTAL or (bool(customer) and self.customer in ("", customer))

    def level(self, spent: int) -> Level:
        """The worst step reached; a step is reached when exactly its share is spent."""
        reached = [level for level, share in self.steps.given() if spent >= share * self.limit_micros]
        return reached[-1] if reached else Level.OK

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if self.customer and self.scope is Scope.TOTAL:
            raise ValueError("a customer is named, but the scope is total")
        return self


class Budgets(_Value):
    """Every budget of a bank."""

    budgets: tuple[Budget, ...] = ()

    @model_validator(mode="after")
    def _differ(self) -> Self:
        ids = [one.id for one in self.budgets]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"two budgets are called {twice[0]!r}")
        return self


def load(path: Path = FILE) -> Budgets:
    """Read budgets; raise `InvalidRelease` with file, line and field."""
    return yamlfile.read(path, Budgets)


@dataclass(frozen=True)
class Standing:
    """Where a budget stands, money in micro-dollars; `budget` is None where none applies."""

    level: Level
    budget: Budget | None
    spent: int
    limit: int
    reason: str


def stand(budget: Budget, spent: int) -> Standing:
    """Where one budget stands, with the sentence that says why."""
    level, limit = budget.level(spent), budget.limit_micros
    share = spent * 100 // limit
    period = "today" if budget.period is Period.DAY else "this month"
    reason = f"Budget {budget.id}: {_dollars(spent)} of {_dollars(limit)} spent {period} ({share} %)."
    return Standing(level, budget, spent, limit, reason)


def decide(budgets: Iterable[Budget], spent: Mapping[str, int]) -> Standing:
    """The worst standing of these budgets, of equally bad ones the fullest; `spent` is micro-dollars by budget id."""
    standings = [stand(one, spent.get(one.id, 0)) for one in budgets]
    if not standings:
        return Standing(Level.OK, None, 0, 0, "No budget applies.")
    return max(standings, key=lambda one: (one.level.rank, one.spent / one.limit))


def _dollars(micros: int) -> str:
    """Dollars and cents, cut: a limit is never said to be reached before it is."""
    return f"${micros // 1_000_000:,}.{micros % 1_000_000 // 10_000:02d}"


@dataclass(frozen=True)
class Crossing:
    """A step that a budget reached; `customer` is empty for a total, `period` as `Period.label` writes it."""

    budget: str
    period: str
    level: Level
    customer: str
    spent_micros: int
    limit_micros: int

    @property
    def once(self) -> tuple[str, str, str, str]:
        """What happens at most once."""
        return self.budget, self.period, self.level.value, self.customer


class Ledger(Record, Protocol):
    """The record, as far as budgets read it: sums of bookings, and the crossings that were recorded."""

    def events(self, kinds: Sequence[str]) -> Sequence[Any]:
        """The entries of these kinds, oldest first."""
        ...


KEPT = 15.0
"""Seconds for which sums are taken to be true."""
_MOST_CUSTOMERS = 2_000


class Guard:
    """Asked before each turn how the budgets stand. Sums are at most `kept` seconds old, so what is spent meanwhile,
    by turns that run or in other processes, is noticed that much later. Safe to ask from several threads."""

    def __init__(self, ledger: Ledger, budgets: Sequence[Budget], zone: tzinfo = UTC, kept: float = KEPT) -> None:
        self._ledger = ledger
        self._budgets = tuple(budgets)
        self._zone = zone
        self._kept = timedelta(seconds=kept)
        self._sums: dict[str, tuple[datetime, date, dict[Period, dict[Purpose, int]]]] = {}
        self._told: set[tuple[str, str, str, str]] = set()  # as they stand on the record
        self._asked: dict[tuple[str, str, str, str], datetime] = {}  # handed out, to be put there
        self._lock = threading.Lock()

    def standings(self, customer: str, at: datetime) -> list[Standing]:
        """Every budget that concerns this customer ("": nobody in particular), as it stands at this time.

        Raises `RecordUnavailable` where the record does not answer.
        """
        concerned = [one for one in self._budgets if one.concerns(customer)]
        return [stand(one, self._spent(one, customer, at)) for one in concerned]

    def standing(self, customer: str, at: datetime) -> Standing:
        """The worst of them: what the turn asks before routing."""
        concerned = [one for one in self._budgets if one.concerns(customer)]
        return decide(concerned, {one.id: self._spent(one, customer, at) for one in concerned})

    def crossings(self, customer: str, at: datetime) -> list[Crossing]:
        """The steps reached that are not on the record yet; whoever asks puts them there, so that each stands once.

        The record is read again before a step is handed out, so that neither a restart nor another process tells it
        twice; two processes that look at the very same time both do. One that was handed out and did not get onto the
        record is handed out again when the sums are looked at anew.
        """
        reached = [one for each in self.standings(customer, at) for one in self._reached(each, customer, at)]
        with self._lock:
            open_ = [one for one in reached if one.once not in self._told and not self._lately(one, at)]
            if open_:
                self._told = {_once(entry.event) for entry in self._ledger.events(["budget_crossed"])}
            new = [one for one in open_ if one.once not in self._told]
            self._asked |= {one.once: at for one in new}
        return new

    def _lately(self, crossing: Crossing, at: datetime) -> bool:
        asked = self._asked.get(crossing.once)
        return asked is not None and at - asked < self._kept

    def _reached(self, standing: Standing, customer: str, at: datetime) -> list[Crossing]:
        budget = standing.budget
        if budget is None:
            return []
        period = budget.period.label(at.astimezone(self._zone).date())
        whose = customer if budget.scope is Scope.CUSTOMER else ""
        return [
            Crossing(budget.id, period, level, whose, standing.spent, standing.limit)
            for level, _ in budget.steps.given()
            if level.rank <= standing.level.rank
        ]

    def _spent(self, budget: Budget, customer: str, at: datetime) -> int:
        sums = self._look(customer if budget.scope is Scope.CUSTOMER else "", at)[budget.period]
        return sum(sums.get(purpose, 0) for purpose in budget.purposes)

    def _look(self, customer: str, at: datetime) -> dict[Period, dict[Purpose, int]]:
        """The sums of today and this month: one query, unless its answer is still fresh and of the same day."""
        today = at.astimezone(self._zone).date()
        found = self._sums.get(customer)
        if found is not None and found[1] == today and at - found[0] < self._kept:
            return found[2]
        starts = [costs.start(period.first(today), self._zone) for period in Period]
        end = costs.start(Period.MONTH.after(today), self._zone)
        sums = dict(zip(Period, costs.spent_since(self._ledger, starts, end, customer), strict=True))
        with self._lock:
            if len(self._sums) >= _MOST_CUSTOMERS:
                self._sums.clear()
            self._sums[customer] = (at, today, sums)
        return sums


def _once(event: Any) -> tuple[str, str, str, str]:
    return event.budget, event.period, str(event.level), event.customer
