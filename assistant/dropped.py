"""Files that were dropped into a chat and wait for the message that they belong to: in memory, never on disk."""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PureWindowsPath
from uuid import uuid4

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from knowledge.parse import READERS
from knowledge.sources.gathering import SIDECAR
from opsplane import catalogue, control
from opsplane.access import Actor
from opsplane.control import refusals
from opsplane.errors import InvalidRelease, InvalidRequest, NotFound
from opsplane.ledger.store import Ledger

MOST = 20
"""So many files wait in one chat."""
LARGEST = 50_000_000
"""Bytes of one document, and of all files that wait in one chat."""
LARGEST_RELEASE = catalogue.LARGEST
"""Bytes of one release."""
PATIENCE = timedelta(hours=1)
"""How long documents wait for /ingest."""
_EVERYWHERE = 4 * LARGEST  # bytes of all files that wait in this process
_FORM = 8 * 1024  # bytes of a form around its file
_RELEASES = (".yaml", ".yml", ".json")
_LONGEST_NAME = 100
_NO_NAME = str.maketrans(dict.fromkeys('/\\:*?"<>|', "_"))


@dataclass(frozen=True)
class Dropped:
    """A file under the name that it had, without folders: a release, a document, or what is said of a document."""

    name: str
    content: bytes

    @property
    def is_release(self) -> bool:
        """Whether it is a release, by its name."""
        return _is_release(self.name)

    @property
    def text(self) -> str:
        """A release's text; such a file was taken in only where it is UTF-8."""
        return self.content.decode("utf-8")


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
        async with refusals(self._ledger, "drop", "a file that was dropped into the chat", actor):
            actor.must_be(*control.STAFF)
            self._check(chat, actor)
            name, content = await _file(request)
        async with refusals(self._ledger, "drop", name, actor):
            file = _checked(name, content)
            self._check(chat, actor)  # it may have been closed meanwhile
            _must_fit([*self._waiting.get(chat, {}).values(), file])
            _must_fit_all(sum(_size(some.values()) for some in self._waiting.values()) + len(content))
        identity = str(uuid4())
        self._waiting.setdefault(chat, {})[identity] = file
        return identity

    def names(self, chat: str, identities: Sequence[str]) -> list[str]:
        """The names of those of these files that wait."""
        return [one.name for one in self._those(chat, identities)]

    def documents(self, chat: str, identities: Sequence[str]) -> bool:
        """Whether any of these files is something else than a release."""
        return any(not one.is_release for one in self._those(chat, identities))

    def take(self, chat: str, identities: Sequence[str]) -> list[Dropped]:
        """Those of these files that wait; they wait no longer, nor do those that were taken off the message again."""
        taken = self._those(chat, identities)
        if taken:
            self.forget(chat)
        return taken

    def forget(self, chat: str) -> None:
        """Nothing waits in this chat any more."""
        self._waiting.pop(chat, None)

    def _those(self, chat: str, identities: Sequence[str]) -> list[Dropped]:
        waiting = self._waiting.get(chat, {})
        return [waiting[one] for one in identities if one in waiting]

    def _check(self, chat: str, actor: Actor) -> None:
        if self._owner(chat) != actor.id:
            raise NotFound("There is no such chat of yours. Please reload the page.")


@dataclass
class Tray:
    """Documents that were sent and wait for /ingest, by sign-in name and conversation; a restart empties it."""

    _waiting: dict[tuple[str, str], tuple[datetime, dict[str, Dropped]]] = field(default_factory=dict)

    def put(self, person: str, talk: str, files: Iterable[Dropped], at: datetime) -> list[str]:
        """Lay files beside those that wait, a newer one in the place of an older one of its name; all names.

        Raises `InvalidRequest` where it would be too much.
        """
        files = list(files)
        self._waiting = {key: one for key, one in self._waiting.items() if at - one[0] < PATIENCE}
        _, before = self._waiting.get((person, talk), (at, {}))
        together = {**before, **{one.name: one for one in files}}
        _must_fit(together.values())
        _must_fit_all(sum(_size(some.values()) for _, some in self._waiting.values()) + _size(files))
        if together:
            self._waiting[person, talk] = at, together
        return list(together)

    def waits(self, person: str, talk: str, at: datetime) -> list[Dropped]:
        """What waits at this time."""
        since, files = self._waiting.get((person, talk), (at, {}))
        return list(files.values()) if at - since < PATIENCE else []

    def empty(self, person: str, talk: str) -> None:
        """Nothing waits there any more."""
        self._waiting.pop((person, talk), None)


def _is_release(name: str) -> bool:
    return name.lower().endswith(_RELEASES) and not name.lower().endswith(SIDECAR)


def _size(files: Iterable[Dropped]) -> int:
    return sum(len(one.content) for one in files)


def _must_fit(files: Iterable[Dropped]) -> None:
    files = list(files)
    if len(files) > MOST or _size(files) > LARGEST:
        raise InvalidRequest(
            f"At most {MOST} files of {LARGEST // 1_000_000} MB in all wait in one chat. Send those that wait first, "
            "or reload the page to let go of them; a larger collection comes in with opsplane ingest."
        )


def _must_fit_all(size: int) -> None:
    if size > _EVERYWHERE:
        raise InvalidRequest("Too much waits in all chats together just now. Please try again later.")


async def _file(request: Request) -> tuple[str, bytes]:
    """Name and bytes of the one file of a form."""
    parser = MultiPartParser(request.headers, _bounded(request), max_files=1, max_fields=0)
    parser.spool_max_size = LARGEST + _FORM  # a larger one would be laid on disk
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        raise InvalidRequest("A file is dropped as a form with this one file.") from error
    file = form.get("file")
    if not isinstance(file, UploadFile):
        await form.close()
        raise InvalidRequest("A file is dropped as a form with this one file.")
    content = await file.read()
    await form.close()
    return _safe(file.filename or ""), content


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    """A body as far as one file may go; so little is held in memory."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST + _FORM:
            raise InvalidRequest(_too_large("The file", f"{LARGEST // 1_000_000} MB"))
        yield chunk


def _safe(name: str) -> str:
    """A short name without folders, in which nothing hides and nothing leads elsewhere."""
    name = PureWindowsPath(name).name  # its parts end at either slash
    name = "".join(one for one in name if one.isprintable()).translate(_NO_NAME).lstrip(".~$ ").rstrip(". ")
    if name.lower().endswith(SIDECAR):
        return name[: -len(SIDECAR)][-_LONGEST_NAME:].lstrip(".~$ ") + SIDECAR
    return name[-_LONGEST_NAME:].lstrip(".~$ ") or "file"


def _checked(name: str, content: bytes) -> Dropped:
    """The file, where it is one that can be used; raise `InvalidRelease` or `InvalidRequest`."""
    if not _is_release(name):
        if not name.lower().endswith((*READERS, SIDECAR)):
            known = ", ".join(sorted({*READERS, SIDECAR}))
            raise InvalidRequest(
                f"{name}: is of no type that can be used. Documents end in {known}, releases in {', '.join(_RELEASES)}."
            )
        if not content.strip():
            raise InvalidRequest(f"{name}: is empty.")
        if len(content) > LARGEST:
            raise InvalidRequest(_too_large(name, f"{LARGEST // 1_000_000} MB"))
        return Dropped(name, content)
    if len(content) > LARGEST_RELEASE:
        raise InvalidRelease(_too_large(name, f"{LARGEST_RELEASE // 1024} KB"))
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRelease(f"{name}: is no text in UTF-8 (byte {error.start + 1} cannot be read).") from error
    return Dropped(name, content)


def _too_large(what: str, most: str) -> str:
    return f"{what} is too large: a file that is dropped has at most {most}."
