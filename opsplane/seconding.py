"""What a second person agrees to: bound to release, plan, evaluation report and state, void once one of them moves."""

from collections.abc import Callable, Sequence
from functools import partial

from opsplane import approval, fitness, lookup
from opsplane.access import Actor, Role
from opsplane.approval import Request
from opsplane.control_events import (
    Act,
    ChangesUnfrozen,
    KillSwitchReset,
    RolloutAdvanced,
    RolloutPromoted,
)
from opsplane.errors import Conflict
from opsplane.intent import STEERS, Agree, Helm, Intent, put
from opsplane.release import Release
from opsplane.requests import Action, Actions
from opsplane.rollouts.plan import Plan
from opsplane.state import State

START = "start-rollout"
ADVANCE = "advance-rollout"
PROMOTE = "promote-candidate"
REVIVE = "reset-kill-switch"
UNFREEZE = "lift-freeze"

_WORDS = {
    START: "start a rollout of",
    ADVANCE: "advance the rollout of",
    PROMOTE: "serve every customer with",
    REVIVE: "answer customers again, resetting the",
    UNFREEZE: "lift the freeze of",
}


def actions(helm: Helm) -> Actions:
    """Everything about rollouts that needs two people."""
    deeds = {START: _started, ADVANCE: _acted, PROMOTE: _acted, REVIVE: _revived, UNFREEZE: _lifted}
    checks = {START: _may_start, ADVANCE: _may_act, PROMOTE: _may_act, REVIVE: _may_revive, UNFREEZE: _may_lift}
    return {
        name: Action(
            name=name,
            words=_WORDS[name],
            makers=STEERS,
            deciders=helm.policy.approvers,
            lapses=helm.policy.expires,
            check=partial(checks[name], helm),
            begin=partial(_begin, helm, deeds[name]),
            carry_out=lambda _: helm.plane.state,
            unfinished=partial(_unfinished, helm),
            named=_named,
        )
        for name in _WORDS
    }


def start_details(state: State, releases: Sequence[Release], plan: Plan) -> dict[str, str]:
    """What an approval of a start is bound to: releases, plan and evaluation reports by digest, and what is stable."""
    digests = [one.digest for one in releases]
    return {
        "candidates": ",".join(digests),
        "stable": state.stable,
        "plan_id": plan.id,
        "plan": plan.digest,
        "reports": ",".join(state.report(one) for one in digests),
        "approvers": ",".join(role.value for role in plan.approvers),
    }


def act_details(state: State, act: RolloutAdvanced | RolloutPromoted | ChangesUnfrozen) -> dict[str, str]:
    """What an approval of a step, a promotion or an unfreezing is bound to."""
    if isinstance(act, ChangesUnfrozen):
        return {"since": state.frozen.at.isoformat() if state.frozen else ""}
    rollout = state.rollout
    bound = {"rollout": act.rollout, "from": str(rollout.step if rollout else ""), "kind": act.kind}
    if rollout:
        bound |= {"candidate": rollout.candidates[0], "plan": rollout.plan.digest}
        bound["approvers"] = ",".join(role.value for role in rollout.plan.approvers)
    return bound


def revive_details(state: State) -> dict[str, str]:
    """What an approval to answer again is bound to: this kill, and what would answer."""
    return {"since": state.killed.at.isoformat() if state.killed else "", "stable": state.stable}


def agree(helm: Helm, request: Request, actor: Actor) -> Intent:
    """What a second person's yes will do; raises what stands in the way of it."""
    action = actions(helm)[request.action]
    actor.must_be(*action.who(request))
    approval.must_be_open(request)
    approval.must_be_another(request, actor)
    action.check(request)
    details = request.details
    words = f"{request.maker.id} asks to {action.words} {request.subject}."
    if plan := helm.plans.get(details.get("plan_id", "")):
        words += f" By plan {plan.id} ({plan.kind.value}): {plan.way}."
        words += f" `/diff {details['candidates'].split(',')[0][:12]}` shows what it changes."
    if step := details.get("from", ""):
        words += f" It is at step {int(step) + 1} now."
    return Intent("approve", words, Agree(request.id, request.reason))


def _named(request: Request) -> tuple[Role, ...]:
    listed = request.details.get("approvers", "")
    return tuple(Role(name) for name in listed.split(",") if name)


def _unfinished(helm: Helm, request: Request) -> bool:
    """Whether it was agreed to and cut off; one that found no state that allowed it, or lapsed, is over."""
    return request.id not in helm.plane.state.done and (request.until is None or helm.now() < request.until)


def _begin(helm: Helm, deed: Callable[[Helm, Request], Act], request: Request) -> None:
    """Put the act on the record, in the maker's name."""
    actions(helm)[request.action].check(request)
    act = deed(helm, request)
    agreed = {"request": request.id, "reason": request.reason}
    agreed["approved_by"] = request.decider.id if request.decider else ""
    known = {name: value for name, value in agreed.items() if name in type(act).model_fields}
    put(helm, act.model_copy(update=known), request.maker)


def _started(helm: Helm, request: Request) -> Act:
    state, details = helm.plane.state, request.details
    releases = [lookup.find(state, digest) for digest in details["candidates"].split(",")]
    return fitness.started(releases, state.stable, helm.plans[details["plan_id"]], request.reason)


def _acted(_helm: Helm, request: Request) -> Act:
    details = request.details
    if details["kind"] == "rollout_advanced":
        return RolloutAdvanced(rollout=details["rollout"], step=int(details["from"]) + 1)
    return RolloutPromoted(rollout=details["rollout"], digest=details["candidate"])


def _revived(_helm: Helm, request: Request) -> Act:
    return KillSwitchReset(request=request.id, approved_by="")


def _lifted(_helm: Helm, _request: Request) -> Act:
    return ChangesUnfrozen()


def _may_start(helm: Helm, request: Request) -> None:
    state, details = helm.plane.state, request.details
    fitness.standing(state, helm)
    if state.rollout:
        raise Conflict(f"Rollout {state.rollout.id} is in progress.")
    if state.stable != details["stable"]:
        raise Conflict(f"Void: the stable release is {state.short(state.stable)} by now. Ask anew.")
    plan = helm.plans.get(details["plan_id"])
    if plan is None or plan.digest != details["plan"]:
        raise Conflict(f"Void: the plan {details['plan_id']} was changed since it was asked for. Ask anew.")
    digests = details["candidates"].split(",")
    if ",".join(state.report(one) for one in digests) != details["reports"]:
        raise Conflict("Void: there is another evaluation report than the one that was asked with. Ask anew.")
    fitness.fit(state, helm, [lookup.find(state, one) for one in digests], plan)


def _may_act(helm: Helm, request: Request) -> None:
    state, details = helm.plane.state, request.details
    fitness.standing(state, helm)
    rollout = state.rollout
    if rollout is None or rollout.id != details["rollout"] or str(rollout.step) != details["from"]:
        raise Conflict("Void: the rollout is not where it was when this was asked for. Ask anew.")


def _may_revive(helm: Helm, request: Request) -> None:
    state, details = helm.plane.state, request.details
    if state.killed is None or state.killed.at.isoformat() != details["since"]:
        raise Conflict("Void: the kill switch is not the one that this was asked for.")
    if state.stable != details["stable"]:
        raise Conflict(f"Void: the stable release is {state.short(state.stable)} by now. Ask anew.")


def _may_lift(helm: Helm, request: Request) -> None:
    frozen = helm.plane.state.frozen_at(helm.now())
    if frozen is None or frozen.at.isoformat() != request.details["since"]:
        raise Conflict("Void: the freeze is not the one that this was asked for.")
