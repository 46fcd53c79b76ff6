"""Requests that need two people, folded from the events on the record. Pure: equal events and time, equal requests."""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from opsplane.access import Actor
from opsplane.custody_events import RequestDecided, RequestMade
from opsplane.errors import Conflict, InvalidRequest, NotFound, Refused
from opsplane.event import ERASED
from opsplane.ledger.store import Entry

KINDS = ("request_made", "request_decided")
"""The kinds of event that make and decide requests."""
SHORTEST = 4
"""The fewest characters by which a request may be named."""
LONGEST_REASON = 500


class State(StrEnum):
    """What became of a request."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"  # by whoever made it
    EXPIRED = "expired"  # nobody decided in time


@dataclass(frozen=True)
class Request:
    """What was asked for, by whom and why, and who decided. Approvals are bound to `digest`.

    `intact` tells whether the content still has that digest; None where its words were erased.
    """

    id: str
    action: str
    subject: str
    details: Mapping[str, str]
    reason: str
    maker: Actor
    at: datetime
    until: datetime | None
    digest: str
    intact: bool | None
    state: State = State.OPEN
    decider: Actor | None = None
    decided: datetime | None = None
    answer: str = ""  # why it was rejected or withdrawn


Requests = dict[str, Request]


def made(
    action: str, subject: str, details: Mapping[str, str], reason: str, maker: Actor, until: datetime | None
) -> RequestMade:
    """A new request as it goes on the record; raise `InvalidRequest` as `worded` does."""
    event = RequestMade(
        request=secrets.token_hex(4),
        action=action,
        subject=subject,
        details=dict(details),
        until=until.isoformat() if until else "",
        digest="",
        reason=worded(reason),
        salt=secrets.token_hex(16),
    )
    return event.model_copy(update={"digest": digest(event, maker)})


def worded(reason: str) -> str:
    """A reason on one line; raise `InvalidRequest` where there is none, or a very long one."""
    reason = " ".join(reason.split())
    if not reason:
        raise InvalidRequest('Say why: reason="…"')
    if len(reason) > LONGEST_REASON:
        raise InvalidRequest(f"A reason has at most {LONGEST_REASON} characters.")
    return reason


def digest(event: RequestMade, maker: Actor) -> str:
    """SHA-256 over everything that is approved: who asks for what, why and until when."""
    content = event.model_dump(exclude={"kind", "digest"}) | {"maker": maker.id, "role": maker.role.value}
    data = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(b"opsplane-request/1\n" + data.encode()).hexdigest()


def fold(entries: Iterable[Entry], now: datetime) -> Requests:
    """Every request by id, oldest first; those that nobody decided in time are expired at `now`."""
    requests: Requests = {}
    for entry in entries:
        step(requests, entry)
    return {name: lapsed(one, now) for name, one in requests.items()}


def step(requests: Requests, entry: Entry) -> None:
    """Take one more event in. The first decision that may count does; what comes after it changes nothing."""
    match entry.event:
        case RequestMade() as event if event.request not in requests:
            requests[event.request] = _request(event, entry)
        case RequestDecided() as event:
            before = requests.get(event.request)
            if before and event.digest == before.digest and lapsed(before, entry.at).state is State.OPEN:
                requests[event.request] = _decided(before, event, entry)


def lapsed(request: Request, now: datetime) -> Request:
    """The request as it stands at `now`."""
    over = request.state is State.OPEN and request.until is not None and now >= request.until
    return replace(request, state=State.EXPIRED) if over else request


def find(requests: Requests, beginning: str) -> Request:
    """The request of that id, which may be shortened; raise `InvalidRequest` or `NotFound` in words."""
    if not beginning:
        raise InvalidRequest("Which request? Give its id, as /requests shows it.")
    if beginning in requests:
        return requests[beginning]
    found = [one for name, one in requests.items() if len(beginning) >= SHORTEST and name.startswith(beginning)]
    if len(found) > 1:
        raise InvalidRequest("Several requests begin like that; give more of the id.")
    if not found:
        raise NotFound("There is no request of that id. /requests lists those that wait.")
    return found[0]


def must_be_open(request: Request) -> None:
    """Raise `Conflict` for a request that was decided or has lapsed, saying by whom and when."""
    if request.state is State.OPEN:
        return
    if request.decider is None or request.decided is None:
        raise Conflict(f"Request {request.id} expired on {request.until:%Y-%m-%d}: ask for it anew.")
    raise Conflict(
        f"Request {request.id} was {request.state.value} already, by {request.decider.id} "
        f"on {request.decided:%Y-%m-%d %H:%M} UTC."
    )


def must_be_another(request: Request, actor: Actor) -> None:
    """Raise `Refused` for whoever made the request, and `Conflict` where its content is not what was asked for."""
    if request.maker.id == actor.id:
        raise Refused(f"You made request {request.id} yourself: another person decides it.")
    if request.intact is False:
        raise Conflict(f"Request {request.id} no longer has the digest it was made with; it cannot be approved.")


def _request(event: RequestMade, entry: Entry) -> Request:
    intact = None if event.reason == ERASED and not event.salt else digest(event, entry.actor) == event.digest
    return Request(
        id=event.request,
        action=event.action,
        subject=event.subject,
        details=event.details,
        reason=event.reason,
        maker=entry.actor,
        at=entry.at,
        until=datetime.fromisoformat(event.until) if event.until else None,
        digest=event.digest,
        intact=intact,
    )


def _decided(before: Request, event: RequestDecided, entry: Entry) -> Request:
    """Only the maker may withdraw, and only another may approve or reject: what breaks that does not count."""
    state = State(event.decision)
    if (state is State.WITHDRAWN) != (entry.actor.id == before.maker.id):
        return before
    return replace(before, state=state, decider=entry.actor, decided=entry.at, answer=event.reason)
