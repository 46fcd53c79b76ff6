"""What a person is about to do to what customers see: told first, carried out when the person is sure.

An intent is made for the state that was looked at. Where that moved meanwhile nothing is done, and what changed is
told. Chat, terminal, scheduler and the verdicts on rollouts all end in `put`.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from opsplane import requests
from opsplane.access import Actor, Role
from opsplane.approval import Request
from opsplane.control import recorded, refusals
from opsplane.control_events import Act
from opsplane.errors import Conflict
from opsplane.events import Event
from opsplane.ledger.store import Ledger
from opsplane.plane import Plane
from opsplane.policy import Policy
from opsplane.requests import Action
from opsplane.rollouts.judgement import Judgement, Verdict
from opsplane.rollouts.plan import Plan
from opsplane.rollouts.rollout import Rollout
from opsplane.state import State

STEERS = (Role.OPERATOR, Role.APPROVER)
"""Who may change what customers see."""


def _unjudged(_: Rollout) -> Judgement:
    return Judgement(Verdict.INCONCLUSIVE, "It was not looked at yet.")


@dataclass(frozen=True)
class Helm:
    """What steering works on. `indexes` tells which indexes exist, none where that is not known here."""

    plane: Plane
    ledger: Ledger
    plans: Mapping[str, Plan] = field(default_factory=dict)
    policy: Policy = field(default_factory=lambda: Policy(version=1))
    indexes: Callable[[], Collection[str]] = tuple
    judged: Callable[[Rollout], Judgement] = _unjudged

    def now(self) -> datetime:
        """The time by the record's clock."""
        return self.ledger.clock()


@dataclass(frozen=True)
class Ask:
    """What a second person is asked for."""

    action: Action
    subject: str
    reason: str
    details: Mapping[str, str]


@dataclass(frozen=True)
class Agree:
    """A second person's yes to a request; `reason` is the one that was given with it."""

    request: str
    reason: str


@dataclass(frozen=True)
class Intent:
    """What will be done, in words, and what does it: an act, the question to a second person, or that one's yes.

    `version` is of the state that it was made for; one without goes through in whatever state there is.
    """

    command: str
    words: str
    deed: Act | Ask | Agree
    version: int | None = None


@dataclass(frozen=True)
class Done:
    """What came of an intent: the state after it, and the request that now waits, where one was made."""

    state: State
    request: Request | None = None


async def propose(
    helm: Helm,
    command: str,
    given: str,
    make: Callable[[State], Intent],
    *,
    actor: Actor,
    roles: tuple[Role, ...] = STEERS,
) -> Intent:
    """An intent for the present state. A refusal is recorded; raises `Refused`, and what `make` raises."""
    async with refusals(helm.ledger, command, given[:200], actor):
        actor.must_be(*roles)
        return await asyncio.to_thread(lambda: make(helm.plane.state))


async def commit(helm: Helm, intent: Intent, *, actor: Actor, roles: tuple[Role, ...] = STEERS) -> Done:
    """Carry it out; raise `Conflict`, with what changed, where the state is not the one that it was made for."""
    async with recorded(helm.ledger, intent.command, _told(intent), actor):
        actor.must_be(*roles)
        return await asyncio.to_thread(_commit, helm, intent, actor)


def _commit(helm: Helm, intent: Intent, actor: Actor) -> Done:
    with requests.alone(helm.ledger):
        state = helm.plane.state
        if intent.version is not None and state.version != intent.version:
            raise Conflict(f"Nothing was done: {meanwhile(state)} Give the command again to see what it would do now.")
        match intent.deed:
            case Ask() as ask:
                request = requests.make(helm.ledger, ask.action, ask.subject, ask.reason, actor, **ask.details)
                return Done(state, request)
            case Act() as act:
                return Done(put(helm, act, actor))
    raise TypeError("What was asked for is agreed to by `requests.approve`.")


def put(helm: Helm, act: Act, actor: Actor) -> State:
    """Put an act on the record and give the state after it; `requests.alone` is the caller's.

    Raises `Conflict` where it did not count, because somebody else's came first.
    """
    event: Event = act  # type: ignore[assignment]  # every act is an event
    helm.ledger.append_now(event, actor)
    state = helm.plane.state
    if act.act in state.void:
        raise Conflict(f"Nothing was done: {state.void[act.act]}")
    return state


def meanwhile(state: State) -> str:
    """The newest thing that somebody did."""
    newest = state.newest
    if newest is None:
        return "the state has changed."
    why = f" ({newest.reason})" if newest.reason else ""
    return f"meanwhile {newest.by.id} acted: {newest.what}{why}, {newest.at:%H:%M:%S} UTC."


def _told(intent: Intent) -> str:
    deed = intent.deed
    match deed:
        case Ask():
            return f"{deed.action.name} {deed.subject}"
        case Act():
            return deed.act
    return deed.request
