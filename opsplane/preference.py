"""Which of two answers is better: a reviewer sees both without knowing who wrote them, and says it."""

import asyncio
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from opsplane.access import Actor, Role
from opsplane.control import recorded, refusals
from opsplane.errors import Conflict, InvalidRequest, NotFound
from opsplane.evaluation_events import PreferenceGiven
from opsplane.evidence import Evidence, Sentence
from opsplane.exchange import Exchange
from opsplane.guardrails import pii
from opsplane.ledger import pairs
from opsplane.ledger.pairs import Pair
from opsplane.ledger.store import Entry, Ledger
from opsplane.oversight import full_id

LONGEST = 2_000
"""Characters of a comment."""


class Side(StrEnum):
    """The better answer: the one shown first, the one shown second, or neither."""

    A = "a"
    B = "b"
    TIE = "tie"


_PREFERRED: dict[Side, Literal["first", "second", "tie"]] = {Side.A: "first", Side.B: "second", Side.TIE: "tie"}
_SIDES = {name: side for side, name in _PREFERRED.items()}


@dataclass(frozen=True)
class Choice:
    """What a reviewer prefers. `again` allows to change one's own word."""

    exchange: str
    preferred: Side
    comment: str = ""
    again: bool = False


@dataclass(frozen=True)
class Anonymous:
    """An answer without anything that tells which release gave it, and the sources that it cites."""

    sentences: tuple[Sentence, ...]
    sources: tuple[Evidence, ...]


@dataclass(frozen=True)
class Blind:
    """One question and its two answers in the order drawn by lot; `said` is what this reviewer preferred before."""

    exchange: str
    question: str
    standalone: str
    first: Anonymous
    second: Anonymous
    said: Side | None = None


@dataclass(frozen=True)
class Task:
    """What a reviewer is to compare, None where nothing waits, and how many shadows were not compared yet."""

    blind: Blind | None
    waiting: int


@dataclass(frozen=True)
class Unveiled:
    """A preference on the record, and which release gave which answer; `live` is the one that the customer saw."""

    event: PreferenceGiven
    first: str
    second: str
    live: Side


def turned(exchange: str) -> bool:
    """Whether the shadow's answer is shown first: a lot that falls the same way for everybody."""
    return hashlib.sha256(f"opsplane-preference/1\n{exchange}".encode()).digest()[0] % 2 == 1


def ordered(pair: Pair) -> tuple[Exchange, Exchange]:
    """The two turns in the order in which their answers are shown."""
    return (pair.shadow, pair.live) if turned(pair.live.id) else (pair.live, pair.shadow)


async def read_pair(ledger: Ledger, wanted: str, *, actor: Actor, why: str) -> Task:
    """The pair that a reviewer should compare next, or the one of this exchange."""
    async with recorded(ledger, "prefer", wanted[:64], actor, why) as tally:
        actor.must_be(Role.REVIEWER)
        task = await asyncio.to_thread(_task, ledger, wanted, actor)
        tally.rows = 1 if task.blind else 0
    return task


async def prefer(ledger: Ledger, choice: Choice, *, actor: Actor) -> Unveiled:
    """Record which answer is better. The comment is sealed with the customer's words, and erased with them."""
    async with refusals(ledger, "prefer", f"{choice.exchange[:64]} {choice.preferred.value}", actor):
        actor.must_be(Role.REVIEWER)
        if len(choice.comment) > LONGEST:
            raise InvalidRequest(f"comment: at most {LONGEST:,} characters.")
        pair = await asyncio.to_thread(_pair, ledger, choice.exchange)
        await asyncio.to_thread(_once, ledger, pair, choice, actor)
        first, second = ordered(pair)
        event = PreferenceGiven(
            exchange=pair.live.id,
            first=first.digest,
            second=second.digest,
            preferred=_PREFERRED[choice.preferred],
            comment=pii.mask(choice.comment),
        )
        await ledger.append(event, actor, pair.live.id, pair.live.customer)
    live = Side.B if turned(pair.live.id) else Side.A
    return Unveiled(event, _short(first), _short(second), live)


def _task(ledger: Ledger, wanted: str, actor: Actor) -> Task:
    pair = _pair(ledger, wanted) if wanted else pairs.upcoming(ledger, actor.id)
    return Task(_blind(ledger, pair, actor) if pair else None, pairs.waiting(ledger, actor.id))


def _pair(ledger: Ledger, identity: str) -> Pair:
    """Both turns of an exchange; raise `NotFound` or `Conflict` where there is nothing to compare."""
    exchange = full_id(ledger, identity)
    found = pairs.pair(ledger, exchange)
    if found is None:
        raise NotFound(f"Only one release answered {exchange[:8]}. /prefer shows a question that two answered.")
    if found.trouble:
        raise Conflict(f"The two answers to {exchange[:8]} cannot be compared: {found.trouble}.")
    return found


def _once(ledger: Ledger, pair: Pair, choice: Choice, actor: Actor) -> None:
    """Raise `Conflict` where this reviewer compared it already and does not mean to change that."""
    said = _said(ledger, pair, actor)
    if said and not choice.again:
        entry, side = said
        words = "called it a tie" if side is Side.TIE else f"preferred {side.value.upper()}"
        when = f"{entry.at:%Y-%m-%d %H:%M} UTC"
        raise Conflict(f"You {words} in {pair.live.id[:8]} on {when}. Add again=yes to change what you said.")


def _said(ledger: Ledger, pair: Pair, actor: Actor) -> tuple[Entry, Side] | None:
    """This reviewer's last word on the pair."""
    for entry in reversed(ledger.story(pair.live.id)):
        if isinstance(entry.event, PreferenceGiven) and entry.actor.id == actor.id:
            return entry, _SIDES[entry.event.preferred]
    return None


def _blind(ledger: Ledger, pair: Pair, actor: Actor) -> Blind:
    first, second = ordered(pair)
    said = _said(ledger, pair, actor)
    return Blind(
        exchange=pair.live.id,
        question=pair.live.question,
        standalone=pair.live.standalone,
        first=_anonymous(first),
        second=_anonymous(second),
        said=said[1] if said else None,
    )


def _anonymous(one: Exchange) -> Anonymous:
    cited = {number for sentence in one.sentences for number in sentence.cites}
    return Anonymous(one.sentences, tuple(source for source in one.evidence if source.number in cited))


def _short(one: Exchange) -> str:
    return f"{one.release}@{one.digest[:12]}"
