"""Cases made of exchanges on the record: what reviewers add, what is asked no longer, and both as a dataset.

A case holds a customer's words and is sealed with them: once they are erased, it is no case any more.
"""

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal

from sqlalchemy import select

from opsplane import oversight
from opsplane.access import Actor, Role
from opsplane.control import recorded
from opsplane.errors import Conflict, InvalidRequest, NotFound
from opsplane.evaluation.dataset import Case, Dataset
from opsplane.evaluation.evaluate import TURNED_AWAY
from opsplane.evaluation_events import CaseAdded, CaseRemoved
from opsplane.event import ERASED
from opsplane.events import ExchangeReviewed
from opsplane.evidence import Origin
from opsplane.exchange import Exchange, Outcome
from opsplane.guardrails import pii
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import EXCHANGE

NAME = "record"
"""What people call the dataset."""
EARLIER = 6
"""So many earlier questions of the conversation go with a case: as many turns as a live answer has in mind."""
LONGEST = 20_000
"""Characters of a corrected answer, as of a review's."""
WORDS = 500
"""Characters of an expected fact, and of the reason for a removal."""
MOST = 20
"""So many expected facts, documents and tags a case may have."""

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_REMEMBERED = (Outcome.ANSWERED.value, Outcome.ABSTAINED.value)
Expected = Literal["answer", "decline"]


@dataclass(frozen=True)
class Wanted:
    """What a reviewer says of a new case; what is left out is taken from the exchange and its reviews.

    `corrected` is the whole right answer; `facts` are what must be in it, `documents` of which one must be cited
    (None: those that the answer cites).
    """

    exchange: str
    name: str = ""
    kind: str = "record"
    tags: tuple[str, ...] = ()
    expect: Expected | None = None
    facts: tuple[str, ...] = ()
    documents: tuple[str, ...] | None = None
    corrected: str = ""


@dataclass(frozen=True)
class Kept:
    """A case of the set: who made it of which exchange, and when. `case` is None where its words were erased."""

    name: str
    exchange: str
    by: str
    at: datetime
    case: Case | None


async def add(ledger: Ledger, wanted: Wanted, *, actor: Actor, why: str) -> CaseAdded:
    """Make a case of an exchange; what it holds is masked, and sealed with the customer's words."""
    async with recorded(ledger, "golden", f"add {wanted.exchange}"[:80], actor, why) as tally:
        actor.must_be(Role.REVIEWER)
        _check(wanted)
        event, customer = await asyncio.to_thread(_made, ledger, wanted)
        await ledger.append(event, actor, event.exchange, customer)
        tally.rows = 1
    return event


async def remove(ledger: Ledger, name: str, reason: str, *, actor: Actor, why: str) -> CaseRemoved:
    """Ask a case no longer. It stays on the record, with the reason, which is readable for good."""
    async with recorded(ledger, "golden", f"remove {name}"[:80], actor, why):
        actor.must_be(Role.REVIEWER)
        if not reason.strip():
            raise InvalidRequest("Say why, on the same line: it goes on the record.")
        if len(reason) > WORDS:
            raise InvalidRequest(f"The reason has at most {WORDS} characters.")
        kept = await asyncio.to_thread(_named, ledger, name)
        event = CaseRemoved(exchange=kept.exchange, name=kept.name, reason=pii.mask(reason))
        await ledger.append(event, actor, kept.exchange)
    return event


async def read(ledger: Ledger, *, actor: Actor, why: str) -> tuple[Kept, ...]:
    """Every case of the set, oldest first; that they were read goes on the record, with the reason."""
    async with recorded(ledger, "golden", "", actor, why) as tally:
        actor.must_be(Role.REVIEWER)
        found = await asyncio.to_thread(kept, ledger)
        tally.rows = sum(one.case is not None for one in found)
    return found


async def dataset(ledger: Ledger, zone: tzinfo, *, actor: Actor, why: str) -> Dataset:
    """The cases as a dataset, for a reviewer or the service itself; raise `NotFound` where there is none.

    They are held to be true on the day, by the bank's time zone, on which the newest of them was added.
    """
    async with recorded(ledger, "golden", NAME, actor, why) as tally:
        actor.must_be(Role.REVIEWER, Role.SERVICE)
        whole = [(one.at, one.case) for one in await asyncio.to_thread(kept, ledger) if one.case]
        if not whole:
            raise NotFound("No case was made of an exchange yet: /golden add <exchange> does that.")
        tally.rows = len(whole)
    newest = max(at for at, _ in whole)
    return Dataset(name=NAME, as_of=newest.astimezone(zone).date(), cases=tuple(case for _, case in whole))


def kept(ledger: Ledger) -> tuple[Kept, ...]:
    """The set as the record tells it: what was added and not removed, oldest first; of one name the newest counts."""
    found: dict[str, Kept] = {}
    for entry in ledger.events(["case_added", "case_removed"]):
        match entry.event:
            case CaseAdded(exchange=exchange, name=name, case=case):
                gone = case.question == ERASED
                found.pop(name, None)
                found[name] = Kept(name, exchange, entry.actor.id, entry.at, None if gone else case)
            case CaseRemoved(name=name):
                found.pop(name, None)
    return tuple(found.values())


def _named(ledger: Ledger, name: str) -> Kept:
    found = next((one for one in kept(ledger) if one.name == name), None)
    if found is None:
        raise NotFound(f"There is no case {name[:60]!r} in the set; /golden lists them.")
    return found


def _check(wanted: Wanted) -> None:
    """Raise `InvalidRequest` for what no case can have."""
    for what, words in (
        ("name", (wanted.name,) if wanted.name else ()),
        ("kind", (wanted.kind,)),
        ("tags", wanted.tags),
    ):
        for word in words:
            if not _SLUG.fullmatch(word) or pii.find(word):
                raise InvalidRequest(
                    f"{what}={word[:40]}: up to 40 small letters, figures and hyphens, and nothing about the customer."
                )
    listed = {"facts": wanted.facts, "documents": wanted.documents or (), "tags": wanted.tags}
    for what, several in listed.items():
        if len(several) > MOST or any(not one.strip() or len(one) > WORDS for one in several):
            raise InvalidRequest(f"{what}=…: at most {MOST}, none of them empty or longer than {WORDS} characters.")
    if len(wanted.corrected) > LONGEST:
        raise InvalidRequest(f"corrected: at most {LONGEST:,} characters.")
    if wanted.expect == "decline" and (wanted.facts or wanted.documents):
        raise InvalidRequest("A case to be turned away has no expected facts and no expected documents.")


def _made(ledger: Ledger, wanted: Wanted) -> tuple[CaseAdded, str]:
    exchange = _whole(ledger, wanted.exchange)
    name = wanted.name or f"record-{exchange.id[:8].lower()}"
    for one in kept(ledger):
        if one.exchange == exchange.id:
            raise Conflict(f"The case {one.name} was made of {exchange.id[:8]} already; /golden remove it first.")
        if one.name == name:
            raise Conflict(f"The case {name} is there already; give another name=…")
    case = _case(ledger, exchange, wanted, name)
    return CaseAdded(exchange=exchange.id, name=name, case=case), exchange.customer


def _whole(ledger: Ledger, identity: str) -> Exchange:
    """The exchange with its words; raise `NotFound`, or `Conflict` where it has none or is not over."""
    exchange = ledger.exchange(oversight.full_id(ledger, identity))
    if exchange is None:
        raise NotFound(f"There is no exchange {identity!r} on the record.")
    if exchange.question == ERASED:
        raise Conflict(f"The words of {exchange.id[:8]} were erased: there is nothing to make a case of.")
    if exchange.outcome is Outcome.RECEIVED:
        raise Conflict(f"{exchange.id[:8]} is not answered yet.")
    return exchange


def _case(ledger: Ledger, exchange: Exchange, wanted: Wanted, name: str) -> Case:
    """Asked as the demonstration's customer: a question of the customer's own cannot be asked again in their name."""
    corrected = wanted.corrected or _corrected(ledger, exchange)
    away = exchange.outcome in TURNED_AWAY and not (corrected or wanted.facts or wanted.documents)
    expect: Expected = wanted.expect or ("decline" if away else "answer")
    documents = _cited(exchange) if wanted.documents is None else wanted.documents
    return Case(
        id=name,
        kind=wanted.kind,
        history=_earlier(ledger, exchange),
        question=pii.mask(exchange.question),
        facts=tuple(pii.mask(fact.strip()) for fact in wanted.facts),
        documents=() if expect == "decline" else tuple(one.strip() for one in documents),
        reference=pii.mask(corrected),
        tags=wanted.tags,
        source=exchange.id,
        expect=expect,
    )


def _corrected(ledger: Ledger, exchange: Exchange) -> str:
    """The newest answer that a reviewer gave instead; none where it would tell of the customer's own accounts."""
    if reads_accounts(exchange):
        return ""
    said = [entry.event for entry in ledger.story(exchange.id) if isinstance(entry.event, ExchangeReviewed)]
    return next((one.corrected for one in reversed(said) if one.corrected), "")


def reads_accounts(exchange: Exchange) -> bool:
    """Whether anything that was said rests on the customer's own accounts: its figures fit nobody else."""
    cited = {number for sentence in exchange.sentences for number in sentence.cites}
    return any(one.origin is Origin.TOOL and one.number in cited for one in exchange.evidence)


def _cited(exchange: Exchange) -> tuple[str, ...]:
    cited = {number for sentence in exchange.sentences for number in sentence.cites}
    return tuple(dict.fromkeys(one.document for one in exchange.evidence if one.number in cited))[:MOST]


def _earlier(ledger: Ledger, exchange: Exchange) -> tuple[str, ...]:
    """What the customer had asked in the conversation and was answered, oldest first: what a live turn remembers."""
    this = select(EXCHANGE.c.number).where(EXCHANGE.c.id == exchange.id).scalar_subquery()
    columns = EXCHANGE.c.id, EXCHANGE.c.key, EXCHANGE.c.sealed
    where = (
        EXCHANGE.c.conversation == exchange.conversation,
        EXCHANGE.c.customer == exchange.customer,
        EXCHANGE.c.number < this,
        EXCHANGE.c.outcome.in_(_REMEMBERED),
    )
    rows = ledger.read(select(*columns).where(*where).order_by(EXCHANGE.c.number.desc()).limit(EARLIER))
    told = ledger.contents(rows)
    asked = [told[row.id].question for row in reversed(rows)]
    return tuple(pii.mask(question) for question in asked if question != ERASED)
