"""What reviewers wrote should have been answered: corrected answers with question, sources and marks, to learn from."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import true

from opsplane.access import Actor, Role
from opsplane.control import recorded
from opsplane.days import Days
from opsplane.event import ERASED
from opsplane.events import ExchangeReviewed
from opsplane.evidence import Evidence, Origin
from opsplane.exchange import Exchange
from opsplane.guardrails import pii
from opsplane.ledger import newest
from opsplane.ledger.seal import micros
from opsplane.ledger.store import Entry, Ledger
from opsplane.ledger.tables import ENTRY

MOST = 1_000
"""So many corrected answers are read at a time, the newest."""
BATCH = 500
"""So many reviews are opened at a time."""


@dataclass(frozen=True)
class Correction:
    """One exchange whose answer a reviewer corrected; its words are masked. `at` is when it was corrected."""

    exchange: Exchange
    at: datetime
    reviewer: str
    verdict: str
    score: int | None
    marks: Mapping[str, int]
    comment: str
    corrected: str

    def as_json(self) -> dict[str, Any]:
        """A row to tune by; nobody is named in it, and the customer only by the exchange's id."""
        one = self.exchange
        return {
            "exchange": one.id,
            "at": self.at.isoformat(),
            "release": one.release,
            "digest": one.digest,
            "question": one.question,
            "standalone": one.standalone,
            "outcome": one.outcome.value,
            "account": any(each.origin is Origin.TOOL for each in one.evidence),  # it holds the customer's own figures
            "sources": [_source(each) for each in one.evidence],
            "answer": one.answer,
            "corrected": self.corrected,
            "verdict": self.verdict,
            "score": self.score,
            "marks": dict(self.marks),
            "comment": self.comment,
        }


@dataclass(frozen=True)
class Corrections:
    """Corrected answers, newest first; with `more` there are older ones that were left out."""

    rows: tuple[Correction, ...]
    more: bool = False

    def as_jsonl(self) -> bytes:
        """One row a line."""
        return "".join(json.dumps(one.as_json(), ensure_ascii=False) + "\n" for one in self.rows).encode()


async def read_corrections(ledger: Ledger, days: Days, *, actor: Actor, why: str, most: int = MOST) -> Corrections:
    """The answers that were corrected on these days, the newest `most`.

    Of several reviewers who corrected one exchange the last counts, of each reviewer the last word: who judged it
    again without a correction took it back. What was erased is not there.
    """
    async with recorded(ledger, "corrections", f"{days.since or ''} {days.until or ''}".strip(), actor, why) as tally:
        actor.must_be(Role.REVIEWER)
        found = await asyncio.to_thread(_read, ledger, days, most)
        tally.rows = len(found.rows)
    return found


def _read(ledger: Ledger, days: Days, most: int) -> Corrections:
    rows: list[Correction] = []
    for entry, event in _standing(ledger, *days.bounds()):
        exchange = ledger.exchange(event.exchange)
        if exchange is None or exchange.question == ERASED:
            continue
        if len(rows) == most:
            return Corrections(tuple(rows), more=True)
        rows.append(_masked(exchange, entry, event))
    return Corrections(tuple(rows))


def _standing(ledger: Ledger, begin: int | None, end: int | None) -> Iterator[tuple[Entry, ExchangeReviewed]]:
    """The corrections that count and were made between two moments (microseconds), newest first."""
    heard: set[tuple[str, str]] = set()
    told: set[str] = set()
    since = ENTRY.c.at >= begin if begin is not None else true()
    for batch in newest.entries(ledger, (ENTRY.c.kind == "exchange_reviewed") & since, BATCH):
        for entry in batch:
            event = entry.event
            if not isinstance(event, ExchangeReviewed) or (event.exchange, entry.actor.id) in heard:
                continue
            heard.add((event.exchange, entry.actor.id))
            if event.corrected and event.exchange not in told:
                told.add(event.exchange)
                if end is None or micros(entry.at) < end:
                    yield entry, event


def _masked(exchange: Exchange, entry: Entry, event: ExchangeReviewed) -> Correction:
    """Questions, answers and reviewers' words are masked on the record; what account tools told is not."""
    evidence = tuple(
        one.model_copy(update={"text": pii.mask(one.text)}) if one.origin is Origin.TOOL else one
        for one in exchange.evidence
    )
    return Correction(
        exchange=exchange.model_copy(update={"evidence": evidence}),
        at=entry.at,
        reviewer=entry.actor.id,
        verdict=event.verdict.value,
        score=event.score,
        marks=event.marks,
        comment=event.comment,
        corrected=event.corrected,
    )


def _source(one: Evidence) -> dict[str, Any]:
    return {
        "number": one.number,
        "origin": one.origin.value,
        "document": one.document,
        "version": one.version,
        "title": one.title,
        "section": one.section,
        "text": one.text,
    }
