"""Tells each side of a hand-over what the other said and did, and staff who waits, whichever process it happened in.

Like the herald it looks at the record. What a customer is told is kept in their chat history too; what customers
wrote is shown to staff and stays on the record alone.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from weakref import WeakKeyDictionary

from assistant import queue_panels
from assistant.herald import Tab, keep_looking, message
from assistant.signin import Person
from opsplane import handover_context, handover_deeds
from opsplane.handover import LOOKERS, Handover, Stage
from opsplane.handover_board import Board, News
from opsplane.handover_events import (
    HandoverAsked,
    HandoverClosed,
    HandoverLapsed,
    HandoverReturned,
    HandoverSaid,
    HandoverTaken,
)
from opsplane.ledger.store import Ledger

log = logging.getLogger(__name__)

EVERY = 0.5
"""Seconds between two looks at the record."""
REMEMBERED = timedelta(hours=1)
"""For so long a chat that lost its connection can be told what it missed."""
_MOST = 2_000  # notices that are remembered
_SETTLING = 24  # looks at a chat that was just opened, in which it is told again
_AGAIN = 6  # every so many looks
AUTHOR = "Opsplane"


@dataclass(frozen=True)
class Notice:
    """What somebody is told, in Markdown. An empty `thread` means every chat of staff, but for who did it."""

    text: str
    thread: str = ""
    customer: str = ""  # to whom, where it is a customer
    staff: str = ""  # to whom, where it is one of the staff
    by: str = ""
    author: str = AUTHOR
    id: str = ""
    at: datetime | None = None

    def concerns(self, tab: Tab) -> bool:
        """Whether this chat may have to be told."""
        return self.thread in ("", tab.thread_id)

    def for_(self, person: Person) -> bool:
        """Whether it is for this person."""
        if not self.thread:
            return person.role in LOOKERS and person.name != self.by
        return person.customer == self.customer if self.customer else person.name == self.staff

    def message(self, thread: str) -> dict[str, Any]:
        """As the page and the history take it."""
        return message(thread, self.text, author=self.author, identity=self.id, at=self.at)


@dataclass
class _Ear:
    """How far a chat has heard, how far the others had when it was opened, and how often it was looked at since."""

    heard: int
    opened: int
    looks: int = 0

    def since(self) -> int:
        """What comes after this is told now.

        A page that resumes its conversation may lay an older history over a message that came in meanwhile. So it is
        told again for a while; a message that it has keeps its id and is not shown twice.
        """
        self.looks += 1
        return self.opened if self.looks <= _SETTLING and self.looks % _AGAIN == 0 else self.heard


@dataclass
class Relay:
    """`board` is the one that commands work on; `named` gives a staff member's name as customers see it, `elsewhere`
    how else to reach a person. `keep` puts a message into a conversation of the chat history.
    """

    ledger: Ledger
    board: Board
    who: Callable[[str], Person | None]
    tabs: Callable[[], Iterable[Tab]]
    named: Callable[[str], str]
    elsewhere: Callable[[], str]
    keep: Callable[[dict[str, Any]], None]
    _own: Board = field(default_factory=Board)
    _begun: bool = False
    _count: int = 0
    _news: deque[News] = field(default_factory=deque)
    _unkept: deque[Notice] = field(default_factory=deque)
    _notices: deque[tuple[int, Notice]] = field(default_factory=lambda: deque(maxlen=_MOST))
    _ears: WeakKeyDictionary[Tab, _Ear] = field(default_factory=WeakKeyDictionary)

    async def run(self, every: float = EVERY) -> None:
        """Look until cancelled."""
        await keep_looking(self.look, every, "nobody can be told what was said to them, and will be")

    async def look(self) -> None:
        """Tell each open chat what it has not heard; of what was before the first look, only what lost its way."""
        for tab in self.tabs():
            self._ears.setdefault(tab, _Ear(self._count, self._count))
        first, self._begun = not self._begun, True
        await asyncio.to_thread(self._gather, first)
        while self._unkept:  # each leaves only when it is kept: what raises is tried again at the next look
            one = self._unkept[0]
            if one.customer:  # kept before it is shown
                self.keep(one.message(one.thread))
            self._unkept.popleft()
            if not first:
                self._count += 1
                self._notices.append((self._count, one))
        for tab in list(self.tabs()):
            since = self._ears.setdefault(tab, _Ear(self._count, self._count)).since()
            if since < self._count:
                await self._tell(tab, since)

    def _gather(self, first: bool) -> None:
        """Note what came onto the record since the last look; hand-overs that have lapsed go there for the next."""
        self._news.extend(self._own.news(self.ledger))
        now, known = self.ledger.clock(), self._own.look(self.ledger)
        while self._news:
            one = self._news[0]
            # of a first look, what a process that died may have left unkept
            if not first or known[one.after.id].stage is Stage.TAKEN:
                self._unkept.extend(self._told(one))
            self._news.popleft()
        if any(one.due(now) for one in known.values()):
            handover_deeds.lapse(self.ledger, self.board)
        while self._notices and (at := self._notices[0][1].at) and at < now - REMEMBERED:
            self._notices.popleft()

    async def _tell(self, tab: Tab, since: int) -> None:
        missed = [one for count, one in self._notices if count > since and one.concerns(tab)]
        self._ears[tab].heard = self._count
        person = await asyncio.to_thread(self.who, tab.token) if missed and tab.token else None
        for one in missed:
            if person is None or not one.for_(person):
                continue
            try:
                await tab.emit("new_message", one.message(tab.thread_id))
            except Exception:
                log.exception("an open chat could not be told")

    def _told(self, news: News) -> list[Notice]:
        """Who is told what of an event."""
        notices = self._notices_of(news)
        names = (f"opsplane:{self.ledger.id}:{news.seq}:{number}" for number in range(len(notices)))
        ids = [str(uuid5(NAMESPACE_URL, name)) for name in names]
        told = zip(notices, ids, strict=True)
        return [Notice(**{**vars(notice), "id": identity, "at": news.at}) for notice, identity in told]

    def _notices_of(self, news: News) -> list[Notice]:
        one = news.after
        match news.event:
            case HandoverAsked():
                return [Notice(queue_panels.told_new(one))]
            case HandoverTaken():
                return self._of_taken(one, news.before)
            case HandoverSaid(side=side, by=by):
                return self._of_words(one, side, by, news.seq)
            case HandoverReturned(by=by):
                told = queue_panels.told_returned(self.named(by))
                return [_to_customer(one, told), Notice(queue_panels.told_new(one), by=by)]
            case HandoverClosed(side="customer") if one.by:
                return [_to_staff(one, queue_panels.told_gone(one))]
            case HandoverClosed(side="staff"):
                return [_to_customer(one, queue_panels.told_ended(self.named(one.by)))]
            case HandoverLapsed(why=why):
                return self._of_lapse(one, why)
        return []

    def _of_taken(self, one: Handover, before: Handover | None) -> list[Notice]:
        told = []
        if before is None or before.by != one.by:
            told.append(_to_customer(one, queue_panels.told_taken(self.named(one.by))))
        if before and before.talk and (before.talk, before.by) != (one.talk, one.by):
            told.append(_to_staff(before, queue_panels.told_taken_over(one, self.named(one.by))))
        return told

    def _of_words(self, one: Handover, side: str, by: str, seq: int) -> list[Notice]:
        said = (line.event.text for line in handover_context.lines(self.ledger, one.id) if line.seq == seq)
        text = next(said, "")
        if side == "customer":
            return [_to_staff(one, queue_panels.told_said(one.customer, text), queue_panels.CUSTOMER)]
        author = f"{queue_panels.HOUSE} · {self.named(by)}"
        return [_to_customer(one, queue_panels.told_said(author, text), queue_panels.HOUSE)]

    def _of_lapse(self, one: Handover, why: str) -> list[Notice]:
        if why == "nobody":
            return [_to_customer(one, queue_panels.told_nobody(self.elsewhere()))]
        told = _to_staff(one, queue_panels.told_silence(one.customer))
        return [_to_customer(one, queue_panels.told_silence(self.named(one.by))), told]


def _to_customer(one: Handover, text: str, author: str = AUTHOR) -> Notice:
    return Notice(text, thread=one.conversation, customer=one.customer, author=author)


def _to_staff(one: Handover, text: str, author: str = AUTHOR) -> Notice:
    return Notice(text, thread=one.talk, staff=one.by, author=author)
