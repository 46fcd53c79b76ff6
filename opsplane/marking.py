"""What guardrails did, for people to look at: counts, examples, a reviewer's mark on a finding, and marks as data."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from opsplane.access import Actor, Role
from opsplane.control import STAFF, recorded, refusals
from opsplane.days import Days
from opsplane.errors import InvalidRequest, NotFound
from opsplane.event import ERASED
from opsplane.events import FindingMarked
from opsplane.evidence import Sentence
from opsplane.exchange import Exchange
from opsplane.finding import Action, Finding
from opsplane.guardrails import pii
from opsplane.ledger import audit, firings
from opsplane.ledger.audit import AuditQuery
from opsplane.ledger.firings import Firing
from opsplane.ledger.store import Ledger

SHOWN = 5
"""So many exchanges are shown as examples of one code."""
LONGEST = 2_000
"""Characters of a comment."""

READERS = (*STAFF, Role.REVIEWER)


@dataclass(frozen=True)
class Example:
    """One finding where it was made."""

    exchange: Exchange
    finding: Finding


@dataclass(frozen=True)
class Mark:
    """What a reviewer says of the findings of one code in one exchange."""

    exchange: str
    code: str
    verdict: Literal["right", "wrong"]
    comment: str = ""


async def counted(ledger: Ledger, days: Days, release: str, *, actor: Actor) -> list[Firing]:
    """How often each check fired, by release; no words of customers are in it."""
    given = f"{release} {days.since or ''} {days.until or ''}".strip()
    async with recorded(ledger, "guardrails", given, actor) as tally:
        actor.must_be(*READERS)
        begin, end = days.bounds()
        marks = firings.latest(await asyncio.to_thread(_marks, ledger))
        found = await asyncio.to_thread(firings.count, ledger, begin, end, release, marks)
        tally.rows = len(found)
    return found


async def examples(ledger: Ledger, code: str, release: str, *, actor: Actor, why: str) -> list[Example]:
    """The newest findings of a code (or of all that begin with it), with the words they are about."""
    async with recorded(ledger, "findings", f"{code[:64]} {release}".strip(), actor, why) as tally:
        actor.must_be(Role.REVIEWER)
        found = await asyncio.to_thread(_examples, ledger, code, release)
        tally.rows = len(found)
    return found


async def mark(ledger: Ledger, given: Mark, *, actor: Actor) -> FindingMarked:
    """Record whether a finding was right; a later mark of the same reviewer on it replaces the earlier one."""
    async with refusals(ledger, "guardrails", f"mark {given.exchange} {given.code} {given.verdict}"[:200], actor):
        actor.must_be(Role.REVIEWER)
        if len(given.comment) > LONGEST:
            raise InvalidRequest(f"comment: at most {LONGEST:,} characters.")
        exchange = await asyncio.to_thread(_exchange, ledger, given.exchange)
        codes = list(dict.fromkeys(one.code for one in exchange.findings))
        if given.code not in codes:
            told = f"It has: {', '.join(codes)}." if codes else "It has none."
            raise NotFound(f"Exchange {exchange.id[:8]} has no finding {given.code[:60]!r}. {told}")
        event = FindingMarked(
            exchange=exchange.id, code=given.code, verdict=given.verdict, comment=pii.mask(given.comment)
        )
        await ledger.append(event, actor, exchange.id, exchange.customer)
    return event


async def labelled(ledger: Ledger, *, actor: Actor, why: str) -> list[dict[str, object]]:
    """Every marked finding as a row for `opsplane guardrails sweep`, as the record holds it: masked.

    A question or a passage is a row with `text`, a sentence one with `claim` and `evidence`; `label` is `bad` where
    blocking was right and `good` where it was not. Erased words are left out.
    """
    async with recorded(ledger, "guardrails", "marks", actor, why) as tally:
        actor.must_be(Role.REVIEWER)
        rows = await asyncio.to_thread(
            lambda: [row for one in firings.latest(_marks(ledger)) for row in _rows(ledger, one)]
        )
        tally.rows = len(rows)
    return rows


def _marks(ledger: Ledger) -> list[tuple[str, FindingMarked]]:
    events = ((entry.actor.id, entry.event) for entry in ledger.events(["finding_marked"]))
    return [(who, event) for who, event in events if isinstance(event, FindingMarked)]


def _exchange(ledger: Ledger, identity: str) -> Exchange:
    exchange = ledger.exchange(audit.complete_id(ledger, identity))
    if exchange is None:
        raise NotFound(f"There is no exchange {identity[:64]!r} on the record.")
    return exchange


def _examples(ledger: Ledger, code: str, release: str) -> list[Example]:
    page = audit.search(ledger, AuditQuery(rule=code, release=release, size=SHOWN))
    found = []
    for row in page.rows:
        exchange = ledger.exchange(row.id)
        if exchange:
            found += [Example(exchange, one) for one in exchange.findings if one.code.startswith(code)][:1]
    return found


def _rows(ledger: Ledger, marked: FindingMarked) -> Iterator[dict[str, object]]:
    exchange = ledger.exchange(marked.exchange)
    if exchange is None or exchange.question == ERASED:
        return
    about = {"check": marked.code, "label": "bad" if marked.verdict == "right" else "good", "exchange": exchange.id}
    for finding in (one for one in exchange.findings if one.code == marked.code):
        if finding.stage == "question":
            yield {"text": exchange.question, **about}
        elif finding.stage == "passage":
            yield {"text": finding.span, "stage": "passage", **about}
        else:
            yield from ({**_claim(one, exchange), **about} for one in _meant(finding, exchange))


def _meant(finding: Finding, exchange: Exchange) -> Sequence[Sentence]:
    """The sentence that the finding is about: the first that holds its words, where any does."""
    sentences = (*exchange.withheld, *exchange.sentences)
    holding = [one for one in sentences if finding.span and finding.span in one.text]
    kept_back = finding.action in (Action.WITHHOLD, Action.REWRITE)
    return holding[:1] or (exchange.withheld[:1] if kept_back else ())


def _claim(sentence: Sentence, exchange: Exchange) -> dict[str, object]:
    cited = [one.text for one in exchange.evidence if one.number in sentence.cites]
    return {"claim": sentence.text, "evidence": cited}
