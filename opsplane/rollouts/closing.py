"""The closing report of a rollout: everything that an auditor keeps, gathered anew from the record alone.

The same record gives the same bytes, whenever and wherever the report is made: what was looked at ends with the
rollout, and numbers are rounded to where no order of adding up can be seen.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from math import exp

from pydantic import BaseModel

from opsplane import requests
from opsplane.approval import Request
from opsplane.control_events import RolloutJudged
from opsplane.difference import FieldChange, RuleChange, TextChange, compare
from opsplane.errors import NotFound
from opsplane.ledger.store import Entry, Ledger
from opsplane.rollouts.arm import Arm
from opsplane.rollouts.evidence import KINDS, Look, Point
from opsplane.rollouts.judgement import UNEVEN, judge, winner
from opsplane.rollouts.metrics import WORDS
from opsplane.rollouts.plan import Kind, Measure, Plan
from opsplane.rollouts.rollout import STABLE, Rollout, Status, arm_name
from opsplane.rollouts.watcher import Watched, Watcher
from opsplane.state import State

DIGITS = 6
"""Decimals of every number."""

LOST = "not chosen"
_FATES = {Status.ABORTED: "sent back", Status.PROMOTED: "promoted"}


@dataclass(frozen=True)
class Candidate:
    """One candidate, what became of it, and what it changes; `readable` tells whether this version could compare it."""

    number: int  # from 1
    digest: str
    release: str  # id and beginning of the digest
    fate: str
    readable: bool
    texts: tuple[TextChange, ...] = ()
    rules: tuple[RuleChange, ...] = ()
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True)
class Agreement:
    """A request about the rollout that a second person decided; `details` is what the decision was bound to."""

    request: str
    action: str
    digest: str
    maker: str
    made: datetime
    reason: str
    decider: str
    decided: datetime
    decision: str
    answer: str
    details: dict[str, str]


@dataclass(frozen=True)
class Step:
    """One step of the rollout's life."""

    at: datetime
    by: str
    role: str
    what: str
    reason: str


@dataclass(frozen=True)
class Turn:
    """A change of verdict: the entry that tells of it, and the last entry that had been looked at."""

    entry: int
    at: datetime
    step: int  # from 0
    verdict: str
    reason: str
    looked_at: int
    exposures: int


@dataclass(frozen=True)
class Compared:
    """One metric of one candidate against stable, in [0, 1]; the interval is its confidence sequence.

    `log_e` speaks for a harm beyond the measure's own, which is certain from `log_threshold` on.
    """

    candidate: int
    measure: Measure
    words: str
    guardrail: bool
    stable: Arm
    tried: Arm
    difference: float | None
    low: float | None
    high: float | None
    worst: float | None  # the largest harm that was not excluded; None where none was
    log_e: float
    log_threshold: float
    harmful: bool
    path: tuple[Point, ...]

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends of the confidence sequence, where there is one."""
        return None if self.low is None or self.high is None else (self.low, self.high)


@dataclass(frozen=True)
class Split:
    """Who was on which side. `log_e` speaks for customers not being split as they should be; see `UNEVEN`."""

    arms: tuple[str, ...]  # stable first
    exposures: tuple[int, ...]
    customers: tuple[int, ...]
    log_e: float
    log_threshold: float


@dataclass(frozen=True)
class End:
    """How it stands or ended; `winner` is what the record names, `finding` what the evidence says of a winner."""

    status: Status
    over: bool
    at: datetime | None
    verdict: str
    reason: str
    cause: str
    winner: str
    finding: str
    zero: str  # the first thing that must never happen, and in which exchange it did
    zero_exchange: str


@dataclass(frozen=True)
class Closing:
    """The whole report. `seq` is the last entry that was looked at; `at` is when the newest thing in it happened.

    The plan's digest is the SHA-256 of its JSON with sorted keys and no white space.
    """

    rollout: str
    ledger: str
    kind: Kind
    plan: Plan
    plan_digest: str
    stable: str
    stable_digest: str
    candidates: tuple[Candidate, ...]
    salt: str
    started: datetime
    deadline: datetime
    agreements: tuple[Agreement, ...]
    story: tuple[Step, ...]
    verdicts: tuple[Turn, ...]
    metrics: tuple[Compared, ...]
    split: Split
    end: End
    seq: int
    at: datetime

    @property
    def losers(self) -> tuple[str, ...]:
        """The candidates of an experiment that was concluded without choosing them."""
        return tuple(one.release for one in self.candidates if one.fate == LOST)


def read(watcher: Watcher, rollout: Rollout) -> Closing:
    """Gather everything from the record; raises `RecordUnavailable`, and `NotFound` where it knows no such rollout."""
    helm = watcher.helm
    helm.ledger.settle()
    state = helm.plane.state
    wanted = state.find_rollout(rollout.id)
    found = Watcher(helm).watched(wanted) if wanted else None  # a fresh one: it has seen nothing beyond the end
    if wanted is None or found is None:
        raise NotFound(f"The record knows no rollout {rollout.id}.")
    at = _newest(helm.ledger, wanted, found.summary.seq)
    approval = helm.policy.approves_promotion(wanted.plan)
    found = replace(found, judgement=judge(wanted, found.summary, at, approval=approval))
    decided = list(requests.every(helm.ledger).values())
    return report(found, state, decided, helm.ledger.events(("rollout_judged",)), helm.ledger.id, at)


def report(
    watched: Watched, state: State, asked: Sequence[Request], judged: Sequence[Entry], ledger: str, at: datetime
) -> Closing:
    """The report as a value. Of `asked` and `judged` what is not about this rollout is left out. Pure."""
    rollout, summary = watched.rollout, watched.summary
    names = (STABLE, *(arm_name(number + 1, rollout) for number in range(len(rollout.candidates))))
    return Closing(
        rollout=rollout.id,
        ledger=ledger,
        kind=rollout.plan.kind,
        plan=rollout.plan,
        plan_digest=rollout.plan.digest,
        stable=state.short(rollout.stable),
        stable_digest=rollout.stable,
        candidates=tuple(_candidate(rollout, number, state) for number in range(len(rollout.candidates))),
        salt=rollout.salt,
        started=rollout.at,
        deadline=rollout.deadline,
        agreements=tuple(_agreements(rollout, asked)),
        story=tuple(Step(one.at, one.by.id, one.by.role.value, one.what, one.reason) for one in rollout.story),
        verdicts=tuple(_turns(rollout, judged)),
        metrics=tuple(_compared(look, rollout.plan) for look in summary.looks),
        split=Split(names, summary.exposures, summary.customers, _rounded(summary.ratio), _rounded(UNEVEN)),
        end=_end(watched, state),
        seq=summary.seq,
        at=at,
    )


def as_json(closing: Closing) -> str:
    """The report as JSON with sorted keys, ASCII only."""
    return json.dumps(asdict(closing), default=_written, sort_keys=True, indent=2, allow_nan=False) + "\n"


def digest(closing: Closing) -> str:
    """SHA-256 of `as_json`, hexadecimal."""
    return hashlib.sha256(as_json(closing).encode()).hexdigest()


def e_value(log_e: float) -> float:
    """An e-value out of its logarithm; what is beyond all doubt is cut, so that it can be written and drawn."""
    return exp(max(-30.0, min(30.0, log_e)))


def _written(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _newest(ledger: Ledger, rollout: Rollout, seq: int) -> datetime:
    """When the last entry that was looked at came, or the newest step of the rollout's life."""
    looked = [one.at for one in ledger.follow(seq - 1, KINDS, 1) if one.seq == seq]
    return max([*looked, rollout.story[-1].at])


def _candidate(rollout: Rollout, number: int, state: State) -> Candidate:
    digest_ = rollout.candidates[number]
    known = digest_, state.short(digest_), _fate(rollout, digest_)
    before, after = state.releases.get(rollout.stable), state.releases.get(digest_)
    if before is None or after is None:
        return Candidate(number + 1, *known, readable=False)
    found = compare(before, after)
    return Candidate(number + 1, *known, True, found.texts, found.rules, found.fields)


def _fate(rollout: Rollout, candidate: str) -> str:
    if not rollout.over:
        return "in progress"
    if rollout.status is not Status.CONCLUDED:
        return _FATES[rollout.status]
    if candidate == rollout.winner:
        return "winner"
    return LOST if rollout.plan.kind is Kind.EXPERIMENT else "compared"


def _agreements(rollout: Rollout, asked: Iterable[Request]) -> Iterable[Agreement]:
    """What was decided while it went on; what was decided later changes nothing in its report."""
    for one in asked:
        about = one.id == rollout.request or one.details.get("rollout") == rollout.id
        if about and one.decider and one.decided and _within(rollout, one.decided):
            yield Agreement(
                request=one.id,
                action=one.action,
                digest=one.digest,
                maker=one.maker.id,
                made=one.at,
                reason=one.reason,
                decider=one.decider.id,
                decided=one.decided,
                decision=one.state.value,
                answer=one.answer,
                details=dict(one.details),
            )


def _turns(rollout: Rollout, judged: Iterable[Entry]) -> Iterable[Turn]:
    for entry in judged:
        event = entry.event
        if isinstance(event, RolloutJudged) and event.rollout == rollout.id and _within(rollout, entry.at):
            numbers = event.seq, event.exposures
            yield Turn(entry.seq, entry.at, event.step, event.verdict, event.reason, *numbers)


def _within(rollout: Rollout, at: datetime) -> bool:
    return rollout.ended is None or at <= rollout.ended


def _compared(look: Look, plan: Plan) -> Compared:
    low, high = look.interval or (None, None)
    return Compared(
        candidate=look.candidate,
        measure=look.measure,
        words=WORDS[look.measure.metric],
        guardrail=look.measure in plan.guardrails,
        stable=_arm(look.stable),
        tried=_arm(look.tried),
        difference=_maybe(look.difference),
        low=_maybe(low),
        high=_maybe(high),
        worst=None if look.low is None else _rounded(look.worst),
        log_e=_rounded(look.log_e),
        log_threshold=_rounded(look.threshold),
        harmful=look.harmful,
        path=tuple(
            Point(one.exposures, *(_rounded(part) for part in (one.log_e, one.difference, one.low, one.high)))
            for one in look.path
        ),
    )


def _end(watched: Watched, state: State) -> End:
    rollout, judgement = watched.rollout, watched.judgement
    compares = rollout.plan.kind is not Kind.CANARY
    return End(
        status=rollout.status,
        over=rollout.over,
        at=rollout.ended,
        verdict=judgement.verdict.value,
        reason=judgement.reason,
        cause=rollout.cause,
        winner=state.short(rollout.winner) if rollout.winner else "",
        finding=winner(rollout.plan, watched.summary.looks)[1] if compares else "",
        zero=watched.summary.zero,
        zero_exchange=watched.summary.zero_exchange,
    )


def _arm(one: Arm) -> Arm:
    return replace(one, mean=_maybe(one.mean))


def _maybe(value: float | None) -> float | None:
    return None if value is None else _rounded(value)


def _rounded(value: float) -> float:
    """Without a sign where nothing is left."""
    return round(float(value), DIGITS) + 0.0
