"""What a second person agrees to is bound to what was asked for, and void once that moves."""

from dataclasses import replace
from datetime import timedelta

import pytest

from opsplane import requests, seconding, steering
from opsplane.access import Actor, Role
from opsplane.control_events import KillSwitchPulled, ReleaseEvaluated, RolloutAdvanced, RolloutStarted
from opsplane.errors import Conflict, Refused
from opsplane.intent import Helm, commit, propose
from opsplane.ledger.store import Ledger
from opsplane.policy import Approvals, Policy
from opsplane.requests import Decision
from opsplane.state import State
from tests import fakes
from tests.opsplane.helms import ONE, TWO, act, helm, later, rollout_of

OTHER = fakes.OPERATOR.model_copy(update={"id": "operator2"})


@pytest.fixture
def at(ledger: Ledger) -> Helm:
    return helm(ledger)


async def asked(at: Helm, plan: str = "test") -> str:
    """A request to start a rollout, made by an operator."""
    make = lambda state: steering.start(state, at, ["test-2"], plan, "try it")  # noqa: E731 - given on
    done = await commit(at, await propose(at, "rollout", "", make, actor=fakes.OPERATOR), actor=fakes.OPERATOR)
    assert done.request is not None
    return done.request.id


async def approve(at: Helm, identity: str, actor: Actor = fakes.APPROVER) -> Decision:
    return await requests.approve(at.ledger, seconding.actions(at), identity, actor=actor)


async def test_a_second_person_starts_it_in_the_makers_name(at: Helm) -> None:
    identity = await asked(at)
    decision = await approve(at, identity)
    assert isinstance(decision.result, State)
    rollout = rollout_of(decision.result)
    assert (rollout.maker, rollout.request) == (fakes.OPERATOR, identity)
    event = at.ledger.events(["rollout_started"])[0].event
    assert isinstance(event, RolloutStarted)
    assert event.approved_by == "approver"


async def test_the_maker_may_not_approve(at: Helm) -> None:
    identity = await asked(at)
    with pytest.raises(Refused, match="another person decides"):
        await approve(at, identity, fakes.OPERATOR)
    assert (await approve(at, identity, OTHER)).request.decider == OTHER


async def test_only_roles_that_the_plan_names_approve(ledger: Ledger) -> None:
    at = helm(ledger, fakes.plan(id="strict", approvers=["approver"]))
    identity = await asked(at, "strict")
    with pytest.raises(Refused, match="needs the role approver"):
        await approve(at, identity, OTHER)
    assert (await approve(at, identity)).request.decider == fakes.APPROVER


async def test_an_approval_lapses(at: Helm) -> None:
    identity = await asked(at)
    later(at, hours=25)
    with pytest.raises(Conflict, match="expired"):
        await approve(at, identity)


async def test_a_changed_plan_voids_the_request(at: Helm) -> None:
    identity = await asked(at)
    changed = replace(at, plans=fakes.plans(fakes.plan(alpha=0.1)))
    with pytest.raises(Conflict, match="Void: the plan test was changed"):
        await approve(changed, identity)
    assert at.plane.state.rollout is None


async def test_another_evaluation_report_voids_the_request(at: Helm) -> None:
    identity = await asked(at)
    report = ReleaseEvaluated(
        release="test-2", digest=TWO.digest, dataset="golden", report="b" * 64, passed=True, summary="all"
    )
    at.ledger.append_now(report, fakes.OPERATOR)
    with pytest.raises(Conflict, match="Void: there is another evaluation report"):
        await approve(at, identity)


async def test_another_stable_release_voids_the_request(at: Helm) -> None:
    identity = await asked(at)
    alone = replace(at, policy=Policy(version=1, approve=Approvals(start=False, early=False)))
    for make in (
        lambda state: steering.start(state, alone, ["test-3"], "test", ""),
        lambda state: steering.promote(state, alone, "", early=True),
    ):
        await commit(alone, await propose(alone, "rollout", "", make, actor=fakes.OPERATOR), actor=fakes.OPERATOR)
    with pytest.raises(Conflict, match="Void: the stable release is test-3"):
        await approve(at, identity)


async def test_a_second_request_finds_the_first_ones_rollout(at: Helm) -> None:
    first, second = await asked(at), await asked(at)
    await approve(at, first)
    with pytest.raises(Conflict, match="is in progress"):
        await approve(at, second)


async def test_approving_twice_is_refused_and_starts_nothing(at: Helm) -> None:
    identity = await asked(at)
    await approve(at, identity)
    with pytest.raises(Conflict, match="approved already"):
        await approve(at, identity)
    assert at.ledger.count(["rollout_started"]) == 1


async def test_a_step_of_its_own_voids_a_request_to_go_on_early(at: Helm) -> None:
    await approve(at, await asked(at))
    rollout = rollout_of(at.plane.state)
    make = lambda state: steering.advance(state, at, "we know", early=True)  # noqa: E731 - given on
    done = await commit(at, await propose(at, "rollout", "", make, actor=fakes.OPERATOR), actor=fakes.OPERATOR)
    assert done.request is not None
    act(at, RolloutAdvanced(rollout=rollout.id, step=1))
    with pytest.raises(Conflict, match="Void: the rollout is not where it was"):
        await approve(at, done.request.id)


async def test_answering_again_after_the_kill_switch_takes_two(at: Helm) -> None:
    act(at, KillSwitchPulled(reason="fire"))
    make = lambda state: steering.revive(state, at, "mended")  # noqa: E731 - given on
    done = await commit(at, await propose(at, "killswitch", "", make, actor=fakes.OPERATOR), actor=fakes.OPERATOR)
    assert done.request is not None
    with pytest.raises(Refused, match="another person decides"):
        await approve(at, done.request.id, fakes.OPERATOR)
    decision = await approve(at, done.request.id)
    assert isinstance(decision.result, State)
    assert decision.result.killed is None
    assert at.plane.release_for("C-1001").release == ONE


async def test_what_a_crash_cut_off_after_the_decision_is_carried_on_once(
    at: Helm, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = await asked(at)
    actions = dict(seconding.actions(at))
    cut_off = replace(actions[seconding.START], begin=_crash)
    with pytest.raises(RuntimeError):
        await requests.approve(at.ledger, {**actions, seconding.START: cut_off}, identity, actor=fakes.APPROVER)
    assert at.plane.state.rollout is None
    assert len(requests.resume(at.ledger, seconding.actions(at))) == 1
    assert rollout_of(at.plane.state).request == identity
    assert requests.resume(at.ledger, seconding.actions(at)) == []


async def test_what_was_cut_off_and_lapsed_is_not_carried_on(at: Helm) -> None:
    identity = await asked(at)
    actions = dict(seconding.actions(at))
    cut_off = replace(actions[seconding.START], begin=_crash)
    with pytest.raises(RuntimeError):
        await requests.approve(at.ledger, {**actions, seconding.START: cut_off}, identity, actor=fakes.APPROVER)
    at.ledger.clock.at += timedelta(hours=25)  # type: ignore[attr-defined]  # a clock of the tests
    assert requests.resume(at.ledger, seconding.actions(at)) == []
    assert at.plane.state.rollout is None


async def test_operators_see_what_they_may_decide_and_reviewers_do_not(at: Helm) -> None:
    await asked(at)
    actions = seconding.actions(at)
    assert len(await requests.waiting(at.ledger, actions, actor=OTHER)) == 1
    assert await requests.waiting(at.ledger, actions, actor=fakes.REVIEWER) == []
    assert Role.REVIEWER not in at.policy.approvers


def _crash(_: object) -> None:
    raise RuntimeError("the process died")


@pytest.mark.parametrize(("kind", "told"), [("canary", "(canary): 20 % → everybody."), ("shadow", "(shadow): 20 %.")])
async def test_a_second_person_is_told_the_plans_way(kind: str, told: str, ledger: Ledger) -> None:
    at = helm(ledger, fakes.plan(id="told", kind=kind, steps=[{"share": 20}]))
    identity = await asked(at, "told")
    assert told in seconding.agree(at, requests.every(ledger)[identity], fakes.APPROVER).words
