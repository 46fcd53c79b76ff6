"""How large an object of a Git repository is, read from its head alone: nothing is unpacked to learn it.

After "pack format" and "loose object" in Git's technical documentation (gitformat-pack).
"""

import mmap
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_OFFSET_DELTA, _NAMED_DELTA = 6, 7
_DEEPEST = 4096
"""Git makes no longer chains of differences."""

Place = tuple[Path, int]
"""A pack and where an object begins in it, or the file of a loose object and -1."""


@dataclass(frozen=True)
class Size:
    """Bytes of an object, and of the largest one that is unpacked on the way to it (itself or what it builds on)."""

    own: int
    largest: int


class Sizes:
    """Sizes of the objects that `locate` finds by their binary ids of `width` bytes; `KeyError` where it does not."""

    def __init__(self, locate: Callable[[bytes], Place], width: int) -> None:
        self._locate = locate
        self._width = width
        self._packs: dict[Path, mmap.mmap] = {}
        self._known: dict[bytes, Size] = {}  # an object of another size has another id
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def of(self, name: bytes) -> Size:
        """The size of one object. Raises `KeyError`, and `ValueError` where the repository is damaged."""
        if name not in self._known:
            self._known[name] = self._measured(name)
        return self._known[name]

    def _measured(self, name: bytes) -> Size:
        path, start = self._locate(name)
        if start < 0:
            size = _loose(path)
            return Size(size, size)
        own = largest = -1
        for _ in range(_DEEPEST):
            kind, stated, at = _head(pack := self._pack(path), start)
            if kind == _OFFSET_DELTA:
                back, at = _distance(pack, at)
                start, stated = start - back, max(stated, result := _result(pack, at))
            elif kind == _NAMED_DELTA:
                path, start = self._locate(pack[at : at + self._width])
                stated = max(stated, result := _result(pack, at + self._width))
            else:
                result = stated
            own, largest = result if own < 0 else own, max(largest, stated)
            if kind not in (_OFFSET_DELTA, _NAMED_DELTA):
                return Size(own, largest)
            if start < 0:
                break
        raise ValueError("a chain of differences without an end")

    def _pack(self, path: Path) -> mmap.mmap:
        if path not in self._packs:
            file = self._open.enter_context(path.open("rb"))
            self._packs[path] = self._open.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return self._packs[path]


def _head(pack: mmap.mmap, at: int) -> tuple[int, int, int]:
    """Kind and stated size of the entry at an offset, and where its body begins."""
    first = pack[at]
    if first & 0x80:
        rest, at = _number(pack, at + 1)
        return first >> 4 & 7, first & 15 | rest << 4, at
    return first >> 4 & 7, first & 15, at + 1


def _number(data: bytes | mmap.mmap, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, lowest first, and where it ends."""
    value = 0
    for group in range(9):
        value |= (data[at + group] & 0x7F) << 7 * group
        if not data[at + group] & 0x80:
            return value, at + group + 1
    raise ValueError("a number too large")


def _distance(pack: mmap.mmap, at: int) -> tuple[int, int]:
    """How far back the object lies that a difference builds on, and where the difference begins."""
    value = pack[at] & 0x7F
    while pack[at] & 0x80:
        at += 1
        value = value + 1 << 7 | pack[at] & 0x7F
        if value > len(pack):
            break
    if not value:
        raise ValueError("a difference that builds on itself")
    return value, at + 1


def _result(pack: mmap.mmap, at: int) -> int:
    """What the difference at an offset says of the size of its result."""
    start = zlib.decompressobj().decompress(pack[at : at + 128], 32)
    _, after = _number(start, 0)
    return _number(start, after)[0]


def _loose(path: Path) -> int:
    """The size in the head of a loose object: its type, a space, its size, a zero byte."""
    with path.open("rb") as file:
        start = zlib.decompressobj().decompress(file.read(128), 64)
    return int(start.split(b"\0", 1)[0].split(b" ", 1)[1])
