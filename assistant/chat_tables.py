"""The tables of the chat history, and whose rows are whose.

Times are seconds since 1970 UTC; bodies are Chainlit's own values as JSON.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, cast

from chainlit.element import ElementDict
from chainlit.step import StepDict
from chainlit.types import FeedbackDict, Pagination, ThreadDict, ThreadFilter
from sqlmodel import Field, Session, SQLModel, and_, col, or_, select

from opsplane.guardrails import pii
from opsplane.ledger.database import upsert

LONGEST_NAME = 120
NOT_KEPT = "*What was read is not kept here. Run the command again.*"
MOST_LISTED = 100
"""At most so many threads on a page of the history."""
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


class ThreadRow(SQLModel, table=True):
    """A conversation; `deleted` is when its owner deleted it, 0 while it is there."""

    __tablename__ = "chat_thread"
    id: str = Field(primary_key=True)
    owner: str = Field(index=True)
    name: str = ""
    details: str = "{}"
    made: float
    used: float = Field(index=True)
    deleted: float = 0.0


class StepRow(SQLModel, table=True):
    """A message or a step; `text` is what a message says, for searching."""

    __tablename__ = "chat_step"
    id: str = Field(primary_key=True)
    thread_id: str = Field(index=True)
    made: float
    text: str = ""
    body: str


class ElementRow(SQLModel, table=True):
    """What hangs on a message: citations, files, figures; `content` is empty where `body` has an address."""

    __tablename__ = "chat_element"
    id: str = Field(primary_key=True)
    thread_id: str = Field(index=True)
    step_id: str = Field(index=True)
    content: bytes = b""
    body: str


class FeedbackRow(SQLModel, table=True):
    """The one rating of a step by its thread's owner: 1 up, 0 down."""

    __tablename__ = "chat_feedback"
    step_id: str = Field(primary_key=True)
    thread_id: str = Field(index=True)
    value: int
    comment: str = ""


TABLES = [SQLModel.metadata.tables[f"chat_{name}"] for name in ("thread", "step", "element", "feedback")]


def own_thread(session: Session, thread_id: str, person: str, now: float | None = None) -> ThreadRow:
    """The person's own thread, made where it is missing and `now` is given; raise `ValueError` for any other."""
    thread = session.get(ThreadRow, thread_id)
    if thread is None and now is not None:
        thread = ThreadRow(id=sound_id(thread_id), owner=person, made=now, used=now)
        session.add(thread)
    if thread is None or thread.owner != person:
        raise ValueError(f"{person} has no such conversation")
    if thread.deleted:
        raise ValueError(f"{person} has deleted this conversation")
    return thread


def page_of(
    session: Session, person: str, pagination: Pagination, filters: ThreadFilter
) -> tuple[list[ThreadDict], bool]:
    """The page after the cursor, and whether more follow."""
    thread, step, rating = ThreadRow, StepRow, FeedbackRow
    query = select(thread).where(col(thread.owner) == person, col(thread.deleted) == 0)
    if pagination.cursor:
        last = session.get(thread, pagination.cursor)
        if last is None or last.owner != person:
            raise ValueError(f"{person} has no such conversation")
        older = and_(col(thread.used) == last.used, col(thread.id) < last.id)
        query = query.where(or_(col(thread.used) < last.used, older))
    if filters.search:
        words = clean(filters.search)
        said = select(step.thread_id).where(col(step.text).icontains(words, autoescape=True))
        query = query.where(or_(col(thread.name).icontains(words, autoescape=True), col(thread.id).in_(said)))
    if filters.feedback is not None:
        query = query.where(col(thread.id).in_(select(rating.thread_id).where(col(rating.value) == filters.feedback)))
    first = max(1, min(pagination.first, MOST_LISTED))
    rows = session.exec(query.order_by(col(thread.used).desc(), col(thread.id).desc()).limit(first + 1)).all()
    return [_thread(row) for row in rows[:first]], len(rows) > first


def _thread(row: ThreadRow) -> ThreadDict:
    """A thread without its contents; the page sorts threads by `createdAt`, so that is when it was last used."""
    return ThreadDict(
        id=row.id,
        createdAt=datetime.fromtimestamp(row.used, UTC).isoformat(),
        name=row.name,
        userId=row.owner,
        userIdentifier=row.owner,
        tags=[],
        metadata=json.loads(row.details),
        steps=[],
        elements=[],
    )


def whole(session: Session, thread_id: str, person: str) -> tuple[ThreadDict | None, dict[str, bytes]]:
    """A thread with everything in it, and the contents of its elements by their id."""
    row = session.get(ThreadRow, thread_id)
    if row is None or (row.deleted and row.owner == person):
        return None, {}
    if row.owner != person:
        return _thread(ThreadRow(id=thread_id, owner="", made=0.0, used=0.0)), {}
    thread = _thread(row)
    steps = session.exec(
        select(StepRow).where(col(StepRow.thread_id) == thread_id).order_by(col(StepRow.made), col(StepRow.id))
    )
    thread["steps"] = [cast(StepDict, json.loads(step.body)) for step in steps]
    ratings = session.exec(select(FeedbackRow).where(col(FeedbackRow.thread_id) == thread_id)).all()
    rated = {one.step_id: one for one in ratings}
    for step in thread["steps"]:
        if one := rated.get(step["id"]):
            value = cast(Literal[0, 1], one.value)
            step["feedback"] = FeedbackDict(forId=one.step_id, id=one.step_id, value=value, comment=one.comment)
    elements = session.exec(select(ElementRow).where(col(ElementRow.thread_id) == thread_id)).all()
    thread["elements"] = [cast(ElementDict, json.loads(element.body)) for element in elements]
    return thread, {element.id: element.content for element in elements}


def exchange_of(step: StepRow) -> str:
    """The exchange that a run's metadata names; only the server writes runs."""
    body = json.loads(step.body)
    metadata = body.get("metadata") or {}
    return str(metadata.get("exchange", "")) if body.get("type") == "run" else ""


def sound_id(text: str) -> str:
    """The id itself; raise `ValueError` for anything that Chainlit would not make."""
    if not _ID.fullmatch(text):
        raise ValueError("an id that cannot be")
    return text


def clean(text: str) -> str:
    """Text that every database can hold: no NUL, no lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def keep_step(step: StepDict, person: str, now: float) -> Callable[[Session], None]:
    """What keeps a message or step as it is now, in the person's own thread; raises `ValueError` for another's."""
    made = _seconds(step.get("createdAt"), now)
    given = {name: value for name, value in step.items() if value is not None}
    given.setdefault("createdAt", f"{datetime.fromtimestamp(now, UTC).replace(tzinfo=None).isoformat()}Z")
    step_id, thread_id, by_person = sound_id(step["id"]), step["threadId"], step["type"] == "user_message"
    given.pop("input", None)  # of a run: the person's message over again
    words = _words(step, by_person)
    given["output"] = words
    text = words if "message" in step["type"] else ""

    def job(session: Session) -> None:
        thread = own_thread(session, thread_id, person, now)
        row = session.get(StepRow, step_id)
        if row is None:
            row = StepRow(id=step_id, thread_id=thread.id, made=made, body="{}")
        elif row.thread_id != thread.id:
            raise ValueError(f"a step of {person} has the id of another conversation's")
        row.body = json.dumps(given | ({"createdAt": made_at} if (made_at := _made(row)) else {}), default=str)
        row.text = text
        thread.used = now
        if by_person and not thread.name:
            thread.name = text[:LONGEST_NAME]
        session.add(row)

    return job


def keep_told(step: dict[str, Any], now: float) -> Callable[[Session], None]:
    """What keeps a message of the bank's in a customer's thread, once, whichever process is first; not in one gone."""
    made, thread_id = _seconds(step.get("createdAt"), now), step["threadId"]
    body, text = json.dumps(step, default=str), clean(step.get("output") or "")
    values = {"id": sound_id(step["id"]), "thread_id": thread_id, "made": made, "text": text, "body": body}

    def job(session: Session) -> None:
        thread = session.get(ThreadRow, thread_id)
        if thread is None or thread.deleted:
            return
        put = upsert(session.connection(), SQLModel.metadata.tables[StepRow.__tablename__])
        if session.connection().execute(put.on_conflict_do_nothing(), values).rowcount:
            thread.used = now
            session.add(thread)

    return job


def _words(step: StepDict, by_person: bool) -> str:
    """What is kept of a step's words: personal data masked, of a command its name, of what was read nothing."""
    words = clean(step.get("output") or "")
    if not (step.get("metadata") or {}).get("kept", True):
        return NOT_KEPT
    if not by_person:
        return words
    if words.lstrip().startswith("/") and len(words.split()) > 1:
        return f"{words.split()[0]} …"
    return pii.mask(words)


def _made(row: StepRow) -> str:
    """When a step that is kept already was made, as Chainlit writes it."""
    return str(json.loads(row.body).get("createdAt", ""))


def _seconds(text: str | None, otherwise: float) -> float:
    """An ISO time as seconds since 1970 UTC."""
    try:
        return datetime.fromisoformat(text).timestamp() if text else otherwise
    except ValueError:
        return otherwise
