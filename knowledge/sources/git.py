"""Documents in a Git repository, as they stand in one commit.

`git+file:///srv/policies#main:published/fees`: the repository's address with `git+` before it, after `#` a branch, a
tag or a commit's full id, after `:` a folder or a file. Left out, they mean the head and everything.
"""

import re
import stat
from collections.abc import Collection
from functools import partial
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from knowledge.sources.gathering import SIDECAR, Gathering, flaw, hidden
from knowledge.sources.repository import Entry, Snapshot, fetched, in_words
from knowledge.sources.source import Item, Listing, Login, SourceMissing

_LFS = b"version https://git-lfs.github.com/spec/"
_NO_REF = re.compile(r"[\x00-\x20~^?*\[\\\x7f]|\.\.|@\{|//|^[-/]|[/.]$")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Git:
    """One commit of a repository: on this machine read where it lies, from elsewhere fetched into `cache`."""

    def __init__(self, spec: str, cache: Path, login: Login | None = None) -> None:
        """Raises `ValueError` in words where `spec` names no repository."""
        parts = _checked(spec)
        self.spec = spec
        self._url = parts._replace(scheme=parts.scheme.removeprefix("git+"), fragment="").geturl()
        self._here = Path(unquote(parts.path)) if parts.scheme == "git+file" else None
        self._ref, _, path = parts.fragment.partition(":")
        self._path = path.strip("/")
        self._cache, self._login = cache, login
        self._last: tuple[tuple[str, frozenset[str]], Listing] | None = None

    def items(self, endings: Collection[str]) -> Listing:
        """What the commit holds, that the branch or tag stands for now. Raises `SourceMissing`."""
        with in_words(self.spec):
            if self._here:
                snapshot = Snapshot(self._here, self._ref)
            else:
                snapshot = Snapshot(*fetched(self._url, self._ref, self._cache, self._login))
            key = (snapshot.commit, frozenset(endings))
            if self._last is None or self._last[0] != key:  # what a commit holds does not change
                self._last = key, self._listed(snapshot, Gathering(self.spec, endings))
            return self._last[1]

    def _listed(self, snapshot: Snapshot, gathering: Gathering) -> Listing:
        look = _Look(snapshot, gathering, f"{self._url}@{snapshot.commit}:")
        entry, beside = snapshot.find(self._path)
        if stat.S_ISDIR(entry.mode):
            look.folders(entry, f"{self._path}/" if self._path else "")
        else:
            folder = self._path[: -len(entry.name)]
            for each in beside:
                if each.name in (entry.name, entry.name + SIDECAR):
                    look.file(each.name, folder, each)
        return gathering.listing()


class _Look:
    """One look at a commit; names are told without `above`, the folder that the source begins at."""

    def __init__(self, snapshot: Snapshot, gathering: Gathering, origin: str) -> None:
        self._snapshot, self._gathering, self._origin = snapshot, gathering, origin

    def folders(self, top: Entry, above: str) -> None:
        waiting = [("", top.id)]
        while waiting:
            inner, tree = waiting.pop()
            for entry in self._snapshot.entries(tree):
                name = inner + entry.name
                if stat.S_ISDIR(entry.mode):
                    if self._gathering.enters(name + "/"):
                        waiting.append((name + "/", entry.id))
                else:
                    self.file(name, above, entry)

    def file(self, name: str, above: str, entry: Entry) -> None:
        kind = stat.S_IFMT(entry.mode)
        wanted = self._gathering.wants(name)
        if kind == 0o160000:
            if not hidden(name):
                self._gathering.skip(name, "a submodule; name its repository as a source of its own")
        elif wanted and kind == stat.S_IFLNK:
            self._gathering.skip(name, "a symbolic link, which is not followed in Git")
        elif wanted and kind == stat.S_IFREG:
            self._blob(name, above, entry)

    def _blob(self, name: str, above: str, entry: Entry) -> None:
        try:
            size = self._snapshot.size(entry.id)
            pointer = size < 1024 and self._snapshot.read(entry.id).startswith(_LFS)
        except KeyError:
            self._gathering.skip(name, "its content is not in the repository (too large to be fetched?)")
            return
        except OSError as error:
            self._gathering.skip(name, str(error))
            return
        if pointer:
            self._gathering.skip(name, "a Git LFS pointer, whose content lies elsewhere")
            return
        read = partial(_content, self._snapshot, entry.id)
        self._gathering.take(Item(name, f"{self._origin}{above}{name}", size, entry.id.decode(), read))


def _content(snapshot: Snapshot, blob: bytes) -> bytes:
    """A file's bytes. Raises `OSError` in words."""
    try:
        with in_words("the repository"):
            return snapshot.read(blob)
    except SourceMissing as error:
        raise OSError(str(error)) from error


def _checked(spec: str) -> SplitResult:
    """The parts of a repository's name. Raises `ValueError` in words."""
    if not spec.isprintable() or " " in spec:
        raise ValueError("A Git source has no spaces or control characters in its name; write a space as %20.")
    parts = urlsplit(spec)
    scheme = parts.scheme.removeprefix("git+")
    if parts.username or parts.password or parts.query:
        raise ValueError("A Git source has no login or query in its name: the name is kept and shown.")
    if scheme not in ("file", "https", "http"):
        raise ValueError(f"Git over {scheme} is not supported; use git+https:// or a clone with git+file://.")
    if scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError("Over http anybody on the way could change the documents; use git+https://.")
    if (scheme == "file") == bool(parts.netloc) or not parts.path.startswith("/"):
        raise ValueError(f"{spec} is no Git source; write git+file:///folder or git+https://host/path.")
    ref, _, path = parts.fragment.partition(":")
    if _NO_REF.search(ref):
        raise ValueError(f"{ref} is no branch, tag or commit.")
    if path.strip("/") and (reason := flaw(path.strip("/"))):
        raise ValueError(f"{path} is no folder of a repository: {reason}.")
    return parts
