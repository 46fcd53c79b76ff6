"""What a person may do to keep or destroy customers' words: hold, erase, retention. One function, one rule, one event.

A hold and a longer retention protect at once. Destroying, and ending a protection, needs a second person; a hold
beats both erasure and retention, also where it came after the request or in the moment of the approval.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from opsplane import erasure, protection, requests
from opsplane.access import SERVICE, Actor, Role
from opsplane.approval import Request, State
from opsplane.control import recorded
from opsplane.custody_events import RetentionApplied, RetentionBegun, RetentionSet
from opsplane.erasure import Custodian, Receipt, protected
from opsplane.errors import Conflict, InvalidRequest, NotFound
from opsplane.ledger import retention
from opsplane.ledger.retention import Due
from opsplane.ledger.store import Ledger
from opsplane.protection import ERASE, HOLD, RELEASE, RETENTION, Hold, Protection, Stage
from opsplane.requests import Action

Done = TypeVar("Done")
LONGEST_YEARS = 50
_PAUSE = 0.1  # seconds between two steps: whoever waits to place a hold comes in
_RUN = 50  # customers whose keys are destroyed in one step of a retention run


@dataclass(frozen=True)
class Placed:
    """A hold that was just placed; `late` tells that an erasure of the customer came before it, or had begun."""

    hold: Hold
    late: bool


@dataclass(frozen=True)
class Retention:
    """The policy, what it would destroy now, and a longer one that waits for a second person."""

    years: int
    asked: tuple[Request, ...]
    due: Due


def actions(custodian: Custodian) -> dict[str, Action]:
    """What in custody needs two people."""
    reviewer = (Role.REVIEWER,)
    made = (
        Action(HOLD, "hold everything of", reviewer, lapses=None, personal=True, withdrawable=False),
        Action(RELEASE, "release the hold on", reviewer, personal=True),
        Action(
            ERASE,
            "erase everything of",
            reviewer,
            personal=True,
            check=lambda request: erasure.must_be_free(protected(custodian.ledger), request.subject),
            begin=lambda request: erasure.begin(custodian, request),
            carry_out=lambda request: erasure.carry_out(custodian, request),
            unfinished=lambda request: not erasure.ended(protected(custodian.ledger), request),
        ),
        Action(
            RETENTION,
            "lengthen the",
            reviewer,
            carry_out=lambda request: _set_retention(custodian, request),
            unfinished=lambda request: request.id not in protected(custodian.ledger).settled,
        ),
    )
    return {action.name: action for action in made}


async def hold(custodian: Custodian, customer: str, reason: str, *, actor: Actor) -> Placed:
    """Protect everything of a customer from now on; a second person confirms it. Raises `NotFound`."""
    return await _deed(custodian, "hold", customer, actor, lambda: _hold(custodian, customer, reason, actor))


async def release_hold(custodian: Custodian, customer: str, reason: str, *, actor: Actor) -> Request:
    """Ask for a hold (named by customer, or by its id) to end; raises `NotFound`, `Conflict` where it is not plain."""
    return await _deed(custodian, "release-hold", customer, actor, lambda: _release(custodian, customer, reason, actor))


async def erase(custodian: Custodian, customer: str, reason: str, *, actor: Actor) -> Request:
    """Ask for a customer to be erased. Raises `NotFound`, and `Conflict` under hold or where there is nothing to do."""
    return await _deed(custodian, "erase", customer, actor, lambda: _erase(custodian, customer, reason, actor))


async def lengthen(custodian: Custodian, years: int, reason: str, *, actor: Actor) -> Request:
    """Ask for content to be kept longer. It is kept so long at once; for good once a second person agrees.

    A retention can never be shortened again, so that one person's slip must not set it. Raises `Conflict`.
    """
    return await _deed(custodian, "retention", str(years), actor, lambda: _lengthen(custodian, years, reason, actor))


async def retention_now(custodian: Custodian, *, actor: Actor) -> Retention:
    """The policy and what is due."""
    async with recorded(custodian.ledger, "retention", "", actor) as tally:
        actor.must_be(*requests.DECIDERS)
        state = await asyncio.to_thread(protected, custodian.ledger)
        found = await asyncio.to_thread(_due, custodian.ledger, state)
        tally.rows = len(found.customers)
    asked = [one for one in state.requests.values() if one.action == RETENTION and one.state is State.OPEN]
    return Retention(state.years, tuple(asked), found)


async def apply_now(custodian: Custodian, *, actor: Actor) -> list[RetentionApplied]:
    """Destroy what is due without waiting for the night."""
    async with recorded(custodian.ledger, "retention", "apply", actor) as tally:
        actor.must_be(Role.REVIEWER)
        done = await asyncio.to_thread(apply, custodian)
        tally.rows = sum(one.customers for one in done)
    return done


async def receipt(custodian: Custodian, request: Request) -> Receipt | None:
    """The receipt of an erasure that is done, the same bytes each time; None for any other request."""
    state = await asyncio.to_thread(protected, custodian.ledger)
    found = state.erasures.get(request.id)
    return erasure.receipt(custodian, found) if found else None


def due(custodian: Custodian) -> Due:
    """Whose keys are past the retention as of now, and whose of them a hold keeps."""
    return _due(custodian.ledger, protected(custodian.ledger))


def apply(custodian: Custodian) -> list[RetentionApplied]:
    """Destroy the keys of months past the retention, except under hold; what it did, step by step. For a nightly run.

    Raises `RecordUnavailable`; a run that is cut off is carried on by the next.
    """
    with requests.working(custodian.ledger):
        done = _carry_on_runs(custodian)
        while step := _step(custodian):
            done.append(step)
            time.sleep(_PAUSE)
        if done:
            retention.purge(custodian.ledger)
    return done


def resume(custodian: Custodian) -> None:
    """At start: carry out what was approved or begun and cut off. What cannot be is logged and stays listed."""
    requests.resume(custodian.ledger, actions(custodian))
    with requests.working(custodian.ledger):
        _carry_on_runs(custodian)


async def _deed(custodian: Custodian, command: str, arguments: str, actor: Actor, deed: Callable[[], Done]) -> Done:
    """Run a reviewer's deed with nobody else looking and acting meanwhile, and record the command."""

    def run() -> Done:
        with requests.alone(custodian.ledger):
            return deed()

    async with recorded(custodian.ledger, command, arguments, actor):
        actor.must_be(Role.REVIEWER)
        return await asyncio.to_thread(run)


def _hold(custodian: Custodian, customer: str, reason: str, actor: Actor) -> Placed:
    ledger = custodian.ledger
    _must_be_known(ledger, customer)
    request = requests.make(ledger, actions(custodian)[HOLD], customer, reason, actor)
    state = protected(ledger)
    placed = next(one for one in state.holds if one.id == request.id)
    before = (one for one in state.erasures.values() if one.customer == customer)
    return Placed(placed, late=any(one.stage is not Stage.STOPPED for one in before))


def _release(custodian: Custodian, named: str, reason: str, actor: Actor) -> Request:
    state = protected(custodian.ledger)
    found = [one for one in state.holds if named and named in (one.customer, one.id)]
    if not found:
        raise NotFound(
            "No hold is in force under that name. Name the customer, or the hold's id as /requests shows it."
        )
    if len(found) > 1:
        raise Conflict(f"{found[0].customer} is under several holds; name one by its id: {erasure.listed(found)}.")
    (one,) = found
    if not one.confirmed:
        raise Conflict(f"That hold is not confirmed yet; another person ends it with /reject {one.id}.")
    _must_not_wait(state, RELEASE, one.customer, holds=one.id)
    return requests.make(custodian.ledger, actions(custodian)[RELEASE], one.customer, reason, actor, holds=one.id)


def _erase(custodian: Custodian, customer: str, reason: str, actor: Actor) -> Request:
    ledger = custodian.ledger
    if customer.startswith("@"):
        raise InvalidRequest("Names with an @ are staff: what they wrote is kept as long as the retention says.")
    _must_be_known(ledger, customer)
    state = protected(ledger)
    erasure.must_be_free(state, customer)
    _must_not_wait(state, ERASE, customer)
    before = [one for one in state.erasures.values() if one.customer == customer and one.stage is Stage.DONE]
    if before and not retention.living(ledger, retention.subjects(ledger, customer)):
        raise Conflict(f"{customer} was erased on {before[-1].at:%Y-%m-%d} and has said nothing since.")
    return requests.make(ledger, actions(custodian)[ERASE], customer, reason, actor)


def _lengthen(custodian: Custodian, years: int, reason: str, actor: Actor) -> Request:
    state = protected(custodian.ledger)
    if years <= state.years:
        raise Conflict(f"Content is kept {state.years} years; that can only be lengthened.")
    if years > LONGEST_YEARS:
        raise InvalidRequest(f"A retention is at most {LONGEST_YEARS} years.")
    _must_not_wait(state, RETENTION, "retention")
    return requests.make(custodian.ledger, actions(custodian)[RETENTION], "retention", reason, actor, years=str(years))


def _set_retention(custodian: Custodian, request: Request) -> RetentionSet:
    event = RetentionSet(request=request.id, years=int(request.details["years"]))
    custodian.ledger.append_now(event, SERVICE)
    return event


def _step(custodian: Custodian) -> RetentionApplied | None:
    """One step of a run; None where nothing is due."""
    ledger = custodian.ledger
    with requests.alone(ledger):
        over = _due(ledger, protected(ledger))
        owners = over.customers[:_RUN]
        if not owners:
            return None
        keys = retention.living(ledger, owners, over.before)
        run = RetentionBegun(
            run=secrets.token_hex(4),
            since=min(key.period for key in keys),
            before=over.before,
            years=over.years,
            keys=tuple(key.id for key in keys),
        )
        ledger.append_now(run, SERVICE)
        still = _due(ledger, protected(ledger))  # the record's order may have put a hold before
        mine = set(owners) & set(still.customers)
        retention.destroyed(ledger, mine, min(run.before, still.before))
    return _told(custodian, run, len(mine), len(still.held))


def _carry_on_runs(custodian: Custodian) -> list[RetentionApplied]:
    begun = protection.cut_off(custodian.ledger.events(protection.RUNS))
    return [_told(custodian, run, 0, 0) for run in begun]


def _told(custodian: Custodian, run: RetentionBegun, customers: int, held: int) -> RetentionApplied:
    """Clear away what the run's keys have sealed, of those that are gone, and say so."""
    ledger = custodian.ledger
    alive = ledger.vault.secrets_of(run.keys)
    gone = tuple(key for key in run.keys if key not in alive)
    retention.sweep(ledger, gone)
    count = retention.concerned(ledger, gone, run.since, run.before)
    event = RetentionApplied(
        run=run.run,
        before=run.before,
        years=run.years,
        keys=gone,
        customers=customers,
        held=held,
        entries=count.entries,
        exchanges=count.exchanges,
    )
    ledger.append_now(event, SERVICE)
    return event


def _due(ledger: Ledger, state: Protection) -> Due:
    return retention.due(ledger, ledger.clock(), state.years_kept, sorted({one.customer for one in state.holds}))


def _must_be_known(ledger: Ledger, customer: str) -> None:
    if not customer:
        raise InvalidRequest("Which customer? Give the customer id, as the table of /audit shows it.")
    if not retention.known(ledger, customer):
        raise NotFound("Nothing on the record is of a customer of that id.")


def _must_not_wait(state: Protection, action: str, subject: str, **details: str) -> None:
    for one in state.requests.values():
        same = (one.action, one.subject) == (action, subject) and details.items() <= one.details.items()
        if same and one.state is State.OPEN:
            raise Conflict(f"That is asked for already: request {one.id}, by {one.maker.id}.")
