"""Given these acts, this state: one after the other, and what was not allowed is void."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsplane.access import SERVICE
from opsplane.control_events import (
    Act,
    ChangesFrozen,
    ChangesUnfrozen,
    KillSwitchPulled,
    KillSwitchReset,
    ReleaseRestored,
    RolloutAborted,
    RolloutAdvanced,
    RolloutConcluded,
    RolloutPaused,
    RolloutPromoted,
    RolloutResumed,
    RolloutStarted,
)
from opsplane.events import Event, ReleasePromoted, ReleaseRegistered
from opsplane.ledger.store import Entry
from opsplane.rollouts.rollout import Status
from opsplane.state import State, fold
from tests import fakes

ONE, TWO, THREE = (fakes.release(id=f"test-{number}") for number in (1, 2, 3))


def registered() -> list[Event]:
    """Three releases, of which the first serves."""
    events: list[Event] = [
        ReleaseRegistered(release=one.id, digest=one.digest, canonical=one.canonical().decode())
        for one in (ONE, TWO, THREE)
    ]
    return [*events, ReleasePromoted(release=ONE.id, digest=ONE.digest, reason="first")]


def begun(rollout: str = "r1", **changes: object) -> RolloutStarted:
    values = {"candidates": (TWO.digest,), "stable": ONE.digest, "plan": fakes.plan().canonical(), "salt": "salt"}
    return RolloutStarted.model_validate({"rollout": rollout} | values | changes)


def state_of(*acts: Event) -> State:
    """The state after the releases and these acts, a minute apart."""
    moments = (fakes.NOON + timedelta(minutes=number) for number in range(10_000))
    entries = [
        Entry(number, at, fakes.OPERATOR if isinstance(event, Act) else SERVICE, event)
        for number, (at, event) in enumerate(zip(moments, [*registered(), *acts], strict=False), start=1)
    ]
    return fold(entries)


def test_a_rollout_puts_its_share_of_the_customers_on_the_candidate() -> None:
    state = state_of(begun())
    sides = [state.side(f"C-{number}") for number in range(2_000)]
    assert 120 < sum(side.arm == "candidate" for side in sides) < 280
    assert {side.digest for side in sides} == {ONE.digest, TWO.digest}
    assert {(side.rollout, side.share) for side in sides} == {("r1", 1_000)}


def test_a_second_rollout_beside_the_first_is_void() -> None:
    second = begun("r2")
    state = state_of(begun(), second)
    assert state.rollout is not None
    assert state.rollout.id == "r1"
    assert state.void == {second.act: "Rollout r1 is in progress already."}


def test_steps_go_one_by_one_and_a_double_click_is_void() -> None:
    twice = RolloutAdvanced(rollout="r1", step=1)
    state = state_of(begun(), RolloutAdvanced(rollout="r1", step=1), twice)
    assert state.rollout is not None
    assert state.rollout.step == 1
    assert "step 2 of 3 by now" in state.void[twice.act]


def test_a_promotion_makes_the_candidate_stable_and_ends_the_rollout() -> None:
    state = state_of(begun(), RolloutPromoted(rollout="r1", digest=TWO.digest, reason="it is better"))
    assert (state.stable, state.rollout) == (TWO.digest, None)
    assert (state.past[0].status, state.past[0].winner) == (Status.PROMOTED, TWO.digest)
    assert [tenure.reason for tenure in state.tenures] == ["first", "it is better"]


def test_an_abort_leaves_stable_as_it_was_and_a_second_one_is_void() -> None:
    again = RolloutAborted(rollout="r1", cause="operator")
    state = state_of(begun(), RolloutAborted(rollout="r1", cause="guardrail", reason="worse"), again)
    assert (state.stable, state.rollout, state.past[0].cause) == (ONE.digest, None, "guardrail")
    assert state.void[again.act] == "No rollout is in progress."
    assert state.side("C-1001").digest == ONE.digest


def test_nothing_counts_for_a_rollout_that_is_over() -> None:
    late = RolloutAdvanced(rollout="r1", step=1)
    state = state_of(begun(), RolloutAborted(rollout="r1", cause="operator"), begun("r2"), late)
    assert state.rollout is not None
    assert state.rollout.step == 0
    assert "r2 is in progress, not r1" in state.void[late.act]


def test_a_rollback_restores_and_ends_the_rollout() -> None:
    promoted = RolloutPromoted(rollout="r1", digest=TWO.digest)
    back = ReleaseRestored(release=ONE.id, digest=ONE.digest, reason="complaints")
    again = begun("r2", candidates=(THREE.digest,), stable=TWO.digest)
    state = state_of(begun(), promoted, again, back)
    assert (state.stable, state.rollout) == (ONE.digest, None)
    assert (state.past[-1].status, state.past[-1].cause) == (Status.ABORTED, "rollback")


def test_a_paused_rollout_keeps_its_share_and_goes_no_further() -> None:
    further = RolloutAdvanced(rollout="r1", step=1)
    state = state_of(begun(), RolloutPaused(rollout="r1"), further)
    assert state.rollout is not None
    assert (state.rollout.status, state.rollout.share) == (Status.PAUSED, 1_000)
    assert "is paused" in state.void[further.act]


def test_resuming_begins_the_hold_time_anew() -> None:
    state = state_of(begun(), RolloutPaused(rollout="r1"), RolloutResumed(rollout="r1"))
    assert state.rollout is not None
    assert state.rollout.since - state.rollout.at == timedelta(minutes=2)


@pytest.mark.parametrize("standstill", [ChangesFrozen(reason="holidays"), KillSwitchPulled(reason="fire")])
def test_nothing_starts_or_goes_further_while_changes_stand_still(standstill: Event) -> None:
    start = begun()
    assert state_of(standstill, start).rollout is None
    further = RolloutAdvanced(rollout="r1", step=1)
    assert further.act in state_of(begun(), standstill, further).void


def test_a_freeze_ends_by_itself_or_when_it_is_lifted() -> None:
    frozen = ChangesFrozen(reason="holidays", until=(fakes.NOON + timedelta(minutes=6)).isoformat())
    assert state_of(frozen, begun("r1"), begun("r2")).rollout is not None  # the second one comes after its end
    assert state_of(ChangesFrozen(reason="holidays"), ChangesUnfrozen(), begun()).rollout is not None


def test_what_goes_back_works_under_a_freeze() -> None:
    frozen = ChangesFrozen(reason="holidays")
    assert state_of(begun(), frozen, RolloutAborted(rollout="r1", cause="operator")).rollout is None
    back = ReleaseRestored(release=ONE.id, digest=ONE.digest)
    promoted = RolloutPromoted(rollout="r1", digest=TWO.digest)
    assert state_of(begun(), promoted, frozen, back).stable == ONE.digest


def test_the_kill_switch_pauses_a_rollout_and_its_reset_leaves_it_paused() -> None:
    killed = state_of(begun(), KillSwitchPulled(reason="fire"))
    assert killed.killed is not None
    revived = state_of(begun(), KillSwitchPulled(reason="fire"), KillSwitchReset(request="q1", approved_by="approver"))
    assert revived.killed is None
    assert revived.rollout is not None
    assert revived.rollout.status is Status.PAUSED
    assert "q1" in revived.done


def test_an_experiment_gives_equal_shares_and_ends_where_it_began() -> None:
    plan = fakes.plan(kind="experiment", steps=[{"share": 100}])
    start = begun(candidates=(TWO.digest, THREE.digest), plan=plan.canonical())
    state = state_of(start)
    arms = [state.side(f"C-{number}").arm for number in range(3_000)]
    assert all(850 < arms.count(arm) < 1_150 for arm in ("stable", "candidate-1", "candidate-2"))
    over = state_of(start, RolloutConcluded(rollout="r1", winner=THREE.digest))
    assert (over.stable, over.past[0].winner) == (ONE.digest, THREE.digest)


def test_a_plan_of_another_version_is_void() -> None:
    start = begun(plan='{"id":"test","unknown":1}')
    state = state_of(start)
    assert state.rollout is None
    assert "does not read its plan" in state.void[start.act]


def test_a_candidate_that_this_version_cannot_read_serves_nobody() -> None:
    state = state_of(begun(candidates=("f" * 64,)))
    assert {state.side(f"C-{number}").digest for number in range(200)} == {ONE.digest}


def acts() -> st.SearchStrategy[Act]:
    rollouts = st.sampled_from(["r1", "r2"])
    digests = st.sampled_from([ONE.digest, TWO.digest, THREE.digest, "f" * 64])
    return st.one_of(
        st.builds(begun, rollouts, stable=digests),
        st.builds(RolloutAdvanced, rollout=rollouts, step=st.integers(0, 4)),
        st.builds(RolloutPaused, rollout=rollouts),
        st.builds(RolloutResumed, rollout=rollouts),
        st.builds(RolloutAborted, rollout=rollouts, cause=st.just("operator")),
        st.builds(RolloutPromoted, rollout=rollouts, digest=digests),
        st.builds(ReleaseRestored, release=st.just("x"), digest=digests),
        st.builds(ChangesFrozen),
        st.builds(ChangesUnfrozen),
        st.builds(KillSwitchPulled),
        st.builds(KillSwitchReset, request=st.just("q"), approved_by=st.just("a")),
    )


def prefixes(made: list[Act]) -> Iterator[list[Act]]:
    return (made[:number] for number in range(len(made) + 1))


@given(st.lists(acts(), max_size=12))
def test_whatever_is_cut_off_wherever_the_state_is_a_legal_one(made: list[Act]) -> None:
    for acts_ in prefixes(made):
        state = state_of(*acts_)  # type: ignore[arg-type]  # every act is an event
        assert state.stable in state.registered
        assert state.version == 1 + len(acts_) - len(state.void)
        if state.rollout:
            assert state.rollout.status in (Status.RUNNING, Status.PAUSED)
            assert 0 <= state.rollout.step < len(state.rollout.plan.steps)
            assert state.rollout.stable == state.stable
        assert all(one.over for one in state.past)
