"""The rules that hold for every source: which names are accepted, what belongs together, how much is too much."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from knowledge.sources.source import Item, Listing, Skipped, SourceMissing

SIDECAR = ".meta.yaml"
"""What is added to a file's name to name the file that holds its metadata."""
MOST = 1_000_000
"""A source with more entries is refused."""
LONGEST = 1024
"""Bytes of a name; Google Cloud Storage has the same limit."""
_META_BYTES = 1_000_000
_SHOWN = 200

# Besides control characters, line ends and marks that turn the direction of what is shown after them.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_PAGE = re.compile(r"(.+)\.html?", re.IGNORECASE)


class Gathering:
    """What a source comes upon, file by file, and in the end its listing."""

    def __init__(self, where: str, endings: Collection[str], most: int = MOST) -> None:
        self._where, self._most = where, most
        self._endings = tuple(ending.lower() for ending in endings)
        self._seen = 0
        self._items: list[Item] = []
        self._skipped: dict[str, str] = {}

    def wants(self, name: str) -> bool:
        """Whether a file of this name is looked at: visible, and of a known type or the metadata of another."""
        self._count()
        return not hidden(name) and name.lower().endswith((*self._endings, SIDECAR))

    def enters(self, folder: str) -> bool:
        """Whether to look into a folder: not into hidden ones, nor deeper than a name may be long."""
        self._count()
        if hidden(folder):
            return False
        if len(folder.encode("utf-8", "surrogateescape")) > LONGEST:
            self.skip(folder, f"its name is longer than {LONGEST:,} bytes")
            return False
        return True

    def take(self, item: Item) -> None:
        """Add a file, unless its name is a trick."""
        if reason := flaw(item.name):
            self.skip(item.name, reason)
        else:
            self._items.append(item)

    def skip(self, name: str, reason: str) -> None:
        """Note what is not taken."""
        self._skipped.setdefault(name, reason)

    def listing(self) -> Listing:
        """Files with their metadata, without the parts of saved pages, no two alike but for case or accents."""
        pages = {f"{page[1]}_files/" for item in self._items if (page := _PAGE.fullmatch(item.name))}
        whole = [item for item in self._items if not _is_part(item.name, pages)]
        sidecars = {item.name: item for item in whole if _is_sidecar(item.name)}
        documents = [item for item in whole if not _is_sidecar(item.name)]
        for name in sidecars.keys() - {item.name + SIDECAR for item in documents}:
            self.skip(name, "metadata of a file that is not taken")
        items = tuple(self._joined(self._distinct(sorted(documents, key=lambda item: item.name)), sidecars))
        told = ((name, reason) for name, reason in sorted(self._skipped.items()) if not _is_part(name, pages))
        return Listing(items, tuple(Skipped(shown(name), reason) for name, reason in told))

    def _count(self) -> None:
        self._seen += 1
        if self._seen > self._most:
            raise SourceMissing(f"{self._where} holds more than {self._most:,} entries. Name a smaller part of it.")

    def _distinct(self, items: list[Item]) -> Iterator[Item]:
        kept: dict[str, str] = {}
        for item in items:
            key = unicodedata.normalize("NFC", item.name).casefold()
            other = kept.get(key)
            if other is None:
                kept[key] = item.name
                yield item
            elif other == item.name:
                self.skip(item.name, "a second file of the same name")
            else:
                self.skip(item.name, f"its name differs from {shown(other)} only in case or in how accents are written")

    def _joined(self, items: Iterator[Item], sidecars: dict[str, Item]) -> Iterator[Item]:
        for item in items:
            name = item.name + SIDECAR
            if name in self._skipped:  # without its metadata it could go to the wrong audience
                self.skip(item.name, f"its metadata is not taken ({shown(name)}: {self._skipped[name]})")
            elif beside := sidecars.get(name):
                stamp = f"{item.stamp}+{beside.stamp}" if item.stamp and beside.stamp else ""
                yield replace(item, stamp=stamp, meta=_small(beside))
            else:
                yield item


def hidden(name: str) -> bool:
    """Whether a part of the name says that it is not for eyes: a leading dot, or an office program's lock file."""
    return any(part.startswith(("~$", ".")) and part not in (".", "..") for part in name.split("/"))


def flaw(name: str) -> str:
    """Why a file of this name is not accepted; "" where it is."""
    if _SURROGATE.search(name):
        return "its name is not UTF-8"
    if len(name.encode()) > LONGEST:
        return f"its name is longer than {LONGEST:,} bytes"
    if _CONTROL.search(name):
        return "its name has control characters"
    if "\\" in name:
        return "its name has a backslash"
    if any(part in ("", ".", "..") for part in name.split("/")):
        return "its name is a path trick (an empty part, . or ..)"
    return ""


def shown(name: str) -> str:
    """A name as it may be printed: what is not printable is spelled out, the end of a long one left out."""
    start = name[:_SHOWN] + ("…" if len(name) > _SHOWN else "")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in start)


def _is_sidecar(name: str) -> bool:
    return name.lower().endswith(SIDECAR)


def _is_part(name: str, pages: set[str]) -> bool:
    """Whether a browser laid the file beside a page that it saved."""
    return any(name[: match.end()] in pages for match in re.finditer("_files/", name)) if pages else False


def _small(sidecar: Item) -> Callable[[], bytes]:
    def read() -> bytes:
        if sidecar.size > _META_BYTES:
            raise OSError(f"its metadata is too large ({sidecar.size:,} bytes; at most {_META_BYTES:,})")
        return sidecar.read()

    return read
