"""The socket behind the page: Chainlit's handlers, each behind a check of what the browser sends."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from chainlit.context import init_ws_context
from chainlit.session import WebsocketSession
from socketio import AsyncServer
from socketio.exceptions import ConnectionRefusedError as Refused

from assistant import guard
from assistant.dropped import Drops

log = logging.getLogger(__name__)

BURST = 30
"""At most so many messages of one page are taken in within `WINDOW`."""
WINDOW = 60.0  # seconds

BUSY = "One question at a time, please: the last one is still being answered."
LOST = "That file is not here any more. Please drop it again."
TOO_FAST = "That was a lot of messages. Please wait a moment and try again."

_KEPT = frozenset(
    {"connect", "connection_successful", "disconnect", "clear_session", "client_message", "stop", "window_message"}
)
Handler = Callable[..., Awaitable[Any]]


def fence(sio: AsyncServer, drops: Drops) -> None:
    """Leave only the events that this product uses, each behind its check."""
    handlers: dict[str, Handler] = sio.handlers["/"]
    for name in handlers.keys() - _KEPT:
        del handlers[name]
    intake = Intake(handlers["client_message"], drops)
    sio.handlers["/"] |= {
        "connect": _checked_connect(handlers["connect"]),
        "client_message": intake.client_message,
        "stop": intake.stop,
    }


@dataclass
class _Page:
    """What a page has under way: the turn that runs, and how many messages are in (one may wait)."""

    free: asyncio.Lock = field(default_factory=asyncio.Lock)
    times: deque[float] = field(default_factory=lambda: deque(maxlen=BURST))
    inside: int = 0
    turn: "asyncio.Task[None] | None" = None


class Intake:
    """Takes in one message after the other from each page; one may wait, further ones are refused.

    A message that comes with files says which they are; Chainlit is not told of them, and keeps nothing.
    """

    def __init__(self, handle: Handler, drops: Drops, timer: Callable[[], float] = monotonic) -> None:
        self._handle = handle
        self._drops = drops
        self._timer = timer
        self._pages: WeakKeyDictionary[WebsocketSession, _Page] = WeakKeyDictionary()

    async def client_message(self, sid: str, payload: object) -> None:
        """Pass a sound message on and see it answered; tell the page where it is refused."""
        session = WebsocketSession.get(sid)
        if session is None or session.user is None:
            return
        try:
            message, files = guard.message(payload, session.user.identifier), guard.files(payload)
        except guard.Malformed:
            log.warning("a malformed message was dropped")
            return
        page, names = self._pages.setdefault(session, _Page()), self._drops.names(session.id, files)
        if refusal := LOST if len(names) < len(files) else self._refusal(page):
            await init_ws_context(session).emitter.send_toast(refusal, "warning")
            return
        if names:
            message |= _with(names, message["output"], documents=self._drops.documents(session.id, files))
            message["metadata"]["files"] = files
        page.inside += 1
        try:
            async with page.free:
                await _finished(session.current_task)  # the welcome comes first
                await self._handle(sid, {"message": message, "fileReferences": []})
                page.turn = session.current_task
                await _finished(page.turn)
        finally:
            page.inside -= 1

    async def stop(self, sid: str) -> None:
        """Stop the answer that is being given; the turn puts on the record that it was stopped."""
        session = WebsocketSession.get(sid)
        page = self._pages.get(session) if session else None
        if page and page.turn:
            page.turn.cancel()

    def _refusal(self, page: _Page) -> str:
        if page.inside >= 2:
            return BUSY
        now = self._timer()
        if len(page.times) == BURST and now - page.times[0] < WINDOW:
            return TOO_FAST
        page.times.append(now)
        return ""


def _with(names: list[str], typed: str, *, documents: bool) -> dict[str, Any]:
    """A message that comes with files, as the history keeps it: no content of theirs."""
    listed = ", ".join(names)
    if not documents:
        return {"output": f"Register {listed}, dropped here", "metadata": {}}
    return {"output": f"{typed}\n\nDropped here: {listed}".strip(), "metadata": {"typed": typed}}


async def _finished(task: "asyncio.Task[None] | None") -> None:
    if task:
        await asyncio.wait({task})


def _checked_connect(handle: Handler) -> Handler:
    async def connect(sid: str, environ: dict[str, Any], auth: object = None) -> Any:
        try:
            given = guard.connection(auth)
        except guard.Malformed as error:
            raise Refused("malformed session") from error
        return await handle(sid, environ, given)

    return connect
