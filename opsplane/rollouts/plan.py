"""A plan: how a rollout goes on, what it is judged by, until when, and who must agree. One YAML file each."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from opsplane import yamlfile
from opsplane.access import Role
from opsplane.errors import NotFound
from opsplane.rollouts.assignment import WHOLE
from opsplane.rollouts.metrics import CAPPED, LATE, Metric

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"(\d{1,9})\s*([smhd])")


class Kind(StrEnum):
    """What becomes of the candidate."""

    CANARY = "canary"  # it serves a growing share of customers, then everybody
    SHADOW = "shadow"  # it answers too, and nobody sees it
    EXPERIMENT = "experiment"  # it and others serve equal shares; a report says which is best


def _duration(value: object) -> object:
    """`30m`, `2h`, `7d`, `0s`; several may follow each other."""
    if not isinstance(value, str):
        return value
    found = _DURATION.findall(value)
    if not found or _DURATION.sub("", value).strip():
        raise ValueError("a duration is written like 30m, 2h or 7d")
    return sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in found), timedelta())


def _written(value: timedelta) -> str:
    return f"{int(value.total_seconds())}s"


Duration = Annotated[timedelta, BeforeValidator(_duration), PlainSerializer(_written, return_type=str)]
Percent = Annotated[Decimal, Field(gt=0, le=100, decimal_places=2), PlainSerializer(str, return_type=str)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Value):
    """One share of the customers, and what must be there before it is over. `customers` are of the candidate."""

    share: Percent
    hold: Duration = timedelta()
    customers: int = Field(default=20, ge=0)
    exchanges: int = Field(default=50, ge=0)  # of the candidate, in this rollout so far
    approval: bool = False  # a second person must agree before it is left

    @property
    def parts(self) -> int:
        """The share in parts of 10,000."""
        return int(self.share * 100)


class Measure(_Value):
    """A metric with the worst harm that can be borne: 0.02 is two points of a rate, or of the cap.

    One that is not `needed` ends a rollout that harms it, and holds up none where there is too little of it.
    """

    metric: Metric
    harm: float = Field(gt=0, lt=1)
    needed: bool = True
    cap: int = Field(default=0, ge=0)  # milliseconds for speed, micro-dollars for cost

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if (self.metric in CAPPED) != bool(self.cap):
            raise ValueError(f"{self.metric.value}: " + ("needs a cap" if self.metric in CAPPED else "takes no cap"))
        return self


class Plan(_Value):
    """The whole plan. A rollout keeps its own copy: a file changed later changes nothing."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,40}$")
    note: str = ""
    kind: Kind = Kind.CANARY
    steps: tuple[Step, ...] = Field(min_length=1, max_length=20)
    guardrails: tuple[Measure, ...] = Field(min_length=1)
    quality: tuple[Measure, ...] = ()
    alpha: float = Field(default=0.05, gt=0, lt=0.5)  # of a false alarm over the whole rollout
    test: Literal["clustered", "exact"] = "clustered"  # every exchange, by customer; or each customer's first alone
    advance: Literal["automatic", "manual"] = "automatic"
    deadline: Duration = timedelta(days=14)
    approve: tuple[Literal["start", "promote"], ...] = ()  # beside what the policy wants
    approvers: tuple[Role, ...] = (Role.APPROVER, Role.OPERATOR)

    @model_validator(mode="after")
    def _fit(self) -> Self:
        shares = [step.share for step in self.steps]
        if any(later <= earlier for earlier, later in pairwise(shares)):
            raise ValueError("steps: shares must grow from step to step")
        if self.kind is not Kind.CANARY and len(shares) > 1:
            raise ValueError(f"steps: a plan of kind {self.kind.value} has one step")
        if self.deadline <= sum((step.hold for step in self.steps), timedelta()):
            raise ValueError("deadline: it comes before the hold times are over")
        names = [one.metric for one in self.measures]
        if len(set(names)) < len(names):
            raise ValueError("guardrails, quality: a metric is named twice")
        if any(one.metric in LATE for one in self.guardrails):
            raise ValueError("guardrails: thumbs, review and judge come late, if at all; they are quality metrics")
        if not set(self.approvers) <= {Role.APPROVER, Role.OPERATOR, Role.REVIEWER} or not self.approvers:
            raise ValueError("approvers: name roles of staff")
        return self

    @property
    def shares(self) -> str:
        """The shares of its steps, as people read them."""
        return " → ".join(percent(step.parts) for step in self.steps)

    @property
    def way(self) -> str:
        """The same with where it leads: a canary to everybody, everything else nowhere."""
        return f"{self.shares} → everybody" if self.kind is Kind.CANARY else self.shares

    def borne(self, measure: Measure, step: int) -> float:
        """The harm that must be ruled out before this step is left: the more customers come next, the less.

        A harm of h to a share s of the customers is as bad for all together as h·s to everybody, so that what is
        borne at 100 % may be larger by 1/s before a step to s; never above one half.
        """
        following = self.steps[step + 1].share if step + 1 < len(self.steps) else Decimal(100)
        if self.kind is not Kind.CANARY:
            return measure.harm
        return min(max(0.5, measure.harm), measure.harm * float(100 / following))

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Guardrails first, then quality."""
        return (*self.guardrails, *self.quality)

    @property
    def each(self) -> float:
        """The part of alpha that each metric may use (Bonferroni)."""
        return self.alpha / len(self.measures)

    def canonical(self) -> str:
        """What the digest names: JSON with sorted keys, no white space."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `canonical()`, hexadecimal."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def percent(parts: int) -> str:
    """Parts of 10,000 as people read them."""
    return f"{Decimal(parts) * 100 / WHOLE:f}".rstrip("0").rstrip(".") + " %" if parts % 100 else f"{parts // 100} %"


def load(path: Path) -> Plan:
    """One plan; raise `InvalidRelease` with file, line and field."""
    return yamlfile.read(path, Plan)


def load_all(folder: Path) -> dict[str, Plan]:
    """Every plan in a folder by id; raise `InvalidRelease` naming each file that cannot be used."""
    return yamlfile.read_all(folder, load)


def find(plans: Mapping[str, Plan], name: str) -> Plan:
    """A plan by id; raise `NotFound` naming the known ones."""
    if name not in plans:
        raise NotFound(f"There is no plan {name!r}. Known plans: {', '.join(sorted(plans)) or 'none'}.")
    return plans[name]
