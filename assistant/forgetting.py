"""Clearing the chat history of a customer's people: the words go, an empty mark of each conversation stays.

The mark keeps a page that is still open from writing the conversation back. The tables are those of `chat_tables`,
named here without it: loading Chainlit takes a terminal seconds.
"""

import logging
from collections.abc import Sequence

from sqlalchemy import Connection, column, delete, func, inspect, or_, select, table, update
from sqlalchemy.exc import SQLAlchemyError

from assistant.signin import People
from opsplane.errors import RecordUnavailable
from opsplane.ledger.database import cause, connect, scrub, transaction

log = logging.getLogger(__name__)

_THREAD = table("chat_thread", *(column(name) for name in ("id", "owner", "name", "details", "used", "deleted")))
_STEP = table("chat_step", column("thread_id"))
_PARTS = (_STEP, table("chat_element", column("thread_id")), table("chat_feedback", column("thread_id")))


def forget(url: str, people: People, customer: str) -> int:
    """Forget every conversation of a customer's people in the history at `url`; how many there were.

    Those that people deleted themselves are only hidden, and go too. Raises `RecordUnavailable`.
    """
    names = [one.name for one in people.all() if customer and one.customer == customer]
    engine = connect(url)
    try:
        if not inspect(engine).has_table(_THREAD.name):
            return 0
        with transaction(engine) as connection:
            forgotten = _clear(connection, names)
        if not scrub(engine, *(one.name for one in (_THREAD, *_PARTS))):
            log.warning("what was forgotten is still in the chat history's write-ahead log: another process reads it")
    except SQLAlchemyError as error:
        raise RecordUnavailable(f"The chat history cannot be cleared: {cause(error)}") from None
    finally:
        engine.dispose()
    return forgotten


def _clear(connection: Connection, names: Sequence[str]) -> int:
    own = _THREAD.c.owner.in_(names)
    told = _THREAD.c.id.in_(select(_STEP.c.thread_id))
    full = own, or_(_THREAD.c.name != "", _THREAD.c.details != "{}", told)
    forgotten = connection.scalar(select(func.count()).select_from(_THREAD).where(*full))
    for part in _PARTS:
        connection.execute(delete(part).where(part.c.thread_id.in_(select(_THREAD.c.id).where(own))))
    connection.execute(update(_THREAD).where(own).values(name="", details="{}", deleted=_THREAD.c.used))
    return forgotten or 0
