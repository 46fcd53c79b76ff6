"""The same question answered by two releases: what the customer was shown, and what a shadow would have said."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, distinct, func, select, union_all

from opsplane.event import ERASED
from opsplane.events import ShadowAnswered
from opsplane.evidence import Evidence
from opsplane.exchange import Exchange, Outcome
from opsplane.ledger import newest
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import ENTRY, EXCHANGE, INBOX, PASSAGE

BATCH = 100
"""So many shadows are opened at a time."""
LOOKED = 2_000
"""So many of the newest shadows that nobody compared are looked through for a pair."""

SPOKEN = frozenset({Outcome.ANSWERED, Outcome.REPLIED, Outcome.DECLINED, Outcome.ABSTAINED})
"""How both turns must have ended: what failed or was stopped says nothing about which release answers better."""


@dataclass(frozen=True)
class Pair:
    """Both turns on one question; they have the same id."""

    live: Exchange
    shadow: Exchange

    @property
    def trouble(self) -> str:
        """Why these two cannot be compared, in words, or nothing."""
        if ERASED in (self.live.question, self.shadow.question):
            return "its words were erased"
        if self.live.digest == self.shadow.digest:
            return "one release gave both answers"
        if not {self.live.outcome, self.shadow.outcome} <= SPOKEN:
            return "one of the two turns failed or was stopped"
        return "both releases said the same, word by word" if self.live.answer == self.shadow.answer else ""


def pair(ledger: Ledger, exchange: str) -> Pair | None:
    """Both turns of this whole id with the texts of their sources, or None; of several shadows the first."""
    shadows = (entry.event for entry in ledger.story(exchange) if isinstance(entry.event, ShadowAnswered))
    live, shadow = ledger.exchange(exchange), next(shadows, None)
    return Pair(live, _whole(ledger, shadow.exchange)) if live and shadow else None


def upcoming(ledger: Ledger, reviewer: str) -> Pair | None:
    """The newest pair that nobody compared, else the newest that this reviewer did not; None where none is left."""
    by_anybody, by_reviewer = ENTRY.c.exchange.in_(_compared()), ENTRY.c.exchange.in_(_compared(reviewer))
    for wanted in (~by_anybody, by_anybody & ~by_reviewer):
        for identity in _promising(ledger, wanted):
            found = pair(ledger, identity)
            if found and not found.trouble:
                return found
    return None


def waiting(ledger: Ledger, reviewer: str) -> int:
    """How many shadows this reviewer did not compare yet, those included that are no pair."""
    unseen = _SHADOW, ENTRY.c.exchange.not_in(_compared(reviewer))
    return int(ledger.read(select(func.count(distinct(ENTRY.c.exchange))).where(*unseen))[0][0])


_SHADOW = ENTRY.c.kind == "shadow_answered"


def _compared(reviewer: str = "") -> Any:
    """The exchanges with a preference of this reviewer, or of anybody."""
    given = []
    for table in (ENTRY, INBOX):
        said = select(table.c.exchange).where(table.c.kind == "preference_given")
        given.append(said.where(table.c.actor == reviewer) if reviewer else said)
    return union_all(*given)


def _promising(ledger: Ledger, wanted: ColumnElement[bool]) -> Iterator[str]:
    """The ids of shadows that differ from what was shown, newest first; whole exchanges are not read for it."""
    for batch in islice(newest.entries(ledger, _SHADOW & wanted, BATCH), LOOKED // BATCH):
        said = {one.event.exchange.id: one.event.exchange for one in batch if isinstance(one.event, ShadowAnswered)}
        listed = select(EXCHANGE.c.id, EXCHANGE.c.key, EXCHANGE.c.sealed).where(EXCHANGE.c.id.in_(said))
        shown = ledger.contents(ledger.read(listed))
        yield from (name for name, one in said.items() if name in shown and _differ(one, shown[name].answer))


def _whole(ledger: Ledger, exchange: Exchange) -> Exchange:
    """With the texts of its passages, which stand once in their own table."""
    wanted = [one.sha256 for one in exchange.evidence if not one.text]
    rows = ledger.read(select(PASSAGE.c.sha256, PASSAGE.c.text).where(PASSAGE.c.sha256.in_(wanted)))
    texts = {row.sha256: row.text for row in rows}
    read = tuple(_read(one, texts.get(one.sha256, one.text)) for one in exchange.evidence)
    return exchange.model_copy(update={"evidence": read})


def _read(one: Evidence, text: str) -> Evidence:
    return one.model_copy(update={"text": text})


def _differ(shadow: Exchange, shown: str) -> bool:
    return shadow.question != ERASED and shadow.answer != shown and shadow.outcome in SPOKEN
