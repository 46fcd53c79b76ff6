"""Given this evidence, this verdict with this sentence, and this move: in a fixed order."""

from dataclasses import replace
from datetime import timedelta
from math import log
from typing import Any

import pytest

from opsplane.control_events import RolloutStarted
from opsplane.rollouts.arm import Arm
from opsplane.rollouts.evidence import Look, Summary
from opsplane.rollouts.judgement import Judgement, Move, Verdict, decide, judge, winner
from opsplane.rollouts.plan import Plan
from opsplane.rollouts.rollout import Rollout, Status, begun
from tests import fakes

PLAN = fakes.plan(
    steps=[{"share": 10, "hold": "1h", "customers": 2, "exchanges": 4}, {"share": 50}],
    quality=[{"metric": "thumbs", "harm": 0.1, "needed": False}],
)
LATER = fakes.NOON + timedelta(hours=2)


def rollout(plan: Plan = PLAN, **changes: Any) -> Rollout:
    event = RolloutStarted(rollout="r1", candidates=("c" * 64,), stable="s" * 64, plan=plan.canonical(), salt="s")
    return replace(begun(event, fakes.NOON, fakes.OPERATOR), **changes)


def look(plan: Plan = PLAN, metric: int = 0, **changes: Any) -> Look:
    """A metric that nothing is wrong with."""
    values: dict[str, Any] = {
        "measure": plan.measures[metric],
        "candidate": 1,
        "stable": Arm(900, 300, 0.95),
        "tried": Arm(100, 40, 0.95),
        "difference": 0.0,
        "interval": (-0.02, 0.02),
        "low": -0.02,
        "log_e": -1.0,
        "threshold": log(40),
        "path": (),
    }
    return Look(**values | changes)


def summary(*looks: Look, **changes: Any) -> Summary:
    values: dict[str, Any] = {
        "looks": looks or (look(), look(metric=1, low=None, interval=None)),
        "exposures": (900, 100),
        "customers": (300, 40),
        "ratio": 0.0,
        "zero": "",
        "zero_exchange": "",
        "seq": 1,
    }
    return Summary(**values | changes)


HARMFUL: dict[str, Any] = {
    "log_e": 5.0,
    "difference": -0.2,
    "low": -0.3,
    "interval": (-0.3, -0.12),
    "tried": Arm(100, 40, 0.75),
}


def test_when_everything_is_within_what_the_plan_bears_it_passes_and_goes_on() -> None:
    found = judge(rollout(), summary(), LATER)
    assert (found.verdict, found.gate) == (Verdict.PASSED, "")
    assert decide(rollout(), found, LATER) is Move.ADVANCE
    assert decide(rollout(step=1), found, LATER) is Move.PROMOTE


def test_what_must_never_happen_comes_before_everything() -> None:
    found = judge(rollout(), summary(look(**HARMFUL), zero="a promised return", zero_exchange="e1"), LATER)
    assert (found.cause, found.exchange) == ("zero_tolerance", "e1")
    assert decide(rollout(), found, LATER) is Move.ABORT


def test_a_certain_harm_fails_even_below_the_smallest_sample() -> None:
    found = judge(rollout(), summary(look(**HARMFUL), customers=(3, 1)), LATER)
    assert (found.verdict, found.cause) == (Verdict.FAILED, "guardrail")
    assert found.reason == "Answered is worse by more than 10.0 points (75.0 against 95.0; e = 148)."


def test_a_harm_that_is_not_certain_is_not_a_failure() -> None:
    found = judge(rollout(), summary(look(**HARMFUL | {"log_e": 3.6})), LATER)
    assert found.verdict is Verdict.INCONCLUSIVE


def test_an_uneven_split_is_an_error_and_pauses() -> None:
    found = judge(rollout(), summary(ratio=log(20)), LATER)
    assert found.verdict is Verdict.ERROR
    assert decide(rollout(), found, LATER) is Move.PAUSE


@pytest.mark.parametrize("changes", [{"customers": (300, 1)}, {"exposures": (900, 3)}])
def test_below_the_smallest_sample_nothing_passes(changes: dict[str, Any]) -> None:
    found = judge(rollout(), summary(**changes), LATER)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason.startswith("Too few to tell")
    assert decide(rollout(), found, LATER) is Move.HOLD


def test_a_quality_metric_fails_only_after_the_smallest_sample() -> None:
    thumbs = look(metric=1, **HARMFUL)
    assert judge(rollout(), summary(look(), thumbs), LATER).cause == "quality"
    assert judge(rollout(), summary(look(), thumbs, customers=(3, 1)), LATER).verdict is Verdict.INCONCLUSIVE


def test_a_harm_that_is_not_ruled_out_holds_and_is_told() -> None:
    found = judge(rollout(), summary(look(low=-0.31, interval=(-0.31, 0.3))), LATER)
    assert found.reason == "Not settled: answered may still be worse by 31.0 points; 20.0 are borne at this step."


def test_a_metric_that_is_not_needed_holds_nothing_up() -> None:
    assert judge(rollout(), summary(look(), look(metric=1, low=None)), LATER).verdict is Verdict.PASSED


def test_a_step_is_held_for_its_time() -> None:
    found = judge(rollout(), summary(), fakes.NOON + timedelta(minutes=59))
    assert (found.verdict, "held until 2026-11-23 18:00 UTC" in found.reason) == (Verdict.INCONCLUSIVE, True)


@pytest.mark.parametrize(
    ("changes", "approval", "words"),
    [
        ({"steps": [{"share": 50}]}, True, "A second person must agree"),
        ({"steps": [{"share": 50, "approval": True}, {"share": 60}]}, False, "/rollout advance"),
        ({"steps": [{"share": 50}], "advance": "manual"}, False, "/rollout promote"),
    ],
)
def test_a_gate_holds_what_has_passed(changes: dict[str, Any], approval: bool, words: str) -> None:
    plan = fakes.plan(**changes)
    found = judge(rollout(plan), summary(look(plan)), LATER, approval=approval)
    assert found.verdict is Verdict.PASSED
    assert words in found.gate
    assert decide(rollout(plan), found, LATER) is Move.HOLD


def test_at_the_deadline_what_nobody_decided_goes_back() -> None:
    over = fakes.NOON + timedelta(days=14)
    held = Judgement(Verdict.INCONCLUSIVE, "too few")
    assert decide(rollout(), held, over) is Move.ABORT
    assert decide(rollout(status=Status.PAUSED), held, over) is Move.ABORT
    experiment = fakes.plan(kind="experiment", steps=[{"share": 100}])
    assert decide(rollout(experiment), held, over) is Move.CONCLUDE


def test_a_paused_rollout_is_still_aborted_when_it_fails() -> None:
    failed = Judgement(Verdict.FAILED, "worse", "guardrail")
    assert decide(rollout(status=Status.PAUSED), failed, LATER) is Move.ABORT
    assert decide(rollout(status=Status.PAUSED), Judgement(Verdict.PASSED, "fine"), LATER) is Move.HOLD


def test_a_winner_is_certainly_better_than_stable() -> None:
    plan = fakes.plan(kind="experiment", steps=[{"share": 100}])
    better = look(plan, difference=0.12, interval=(0.03, 0.2))
    best = look(plan, candidate=2, difference=0.2, interval=(0.1, 0.3))
    assert winner(plan, [look(plan)])[0] == 0
    number, words = winner(plan, [better, best])
    assert number == 2
    assert "better by 20.0 points (between 10.0 and 30.0)" in words
    assert "not told apart" in winner(plan, [look(plan, difference=0.12, interval=(0.03, 0.25)), best])[1]


def test_without_a_winner_the_largest_difference_that_may_be_is_told() -> None:
    plan = fakes.plan(kind="experiment", steps=[{"share": 100}])
    assert "one larger than 4.0 points is ruled out" in winner(plan, [look(plan, interval=(-0.01, 0.04))])[1]
    assert "too little" in winner(plan, [look(plan, interval=None)])[1]
