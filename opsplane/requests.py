"""Asking for what needs two people, and deciding it: one way for everything that does.

A feature names its `Action`s; whoever asks makes a request, another person approves or rejects it, and what was
approved is carried out. Everything that looks and then acts does so alone: see `alone`.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from opsplane import approval
from opsplane.access import Actor, Role
from opsplane.approval import Request, Requests, State
from opsplane.control import recorded
from opsplane.custody_events import RequestDecided
from opsplane.errors import Conflict, PlaneError, RecordUnavailable
from opsplane.ledger.database import cause
from opsplane.ledger.store import Ledger

log = logging.getLogger(__name__)

WEEK = timedelta(days=7)
"""After so long a request that nobody decided is over."""
DECIDERS = (Role.REVIEWER, Role.APPROVER)
"""Who decides what says nothing else."""
STAFF = (*DECIDERS, Role.OPERATOR)
"""Who may have something to do with a request."""
_LOOKING, _WORKING = threading.Lock(), threading.Lock()
_POLL = 0.05  # seconds between two tries
_LOOKING_ELSEWHERE, _WORKING_ELSEWHERE = 0x0B5_1ED6E7, 0x0B5_1ED6E8  # PostgreSQL's locks: other processes


@contextmanager
def _sole_process(ledger: Ledger, number: int) -> Iterator[None]:
    """A lock of the session, tried for again and again.

    A transaction that is open, or a statement that waits, would
    keep PostgreSQL from making the search index anew, which the holder of the lock may be waiting for.
    """
    connection: Connection | None = None
    try:
        connection = ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        while not connection.scalar(select(func.pg_try_advisory_lock(number))):
            time.sleep(_POLL)
        yield
    except SQLAlchemyError as error:
        raise RecordUnavailable(f"The record cannot be read: {cause(error)}") from error
    finally:
        if connection:
            connection.invalidate()  # ends the session, and the lock with it, whatever state it is in
            connection.close()


def _nothing(_: Request) -> None:
    return None


def _never(_: Request) -> bool:
    return False


def _nobody(_: Request) -> tuple[Role, ...]:
    return ()


@dataclass(frozen=True)
class Action:
    """Something that needs two people.

    `check` raises `Conflict` for what stands in the way of an approval. `begin` is the quick part of the deed, done
    `alone`, `carry_out` the rest of it; both can be cut off and called again, `unfinished` says that they were. With
    `personal` the subject is a customer, under whose key the words are sealed. `lapses` None: it waits for ever.
    `named` gives the roles that a request itself asks for.
    """

    name: str
    words: str  # what it does, to be followed by its subject
    makers: tuple[Role, ...]
    deciders: tuple[Role, ...] = DECIDERS
    lapses: timedelta | None = WEEK
    personal: bool = False
    withdrawable: bool = True
    check: Callable[[Request], None] = _nothing
    begin: Callable[[Request], None] = _nothing
    carry_out: Callable[[Request], object] = _nothing
    unfinished: Callable[[Request], bool] = _never
    named: Callable[[Request], tuple[Role, ...]] = _nobody

    def who(self, request: Request) -> tuple[Role, ...]:
        """The roles that decide this request: those that it names itself, or the action's."""
        return self.named(request) or self.deciders


Actions = Mapping[str, Action]


@dataclass(frozen=True)
class Waiting:
    """A request that somebody must do something about, and what blocks it, if anything does."""

    request: Request
    action: Action
    blocked: str


@dataclass(frozen=True)
class Decision:
    """A request that was just decided, and what carrying it out gave."""

    request: Request
    result: object = None


@contextmanager
def alone(ledger: Ledger) -> Iterator[None]:
    """Nobody else in this process, nor on PostgreSQL in any other, looks and acts meanwhile: for moments only."""
    with _in_turn(ledger, _LOOKING, _LOOKING_ELSEWHERE):
        yield


@contextmanager
def working(ledger: Ledger) -> Iterator[None]:
    """One long deed at a time; nobody who looks and acts waits for it."""
    with _in_turn(ledger, _WORKING, _WORKING_ELSEWHERE):
        yield


@contextmanager
def _in_turn(ledger: Ledger, lock: threading.Lock, number: int) -> Iterator[None]:
    with lock:
        if ledger.engine.dialect.name == "sqlite":  # other processes: the order on the record decides
            yield
            return
        with _sole_process(ledger, number):
            yield


def every(ledger: Ledger) -> Requests:
    """All requests as they stand now."""
    return approval.fold(ledger.events(approval.KINDS), ledger.clock())


def make(ledger: Ledger, action: Action, subject: str, reason: str, actor: Actor, **details: str) -> Request:
    """Put a request on the record and give it back; `alone` is the caller's. Raises `Refused`, `InvalidRequest`."""
    actor.must_be(*action.makers)
    until = ledger.clock() + action.lapses if action.lapses else None
    event = approval.made(action.name, subject, details, reason, actor, until)
    ledger.append_now(event, actor, subject=subject if action.personal else "")
    return every(ledger)[event.request]


async def approve(ledger: Ledger, actions: Actions, identity: str, *, actor: Actor) -> Decision:
    """A second person agrees, and it is carried out; one that was cut off is carried on.

    Raises `Refused` for the wrong role and the maker, `NotFound`, `Conflict` for what was decided or stands in the way.
    """
    async with recorded(ledger, "approve", identity, actor):
        return await asyncio.to_thread(_approve, ledger, actions, identity, actor)


async def reject(ledger: Ledger, actions: Actions, identity: str, reason: str, *, actor: Actor) -> Decision:
    """A second person says no, or the maker takes it back. Raises as `approve` does."""
    async with recorded(ledger, "reject", identity, actor):
        return await asyncio.to_thread(_reject, ledger, actions, identity, reason, actor)


async def waiting(ledger: Ledger, actions: Actions, *, actor: Actor) -> list[Waiting]:
    """Requests that wait for a person, oldest first, and approved ones that were not carried out to the end."""
    async with recorded(ledger, "requests", "", actor) as tally:
        actor.must_be(*STAFF)
        found = await asyncio.to_thread(_waiting, ledger, actions)
        found = [one for one in found if actor.role in (*one.action.who(one.request), *one.action.makers)]
        tally.rows = len(found)
    return found


async def look(ledger: Ledger, actions: Actions, identity: str, *, actor: Actor) -> Request:
    """One request, whatever became of it, for who could have made or decided it."""
    async with recorded(ledger, "requests", identity, actor) as tally:
        actor.must_be(*STAFF)
        found = approval.find(await asyncio.to_thread(every, ledger), identity)
        if action := actions.get(found.action):
            actor.must_be(*dict.fromkeys((*action.who(found), *action.makers)))
        tally.rows = 1
    return found


def resume(ledger: Ledger, actions: Actions) -> list[Decision]:
    """Carry out what was approved and cut off; what cannot be is logged and tried at the next call."""
    done = []
    for request in every(ledger).values():
        action = actions.get(request.action)
        if action is None or request.state is not State.APPROVED or not action.unfinished(request):
            continue
        try:
            with alone(ledger):
                action.begin(request)
            done.append(_carried_out(ledger, action, request))
        except PlaneError as error:
            log.error("request %s (%s) is not carried out yet: %s", request.id, request.action, error)
    return done


def _carried_out(ledger: Ledger, action: Action, request: Request) -> Decision:
    with working(ledger):
        return Decision(request, action.carry_out(request))


def _approve(ledger: Ledger, actions: Actions, identity: str, actor: Actor) -> Decision:
    actor.must_be(*STAFF)
    with alone(ledger):
        request = approval.find(every(ledger), identity)
        action = _action(actions, request)
        actor.must_be(*action.who(request))
        if request.state is not State.APPROVED or not action.unfinished(request):
            approval.must_be_open(request)
            approval.must_be_another(request, actor)
            action.check(request)
            request = _decide(ledger, action, request, actor, State.APPROVED)
        action.begin(request)
    return _carried_out(ledger, action, request)


def _reject(ledger: Ledger, actions: Actions, identity: str, reason: str, actor: Actor) -> Decision:
    actor.must_be(*STAFF)
    reason = approval.worded(reason)
    with alone(ledger):
        request = approval.find(every(ledger), identity)
        action = _action(actions, request)
        own = request.maker.id == actor.id
        actor.must_be(*(action.makers if own else action.who(request)))
        approval.must_be_open(request)
        if own and not action.withdrawable:
            approval.must_be_another(request, actor)
        state = State.WITHDRAWN if own else State.REJECTED
        return Decision(_decide(ledger, action, request, actor, state, reason))


def _decide(ledger: Ledger, action: Action, request: Request, actor: Actor, state: State, reason: str = "") -> Request:
    """Put a decision on the record; raise `Conflict` where another process was quicker: the record's order counts."""
    event = RequestDecided(
        request=request.id,
        action=request.action,
        subject=request.subject,
        digest=request.digest,
        decision=state.value,
        reason=reason,
    )
    ledger.append_now(event, actor, subject=request.subject if action.personal else "")
    decided = every(ledger)[request.id]
    if decided.decider != actor or decided.state is not state:
        approval.must_be_open(decided)
        raise Conflict(f"The decision on request {request.id} did not count: it lapsed meanwhile.")
    return decided


def _waiting(ledger: Ledger, actions: Actions) -> list[Waiting]:
    found = []
    for request in every(ledger).values():
        action = actions.get(request.action)
        if action is None:
            continue
        if request.state is State.OPEN:
            found.append(Waiting(request, action, _blocked(action, request)))
        elif request.state is State.APPROVED and action.unfinished(request):
            found.append(Waiting(request, action, "It was cut off: /approve carries it on."))
    return found


def _blocked(action: Action, request: Request) -> str:
    try:
        action.check(request)
    except PlaneError as error:
        return str(error)
    return ""


def _action(actions: Actions, request: Request) -> Action:
    if request.action not in actions:
        raise Conflict(f"This version of the product does not know how to {request.action}.")
    return actions[request.action]
