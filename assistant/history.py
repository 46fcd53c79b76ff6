"""Chat history: Chainlit's data layer on our own SQL tables, a disposable cache beside the record.

Whose data it is comes from the session (or, in a plain request, from the sign-in that Chainlit checked for it),
never from an argument: every write, read and delete is for that person's own threads only. What Chainlit writes
unattended waits a moment and is written in one transaction with its neighbours; a refusal or a failure there is
logged and the conversation goes on. Where a person waits for the result, `ValueError` says that it is not theirs
and `RecordUnavailable` that it cannot be kept.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from chainlit.context import ChainlitContextException, context
from chainlit.data import queue_until_user_message
from chainlit.data.base import BaseDataLayer
from chainlit.element import Element, ElementDict
from chainlit.session import WebsocketSession
from chainlit.step import StepDict
from chainlit.types import Feedback, PageInfo, PaginatedResponse, Pagination, ThreadDict, ThreadFilter
from chainlit.user import PersistedUser, User
from sqlalchemy import Engine, delete
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, SQLModel, col

from assistant.chat_tables import (
    LONGEST_NAME,
    TABLES,
    ElementRow,
    FeedbackRow,
    StepRow,
    ThreadRow,
    clean,
    exchange_of,
    keep_step,
    keep_told,
    own_thread,
    page_of,
    sound_id,
    whole,
)
from assistant.signin import Person
from opsplane.errors import RecordUnavailable

log = logging.getLogger(__name__)

WRITE_AFTER = 0.1  # seconds that writes wait for their neighbours
_LONGEST_COMMENT = 2_000
_LARGEST_CONTENT = 1_000_000  # bytes of an element that are kept
_OWN_ADDRESS = re.compile(r"/(?!/)[\w/.%-]*")

_signed_in: ContextVar[str] = ContextVar("signed_in", default="")
"""Whom Chainlit's sign-in check named in this request; it runs before the request is served."""

Job = Callable[[Session], None]
Result = TypeVar("Result")
Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Rating:
    """A thumb on an answer. `exchange` is what the answer's run carries in its metadata, or empty.

    `value` is 1 for up, 0 for down and None where the person took it back.
    """

    person: str
    step: str
    exchange: str
    value: int | None
    comment: str


def _now() -> datetime:
    return datetime.now(UTC)


def _queued(method: Method) -> Method:
    """Let a write wait until the person says something: a page that is only opened leaves no thread."""
    return cast(Method, queue_until_user_message()(method))


class History(BaseDataLayer):
    """Threads, steps, elements and ratings on any SQLAlchemy engine.

    `find` gives a person by sign-in name; `on_feedback` puts a rating on the record, before it is kept here.
    """

    def __init__(
        self,
        engine: Engine,
        find: Callable[[str], Person | None],
        on_feedback: Callable[[Rating], Awaitable[None]],
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._engine = engine
        self._find = find
        self._on_feedback = on_feedback
        self._clock = clock
        self._waiting: list[Job] = []
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="history")  # one: writes keep their order
        SQLModel.metadata.create_all(engine, tables=TABLES)

    async def get_user(self, identifier: str) -> PersistedUser | None:
        """The person as Chainlit keeps users; from here on the request is theirs. None for unknown or disabled."""
        person = await asyncio.to_thread(self._find, identifier)
        _signed_in.set(person.name if person else "")
        if person is None:
            return None
        return PersistedUser(
            id=person.name, identifier=person.name, display_name=person.display, createdAt="", metadata={}
        )

    async def create_user(self, user: User) -> PersistedUser | None:
        """People are added by an administrator, never by signing in: the same as `get_user`."""
        return await self.get_user(user.identifier)

    @_queued
    async def create_step(self, step_dict: StepDict) -> None:
        """Keep a message or step, soon; the thread is made where it is not there yet."""
        self._later(keep_step(step_dict, _person(), self._stamp()))

    @_queued
    async def update_step(self, step_dict: StepDict) -> None:
        """Keep a message or step as it is now, soon."""
        self._later(keep_step(step_dict, _person(), self._stamp()))

    def keep_told(self, step: dict[str, Any]) -> None:
        """Keep what the bank's staff told a customer, in the conversation that it names, soon; from any thread."""
        self._later(keep_told(step, self._stamp()))

    @_queued
    async def delete_step(self, step_id: str) -> None:
        """Drop a step with its elements and rating, soon."""
        person = _person()

        def job(session: Session) -> None:
            step = session.get(StepRow, step_id)
            if step is None:
                return
            own_thread(session, step.thread_id, person)
            session.exec(delete(ElementRow).where(col(ElementRow.step_id) == step.id))
            session.exec(delete(FeedbackRow).where(col(FeedbackRow.step_id) == step.id))
            session.delete(step)

        self._later(job)

    @_queued
    async def create_element(self, element: Element) -> None:
        """Keep an element, soon: its content where it is small, or its address on our own host."""
        person, row = _person(), _element(element)
        if row is None:
            return

        def job(session: Session) -> None:
            own_thread(session, row.thread_id, person)
            known = session.get(ElementRow, row.id)
            if known is not None and known.thread_id != row.thread_id:
                raise ValueError("an element of another thread has this id")
            session.merge(row)

        self._later(job)

    @_queued
    async def delete_element(self, element_id: str, thread_id: str | None = None) -> None:
        """Drop an element, soon."""
        person = _person()

        def job(session: Session) -> None:
            row = session.get(ElementRow, element_id)
            if row is not None and thread_id in (None, row.thread_id):
                own_thread(session, row.thread_id, person)
                session.delete(row)

        self._later(job)

    async def update_thread(
        self,
        thread_id: str,
        name: str | None = None,
        user_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        tags: list[str] | None = None,
    ) -> None:
        """Name a thread or keep its session's metadata, soon; it is made where it is not there yet."""
        del user_id, tags  # whose thread it is comes from the session; chat profiles are not used
        person, now = _person(), self._stamp()
        kept = {key: value for key, value in (metadata or {}).items() if key != "is_shared"}  # nothing is ever shared

        def job(session: Session) -> None:
            thread = own_thread(session, thread_id, person, now)
            if name:
                thread.name = clean(name)[:LONGEST_NAME]
            if kept:
                thread.details = json.dumps(json.loads(thread.details) | kept)
            session.add(thread)

        self._later(job)

    async def delete_thread(self, thread_id: str) -> None:
        """Hide a thread from its owner's history; raise `ValueError` where it is not the person's own."""
        person, now = _person(), self._stamp()

        def job(session: Session) -> None:
            thread = own_thread(session, thread_id, person)
            thread.deleted = now
            session.add(thread)
            session.commit()

        await self._ask(job)

    async def upsert_feedback(self, feedback: Feedback) -> str:
        """Keep a rating and put it on the record; raise `ValueError` for a step that is not the person's own."""
        comment = clean(feedback.comment or "")[:_LONGEST_COMMENT]
        await self._rate(feedback.forId, feedback.value, comment)
        return feedback.forId  # one rating a step: the step's id names it

    async def delete_feedback(self, feedback_id: str) -> bool:
        """Take a rating back, on the record too; raise `ValueError` where it is not the person's own."""
        await self._rate(feedback_id, None, "")
        return True

    async def list_threads(self, pagination: Pagination, filters: ThreadFilter) -> PaginatedResponse[ThreadDict]:
        """A page of the person's own threads, the latest used first."""
        person = _person()
        if filters.userId not in (None, person):
            raise ValueError("not your history")
        found, more = await self._ask(lambda session: page_of(session, person, pagination, filters))
        ends = (found[0]["id"], found[-1]["id"]) if found else (None, None)
        return PaginatedResponse(pageInfo=PageInfo(more, *ends), data=found)

    async def get_thread_author(self, thread_id: str) -> str:
        """The sign-in name of a thread's owner, empty for a thread that does not exist or was deleted."""

        def job(session: Session) -> str:
            thread = session.get(ThreadRow, thread_id)
            return thread.owner if thread and not thread.deleted else ""

        return await self._ask(job)

    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        """A thread with its steps, elements and ratings, None where there is none.

        Of another person's thread only the id is given: seeing that the owner differs, Chainlit refuses the
        connection, where None would let it go on under that id.
        """
        person = _person()
        thread, contents = await self._ask(lambda session: whole(session, thread_id, person))
        if thread is not None:
            elements = [await _addressed(one, contents[one["id"]], thread_id) for one in thread["elements"] or []]
            thread["elements"] = [one for one in elements if one.get("url")]
        return thread

    async def get_element(self, thread_id: str, element_id: str) -> ElementDict | None:
        """An element of the person's own thread, or None."""
        person = _person()

        def job(session: Session) -> ElementDict | None:
            row = session.get(ElementRow, element_id)
            thread = session.get(ThreadRow, thread_id)
            own = row and thread and row.thread_id == thread.id and thread.owner == person and not thread.deleted
            return cast(ElementDict, json.loads(row.body)) if row and own else None

        return await self._ask(job)

    async def get_favorite_steps(self, user_id: str) -> list[StepDict]:
        """Favourites are not offered."""
        del user_id
        return []

    async def build_debug_url(self) -> str:
        """There is no debugger."""
        return ""

    async def close(self) -> None:
        """Write what waits and stop writing."""
        await asyncio.wrap_future(self._submit())
        self._thread.shutdown()

    async def _rate(self, step_id: str, value: int | None, comment: str) -> None:
        """On the record first, then in the cache."""
        person = _person()

        def find(session: Session) -> str:
            step = session.get(StepRow, step_id)
            if step is None:
                raise ValueError("there is no such answer")
            own_thread(session, step.thread_id, person)
            return exchange_of(step)

        def keep(session: Session) -> None:
            step = session.get_one(StepRow, step_id)
            session.exec(delete(FeedbackRow).where(col(FeedbackRow.step_id) == step_id))
            if value is not None:
                session.add(FeedbackRow(step_id=step_id, thread_id=step.thread_id, value=value, comment=comment))
            session.commit()

        exchange = await self._ask(find)
        await self._on_feedback(Rating(person, step_id, exchange, value, comment))
        await self._ask(keep)

    def _stamp(self) -> float:
        return self._clock().timestamp()

    def _later(self, job: Job) -> None:
        """Write within `WRITE_AFTER` seconds, or before anything is read."""
        if not self._waiting:
            asyncio.get_running_loop().call_later(WRITE_AFTER, self._submit)
        self._waiting.append(job)

    def _submit(self) -> Future[None]:
        """Hand what waits to the writing thread; nothing that happens to the caller stops it."""
        jobs, self._waiting = self._waiting, []
        return self._thread.submit(self._write, jobs)

    async def _ask(self, job: Callable[[Session], Result]) -> Result:
        """Run a job after every write before it; raise `RecordUnavailable` where the database fails."""
        if self._waiting:
            self._submit()
        try:
            return await asyncio.wrap_future(self._thread.submit(self._run, job))
        except SQLAlchemyError as error:
            log.error("the chat history failed: %s", _cause(error))
            raise RecordUnavailable("The chat history is not available at the moment.") from None

    def _run(self, job: Callable[[Session], Result]) -> Result:
        with Session(self._engine) as session:
            return job(session)

    def _write(self, jobs: list[Job]) -> None:
        """All in one transaction; where one of them fails, each in its own, so that nobody spoils another's."""
        try:
            with Session(self._engine) as session:
                for job in jobs:
                    job(session)
                session.commit()
        except (ValueError, SQLAlchemyError) as error:
            if len(jobs) > 1:
                for job in jobs:
                    self._write([job])
            elif isinstance(error, SQLAlchemyError):
                log.error("the chat history could not be written: %s", _cause(error))
            else:
                log.warning("the chat history refused a write: %s", error)


def _cause(error: SQLAlchemyError) -> str:
    """What went wrong, without the statement and its values: they hold what people wrote."""
    return f"{type(error).__name__}: {getattr(error, 'orig', None) or 'no detail'}"


def _person() -> str:
    """The sign-in name of whoever is behind this session or request; raise `ValueError` where nobody is."""
    try:
        user = context.session.user
    except ChainlitContextException:
        user = None
    name = user.identifier if user else _signed_in.get()
    if not name:
        raise ValueError("nobody is signed in")
    return name


def _element(element: Element) -> ElementRow | None:
    """An element as it is kept, or None for what lives as long as its page: uploads, the too large, what was read."""
    if not getattr(element, "kept", True):
        return None
    content = element.content.encode("utf-8", "replace") if isinstance(element.content, str) else element.content
    address = element.url if element.url and _OWN_ADDRESS.fullmatch(element.url) else None
    if not (address or content) or len(content or b"") > _LARGEST_CONTENT:
        return None
    body = element.to_dict() | {"url": address, "chainlitKey": None, "objectKey": None}
    return ElementRow(
        id=sound_id(element.id),
        thread_id=element.thread_id,
        step_id=element.for_id or "",
        content=b"" if address else content or b"",
        body=json.dumps(body, default=str),
    )


async def _addressed(element: ElementDict, content: bytes, thread_id: str) -> ElementDict:
    """An element with the address of its content: a file of the session that reopens the thread."""
    try:
        session = context.session
    except ChainlitContextException:
        return element
    if content and isinstance(session, WebsocketSession) and session.thread_id_to_resume == thread_id:
        file = await session.persist_file(name=element["name"], mime=element.get("mime") or "", content=content)
        element["url"] = f"/project/file/{file['id']}?session_id={session.id}"
    return element
