"""From evidence to a verdict with a sentence, and from the verdict to a move. Pure: equal evidence, equal move.

The order is fixed: what must never happen, guardrails, the split of customers, the smallest sample, quality, the hold
time, approval. Errors and missing data never count for or against a candidate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import exp, log

from opsplane.rollouts.evidence import Look, Summary
from opsplane.rollouts.metrics import WORDS, Metric
from opsplane.rollouts.plan import Kind, Plan
from opsplane.rollouts.rollout import Rollout, Status

UNEVEN = log(20)
"""The log e-value from which on customers are not split as they should be."""


_UNEVEN = (
    "Customers are not split as they should be: something is lost on one side. Find out what before it is resumed."
)


class Verdict(StrEnum):
    """What an analysis says."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


class Move(StrEnum):
    """What follows from a verdict."""

    ADVANCE = "advance"
    PROMOTE = "promote"
    CONCLUDE = "conclude"
    ABORT = "abort"
    HOLD = "hold"
    PAUSE = "pause"


@dataclass(frozen=True)
class Judgement:
    """A verdict, its sentence, and for a failure its cause; `exchange` is the one that it is about, if it is one.

    `gate` is what a passed step still waits for. Of an experiment `best` is the winner's number, 0 for none, and
    `finding` the sentence that goes with it.
    """

    verdict: Verdict
    reason: str
    cause: str = ""
    exchange: str = ""
    gate: str = ""
    best: int = 0
    finding: str = ""


def judge(rollout: Rollout, summary: Summary, now: datetime, *, approval: bool = False) -> Judgement:
    """The verdict on a rollout. `approval` says that the policy wants a second person before its promotion."""
    plan = rollout.plan
    if summary.zero:
        return Judgement(Verdict.FAILED, f"Zero tolerance: {summary.zero}.", "zero_tolerance", summary.zero_exchange)
    guardrails = [one for one in summary.looks if one.measure in plan.guardrails]
    quality = [one for one in summary.looks if one.measure in plan.quality]
    if failed := _failed(guardrails, rollout, "guardrail"):
        return failed
    if summary.ratio >= UNEVEN:
        return Judgement(Verdict.ERROR, _UNEVEN)
    if wanting := _too_few(rollout, summary):
        return Judgement(Verdict.INCONCLUSIVE, wanting)
    if failed := _failed(quality, rollout, "quality"):
        return failed
    if plan.kind is not Kind.EXPERIMENT and (open_ := _unproven([*guardrails, *quality], rollout, summary.unheard)):
        return Judgement(Verdict.INCONCLUSIVE, open_)
    if rollout.status is Status.RUNNING and now < rollout.held:
        return Judgement(
            Verdict.INCONCLUSIVE, f"Nothing speaks against it; the step is held until {_time(rollout.held)}."
        )
    return Judgement(Verdict.PASSED, "Every metric is within what the plan bears.", gate=_gate(rollout, approval))


def decide(rollout: Rollout, judgement: Judgement, now: datetime) -> Move:
    """What follows."""
    if judgement.verdict is Verdict.FAILED:
        return Move.ABORT
    if now >= rollout.deadline:
        return Move.CONCLUDE if rollout.plan.kind is Kind.EXPERIMENT else Move.ABORT
    if rollout.status is Status.PAUSED:
        return Move.HOLD
    if judgement.verdict is Verdict.ERROR:
        return Move.PAUSE
    if judgement.verdict is Verdict.INCONCLUSIVE or judgement.gate:
        return Move.HOLD
    if rollout.plan.kind is not Kind.CANARY:
        return Move.CONCLUDE
    return Move.PROMOTE if rollout.last else Move.ADVANCE


def _failed(looks: Sequence[Look], rollout: Rollout, cause: str) -> Judgement | None:
    """The harm that is certain, the most certain first."""
    harmful = sorted((one for one in looks if one.harmful), key=lambda one: one.threshold - one.log_e)
    for one in harmful[:1]:
        who = f"candidate {one.candidate}: " if len(rollout.candidates) > 1 else ""
        seen = f"{_points(one.tried.mean)} against {_points(one.stable.mean)}"
        reason = (
            f"{who}{WORDS[one.measure.metric]} is worse by more than {_points(one.measure.harm)} points "
            f"({seen}; e = {_e(one.log_e)})"
        )
        return Judgement(Verdict.FAILED, reason[0].upper() + reason[1:] + ".", cause)
    return None


def _too_few(rollout: Rollout, summary: Summary) -> str:
    step = rollout.plan.steps[rollout.step]
    for customers, exchanges in zip(summary.customers[1:], summary.exposures[1:], strict=True):
        if customers < step.customers or exchanges < step.exchanges:
            return (
                f"Too few to tell: {customers} of {step.customers} customers and {exchanges} of {step.exchanges} "
                "exchanges on the candidate."
            )
    return ""


def _unproven(looks: Sequence[Look], rollout: Rollout, unheard: str) -> str:
    """The metric that is furthest from being ruled harmless at this step, or nothing; `unheard` tells of a judge."""
    plan = rollout.plan
    beyond = [(one.worst - plan.borne(one.measure, rollout.step), one) for one in looks if one.measure.needed]
    worst = max(beyond, key=lambda pair: pair[0], default=None)
    if worst is None or worst[0] <= 0:
        return ""
    one = worst[1]
    if unheard and one.measure.metric is Metric.JUDGE:
        return f"Not settled: {unheard}. Its scores do not count."
    return (
        f"Not settled: {WORDS[one.measure.metric]} may still be worse by {_points(one.worst)} points; "
        f"{_points(plan.borne(one.measure, rollout.step))} are borne at this step."
    )


def _gate(rollout: Rollout, approval: bool) -> str:
    plan = rollout.plan
    if plan.kind is not Kind.CANARY:
        return ""
    if rollout.last and approval:
        return "A second person must agree to the promotion: /rollout promote asks for it."
    if plan.steps[rollout.step].approval:
        return "This step is left only when somebody says so: /rollout " + ("promote." if rollout.last else "advance.")
    if plan.advance == "manual":
        return "The plan goes on by hand: /rollout " + ("promote." if rollout.last else "advance.")
    return ""


def winner(plan: Plan, looks: Sequence[Look]) -> tuple[int, str]:
    """The number of an experiment's best candidate, 0 for none, and the sentence that goes with it.

    Decided by the primary metric, the first of the plan's quality metrics (or of its guardrails): a winner is certain
    to be better than stable, at the alpha that each comparison has.
    """
    primary = plan.quality[0] if plan.quality else plan.guardrails[0]
    name = WORDS[primary.metric]
    found = [one for one in looks if one.measure == primary and one.interval and one.difference is not None]
    better = [one for one in found if one.interval and one.interval[0] > 0]
    if not found:
        return 0, f"There is too little of “{name}” to say anything."
    if not better:
        largest = max(max(abs(end) for end in one.interval) for one in found if one.interval)
        return 0, f"No difference in “{name}” was shown; one larger than {_points(largest)} points is ruled out."
    best = max(better, key=lambda one: one.difference or 0.0)
    alike = [one for one in better if one is not best and one.interval and one.interval[1] > (best.difference or 0.0)]
    rest = " It is not told apart from the other candidates that are better than stable." if alike else ""
    low, high = best.interval or (0.0, 0.0)
    return best.candidate, (
        f"Candidate {best.candidate} wins: “{name}” is better by {_points(best.difference or 0.0)} points "
        f"(between {_points(low)} and {_points(high)}).{rest}"
    )


def _points(share: float | None) -> str:
    return "nothing" if share is None else f"{share * 100:.1f}"


def _e(log_e: float) -> str:
    return f"{exp(log_e):,.0f}" if log_e < log(1_000_000) else "over a million"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
