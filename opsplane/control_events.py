"""What decides who is served what: rollouts, rollbacks, freezes, the kill switch, evaluation reports.

`act` is a random name by which whoever acted finds out whether it counted: of two people at once, one wins.
"""

import secrets
from typing import Literal

from pydantic import Field

from opsplane.event import EventValue


def _act() -> str:
    return secrets.token_hex(6)


class Act(EventValue):
    """Something that a person or the service did to what customers see; the reason stays readable for good."""

    kind: str
    act: str = Field(default_factory=_act)
    reason: str = ""


class RolloutStarted(Act):
    """Candidates are put beside the stable release. Releases are digests; `plan` is the plan's canonical JSON.

    `salt` decides for the life of the rollout which customer is on which side; `request` is the approval.
    """

    kind: Literal["rollout_started"] = "rollout_started"
    rollout: str
    candidates: tuple[str, ...]
    stable: str
    plan: str
    salt: str
    request: str = ""
    approved_by: str = ""


class RolloutAdvanced(Act):
    """The rollout goes to this step of its plan, counted from 0."""

    kind: Literal["rollout_advanced"] = "rollout_advanced"
    rollout: str
    step: int
    request: str = ""
    approved_by: str = ""


class RolloutPaused(Act):
    """The rollout keeps its share and goes no further."""

    kind: Literal["rollout_paused"] = "rollout_paused"
    rollout: str


class RolloutResumed(Act):
    """It goes on; its hold time begins anew."""

    kind: Literal["rollout_resumed"] = "rollout_resumed"
    rollout: str


class RolloutAborted(Act):
    """Every customer is back on the stable release."""

    kind: Literal["rollout_aborted"] = "rollout_aborted"
    rollout: str
    cause: str  # operator, zero_tolerance, guardrail, quality, deadline


class RolloutPromoted(Act):
    """The candidate became the release that every customer is served by."""

    kind: Literal["rollout_promoted"] = "rollout_promoted"
    rollout: str
    digest: str
    request: str = ""
    approved_by: str = ""


class RolloutConcluded(Act):
    """A shadow or an experiment came to its end: everybody is on the stable release; `winner` is empty for none."""

    kind: Literal["rollout_concluded"] = "rollout_concluded"
    rollout: str
    winner: str = ""


class RolloutJudged(EventValue):
    """The verdict on a rollout changed; how it came about can be computed anew from the record."""

    kind: Literal["rollout_judged"] = "rollout_judged"
    rollout: str
    step: int
    verdict: str
    reason: str
    seq: int  # the last entry of the record that was looked at
    exposures: int


class ReleaseRestored(Act):
    """A rollback: a release that served before serves everybody again; a rollout in progress is over."""

    kind: Literal["release_restored"] = "release_restored"
    release: str
    digest: str


class ChangesFrozen(Act):
    """No rollout starts or goes further until `until` (ISO 8601), or until it is lifted where that is empty."""

    kind: Literal["changes_frozen"] = "changes_frozen"
    until: str = ""


class ChangesUnfrozen(Act):
    """The freeze is over."""

    kind: Literal["changes_unfrozen"] = "changes_unfrozen"


class KillSwitchPulled(Act):
    """Every answer is the holding message from here on."""

    kind: Literal["kill_switch_pulled"] = "kill_switch_pulled"


class KillSwitchReset(Act):
    """Customers are answered again; two people agreed to that in `request`."""

    kind: Literal["kill_switch_reset"] = "kill_switch_reset"
    request: str
    approved_by: str


class ReleaseEvaluated(EventValue):
    """A release was run on a dataset; `report` is the SHA-256 of the report.

    `gate` is the verdict of the policy's gate (passed, failed, inconclusive), `decision` the SHA-256 of all that it
    said, and `against` the digest of the release that it was compared with, if it was.
    """

    kind: Literal["release_evaluated"] = "release_evaluated"
    release: str
    digest: str
    dataset: str
    report: str
    passed: bool
    summary: str
    dataset_digest: str = ""
    against: str = ""
    gate: str = ""
    decision: str = ""


class AlertRaised(EventValue):
    """Operators were told of something, in their open chats and in the alert channel."""

    kind: Literal["alert_raised"] = "alert_raised"
    about: str  # rollout_aborted, rollout_paused, model_retirement …
    subject: str
    text: str


class AlertUndelivered(EventValue):
    """An alert did not get through to the alert channel; `error` tells why, without the channel's address."""

    kind: Literal["alert_undelivered"] = "alert_undelivered"
    about: str
    subject: str
    attempts: int
    error: str
