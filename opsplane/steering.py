"""What operators can do to what customers see: each gives an `Intent` for a state, or says why not."""

from collections.abc import Sequence
from datetime import timedelta

from opsplane import fitness, lookup, pins, seconding
from opsplane.approval import worded
from opsplane.control_events import (
    ChangesFrozen,
    ChangesUnfrozen,
    KillSwitchPulled,
    ReleaseRestored,
    RolloutAborted,
    RolloutAdvanced,
    RolloutConcluded,
    RolloutPaused,
    RolloutPromoted,
    RolloutResumed,
)
from opsplane.errors import Conflict
from opsplane.intent import Ask, Helm, Intent
from opsplane.release import Release
from opsplane.rollouts import plan as plans
from opsplane.rollouts.judgement import Verdict
from opsplane.rollouts.metrics import WORDS
from opsplane.rollouts.plan import Kind, Plan, percent
from opsplane.rollouts.rollout import Rollout, Status
from opsplane.state import State

ASKS = "A second person must agree: this makes a request."


def start(state: State, helm: Helm, names: Sequence[str], plan: str, reason: str) -> Intent:
    """Put candidates beside the stable release. Raises `NotFound`, `InvalidRequest` and `Conflict`."""
    fitness.standing(state, helm)
    if state.rollout:
        raise Conflict(f"Rollout {state.rollout.id} is in progress: abort or finish it first.")
    chosen = plans.find(helm.plans, plan)
    releases = [lookup.find(state, name) for name in names]
    fitness.fit(state, helm, releases, chosen)
    stable = helm.plane.stable()
    digests = {one.digest for one in releases}
    aborted = [one for one in state.past if one.status is Status.ABORTED and digests & set(one.candidates)]
    seconded = helm.policy.approves_start(chosen) or bool(aborted)
    words = [_beside(releases, stable, chosen), _judged_by(chosen), *_warnings(helm, releases)]
    if aborted:
        words.append(f"{_names(state, aborted[-1])} was aborted before, in rollout {aborted[-1].id}.")
    if seconded:
        details = seconding.start_details(state, releases, chosen)
        ask = Ask(seconding.actions(helm)[seconding.START], releases[0].short, worded(reason), details)
        return Intent("rollout", "\n\n".join([*words, ASKS]), ask, state.version)
    act = fitness.started(releases, stable.digest, chosen, reason)
    return Intent("rollout", "\n\n".join(words), act, state.version)


def advance(state: State, helm: Helm, reason: str, *, early: bool = False) -> Intent:
    """Go to the next step; before the plan allows it only `early`, which may need a second person."""
    rollout = _running(state, helm)
    if rollout.plan.kind is not Kind.CANARY:
        raise Conflict(f"A plan of kind {rollout.plan.kind.value} has one step; /rollout conclude ends it.")
    if rollout.last:
        raise Conflict("This is the last step: /rollout promote lets the candidate serve everybody.")
    step = rollout.step + 1
    share = percent(rollout.plan.steps[step].parts)
    candidate = state.short(rollout.candidates[0])
    words = (
        f"Lets {candidate} serve {share} of the customers, instead of {percent(rollout.share)}, from the next turn on."
    )
    blocked = _blocked(rollout, helm)
    if blocked and not early:
        raise Conflict(f"{blocked} Add `early=yes` to go on all the same{_with_whom(helm)}.")
    act = RolloutAdvanced(rollout=rollout.id, step=step, reason=reason)
    return _early(state, helm, act, words, blocked)


def promote(state: State, helm: Helm, reason: str, *, early: bool = False) -> Intent:
    """Let the candidate serve everybody; before its plan is through only `early`, which may need a second person."""
    rollout = _running(state, helm)
    if rollout.plan.kind is not Kind.CANARY:
        raise Conflict(f"A plan of kind {rollout.plan.kind.value} promotes nothing; /rollout conclude ends it.")
    candidate = rollout.candidates[0]
    instead = f"instead of {state.short(rollout.stable)}, from the next turn on."
    words = f"Lets {state.short(candidate)} serve every customer {instead}"
    blocked = _blocked(rollout, helm)
    if not rollout.last:
        blocked = f"Step {rollout.step + 1} of {len(rollout.plan.steps)} is not the last one. {blocked}".strip()
    if blocked and not early:
        raise Conflict(f"{blocked} Add `early=yes` to promote all the same{_with_whom(helm)}.")
    act = RolloutPromoted(rollout=rollout.id, digest=candidate, reason=reason)
    if not blocked and helm.policy.approves_promotion(rollout.plan):
        return Intent("rollout", f"{words}\n\n{ASKS}", _ask(state, helm, act), state.version)
    return _early(state, helm, act, words, blocked)


def pause(state: State, _helm: Helm, reason: str) -> Intent:
    """Keep the share as it is."""
    rollout = _present(state)
    if rollout.status is Status.PAUSED:
        raise Conflict(f"Rollout {rollout.id} is paused already.")
    words = f"Keeps rollout {rollout.id} at {percent(rollout.share)} until it is resumed; nobody is moved."
    return Intent("rollout", words, RolloutPaused(rollout=rollout.id, reason=reason), state.version)


def resume(state: State, helm: Helm, reason: str) -> Intent:
    """Go on; the hold time of the step begins anew."""
    rollout = _present(state)
    fitness.standing(state, helm)
    if rollout.status is not Status.PAUSED:
        raise Conflict(f"Rollout {rollout.id} is not paused.")
    words = f"Goes on with rollout {rollout.id} at {percent(rollout.share)}; the step's hold time begins anew."
    return Intent("rollout", words, RolloutResumed(rollout=rollout.id, reason=reason), state.version)


def abort(state: State, _helm: Helm, reason: str) -> Intent:
    """Everybody back on stable, in whatever state."""
    rollout = _present(state)
    words = f"Ends rollout {rollout.id}: {state.short(rollout.stable)} serves every customer from the next turn on."
    return Intent("rollout", words, RolloutAborted(rollout=rollout.id, cause="operator", reason=reason))


def conclude(state: State, helm: Helm, reason: str) -> Intent:
    """End a shadow or an experiment with its report."""
    rollout = _present(state)
    if rollout.plan.kind is Kind.CANARY:
        raise Conflict("A canary ends with /rollout promote or /rollout abort.")
    blocked = _blocked(rollout, helm)
    words = f"Ends {rollout.plan.kind.value} {rollout.id} and writes its report; the stable release serves everybody."
    if blocked:
        words += f"\n\n{blocked}"
    found = helm.judged(rollout)
    won = rollout.candidates[found.best - 1] if found.best else ""
    said = " ".join(part for part in (reason, found.finding) if part)
    return Intent("rollout", words, RolloutConcluded(rollout=rollout.id, winner=won, reason=said), state.version)


def rollback(state: State, helm: Helm, name: str, reason: str) -> Intent:
    """A release that served before serves everybody again; without a name the one before, or the end of a rollout."""
    if not state.stable:
        raise Conflict("No release serves yet.")
    digest = lookup.find(state, name).digest if name else _before(state)
    if not state.served(digest):
        raise Conflict(
            f"{state.short(digest)} never served every customer, so there is nothing to go back to. "
            f"/rollout start {state.registered[digest].id} brings it in."
        )
    if digest == state.stable and state.rollout is None:
        raise Conflict(f"{state.short(digest)} serves every customer already.")
    release = state.releases.get(digest)
    if release is None:
        raise Conflict(f"{state.short(digest)} was registered by another version of the product and cannot serve.")
    fitness.index(release, helm)
    words = f"Lets {release.short} serve every customer from the next turn on"
    words += "." if digest == state.stable else f", instead of {state.short(state.stable)}."
    if state.rollout:
        words += f" Rollout {state.rollout.id} of {_names(state, state.rollout)} is over with it."
    return Intent("rollback", words, ReleaseRestored(release=release.id, digest=digest, reason=reason))


def freeze(state: State, helm: Helm, lasts: timedelta | None, reason: str) -> Intent:
    """No rollout starts or goes further."""
    until = helm.now() + lasts if lasts else None
    end = f"until {until:%Y-%m-%d %H:%M} UTC" if until else "until /unfreeze"
    words = f"No rollout starts or goes further {end}. Rollback, abort, pause and the kill switch go on to work."
    act = ChangesFrozen(until=until.isoformat() if until else "", reason=worded(reason))
    return Intent("freeze", words, act, state.version)


def unfreeze(state: State, helm: Helm, reason: str) -> Intent:
    """The freeze is over."""
    if state.frozen_at(helm.now()) is None:
        raise Conflict("Changes are not frozen.")
    words = "Rollouts may start and go on again."
    act = ChangesUnfrozen(reason=reason)
    if not helm.policy.approve.unfreeze:
        return Intent("unfreeze", words, act, state.version)
    details = seconding.act_details(state, act)
    ask = Ask(seconding.actions(helm)[seconding.UNFREEZE], "changes", worded(reason), details)
    return Intent("unfreeze", f"{words}\n\n{ASKS}", ask, state.version)


def kill(state: State, _helm: Helm, reason: str) -> Intent:
    """Every answer becomes the holding message."""
    if state.killed:
        raise Conflict(f"The kill switch is on already, since {state.killed.at:%Y-%m-%d %H:%M} UTC.")
    words = (
        "**Every customer gets the holding message instead of an answer, from the next turn on.** "
        "To answer again takes two people."
    )
    return Intent("killswitch", words, KillSwitchPulled(reason=reason))


def revive(state: State, helm: Helm, reason: str) -> Intent:
    """Customers are answered again; always two people."""
    if state.killed is None:
        raise Conflict("The kill switch is off.")
    words = f"{state.short(state.stable)} answers every customer again. {ASKS}"
    if state.rollout:
        words += f" Rollout {state.rollout.id} stays paused."
    details = seconding.revive_details(state)
    ask = Ask(seconding.actions(helm)[seconding.REVIVE], "kill switch", worded(reason), details)
    return Intent("killswitch", words, ask, state.version)


def _early(state: State, helm: Helm, act: RolloutAdvanced | RolloutPromoted, words: str, blocked: str) -> Intent:
    """The act by itself where nothing blocks it, or where the policy leaves it to one person."""
    if not blocked:
        return Intent("rollout", words, act, state.version)
    words = f"{words}\n\n**Before the plan allows it:** {blocked}"
    if not helm.policy.approve.early:
        return Intent("rollout", words, act, state.version)
    return Intent("rollout", f"{words}\n\n{ASKS}", _ask(state, helm, act), state.version)


def _ask(state: State, helm: Helm, act: RolloutAdvanced | RolloutPromoted) -> Ask:
    action = seconding.ADVANCE if isinstance(act, RolloutAdvanced) else seconding.PROMOTE
    subject = state.short(state.rollout.candidates[0]) if state.rollout else ""
    return Ask(seconding.actions(helm)[action], subject, worded(act.reason), seconding.act_details(state, act))


def _with_whom(helm: Helm) -> str:
    return "; a second person must agree to it" if helm.policy.approve.early else ""


def _present(state: State) -> Rollout:
    if state.rollout is None:
        raise Conflict("No rollout is in progress.")
    return state.rollout


def _running(state: State, helm: Helm) -> Rollout:
    rollout = _present(state)
    fitness.standing(state, helm)
    if rollout.status is Status.PAUSED:
        raise Conflict(f"Rollout {rollout.id} is paused: /rollout resume goes on with it.")
    return rollout


def _blocked(rollout: Rollout, helm: Helm) -> str:
    """Why the plan does not let the rollout go on yet, or nothing; a failed one goes no further at all."""
    judgement = helm.judged(rollout)
    if judgement.verdict in (Verdict.FAILED, Verdict.ERROR):
        raise Conflict(f"The verdict is {judgement.verdict.value}: {judgement.reason}")
    return "" if judgement.verdict is Verdict.PASSED else judgement.reason


def _before(state: State) -> str:
    if state.rollout:
        return state.stable
    for tenure in reversed(state.tenures):
        if tenure.digest != state.stable:
            return tenure.digest
    raise Conflict(f"No release served before {state.short(state.stable)}.")


def _beside(releases: Sequence[Release], stable: Release, plan: Plan) -> str:
    names = ", ".join(one.short for one in releases)
    match plan.kind:
        case Kind.SHADOW:
            unseen = "Customers see nothing of it."
            return f"Lets {names} answer {plan.shares} of the questions too, beside {stable.short}. {unseen}"
        case Kind.EXPERIMENT:
            parts = f"{stable.short}, {names} in equal parts"
            return f"Gives {plan.shares} of the customers to {parts}, and reports which is best."
    return f"Puts {names} beside {stable.short} by plan {plan.id}: {plan.way}."


def _judged_by(plan: Plan) -> str:
    bears = ", ".join(f"{WORDS[one.metric]} {one.harm * 100:g} points" for one in plan.measures)
    days = plan.deadline.total_seconds() / 86400
    return f"It bears at most: {bears}. Undecided after {days:g} days it goes back to stable."


def _warnings(helm: Helm, releases: Sequence[Release]) -> list[str]:
    return [one.sentence for release in releases for one in pins.check(release, helm.now().date())]


def _names(state: State, rollout: Rollout) -> str:
    return ", ".join(state.short(one) for one in rollout.candidates)
