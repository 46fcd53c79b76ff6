"""Given this state, what an operator may do to what customers see, in which words, and what comes of it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from opsplane import steering
from opsplane.access import Actor
from opsplane.control_events import (
    ChangesFrozen,
    KillSwitchPulled,
    ReleaseEvaluated,
    RolloutAborted,
    RolloutAdvanced,
    RolloutPaused,
    RolloutPromoted,
)
from opsplane.errors import Conflict, InvalidRequest, NotFound, PlaneError, Refused
from opsplane.events import CommandRefused, CommandRun
from opsplane.exchange import Outcome
from opsplane.intent import Ask, Done, Helm, Intent, commit, propose
from opsplane.ledger.store import Ledger
from opsplane.policy import Approvals, Gate, Policy, Threshold
from opsplane.rollouts.rollout import Status
from opsplane.state import State
from tests import fakes
from tests.opsplane.helms import ONE, THREE, TWO, act, helm, later, rollout_of, serve

ALONE = Policy(version=1, approve=Approvals(start=False, early=False))
Make = Callable[[State], Intent]


async def do(at: Helm, make: Make, actor: Actor = fakes.OPERATOR) -> Done:
    """Propose and say yes."""
    return await commit(at, await propose(at, "rollout", "", make, actor=actor), actor=actor)


def start(at: Helm, *names: str, plan: str = "test", reason: str = "try it") -> Make:
    return lambda state: steering.start(state, at, names or ("test-2",), plan, reason)


@pytest.fixture
def record_url(tmp_path: Path) -> str:
    """SQLite alone: what is decided here does not depend on the database."""
    return f"sqlite:///{tmp_path / 'record.db'}"


@pytest.fixture
def alone(ledger: Ledger) -> Helm:
    """A helm where one person is enough."""
    return helm(ledger, fakes.plan(id="shadow", kind="shadow", steps=[{"share": 5}]), policy=ALONE)


@pytest.fixture
async def running(alone: Helm) -> Helm:
    """With a rollout of the second release at its first step."""
    await do(alone, start(alone))
    return alone


async def test_a_start_says_what_it_will_do_and_does_it_when_told_so(alone: Helm) -> None:
    intent = await propose(alone, "rollout", "start", start(alone), actor=fakes.OPERATOR)
    assert "10 % → 50 % → 100 % → everybody" in intent.words
    assert "answered 10 points" in intent.words
    assert alone.plane.state.rollout is None
    done = await commit(alone, intent, actor=fakes.OPERATOR)
    assert rollout_of(done.state).candidates == (TWO.digest,)
    assert rollout_of(done.state).maker == fakes.OPERATOR


async def test_by_the_policy_a_start_makes_a_request_and_nothing_else(ledger: Ledger) -> None:
    at = helm(ledger)
    intent = await propose(at, "rollout", "start", start(at), actor=fakes.OPERATOR)
    assert isinstance(intent.deed, Ask)
    done = await commit(at, intent, actor=fakes.OPERATOR)
    assert done.state.rollout is None
    assert done.request is not None
    assert done.request.details["plan"] == fakes.plan().digest


async def test_an_aborted_candidate_starts_again_only_with_a_second_person(running: Helm) -> None:
    await do(running, lambda state: steering.abort(state, running, "worse"))
    intent = await propose(running, "rollout", "", start(running), actor=fakes.OPERATOR)
    assert isinstance(intent.deed, Ask)
    assert "was aborted before" in intent.words


@pytest.mark.parametrize(
    ("names", "plan", "error", "words"),
    [
        (("test-9",), "test", NotFound, "no release 'test-9'.*Did you mean"),
        ((), "test", NotFound, "no release"),
        (("test-2",), "nonsense", NotFound, "no plan 'nonsense'. Known plans: shadow, test"),
        (("test-1",), "test", Conflict, "serves every customer already"),
        (("test-2", "test-3"), "test", InvalidRequest, "takes one candidate"),
    ],
)
async def test_a_start_that_cannot_be_is_refused_and_recorded(
    alone: Helm, names: tuple[str, ...], plan: str, error: type[PlaneError], words: str
) -> None:
    names = names or ("",)
    with pytest.raises(error, match=words):
        await propose(alone, "rollout", "start …", start(alone, *names, plan=plan), actor=fakes.OPERATOR)
    refused = alone.ledger.events(["command_refused"])[-1].event
    assert isinstance(refused, CommandRefused)
    assert refused.command == "rollout"
    assert alone.plane.state.rollout is None


async def test_a_release_whose_index_does_not_exist_is_not_rolled_out(ledger: Ledger) -> None:
    at = helm(ledger, policy=ALONE, indexes=lambda: {"another"})
    with pytest.raises(NotFound, match=r"names the index test, which does not exist here. There are: another"):
        await propose(at, "rollout", "", start(at), actor=fakes.OPERATOR)


async def test_a_model_name_that_moves_cannot_become_stable_but_can_be_shadowed(alone: Helm) -> None:
    moving = {"name": "google_genai:gemini-flash-latest"}
    release = fakes.release(id="test-4", models={"flash": moving, "pro": moving})
    alone.plane.configure({"test-4": release, "test-1": ONE}, "test-1")
    with pytest.raises(Conflict, match="cannot become stable"):
        await propose(alone, "rollout", "", start(alone, "test-4"), actor=fakes.OPERATOR)
    intent = await propose(alone, "rollout", "", start(alone, "test-4", plan="shadow"), actor=fakes.OPERATOR)
    assert "gemini-flash-latest" in intent.words


async def test_where_the_policy_wants_it_only_evaluated_releases_start(ledger: Ledger) -> None:
    at = helm(ledger, policy=ALONE.model_copy(update={"evaluation": "required"}))
    with pytest.raises(Conflict, match="passed no evaluation yet"):
        await propose(at, "rollout", "", start(at), actor=fakes.OPERATOR)
    report = ReleaseEvaluated(
        release="test-2", digest=TWO.digest, dataset="golden", report="a" * 64, passed=True, summary="250 of 250"
    )
    ledger.append_now(report, fakes.OPERATOR)
    assert (await do(at, start(at))).state.rollout


async def test_an_evaluation_counts_on_the_policys_set_and_against_what_serves(ledger: Ledger) -> None:
    gate = Gate(measures={"facts": Threshold(least=0.9, margin=0.05)})
    at = helm(ledger, policy=ALONE.model_copy(update={"evaluation": "required", "gate": gate}))
    report = ReleaseEvaluated(
        release="test-2", digest=TWO.digest, dataset="golden", report="a" * 64, passed=True, summary="", against="x"
    )
    refused = {
        "passed no evaluation yet": report.model_copy(update={"dataset": "easy", "against": ONE.digest}),
        "was not compared with test-1": report,
        r"did not pass its newest evaluation \(failed\)": report.model_copy(
            update={"passed": False, "gate": "failed", "against": ONE.digest}
        ),
    }
    for why, event in refused.items():
        ledger.append_now(event, fakes.OPERATOR)
        with pytest.raises(Conflict, match=why):
            await propose(at, "rollout", "", start(at), actor=fakes.OPERATOR)
    ledger.append_now(report.model_copy(update={"against": ONE.digest}), fakes.OPERATOR)
    assert (await do(at, start(at))).state.rollout


@pytest.mark.parametrize("actor", [fakes.CUSTOMER, fakes.REVIEWER])
async def test_others_may_not_steer(alone: Helm, actor: Actor) -> None:
    with pytest.raises(Refused, match="needs the role operator or approver"):
        await propose(alone, "rollout", "", start(alone), actor=actor)


async def test_one_rollout_at_a_time(running: Helm) -> None:
    with pytest.raises(Conflict, match="is in progress: abort or finish it first"):
        await propose(running, "rollout", "", start(running, "test-3"), actor=fakes.OPERATOR)


async def test_of_two_operators_at_once_one_wins_and_the_other_is_told_what_changed(alone: Helm) -> None:
    mine = await propose(alone, "rollout", "", start(alone), actor=fakes.OPERATOR)
    theirs = await propose(alone, "rollout", "", start(alone, "test-3"), actor=fakes.APPROVER)
    await commit(alone, theirs, actor=fakes.APPROVER)
    with pytest.raises(Conflict, match="meanwhile approver acted: rollout started"):
        await commit(alone, mine, actor=fakes.OPERATOR)
    assert rollout_of(alone.plane.state).candidates == (THREE.digest,)


async def test_a_second_yes_is_refused(running: Helm) -> None:
    intent = await propose(
        running, "rollout", "", lambda state: steering.pause(state, running, ""), actor=fakes.OPERATOR
    )
    await commit(running, intent, actor=fakes.OPERATOR)
    with pytest.raises(Conflict, match="Nothing was done"):
        await commit(running, intent, actor=fakes.OPERATOR)


async def test_a_step_is_left_only_when_the_plan_allows_it(running: Helm) -> None:
    with pytest.raises(Conflict, match=r"Too few to tell.*early=yes"):
        await propose(running, "rollout", "", lambda state: steering.advance(state, running, ""), actor=fakes.OPERATOR)
    done = await do(running, lambda state: steering.advance(state, running, "we know", early=True))
    assert rollout_of(done.state).step == 1


async def test_going_on_early_takes_a_second_person_where_the_policy_says_so(ledger: Ledger) -> None:
    at = helm(ledger, policy=Policy(version=1, approve=Approvals(start=False)))
    await do(at, start(at))
    done = await do(at, lambda state: steering.promote(state, at, "urgent", early=True))
    assert done.request is not None
    assert done.request.action == "promote-candidate"
    assert done.state.stable == ONE.digest


async def test_a_step_that_passed_can_be_left(running: Helm) -> None:
    serve(running, [f"C-{number}" for number in range(600)], {})
    done = await do(running, lambda state: steering.advance(state, running, ""))
    assert rollout_of(done.state).share == 5_000


async def test_what_failed_goes_no_further_even_early(running: Helm) -> None:
    serve(running, [f"C-{number}" for number in range(600)], {"candidate": Outcome.ABSTAINED})
    with pytest.raises(Conflict, match="The verdict is failed"):
        await propose(
            running, "rollout", "", lambda state: steering.advance(state, running, "", early=True), actor=fakes.OPERATOR
        )


async def test_pause_and_resume(running: Helm) -> None:
    paused = await do(running, lambda state: steering.pause(state, running, "let me look"))
    assert rollout_of(paused.state).status is Status.PAUSED
    with pytest.raises(Conflict, match="is paused already"):
        await propose(running, "rollout", "", lambda state: steering.pause(state, running, ""), actor=fakes.OPERATOR)
    resumed = await do(running, lambda state: steering.resume(state, running, ""))
    assert rollout_of(resumed.state).status is Status.RUNNING


async def test_a_rollback_without_a_name_ends_the_rollout_or_goes_one_back(running: Helm) -> None:
    ended = await do(running, lambda state: steering.rollback(state, running, "", "worse"))
    assert (ended.state.stable, ended.state.rollout) == (ONE.digest, None)
    with pytest.raises(Conflict, match="No release served before"):
        await propose(
            running, "rollback", "", lambda state: steering.rollback(state, running, "", ""), actor=fakes.OPERATOR
        )


async def test_a_rollback_goes_to_what_served_before_and_waits_for_nobody(running: Helm) -> None:
    act(running, RolloutPromoted(rollout=rollout_of(running.plane.state).id, digest=TWO.digest))
    act(running, ChangesFrozen(reason="holidays"))
    done = await do(running, lambda state: steering.rollback(state, running, "test-1", "worse"))
    assert done.state.stable == ONE.digest
    with pytest.raises(Conflict, match="serves every customer already"):
        await propose(
            running, "rollback", "", lambda state: steering.rollback(state, running, "test-1", ""), actor=fakes.OPERATOR
        )


async def test_nobody_rolls_back_to_what_never_served(alone: Helm) -> None:
    with pytest.raises(Conflict, match=r"never served every customer.*/rollout start test-3"):
        await propose(
            alone, "rollback", "", lambda state: steering.rollback(state, alone, "test-3", ""), actor=fakes.OPERATOR
        )


async def test_a_rollback_counts_whatever_happened_since_it_was_proposed(running: Helm) -> None:
    back = await propose(
        running, "rollback", "", lambda state: steering.rollback(state, running, "", "worse"), actor=fakes.OPERATOR
    )
    act(running, RolloutPaused(rollout=rollout_of(running.plane.state).id))
    assert (await commit(running, back, actor=fakes.OPERATOR)).state.rollout is None


async def test_a_freeze_stops_starts_until_it_ends(alone: Helm) -> None:
    await do(alone, lambda state: steering.freeze(state, alone, timedelta(hours=2), "release day"))
    with pytest.raises(Conflict, match="Changes are frozen until 2026-11-23 19:00 UTC, by operator: release day"):
        await propose(alone, "rollout", "", start(alone), actor=fakes.OPERATOR)
    later(alone, hours=2)
    assert (await do(alone, start(alone))).state.rollout


async def test_a_freeze_can_be_lifted(alone: Helm) -> None:
    with pytest.raises(Conflict, match="not frozen"):
        await propose(alone, "unfreeze", "", lambda state: steering.unfreeze(state, alone, ""), actor=fakes.OPERATOR)
    await do(alone, lambda state: steering.freeze(state, alone, None, "release day"))
    assert (await do(alone, lambda state: steering.unfreeze(state, alone, ""))).state.frozen is None


async def test_the_kill_switch_is_on_at_once_and_off_only_with_two(alone: Helm) -> None:
    on = await do(alone, lambda state: steering.kill(state, alone, "wrong figures"))
    assert on.state.killed is not None
    with pytest.raises(Conflict, match="on already"):
        await propose(alone, "killswitch", "", lambda state: steering.kill(state, alone, ""), actor=fakes.OPERATOR)
    off = await do(alone, lambda state: steering.revive(state, alone, "mended"))
    assert off.state.killed is not None
    assert off.request is not None


async def test_nothing_is_rolled_out_under_the_kill_switch(alone: Helm) -> None:
    act(alone, KillSwitchPulled(reason="wrong figures"))
    with pytest.raises(Conflict, match="kill switch is on: wrong figures"):
        await propose(alone, "rollout", "", start(alone), actor=fakes.OPERATOR)


@pytest.mark.parametrize("deed", [steering.abort, steering.pause, steering.resume, steering.conclude, steering.advance])
async def test_without_a_rollout_there_is_nothing_to_do(alone: Helm, deed: Callable[..., Intent]) -> None:
    with pytest.raises(Conflict, match="No rollout is in progress"):
        await propose(alone, "rollout", "", lambda state: deed(state, alone, ""), actor=fakes.OPERATOR)


async def test_a_shadow_is_concluded_and_neither_advanced_nor_promoted(alone: Helm) -> None:
    await do(alone, start(alone, plan="shadow"))
    for deed in (steering.advance, steering.promote):
        with pytest.raises(Conflict, match="/rollout conclude"):
            await propose(alone, "rollout", "", lambda state, deed=deed: deed(state, alone, ""), actor=fakes.OPERATOR)  # type: ignore[misc]  # bound now
    done = await do(alone, lambda state: steering.conclude(state, alone, "enough"))
    assert done.state.past[-1].status is Status.CONCLUDED


async def test_every_deed_is_on_the_record_with_its_command(running: Helm) -> None:
    runs = [entry.event for entry in running.ledger.events(["command_run"])]
    assert isinstance(runs[-1], CommandRun)
    assert runs[-1].command == "rollout"


async def test_a_promotion_after_the_last_step_needs_nobody_else(running: Helm) -> None:
    rollout = rollout_of(running.plane.state)
    act(running, RolloutAdvanced(rollout=rollout.id, step=1))
    act(running, RolloutAdvanced(rollout=rollout.id, step=2))
    serve(running, [f"C-{number}" for number in range(20)], {})
    done = await do(running, lambda state: steering.promote(state, running, "", early=True))
    assert done.state.stable == TWO.digest


async def test_an_abort_of_what_another_aborted_is_told(running: Helm) -> None:
    mine = await propose(running, "rollout", "", lambda state: steering.abort(state, running, ""), actor=fakes.OPERATOR)
    act(running, RolloutAborted(rollout=rollout_of(running.plane.state).id, cause="operator"))
    with pytest.raises(Conflict, match="No rollout is in progress"):
        await commit(running, mine, actor=fakes.OPERATOR)
