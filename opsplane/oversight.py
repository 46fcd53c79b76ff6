"""What compliance reviewers do: read the record, with a reason each time, and judge what was answered."""

import asyncio
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import select

from opsplane import criteria
from opsplane.access import Actor, Role
from opsplane.control import recorded, refusals
from opsplane.coverage import Coverage, coverage
from opsplane.days import Days
from opsplane.errors import Conflict, InvalidRequest, NotFound, PlaneError
from opsplane.event import ERASED
from opsplane.events import IN_FORCE, ExchangeReviewed, ReleaseRegistered, in_force
from opsplane.exchange import Exchange
from opsplane.guardrails import pii
from opsplane.ledger import audit, proofs, reviews
from opsplane.ledger.audit import AuditPage, AuditQuery
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.proofs import Proof
from opsplane.ledger.reviews import Waiting
from opsplane.ledger.seal import moment
from opsplane.ledger.store import Entry, Ledger
from opsplane.ledger.tables import EXCHANGE
from opsplane.review import Reason, Verdict

LEASE = timedelta(minutes=10)
"""How long a reviewer who was shown an exchange has it to himself."""


class Second(StrEnum):
    """Asks for an exchange that somebody else has judged."""

    SECOND = "second"


_ID = re.compile(r"[A-Za-z0-9-]{1,64}")

LONGEST = 20_000
"""Characters of a comment or a corrected answer."""


class Leases:
    """Who looks at which exchange just now, within this process, so that two reviewers do not judge the same one."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, datetime]] = {}
        self._lock = threading.Lock()

    def take(self, exchange: str, person: str, at: datetime) -> bool:
        """Whether the person may look at it: nobody else does."""
        with self._lock:
            self._held = {key: held for key, held in self._held.items() if held[1] > at}
            holder = self._held.get(exchange, (person, at))[0]
            if holder == person:
                self._held[exchange] = person, at + LEASE
            return holder == person

    def give_back(self, exchange: str) -> None:
        """Nobody looks at it any longer."""
        with self._lock:
            self._held.pop(exchange, None)

    def holder(self, exchange: str) -> str:
        """Who looks at it, or nobody."""
        with self._lock:
            return self._held.get(exchange, ("", None))[0]


@dataclass(frozen=True)
class Case:
    """One exchange with all that happened to it and around it.

    `release` holds the registrations and promotions of its release up to then, `place` its place in the reviewers'
    queue, and `erased` when its words were erased. `proof` is there where it was asked for, else `unproven` says why
    it could not be made.
    """

    exchange: Exchange
    story: tuple[Entry, ...]
    release: tuple[Entry, ...]
    place: Waiting | None
    erased: datetime | None
    proof: Proof | None = None
    unproven: str = ""

    @property
    def reviews(self) -> tuple[tuple[Entry, ExchangeReviewed], ...]:
        """What reviewers said of it, oldest first."""
        return tuple((entry, entry.event) for entry in self.story if isinstance(entry.event, ExchangeReviewed))


@dataclass(frozen=True)
class Task:
    """What `reviewer` is to look at, None where nothing waits, and how many exchanges wait by reason."""

    case: Case | None
    waiting: Mapping[Reason, int]
    reviewer: str

    @property
    def opinions(self) -> tuple[tuple[Entry, ExchangeReviewed], ...]:
        """What was said of it, once this reviewer has judged it too: a second opinion is given without the first."""
        said = self.case.reviews if self.case else ()
        return said if any(entry.actor.id == self.reviewer for entry, _ in said) else ()


@dataclass(frozen=True)
class Judgement:
    """What a reviewer says of an exchange. `again` allows a second opinion, or to change one's own.

    `marks` are the rubric's criteria, each from 1 to 5; without a `score` they make one.
    """

    exchange: str
    verdict: Verdict
    score: int | None = None
    comment: str = ""
    corrected: str = ""
    again: bool = False
    marks: Mapping[str, int] = field(default_factory=dict)


async def read_audit(ledger: Ledger, query: AuditQuery, arguments: str, *, actor: Actor, why: str) -> AuditPage:
    """A page of exchanges."""
    async with recorded(ledger, "audit", arguments, actor, why) as tally:
        actor.must_be(Role.REVIEWER)
        page = await asyncio.to_thread(audit.search, ledger, query)
        tally.rows = len(page.rows)
    return page


async def read_exchange(ledger: Ledger, notary: Notary, identity: str, *, actor: Actor, why: str) -> Case:
    """Everything about one turn, with the proof of its entries; the id may be shortened while it is the only one."""
    async with recorded(ledger, "exchange", identity[:64], actor, why) as tally:
        actor.must_be(Role.REVIEWER)
        case = await asyncio.to_thread(_case, ledger, identity)
        case = await asyncio.to_thread(_proven, ledger, notary, case)
        tally.rows = 1
    return case


async def read_review(
    ledger: Ledger, leases: Leases, wanted: Reason | Second | str | None, *, actor: Actor, why: str
) -> Task:
    """The exchange that a reviewer should look at next: any, one that waits for this reason, or the one of this id.

    `SECOND` is one that somebody else judged, for a second opinion; which, decides the lot.
    """
    async with recorded(ledger, "review", str(wanted or ""), actor, why) as tally:
        actor.must_be(Role.REVIEWER)
        task = await asyncio.to_thread(_task, ledger, leases, wanted, actor.id)
        tally.rows = 1 if task.case else 0
    return task


async def read_coverage(ledger: Ledger, since: date | None, until: date | None, *, actor: Actor, why: str) -> Coverage:
    """What share of the exchanges of these UTC days, both inclusive, was reviewed, and by whom."""
    async with recorded(ledger, "coverage", f"{since or ''} {until or ''}".strip(), actor, why) as tally:
        actor.must_be(Role.REVIEWER)
        begin, end = Days(since, until).bounds()
        counts = await asyncio.to_thread(reviews.counts, ledger, begin, end)
        opinions = await asyncio.to_thread(reviews.opinions, ledger, begin, end)
        preferences = await asyncio.to_thread(reviews.preferences, ledger, begin, end)
        releases = await asyncio.to_thread(_releases, ledger)
        tally.rows = len(counts)
    return await asyncio.to_thread(coverage, counts, opinions, preferences, releases)


async def judge(ledger: Ledger, leases: Leases, judgement: Judgement, *, actor: Actor) -> ExchangeReviewed:
    """Record what a reviewer says of an exchange. Its words are sealed with the customer's, and erased with them."""
    given = f"{judgement.exchange} {judgement.verdict.value}"
    async with refusals(ledger, "review", given, actor):
        actor.must_be(Role.REVIEWER)
        _check(judgement)
        whole = await asyncio.to_thread(full_id, ledger, judgement.exchange)
        if not leases.take(whole, actor.id, ledger.clock()):
            raise Conflict(f"{leases.holder(whole)} is looking at {whole[:8]} just now.")
        try:
            case = await asyncio.to_thread(_case, ledger, whole)
            _once(case, judgement, actor)
            event = _reviewed(case, judgement)
            await ledger.append(event, actor, whole, case.exchange.customer)
        finally:
            leases.give_back(whole)
    return event


def _releases(ledger: Ledger) -> dict[str, str]:
    """The names of all releases by digest, oldest first."""
    known = (entry.event for entry in ledger.events(["release_registered"]))
    return {event.digest: event.release for event in known if isinstance(event, ReleaseRegistered)}


def _check(judgement: Judgement) -> None:
    """Raise `InvalidRequest` for what does not fit together."""
    if judgement.score is not None and not 0 <= judgement.score <= 100:
        raise InvalidRequest(f"score={judgement.score}: a score is a whole number from 0 to 100.")
    criteria.rubric().check(judgement.marks)
    if judgement.corrected and judgement.verdict is Verdict.RIGHT:
        raise InvalidRequest("A corrected answer goes with `wrong` or `unsure`, not with `right`.")
    for name in ("comment", "corrected"):
        if len(getattr(judgement, name)) > LONGEST:
            raise InvalidRequest(f"{name}: at most {LONGEST:,} characters.")


def _once(case: Case, judgement: Judgement, actor: Actor) -> None:
    """Raise `Conflict` where it was judged already and that is not meant to happen again."""
    if judgement.again or not case.reviews:
        return
    entry, event = next((one for one in case.reviews if one[0].actor.id == actor.id), case.reviews[-1])
    short, when = case.exchange.id[:8], f"{entry.at:%Y-%m-%d %H:%M} UTC"
    if entry.actor.id == actor.id:
        said = f"as {event.verdict.value} on {when}. Add again=yes to change what you said."
        raise Conflict(f"You judged {short} {said}")
    raise Conflict(f"{entry.actor.id} judged {short} on {when}. Add again=yes to give a second opinion.")


def _reviewed(case: Case, judgement: Judgement) -> ExchangeReviewed:
    return ExchangeReviewed(
        exchange=case.exchange.id,
        reason=case.place.reason if case.place else Reason.CHOSEN,
        verdict=judgement.verdict,
        score=criteria.score(judgement.marks) if judgement.score is None else judgement.score,
        comment=pii.mask(judgement.comment),
        corrected=pii.mask(judgement.corrected),
        marks=dict(judgement.marks),
        rubric=criteria.rubric().version if judgement.marks else 0,
    )


def _task(ledger: Ledger, leases: Leases, wanted: Reason | Second | str | None, person: str) -> Task:
    if wanted is None or isinstance(wanted, Reason):
        identity = _next(ledger, leases, wanted, person)
    elif isinstance(wanted, Second):
        identity = next((one for one in reviews.judged_by_others(ledger, person)), "")
    else:
        identity = full_id(ledger, wanted)
        leases.take(identity, person, ledger.clock())
    return Task(_case(ledger, identity) if identity else None, reviews.waiting(ledger), person)


def _next(ledger: Ledger, leases: Leases, reason: Reason | None, person: str) -> str:
    """The most urgent exchange that waits and that nobody else looks at, or nothing."""
    after: int | None = 0
    while after is not None:
        batch, after = reviews.upcoming(ledger, reason, after)
        for one in batch:
            if leases.take(one.exchange, person, ledger.clock()):
                return one.exchange
    return ""


def full_id(ledger: Ledger, identity: str) -> str:
    """The one exchange that is meant; raise `InvalidRequest` or `NotFound`, and quote nothing that is no id."""
    if not identity:
        raise InvalidRequest("Which exchange? Give its id, as the table of /audit shows it.")
    if not _ID.fullmatch(identity):
        raise InvalidRequest("That is no exchange's id: letters, digits and hyphens, as the table of /audit shows it.")
    return audit.complete_id(ledger, identity)


def _case(ledger: Ledger, identity: str) -> Case:
    whole = full_id(ledger, identity)
    exchange = ledger.exchange(whole)
    if exchange is None:
        raise NotFound(f"There is no exchange {identity!r} on the record.")
    return Case(
        exchange=exchange,
        story=tuple(ledger.story(whole)),
        release=_of_release(ledger, exchange),
        place=reviews.place(ledger, whole),
        erased=_erased(ledger, exchange),
    )


def _proven(ledger: Ledger, notary: Notary, case: Case) -> Case:
    """With the proof, or why there is none: what cannot be proven is shown all the same."""
    try:
        proof = proofs.prove(ledger, notary, case.exchange.id)
    except PlaneError as error:
        return replace(case, unproven=str(error))
    return replace(case, proof=proof, story=tuple(ledger.story(case.exchange.id)))  # all of it is chained by now


def _erased(ledger: Ledger, exchange: Exchange) -> datetime | None:
    """When the key of its words was destroyed, or None while it lives."""
    if exchange.question != ERASED:
        return None
    keys = {row.key for row in ledger.read(select(EXCHANGE.c.key).where(EXCHANGE.c.id == exchange.id))}
    destroyed = (one.destroyed for one in ledger.vault.keys_of(exchange.customer) if one.id in keys)
    return next((moment(at) for at in destroyed if at is not None), None)


def _of_release(ledger: Ledger, exchange: Exchange) -> tuple[Entry, ...]:
    """Who registered the release that the exchange ran on and put it in front of customers, up to then."""
    known = [one for one in ledger.events(["release_registered", *IN_FORCE]) if one.at <= exchange.at]
    return tuple(entry for entry in known if exchange.digest in _about(entry))


def _about(entry: Entry) -> tuple[str, ...]:
    return (entry.event.digest,) if isinstance(entry.event, ReleaseRegistered) else in_force(entry.event)
