"""The door to Git: a commit of a repository on this machine, and fetching one from elsewhere.

Objects are read from the object store. There is no working tree, no hook, no filter and no helper program: nothing
that lies in a repository or in anybody's Git configuration is executed.
"""

import hashlib
import logging
import os
import re
import shutil
import stat
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dulwich.client import HttpGitClient, HTTPUnauthorized
from dulwich.errors import GitProtocolError, NotGitRepository
from dulwich.object_store import DiskObjectStore
from dulwich.objects import Commit, ObjectID, RawObjectID, ShaFile, Tag, Tree
from dulwich.pack import PackIndex
from dulwich.repo import Repo

from knowledge.sources.gathering import shown
from knowledge.sources.packed import Place, Sizes
from knowledge.sources.source import Login, SourceMissing

LOG = logging.getLogger(__name__)
LARGEST = 200_000_000
"""Bytes of an object, or of one it builds on; a larger one is not unpacked."""
_TRANSFER = 2_000_000_000
"""Bytes that a server may send at most."""
_PATIENCE, _LONGEST = 60.0, 1800.0
"""Seconds without a sign of the server, and of one fetch."""
_KEPT = 3
_FILTER = b"blob:limit=51m"
"""Servers that can leave larger files out do so; nobody would read them."""
_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Entry(NamedTuple):
    """One line of a tree: the name as it stands there, its mode and the id of its object."""

    name: str
    mode: int
    id: bytes


class Snapshot:
    """One commit of the repository at `path`; `ref` is a branch, a tag, a commit's full id, or "" for the head."""

    def __init__(self, path: Path, ref: str) -> None:
        self._repo = Repo(str(path))
        weakref.finalize(self, self._repo.close)  # when the last who can read from it is gone
        self._lock = threading.Lock()
        store = self._repo.object_store
        self._sizes = Sizes(_Places(store).find, store.object_format.oid_length)
        weakref.finalize(self, self._sizes.__exit__, None, None, None)
        commit = self._commit(ref.encode() if _ID.fullmatch(ref) else resolved(self._repo.refs, ref))
        self.commit = commit.id.decode()
        self._tree = commit.tree

    def find(self, path: str) -> tuple[Entry, list[Entry]]:
        """What stands at a path of the commit, and all that its folder holds. Raises `SourceMissing`."""
        found, beside = Entry("", stat.S_IFDIR, self._tree), list[Entry]()
        for part in path.split("/") if path else ():
            beside = self.entries(found.id) if stat.S_ISDIR(found.mode) else []
            here = next((entry for entry in beside if entry.name == part), None)
            if here is None:
                raise SourceMissing(f"Commit {self.commit[:12]} has no {path}.")
            found = here
        return found, beside

    def entries(self, tree: bytes) -> list[Entry]:
        """What a tree holds."""
        found = self._object(tree)
        if not isinstance(found, Tree):
            raise ValueError("a folder that is none")
        return [Entry(name.decode("utf-8", "surrogateescape"), mode, bytes(sha)) for name, mode, sha in found.items()]

    def size(self, blob: bytes) -> int:
        """Bytes of a file. Raises `KeyError` where the repository lacks it."""
        with self._lock:
            return self._sizes.of(bytes.fromhex(blob.decode())).own

    def read(self, blob: bytes) -> bytes:
        """The content of a file. Raises `KeyError`, and `OSError` where unpacking it takes too much."""
        return self._object(blob).as_raw_string()

    def _object(self, name: bytes) -> ShaFile:
        with self._lock:
            size = self._sizes.of(bytes.fromhex(name.decode()))
            if size.largest > LARGEST:
                raise OSError(f"unpacking it takes {size.largest:,} bytes; at most {LARGEST:,}")
            return self._repo.object_store[ObjectID(name)]

    def _commit(self, name: bytes) -> Commit:
        for _ in range(8):  # a tag may point to a tag
            found = self._object(name)
            if isinstance(found, Commit):
                return found
            if not isinstance(found, Tag):
                break
            name = found.object[1]
        raise SourceMissing(f"{name.decode()[:12]} is no commit.")


class _Places:
    """Where objects lie, in a store or in those it borrows from."""

    def __init__(self, store: DiskObjectStore) -> None:
        self._stores = [store, *(other for other in store.alternates if isinstance(other, DiskObjectStore))]
        self._packs: list[tuple[Path, PackIndex]] = []

    def find(self, name: bytes) -> Place:
        """The place of one object. Raises `KeyError`."""
        for path, index in self._packs:
            with suppress(KeyError):
                return path, index.object_offset(RawObjectID(name))
        for store in self._stores:
            loose = Path(store.path, name.hex()[:2], name.hex()[2:])
            if loose.is_file():
                return loose, -1
        packs = [(Path(pack.data.path), pack.index) for store in self._stores for pack in store.packs]
        if [path for path, _ in packs] == [path for path, _ in self._packs]:
            raise KeyError(name)
        self._packs = packs
        return self.find(name)


def resolved(refs: Mapping[Any, Any] | Any, ref: str) -> bytes:
    """The id that a branch or a tag stands for; of two of one name the branch. Raises `SourceMissing`."""
    names = (ref,) if ref.startswith("refs/") else (f"refs/heads/{ref}", f"refs/tags/{ref}")
    for name in names if ref and ref != "HEAD" else ("HEAD",):
        with suppress(KeyError):
            if found := refs[name.encode()]:
                return bytes(found)
    raise SourceMissing(f"It has no branch or tag {ref}." if ref else "It has no commit yet.")


@contextmanager
def in_words(where: str) -> Iterator[None]:
    """Turn whatever goes wrong with Git into `SourceMissing`."""
    try:
        yield
    except SourceMissing as error:
        raise SourceMissing(f"{where}: {error}") from error
    except KeyError as error:
        raise SourceMissing(f"{where} lacks a part of itself. Is it a partial clone, or damaged?") from error
    except NotGitRepository as error:
        raise SourceMissing(f"{where}: there is no Git repository at this address.") from error
    except HTTPUnauthorized as error:
        raise SourceMissing(f"{where}: the server asks for a login, or for another one.") from error
    except (GitProtocolError, OSError) as error:
        raise SourceMissing(f"{where} cannot be read ({shown(str(error))}).") from error
    except Exception as error:  # a damaged or hostile repository may bring the library down in any way
        LOG.warning("Reading %s failed.", where, exc_info=True)
        raise SourceMissing(f"{where} cannot be read ({type(error).__name__}). Is it damaged?") from error


def fetched(url: str, ref: str, cache: Path, login: Login | None) -> tuple[Path, str]:
    """A repository below `cache` that holds the commit, without its history, and the id that `ref` stands for.

    Each commit has a folder of its own, which is there whole or not at all; the last few are kept. Raises
    `SourceMissing`, and whatever else goes wrong.
    """
    shelf = cache / hashlib.sha256(url.encode()).hexdigest()[:16]
    if _ID.fullmatch(ref) and (shelf / ref).is_dir():
        return shelf / ref, ref
    parts = urlsplit(url)
    client = _Client(f"{parts.scheme}://{parts.netloc}", login)
    try:
        wanted = ref if _ID.fullmatch(ref) else resolved(client.get_refs(parts.path).refs, ref).decode()
        if not (shelf / wanted).is_dir():
            _fetch(client, parts.path, wanted, shelf)
    finally:
        client.close()
    os.utime(shelf / wanted)
    _sweep(shelf)
    return shelf / wanted, wanted


def _fetch(client: "_Client", path: str, wanted: str, shelf: Path) -> None:
    shelf.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=".fetching-", dir=shelf))
    try:
        with Repo.init_bare(str(place), object_format="sha256" if len(wanted) == 64 else "sha1") as repo:
            pack, commit, abort = repo.object_store.add_pack()
            try:
                wants = partial(_wants, ObjectID(wanted.encode()))
                client.fetch_pack(path, wants, repo.get_graph_walker(), pack.write, depth=1, filter_spec=_FILTER)
            except BaseException:
                abort()
                raise
            commit()
        try:
            place.rename(shelf / wanted)
        except OSError:
            if not (shelf / wanted).is_dir():  # where it is there, another process was faster
                raise
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _wants(wanted: ObjectID, *_: object, **__: object) -> list[ObjectID]:
    """The one commit, whatever branches there are."""
    return [wanted]


def _sweep(shelf: Path) -> None:
    """Keep the commits used last; delete what a fetch left that broke off long ago."""
    whole = sorted(
        (path for path in shelf.iterdir() if _ID.fullmatch(path.name)), key=lambda path: path.stat().st_mtime
    )
    left = [path for path in shelf.glob(".fetching-*") if path.stat().st_mtime < time.time() - 2 * _LONGEST]
    for path in (*whole[:-_KEPT], *left):
        shutil.rmtree(path, ignore_errors=True)


class _Client(HttpGitClient):
    """A client for Git's smart protocol over HTTP that waits and takes in only so much."""

    def __init__(self, base: str, login: Login | None) -> None:
        name, password = login or (None, None)
        super().__init__(base, timeout=_PATIENCE, username=name, password=password)
        self._left = _TRANSFER
        self._until = time.monotonic() + _LONGEST
        self._timers: list[threading.Timer] = []

    def close(self) -> None:
        """Stop the clocks."""
        for timer in self._timers:
            timer.cancel()
        self.pool_manager.clear()

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,
    ) -> tuple[Any, Callable[[int], bytes]]:
        """What the library's own gives, with bounds; unlike that it closes what it refuses."""
        response: Any  # of urllib3, of which the library's types know only a part
        response, read = super()._http_request(url, headers, data, raise_for_status=False)
        if raise_for_status and response.status != 200:
            response.close()
            if response.status == 401:
                raise HTTPUnauthorized(None, url)
            raise NotGitRepository() if response.status == 404 else GitProtocolError(f"it answers {response.status}")
        if self._base_url.startswith("https:") and str(response.geturl()).startswith("http:"):
            response.close()
            raise GitProtocolError("it leads from https to http")
        self._clock(response.shutdown)
        return response, lambda size: self._bounded(read(size))

    def _bounded(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise GitProtocolError(f"it sends more than {_TRANSFER:,} bytes")
        return data

    def _clock(self, shutdown: Callable[[], None]) -> None:
        """End a response that trickles."""

        def end() -> None:
            with suppress(ValueError, RuntimeError):  # it came to its end
                shutdown()

        timer = threading.Timer(max(self._until - time.monotonic(), 0), end)
        timer.daemon = True
        timer.start()
        self._timers.append(timer)
