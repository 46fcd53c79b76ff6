"""Commands that change what customers see, and those that show it. Chat and terminal call the same functions.

What changes something is told first and done when the person says yes; see `assistant.intents`.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from pydantic import TypeAdapter, ValidationError

from assistant import arguments, rollout_panels
from assistant.desk import Command, Desk
from assistant.panels import Panel
from opsplane import approval, control, intent, requests, seconding, steering
from opsplane.access import Actor, Role
from opsplane.approval import State as Standing
from opsplane.errors import InvalidRequest, NotFound
from opsplane.intent import STEERS, Agree, Ask, Done, Helm, Intent
from opsplane.rollouts import closing
from opsplane.rollouts.plan import Duration, find
from opsplane.rollouts.rollout import Rollout
from opsplane.state import State

USAGE = (
    "/rollout [status | start <release> plan=… | advance | pause | resume | abort | promote | conclude | list | "
    "plans [plan] | report [id]]"
)
_DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)


@dataclass(frozen=True)
class Given:
    """What was typed after a command: words, and names with values however they were written."""

    words: tuple[str, ...]
    values: Mapping[str, str]

    @property
    def reason(self) -> str:
        """Why, on one line."""
        return " ".join(self.values.get("reason", "").split())[:500]

    @property
    def early(self) -> bool:
        """Whether it is wanted before the plan allows it."""
        return self.values.get("early", "").lower() in ("yes", "true", "1")


def parse(text: str, known: tuple[str, ...]) -> Given:
    """Words, `name=value`, `--name value` and `--name=value`; raise `InvalidRequest` for a name that is not known."""
    read = arguments.parse(text)
    words: list[str] = []
    values = dict(read.values)
    rest = list(read.words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            words.append(word)
            continue
        name, given, value = word[2:].partition("=")
        values[name.lower()] = value if given else rest.pop(0) if rest and not rest[0].startswith("--") else "yes"
    for name in values:
        if name not in known:
            raise InvalidRequest(f"{name[:40]!r} is not known here. Known: {', '.join(f'{one}=…' for one in known)}")
    return Given(tuple(words), values)


Make = Callable[[State, Helm, Given], Intent]


def _start(state: State, helm: Helm, given: Given) -> Intent:
    plan = given.values.get("plan", "")
    if not plan:
        raise InvalidRequest(f"By which plan? plan=… Known plans: {', '.join(sorted(helm.plans)) or 'none'}.")
    return steering.start(state, helm, given.words[1:], plan, given.reason)


_VERBS: dict[str, Make] = {
    "start": _start,
    "advance": lambda state, helm, given: steering.advance(state, helm, given.reason, early=given.early),
    "promote": lambda state, helm, given: steering.promote(state, helm, given.reason, early=given.early),
    "pause": lambda state, helm, given: steering.pause(state, helm, given.reason),
    "resume": lambda state, helm, given: steering.resume(state, helm, given.reason),
    "abort": lambda state, helm, given: steering.abort(state, helm, given.reason),
    "conclude": lambda state, helm, given: steering.conclude(state, helm, given.reason),
}


async def rollout(text: str, actor: Actor, desk: Desk) -> Panel:
    """Nothing or `status`: where it stands; a verb: what it would do, then does; `list`, `plans`, `report [id]`."""
    verb = (text.split() or ["status"])[0].lower()
    if verb in _SHOWN:
        return await _SHOWN[verb](text, actor, desk)

    def make(state: State) -> Intent:
        given = parse(text, ("plan", "reason", "early"))
        if verb not in _VERBS:
            raise InvalidRequest(f"{verb[:40]!r} is nothing that a rollout can do. {USAGE}")
        if verb != "start" and len(given.words) > 1:
            raise InvalidRequest(f"/rollout {verb} takes no {given.words[1][:40]!r}; only one rollout is in progress.")
        return _VERBS[verb](state, desk.watcher.helm, given)

    return await _proposed("rollout", text, make, actor, desk)


async def rollback(text: str, actor: Actor, desk: Desk) -> Panel:
    """`[release]`: a release that served before serves everybody again."""

    def make(state: State) -> Intent:
        given = parse(text, ("reason",))
        if len(given.words) > 1:
            raise InvalidRequest('Write /rollback [release] reason="…".')
        return steering.rollback(state, desk.watcher.helm, " ".join(given.words), given.reason)

    return await _proposed("rollback", text, make, actor, desk)


async def freeze(text: str, actor: Actor, desk: Desk) -> Panel:
    """`[for=2d] reason="…"`: no rollout starts or goes further."""

    def make(state: State) -> Intent:
        given = parse(text, ("for", "reason"))
        if given.words:
            raise InvalidRequest('Write /freeze [for=2d] reason="…".')
        return steering.freeze(state, desk.watcher.helm, _lasting(given.values.get("for", "")), given.reason)

    return await _proposed("freeze", text, make, actor, desk)


async def unfreeze(text: str, actor: Actor, desk: Desk) -> Panel:
    """`[reason="…"]`: the freeze is over."""

    def make(state: State) -> Intent:
        given = parse(text, ("reason",))
        if given.words:
            raise InvalidRequest('Write /unfreeze reason="…".')
        return steering.unfreeze(state, desk.watcher.helm, given.reason)

    return await _proposed("unfreeze", text, make, actor, desk)


async def killswitch(text: str, actor: Actor, desk: Desk) -> Panel:
    """`on`: every answer becomes the holding message; `off`: ask for that to end; nothing: how it stands."""
    if not text.strip():
        return await _status(text, actor, desk)

    def make(state: State) -> Intent:
        given = parse(text, ("reason",))
        if given.words not in (("on",), ("off",)):
            raise InvalidRequest('Write /killswitch on or /killswitch off, with reason="…".')
        deed = steering.kill if given.words == ("on",) else steering.revive
        return deed(state, desk.watcher.helm, given.reason)

    return await _proposed("killswitch", text, make, actor, desk)


async def confirmed(wanted: Intent, actor: Actor, desk: Desk) -> Panel:
    """The person is sure: carry it out, and show the state after."""
    helm = desk.watcher.helm
    if isinstance(wanted.deed, Agree):
        decision = await requests.approve(desk.ledger, seconding.actions(helm), wanted.deed.request, actor=actor)
        state = decision.result if isinstance(decision.result, State) else helm.plane.state
        return rollout_panels.done(Done(state))
    done = await intent.commit(helm, wanted, actor=actor)
    deciders = wanted.deed.action.who(done.request) if isinstance(wanted.deed, Ask) and done.request else ()
    return rollout_panels.done(done, deciders)


async def agreeing(identity: str, actor: Actor, desk: Desk) -> Panel | None:
    """What a yes to a request about rollouts would do, kept until it is said; None where it is about anything else."""
    helm = desk.watcher.helm
    try:
        found = approval.find(await asyncio.to_thread(requests.every, desk.ledger), identity)
    except (NotFound, InvalidRequest):
        return None  # `/approve` itself says so, and records it
    if found.action not in seconding.actions(helm) or found.state is not Standing.OPEN:
        return None

    def make(_state: State) -> Intent:
        return seconding.agree(helm, found, actor)

    return await _proposed("approve", identity, make, actor, desk, requests.STAFF)


async def _proposed(
    command: str,
    text: str,
    make: Callable[[State], Intent],
    actor: Actor,
    desk: Desk,
    roles: tuple[Role, ...] = STEERS,
) -> Panel:
    wanted = await intent.propose(desk.watcher.helm, command, text, make, actor=actor, roles=roles)
    desk.intents.wait(actor.id, desk.talk, wanted, desk.ledger.clock())
    return rollout_panels.proposed(wanted, terminal=not desk.talk)


async def _status(_text: str, actor: Actor, desk: Desk) -> Panel:
    helm = desk.watcher.helm
    async with control.recorded(desk.ledger, "rollout", "status", actor):
        actor.must_be(*STEERS)
        await asyncio.to_thread(desk.ledger.settle)
        watched = await asyncio.to_thread(desk.watcher.watched)
        state = await asyncio.to_thread(lambda: helm.plane.state)
        agreed = await asyncio.to_thread(requests.every, desk.ledger)
    request = agreed.get(state.rollout.request) if state.rollout else None
    return rollout_panels.status(state, watched, helm.now(), helm.plans, request)


async def _list(_text: str, actor: Actor, desk: Desk) -> Panel:
    async with control.recorded(desk.ledger, "rollout", "list", actor):
        actor.must_be(*STEERS)
        return rollout_panels.history(await asyncio.to_thread(lambda: desk.plane.state))


async def _plans(text: str, actor: Actor, desk: Desk) -> Panel:
    helm = desk.watcher.helm
    async with control.recorded(desk.ledger, "rollout", text[:100], actor):
        actor.must_be(*STEERS)
        words = text.split()[1:]
        return rollout_panels.plan(find(helm.plans, words[0])) if words else rollout_panels.plans(helm.plans)


async def _report(text: str, actor: Actor, desk: Desk) -> Panel:
    async with control.recorded(desk.ledger, "rollout", text[:100], actor):
        actor.must_be(*STEERS)
        state = await asyncio.to_thread(lambda: desk.plane.state)
        await asyncio.to_thread(desk.ledger.settle)
        wanted = _meant(state, text.split()[1:])
        return rollout_panels.closing(await asyncio.to_thread(closing.read, desk.watcher, wanted))


def _meant(state: State, words: list[str]) -> Rollout:
    """The rollout of that id; without one the one in progress, or the newest."""
    if words:
        if found := state.find_rollout(words[0]):
            return found
        raise NotFound(f"There is no rollout {words[0][:40]!r}. /rollout list shows them.")
    newest = state.rollout or (state.past[-1] if state.past else None)
    if newest is None:
        raise NotFound("There was no rollout yet.")
    return newest


_SHOWN = {"status": _status, "list": _list, "plans": _plans, "plan": _plans, "report": _report}


def _lasting(text: str) -> timedelta | None:
    if not text:
        return None
    try:
        lasts = _DURATION.validate_python(text)
    except ValidationError as error:
        raise InvalidRequest(f"for={text[:40]}: a duration is written like 30m, 2h or 7d") from error
    if not lasts:
        raise InvalidRequest("for=…: say how long, like 30m, 2h or 7d.")
    return lasts


COMMANDS: tuple[Command, ...] = (
    Command("rollout", USAGE, "Put a candidate beside the stable release, step by step", "git-branch", STEERS, rollout),
    Command(
        "rollback",
        '/rollback [release] reason="…"',
        "Let a release that served before serve everybody again",
        "undo-2",
        STEERS,
        rollback,
    ),
    Command("freeze", '/freeze [for=2d] reason="…"', "No rollout starts or goes further", "snowflake", STEERS, freeze),
    Command("unfreeze", '/unfreeze reason="…"', "Rollouts may go on again", "sun", STEERS, unfreeze),
    Command(
        "killswitch",
        '/killswitch [on | off] reason="…"',
        "Every answer becomes the holding message; two people end that",
        "power",
        STEERS,
        killswitch,
    ),
)
