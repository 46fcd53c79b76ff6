"""A rollout: candidates beside the stable release, as a value; every step of its life makes another one. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from opsplane.access import Actor
from opsplane.control_events import RolloutStarted
from opsplane.rollouts import assignment
from opsplane.rollouts.plan import Kind, Plan

STABLE = "stable"
"""The arm of customers who are served by the stable release."""
CANDIDATE = "candidate"
SHADOW = "shadow"


class Status(StrEnum):
    """Where a rollout stands; the last three are its ends."""

    RUNNING = "running"
    PAUSED = "paused"
    ABORTED = "aborted"
    PROMOTED = "promoted"
    CONCLUDED = "concluded"


@dataclass(frozen=True)
class Happened:
    """One step of a rollout's life, for its report."""

    at: datetime
    by: Actor
    what: str
    reason: str


@dataclass(frozen=True)
class Side:
    """Where a customer is: which release, on which arm, with which chance of the candidate's arm (of 10,000)."""

    digest: str
    arm: str
    rollout: str = ""
    share: int = 0


@dataclass(frozen=True)
class Rollout:
    """One rollout. Releases are digests; `since` is when the present step began, or was gone on with."""

    id: str
    plan: Plan
    stable: str
    candidates: tuple[str, ...]
    salt: str
    request: str
    maker: Actor
    at: datetime
    since: datetime
    story: tuple[Happened, ...]
    status: Status = Status.RUNNING
    step: int = 0
    ended: datetime | None = None
    cause: str = ""  # of an abort
    winner: str = ""

    @property
    def share(self) -> int:
        """The candidates' present share of the customers, in parts of 10,000."""
        return self.plan.steps[self.step].parts

    @property
    def last(self) -> bool:
        """Whether the present step is the last one."""
        return self.step == len(self.plan.steps) - 1

    @property
    def over(self) -> bool:
        """Whether it came to an end."""
        return self.status not in (Status.RUNNING, Status.PAUSED)

    @property
    def deadline(self) -> datetime:
        """When it goes back to stable unless it was decided."""
        return self.at + self.plan.deadline

    @property
    def held(self) -> datetime:
        """When the hold time of the present step is over."""
        return self.since + self.plan.steps[self.step].hold

    def side(self, customer: str) -> Side:
        """Where a customer is; a customer of no name is outside, and so is who is not in an experiment's share."""
        if not customer or self.over:
            return Side(self.stable, STABLE)
        inside = assignment.within(self.salt, customer, self.share)
        match self.plan.kind:
            case Kind.CANARY if inside:
                return Side(self.candidates[0], CANDIDATE, self.id, self.share)
            case Kind.CANARY:
                return Side(self.stable, STABLE, self.id, self.share)
            case Kind.EXPERIMENT if inside:
                number = assignment.arm(self.salt, customer, len(self.candidates) + 1)
                half = assignment.WHOLE // 2  # against the stable arm alone, as the arms are compared
                if number == 0:
                    return Side(self.stable, STABLE, self.id, half)
                return Side(self.candidates[number - 1], arm_name(number, self), self.id, half)
        return Side(self.stable, STABLE)

    def shadows(self, exchange: str) -> bool:
        """Whether the candidate answers this exchange too, unseen."""
        running = self.plan.kind is Kind.SHADOW and self.status is Status.RUNNING
        return running and assignment.within(self.salt, exchange, self.share)

    def told(self, at: datetime, by: Actor, what: str, reason: str, **changes: object) -> "Rollout":
        """The rollout after one more step of its life."""
        return replace(self, story=(*self.story, Happened(at, by, what, reason)), **changes)  # type: ignore[arg-type]  # fields by name

    def hold_left(self, now: datetime) -> timedelta:
        """How long the present step is still to be held."""
        return max(self.held - now, timedelta())


def begun(event: RolloutStarted, at: datetime, by: Actor) -> Rollout:
    """A rollout as it starts; raise `ValueError` for a plan that this version does not read."""
    return Rollout(
        id=event.rollout,
        plan=Plan.model_validate_json(event.plan),
        stable=event.stable,
        candidates=event.candidates,
        salt=event.salt,
        request=event.request,
        maker=by,
        at=at,
        since=at,
        story=(Happened(at, by, "started", event.reason),),
    )


def arm_name(number: int, rollout: Rollout) -> str:
    """The arm of the candidate of this number, from 1."""
    return CANDIDATE if len(rollout.candidates) == 1 else f"{CANDIDATE}-{number}"


def arm_number(name: str) -> int:
    """0 for the stable arm, else the candidate's number from 1."""
    return 0 if name == STABLE else int(name.partition("-")[2] or 1)
