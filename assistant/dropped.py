"""Files that were dropped into a chat and wait for the message that they belong to: in memory, never on disk."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from uuid import uuid4

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from opsplane import catalogue, control
from opsplane.access import Actor
from opsplane.control import refusals
from opsplane.errors import InvalidRelease, InvalidRequest, NotFound
from opsplane.ledger.store import Ledger

MOST = 3
"""So many files wait in one chat; a further one takes the place of the oldest."""
LARGEST = catalogue.LARGEST
"""Bytes of one file."""
_FORM = 8 * 1024  # bytes of a form around its file
_ENDINGS = (".yaml", ".yml", ".json")
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Dropped:
    """A file as text, under the name that it had."""

    name: str
    text: str


class Drops:
    """What waits in each chat of this process; `owner` tells whose an open chat is, empty where there is none."""

    def __init__(self, ledger: Ledger, owner: Callable[[str], str]) -> None:
        self._ledger = ledger
        self._owner = owner
        self._waiting: dict[str, dict[str, Dropped]] = {}

    async def receive(self, chat: str, request: Request, actor: Actor) -> str:
        """Take in the file of a form; its id. A role, chat or file that will not do is refused and recorded.

        Raises `Refused`, `NotFound`, `InvalidRequest` and `InvalidRelease`.
        """
        async with refusals(self._ledger, "register", "a file that was dropped into the chat", actor):
            actor.must_be(*control.STAFF)
            self._check(chat, actor)
            name, content = await _file(request)
        async with refusals(self._ledger, "register", name, actor):
            file = Dropped(name, _text(name, content))
            self._check(chat, actor)  # it may have been closed meanwhile
        identity, waiting = str(uuid4()), self._waiting.setdefault(chat, {})
        while len(waiting) >= MOST:
            del waiting[next(iter(waiting))]
        waiting[identity] = file
        return identity

    def names(self, chat: str, identities: Sequence[str]) -> list[str]:
        """The names of those of these files that wait."""
        waiting = self._waiting.get(chat, {})
        return [waiting[one].name for one in identities if one in waiting]

    def take(self, chat: str, identities: Sequence[str]) -> list[Dropped]:
        """Those of these files that wait; they wait no longer."""
        waiting = self._waiting.get(chat, {})
        taken = [waiting.pop(one) for one in identities if one in waiting]
        if not waiting:
            self.forget(chat)
        return taken

    def forget(self, chat: str) -> None:
        """Nothing waits in this chat any more."""
        self._waiting.pop(chat, None)

    def _check(self, chat: str, actor: Actor) -> None:
        if self._owner(chat) != actor.id:
            raise NotFound("There is no such chat of yours. Please reload the page.")


async def _file(request: Request) -> tuple[str, bytes]:
    """Name and bytes of the one file of a form."""
    try:
        form = await MultiPartParser(request.headers, _bounded(request), max_files=1, max_fields=0).parse()
    except (MultiPartException, KeyError) as error:
        raise InvalidRequest("A release is dropped as a form with one file.") from error
    file = form.get("file")
    if not isinstance(file, UploadFile):
        await form.close()
        raise InvalidRequest("A release is dropped as a form with one file.")
    name = "".join(one for one in PurePath(file.filename or "").name if one.isprintable())
    content = await file.read()
    await form.close()
    return name[-_LONGEST_NAME:] or "file", content


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    """A body as far as one file may go; so little is held in memory."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST + _FORM:
            raise _too_large("The file")
        yield chunk


def _text(name: str, content: bytes) -> str:
    if not name.lower().endswith(_ENDINGS):
        raise InvalidRelease(f"{name}: a release is dropped as a file that ends in {', '.join(_ENDINGS)}.")
    if len(content) > LARGEST:
        raise _too_large(name)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRelease(f"{name}: is no text in UTF-8 (byte {error.start + 1} cannot be read).") from error


def _too_large(what: str) -> InvalidRelease:
    return InvalidRelease(f"{what} is too large: a file that is dropped has at most {LARGEST // 1024} KB.")
