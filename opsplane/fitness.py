"""Whether a change may begin and releases fit a plan: asked when it is proposed, and again when it is approved."""

import secrets
from collections.abc import Sequence

from opsplane import indexes, pins
from opsplane.control_events import RolloutStarted
from opsplane.errors import Conflict, InvalidRequest, NotFound
from opsplane.guardrails import trained
from opsplane.intent import Helm
from opsplane.pins import Severity
from opsplane.policy import Gate
from opsplane.release import Release
from opsplane.rollouts.plan import Kind, Plan
from opsplane.state import State

SEVERAL = 8
"""At most so many candidates in one experiment."""


def standing(state: State, helm: Helm) -> None:
    """Raise `Conflict` while the kill switch or a freeze stands in the way of any change."""
    if not state.stable:
        raise Conflict("No release serves yet.")
    if state.killed:
        raise Conflict(f"The kill switch is on: {state.killed.reason or 'no reason given'}. Nothing is rolled out now.")
    if frozen := state.frozen_at(helm.now()):
        end = f" until {frozen.until:%Y-%m-%d %H:%M} UTC" if frozen.until else ""
        raise Conflict(f"Changes are frozen{end}, by {frozen.by.id}: {frozen.reason}")


def fit(state: State, helm: Helm, releases: Sequence[Release], plan: Plan) -> None:
    """Raise for candidates that this plan cannot take."""
    if not releases:
        raise InvalidRequest("Which release? /rollout start <release> plan=<plan>; /releases lists them.")
    most = SEVERAL if plan.kind is Kind.EXPERIMENT else 1
    if len(releases) > most:
        raise InvalidRequest(
            f"A plan of kind {plan.kind.value} takes {'one candidate' if most == 1 else f'at most {most}'}."
        )
    if len({one.digest for one in releases}) < len(releases):
        raise InvalidRequest("A candidate is named twice.")
    for release in releases:
        if release.digest == state.stable:
            raise Conflict(f"{release.short} serves every customer already.")
        index(release, helm)
        weights(release)
        indexes.must_be_evaluated(state, release, helm.policy)
        refused = [one for one in pins.check(release, helm.now().date()) if one.severity is Severity.REFUSE]
        if refused and plan.kind is Kind.CANARY:
            raise Conflict(f"{release.short} cannot become stable: {refused[0].sentence}")
        if helm.policy.evaluation == "required":
            evaluation(state, release, helm.policy.gate)


def evaluation(state: State, release: Release, gate: Gate) -> None:
    """Raise `Conflict` for a release whose newest report on the policy's dataset does not let it go on."""
    found, how = state.evaluation(release.digest, gate.dataset), f"opsplane gate {release.id} --record"
    if found is None or not found.passed:
        told = "has passed no evaluation yet" if found is None else f"did not pass its newest evaluation ({found.gate})"
        raise Conflict(f"{release.short} {told} on {gate.dataset}: {how}")
    if gate.compares and found.against != state.stable:
        raise Conflict(
            f"{release.short} was not compared with {state.short(state.stable)}, which serves: "
            f"{how} --against {state.registered[state.stable].id}"
        )


def index(release: Release, helm: Helm) -> None:
    """Raise `NotFound` for a release whose index does not exist."""
    known = helm.indexes()
    if known and release.retrieval.index not in known:
        raise NotFound(
            f"{release.short} names the index {release.retrieval.index}, which does not exist here. "
            f"There are: {', '.join(sorted(known))}. `opsplane index build --again` brings back one that was given up."
        )


def weights(release: Release) -> None:
    """Raise `Conflict` for a release whose checks judge by other weights than this version of the product has."""
    if changed := trained.changed(release.guardrails.trained):
        raise Conflict(
            f"{release.short} was registered with other guardrail weights than this version of the product has "
            f"({', '.join(changed)}), so it would not behave as it was tested. Register it anew under another id."
        )


def started(releases: Sequence[Release], stable: str, plan: Plan, reason: str) -> RolloutStarted:
    """The event that begins a rollout, with a salt of its own."""
    return RolloutStarted(
        rollout=secrets.token_hex(4),
        candidates=tuple(one.digest for one in releases),
        stable=stable,
        plan=plan.canonical(),
        salt=secrets.token_hex(16),
        reason=reason,
    )
