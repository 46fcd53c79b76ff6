"""Documents in a folder of this machine or of a disk mounted on it, or in one file."""

import errno
import os
import stat
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from knowledge.sources.gathering import SIDECAR, Gathering, hidden
from knowledge.sources.source import Item, Listing, SourceMissing

_FINE, _COARSE = 20_000_000, 2_000_000_000
"""How far apart, in nanoseconds, two writes may be and bear one time: Linux's clock tick; FAT and old disks."""
_FLAGS = ("O_RDONLY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC")
_OPENLY = sum(getattr(os, flag, 0) for flag in _FLAGS)  # a link or a pipe put in a file's place does no harm
_SPECIAL = "not a regular file (a pipe, a device or a socket)"


@dataclass(frozen=True)
class Folder:
    """The visible files below a folder, or one file, with the metadata beside them.

    Links to files in the folder are followed; every other link is skipped. `now` is the time in nanoseconds.
    """

    path: Path
    now: Callable[[], int] = time.time_ns

    @property
    def spec(self) -> str:
        """The path."""
        return str(self.path)

    def items(self, endings: Collection[str]) -> Listing:
        """What lies there. Raises `SourceMissing` where the path leads nowhere or the folder is empty."""
        gathering = Gathering(self.spec, endings)
        try:
            if stat.S_ISDIR(self.path.stat().st_mode):
                _Walk(self.path, os.path.realpath(self.path, strict=True), self.now(), gathering).folders()
            else:
                parent = self.path.parent
                walk = _Walk(parent, os.path.realpath(parent, strict=True), self.now(), gathering)
                walk.single(self.path.name, endings)
        except FileNotFoundError as error:
            raise SourceMissing(f"{self.path} is not there. Is its disk mounted?") from error
        except OSError as error:
            raise SourceMissing(f"{self.path} cannot be read ({error.strerror or error}).") from error
        return gathering.listing()


@dataclass(frozen=True)
class _Walk:
    """One look at a folder: its path as people know it, and as it really is."""

    path: Path
    root: str
    now: int
    gathering: Gathering

    def folders(self) -> None:
        waiting = [""]
        while waiting:
            inner = waiting.pop()
            for entry in self._entries(inner):
                name = inner + entry.name
                if entry.is_symlink():
                    self._link(name, entry.path)
                elif entry.is_dir(follow_symlinks=False):
                    if self.gathering.enters(name + "/"):
                        waiting.append(name + "/")
                elif self.gathering.wants(name):
                    self._file(name, entry.path)
                elif not hidden(name) and not entry.is_file(follow_symlinks=False):
                    self.gathering.skip(name, _SPECIAL)

    def single(self, name: str, endings: Collection[str]) -> None:
        """One file of the folder, hidden or a link or not, and the metadata beside it."""
        if not name.lower().endswith(tuple(ending.lower() for ending in endings)):
            self.gathering.skip(name, f"not a known type ({', '.join(sorted(endings))})")
            return
        self._file(name, os.path.realpath(self.path / name, strict=True))
        beside = f"{self.root}/{name}{SIDECAR}"
        if os.path.lexists(beside) and (real := self._target(name + SIDECAR, beside)):
            self._file(name + SIDECAR, real)

    def _entries(self, inner: str) -> list[os.DirEntry[str]]:
        """What a folder holds. One that vanished holds nothing; a disk that fails raises `OSError`."""
        try:
            with os.scandir(f"{self.root}/{inner}") as entries:
                found = list(entries)
        except FileNotFoundError:
            if inner:
                return []
            raise
        except PermissionError:
            if not inner:
                raise
            self.gathering.skip(inner, "a folder that this process may not open")
            return []
        if not inner and not found:
            raise SourceMissing(f"{self.path} is empty. Is its disk mounted?")
        return found

    def _link(self, name: str, path: str) -> None:
        """Follow a link to a file."""
        if hidden(name) or not (real := self._target(name, path)):
            return
        if f"{path}/".startswith(f"{real}/"):
            self.gathering.skip(name, "a symbolic link to a folder that it lies in")
        elif os.path.isdir(real):  # noqa: PTH112  # a string, as the walk has them
            self.gathering.skip(name, "a symbolic link to a folder, whose files are taken where they are")
        elif self.gathering.wants(name):
            self._file(name, real)

    def _target(self, name: str, path: str) -> str:
        """Where a path really leads; "" where that is nowhere, or out of the folder."""
        try:
            real = os.path.realpath(path, strict=True)
        except OSError as error:
            circle = error.errno == errno.ELOOP
            self.gathering.skip(name, f"a symbolic link {'that leads in a circle' if circle else 'to nothing'}")
            return ""
        if f"{real}/".startswith(f"{self.root.rstrip('/')}/"):
            return real
        self.gathering.skip(name, "a symbolic link that leads out of the source")
        return ""

    def _file(self, name: str, path: str) -> None:
        try:
            status = os.lstat(path)
        except FileNotFoundError:  # it went while we looked
            return
        except PermissionError:
            self.gathering.skip(name, "a file that this process may not look at")
            return
        if not stat.S_ISREG(status.st_mode):
            self.gathering.skip(name, _SPECIAL)
            return
        stamp = "" if _is_fresh(status, self.now) else f"{status.st_ino:x}-{'-'.join(f'{n:x}' for n in _mark(status))}"
        read = partial(_content, path, _mark(status))
        self.gathering.take(Item(name, f"{self.path}/{name}", status.st_size, stamp, read))


def _mark(status: os.stat_result) -> tuple[int, int, int]:
    """What changes with a file's content; the time of change too, as the other can be set at will."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _is_fresh(status: os.stat_result, now: int) -> bool:
    """Whether it was changed so lately that another change could leave the same marks (Git's "racy" files)."""
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return any(abs(now - time) < (_FINE if time % 1_000_000_000 else _COARSE) for time in times)


def _content(path: str, listed: tuple[int, int, int]) -> bytes:
    """The bytes of the file that was listed, and of no other that stands in its place. Raises `OSError` in words."""
    changed = OSError("it was changed after it was listed; the next run takes it")
    try:
        with os.fdopen(os.open(path, _OPENLY), "rb") as file:
            if _mark(os.fstat(file.fileno())) != listed:
                raise changed
            data = file.read(listed[0] + 1)
            if len(data) != listed[0] or _mark(os.fstat(file.fileno())) != listed:
                raise changed
            return data
    except FileNotFoundError as error:
        raise FileNotFoundError("it was there when it was listed and is gone") from error
    except OSError as error:
        if error is changed:
            raise
        raise OSError(f"it cannot be read ({error.strerror or error})") from error
