"""Tells every open chat of operators and approvers what changed for customers, whoever did it and wherever."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import uuid4
from weakref import WeakKeyDictionary

from assistant.citations import words
from assistant.signin import Person
from opsplane import control
from opsplane.access import Actor
from opsplane.control_events import (
    Act,
    AlertRaised,
    ChangesFrozen,
    ChangesUnfrozen,
    KillSwitchPulled,
    KillSwitchReset,
    ReleaseRestored,
    RolloutAborted,
    RolloutAdvanced,
    RolloutConcluded,
    RolloutPaused,
    RolloutPromoted,
    RolloutResumed,
    RolloutStarted,
)
from opsplane.document_events import DocumentReinstated, DocumentsServed, DocumentWithdrawn
from opsplane.ledger.store import Entry, Ledger
from opsplane.rollouts.plan import Kind, percent
from opsplane.rollouts.rollout import Rollout
from opsplane.state import CONTROL, State, step

log = logging.getLogger(__name__)

_LISTED = 5  # documents that a notice names
EVERY = 1.0
"""Seconds between two looks at the record."""
KINDS = (*CONTROL, "alert_raised", "documents_served")
_ALERTS = {"quality": "Quality alert", "judge": "Judge alert", "job": "Job alert", "golden": "Golden set alert"}
"""How an alert is headed, by the first word of what it is about."""
_TURNS = 20  # of one chat that are remembered until the next look


class Tab(Protocol):
    """An open chat, as Chainlit's session is one."""

    @property
    def thread_id(self) -> str:
        """Its conversation."""

    @property
    def token(self) -> str | None:
        """The session token that it was opened with."""

    @property
    def emit(self) -> Callable[[str, Any], Any]:
        """Sends an event to its page."""


@dataclass(frozen=True)
class News:
    """Something that happened, in Markdown."""

    at: datetime
    by: Actor
    text: str


@dataclass
class Turn:
    """A message that is met; `command` tells whether it was one, which is known when it ended."""

    begin: datetime
    end: datetime | None = None
    command: bool = True


class Herald:
    """Looks at the record every second. `who` gives the person behind a token, `tabs` the chats that are connected.

    A chat whose connection is lost for a while is told when it is back. Nothing is kept in the chat's history: it all
    stands on the record.
    """

    def __init__(
        self,
        ledger: Ledger,
        who: Callable[[str], Person | None],
        tabs: Callable[[], Iterable[Tab]],
        every: float = EVERY,
    ) -> None:
        self._ledger, self._who, self._tabs, self._every = ledger, who, tabs, every
        self._count = -1
        self._known: set[str] = set()
        self._news: list[News] = []
        self._heard: WeakKeyDictionary[Tab, int] = WeakKeyDictionary()
        self._turns: WeakKeyDictionary[object, deque[Turn]] = WeakKeyDictionary()

    async def run(self) -> None:
        """Look until cancelled; what was on the record before is old."""
        await keep_looking(self.look, self._every, "open chats cannot be told what changed, and will be")

    async def look(self) -> None:
        """Tell each open chat what it has not heard; the first look tells nothing."""
        for tab in self._tabs():
            self._heard.setdefault(tab, len(self._news))
        self._news += await asyncio.to_thread(self._gather)
        for tab in list(self._tabs()):
            if self._heard.setdefault(tab, len(self._news)) < len(self._news):
                await self._tell(tab)

    @contextmanager
    def meeting(self, tab: object) -> Iterator[Turn]:
        """While a message of this chat is met: what its command does is shown there by the command itself."""
        turn = Turn(self._ledger.clock())
        self._turns.setdefault(tab, deque(maxlen=_TURNS)).append(turn)
        try:
            yield turn
        finally:
            turn.end = self._ledger.clock()

    def _gather(self) -> list[News]:
        """What came onto the record since the last time, whatever order it was committed in."""
        if self._ledger.count(KINDS) == self._count:
            return []
        entries, first = self._ledger.events(KINDS), self._count < 0
        news, after = [], State()
        for entry in entries:
            before, after = after, step(after, entry)
            if (name := _name(entry)) and name not in self._known:
                self._known.add(name)
                news += [] if first else told(entry, before, after)
        self._count = len(entries)
        return news

    async def _tell(self, tab: Tab) -> None:
        person = await asyncio.to_thread(self._who, tab.token) if tab.token else None
        for one in self._news[self._heard[tab] :]:
            if person is None or person.role not in control.STAFF:
                self._heard[tab] += 1
                continue
            known = _shown(one, person, self._turns.get(tab, ()))
            if known is None:  # a message is being met, and what it turns out to be decides
                return
            self._heard[tab] += 1
            if not known:
                try:
                    await tab.emit("new_message", message(tab.thread_id, one.text))
                except Exception:
                    log.exception("an open chat could not be told")


def _shown(one: News, person: Person, turns: Iterable[Turn]) -> bool | None:
    """Whether a command of this chat has shown it there; None while that cannot be known."""
    if one.by.id != person.name:
        return False
    for turn in turns:
        if turn.begin <= one.at and (turn.end is None or one.at <= turn.end) and turn.command:
            return True if turn.end else None
    return False


def _name(entry: Entry) -> str:
    """What an entry is known by; empty for one that is no news, such as the alert that an act of the service raises."""
    match entry.event:
        case Act(act=act):
            return act
        case AlertRaised(about=about, subject=subject) if about not in CONTROL:
            return f"{about} {subject} {entry.at.isoformat()}"
        case DocumentsServed(index=index, generation=generation):
            return f"{index} {generation} {entry.at.isoformat()}"
    return ""


def told(entry: Entry, before: State, after: State) -> list[News]:
    """What an entry means to operators: nothing where it was void or left everything as it was."""
    event, by = entry.event, entry.actor
    if isinstance(event, AlertRaised):
        kind = _ALERTS.get(event.about.partition("_")[0], "Alert")
        return [News(entry.at, by, f"**{kind}:** {words(event.text)}")]
    if isinstance(event, DocumentsServed):
        return [News(entry.at, by, _documents(event, by))]
    same = replace(after, newest=before.newest, version=before.version, done=before.done) == before
    if not isinstance(event, Act) or event.act in after.void or same:
        return []
    why = f": {words(event.reason)}" if event.reason else ""
    stop = "" if event.reason.rstrip().endswith((".", "!", "?")) else "."
    approved = getattr(event, "approved_by", "")
    whom = words(by.id) + (f", approved by {words(approved)}" if approved else "")
    return [News(entry.at, by, f"**{_deed(event, before, after)}** by {whom}{why}{stop} {_serving(after)}")]


def _documents(event: DocumentsServed, by: Actor) -> str:
    changes = {"added": event.added, "changed": event.changed, "removed": event.removed}
    told = "; ".join(f"{name} {_some(names)}" for name, names in changes.items() if names) or "the same documents"
    whom = words(by.id) + (f", approved by {words(event.approved_by)}" if event.approved_by else "")
    return (
        f"**Documents changed** ({words(event.why)}, {whom}): {told}. Answers come from {words(event.generation)} now."
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(words(name) for name in names[:_LISTED]) + more


def _deed(event: Act, before: State, after: State) -> str:
    match event:
        case ReleaseRestored(digest=digest):
            over = f", and rollout {words(before.rollout.id)} is over," if before.rollout else ""
            return f"Rolled back to {words(after.short(digest))}{over}"
        case ChangesFrozen(until=until):
            return f"Changes were frozen{f' until {_clock(until)}' if until else ''}"
        case ChangesUnfrozen():
            return "The freeze was lifted"
        case KillSwitchPulled():
            return "The kill switch was pulled"
        case KillSwitchReset():
            return "The kill switch was reset"
        case DocumentWithdrawn(document=document) | DocumentReinstated(document=document):
            verb = "withdrawn" if isinstance(event, DocumentWithdrawn) else "reinstated"
            return f"The document {words(document)} was {verb}"
    return _of_rollout(event, before, after)


def _of_rollout(event: Act, before: State, after: State) -> str:
    name = f"Rollout {words(str(getattr(event, 'rollout', '')))}"
    match event:
        case RolloutStarted(candidates=candidates):
            return f"{name} of {_names(after, candidates)} was started"
        case RolloutAdvanced(step=place) if before.rollout:
            return f"{name} went on to step {place + 1} of {len(before.rollout.plan.steps)}"
        case RolloutPaused():
            return f"{name} was paused"
        case RolloutResumed():
            return f"{name} was resumed"
        case RolloutAborted():
            return f"{name} was aborted"
        case RolloutPromoted():
            return f"{name} was promoted"
        case RolloutConcluded(winner=winner):
            return f"{name} was concluded, {f'{words(after.short(winner))} won,' if winner else 'without a winner,'}"
    return words(event.kind.replace("_", " ").capitalize())


def _serving(state: State) -> str:
    """What customers get now."""
    if state.killed:
        return "Every answer is the holding message, with a way to a person."
    stable = words(state.short(state.stable))
    return _beside(state.rollout, stable, state) if state.rollout else f"{stable} serves everybody."


def _beside(rollout: Rollout, stable: str, state: State) -> str:
    names, share = _names(state, rollout.candidates), words(percent(rollout.share))
    match rollout.plan.kind:
        case Kind.SHADOW:
            return f"{stable} serves everybody; {names} answers {share} of the questions too, unseen."
        case Kind.EXPERIMENT:
            return f"{share} of the customers take part, between {stable} and {names}; {stable} serves the others."
    return f"{names} serves {share} of the customers, {stable} the others."


def _names(state: State, digests: Iterable[str]) -> str:
    return ", ".join(words(state.short(one)) for one in digests)


def _clock(until: str) -> str:
    return words(f"{datetime.fromisoformat(until).astimezone(UTC):%Y-%m-%d %H:%M} UTC")


async def keep_looking(look: Callable[[], Awaitable[None]], every: float, trouble: str) -> None:
    """Look at the record until cancelled, `every` so many seconds; `trouble` is logged where that fails."""
    failing = False
    while True:
        try:
            await look()
            failing = False
        except Exception:
            if not failing:  # once, not every second
                log.exception(trouble)
            failing = True
        await asyncio.sleep(every)


def message(
    thread: str, text: str, *, author: str = "Opsplane", identity: str = "", at: datetime | None = None
) -> dict[str, Any]:
    """A message as Chainlit's page takes one: no answer to anything, and no part of the turn that runs."""
    now = (at or datetime.now(UTC)).isoformat().replace("+00:00", "Z")
    return {
        "id": identity or str(uuid4()),
        "threadId": thread,
        "parentId": None,
        "type": "system_message",
        "name": author,
        "output": text,
        "createdAt": now,
        "start": now,
        "end": now,
        "streaming": False,
        "isError": False,
        "waitForAnswer": False,
        "metadata": {},
        "tags": None,
        "language": None,
    }
