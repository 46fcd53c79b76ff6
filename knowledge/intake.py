"""Sources to documents: every file parsed once, what cannot be read refused by name, what says the same kept once."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from knowledge import parse, study, timeline
from knowledge.catalogue import Catalogue
from knowledge.document import Document, fingerprint
from knowledge.parse import Unreadable
from knowledge.quarantine import SLOW
from knowledge.report import Duplicate, Note, Refusal
from knowledge.sources.source import Item, Source, SourceMissing

PARSERS = 2
"""Goes up whenever a parser makes something else of a file than before, so that files are read again."""
Progress = Callable[[str, int, int], None]
"""Called with the stage ("reading", "embedding", "indexing"), how much is done and how much there is."""


@dataclass
class Intake:
    """What the sources hold. `documents` are settled: each has the day on which it ends."""

    documents: list[Document] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True)
class _File:
    """A file, or why it is not read; `passing` tells that it may well be readable the next time."""

    item: Item
    data: bytes = b""
    meta: bytes | None = None
    reason: str = ""
    passing: bool = False

    @property
    def key(self) -> str:
        """Equal keys make equal documents."""
        digest = hashlib.sha256(f"{PARSERS}\x1f{self.item.name}\x1f".encode())
        for part in (self.data, self.meta or b""):
            digest.update(hashlib.sha256(part).digest())
        return digest.hexdigest()


@dataclass(frozen=True)
class _Made:
    """What became of a file: the document by its fingerprint, and sentences on how it was read.

    `passing` tells that it is what the file held before, because it cannot be read just now.
    """

    mark: str
    notes: tuple[str, ...]
    passing: bool = False


def gather(sources: Sequence[Source], catalogue: Catalogue, progress: Progress, *, keep: bool = True) -> Intake:
    """Read all sources; raise `SourceMissing` where one is not there, or cannot be looked into as a whole.

    Files of which the catalogue knows what they hold are not parsed again; with `keep` it learns of the others.
    """
    intake = Intake()
    files: list[Item] = []
    for source in sources:
        listing = source.items(parse.READERS)
        for one in listing.skipped:
            if one.name.endswith("/"):
                raise SourceMissing(f"{source.spec}: {one.name} cannot be looked into: {one.reason}")
            intake.refused.append(Refusal(name=one.name, reason=one.reason))
        files += listing.items
    found = list(_documents(files, catalogue, intake, progress, keep=keep))
    _settle(found, intake)
    intake.documents, same = study.apart(intake.documents, catalogue, keep=keep)
    intake.duplicates += same
    return intake


def _documents(
    items: Sequence[Item], catalogue: Catalogue, intake: Intake, progress: Progress, *, keep: bool
) -> Iterator[tuple[Document, str]]:
    """Documents with the origin of their file, some files at a time."""
    done = 0
    for some in _by_size(items):
        progress("reading", done, len(items))
        done += len(some)
        files = [_read(item) for item in some]
        held = catalogue.held([item.origin for item in some])
        known = {
            key: _Made(*told) for key, told in catalogue.read([one.key for one in files if not one.reason]).items()
        }
        bodies = catalogue.documents({*(one.mark for one in known.values()), *held.values()})
        fresh = {}
        marks = {}
        for file in files:
            made = known.get(file.key) if not file.reason else None
            if made is None or made.mark not in bodies:
                made = _parsed(file, held.get(file.item.origin, ""), bodies, intake)
                if made is None:
                    continue
                if not made.passing:
                    fresh[file.key] = (made.mark, made.notes)
            intake.notes += [Note(name=bodies[made.mark].name, text=note) for note in made.notes]
            marks[file.item.origin] = made.mark
            yield bodies[made.mark], file.item.origin
        if keep:
            catalogue.remember_documents({mark: bodies[mark] for mark, _ in fresh.values()})
            catalogue.remember_read(fresh)
            catalogue.remember_held({origin: mark for origin, mark in marks.items() if held.get(origin) != mark})
    progress("reading", len(items), len(items))


def _by_size(items: Sequence[Item], most: int = 64, largest: int = 50_000_000) -> Iterator[list[Item]]:
    """Some files at a time: few enough that all of them fit into memory at once."""
    some: list[Item] = []
    total = 0
    for item in items:
        if some and (len(some) >= most or total + item.size > largest):
            yield some
            some, total = [], 0
        some.append(item)
        total += item.size
    if some:
        yield some


def _read(item: Item) -> _File:
    try:
        parse.refuse_size(item.name, item.size)
        return _File(item, item.read(), item.meta() if item.meta else None)
    except Unreadable as error:
        return _File(item, reason=error.reason)
    except OSError as error:
        return _File(item, reason=f"cannot be read ({error.strerror or error})", passing=True)


def _parsed(file: _File, before: str, bodies: dict[str, Document], intake: Intake) -> _Made | None:
    """The document of a file, put into `bodies`; what it held `before` where it cannot be read just now."""
    reason, passing = file.reason, file.passing
    if not reason:
        try:
            parsed = parse.parse(file.item.name, file.data, file.meta)
        except Unreadable as error:
            reason, passing = error.reason, error.reason.startswith(SLOW)
        else:
            mark = fingerprint(parsed.document)
            bodies[mark] = parsed.document
            return _Made(mark, tuple(parsed.notes))
    if passing and before in bodies:
        return _Made(before, (f"{reason}: what it held before stays",), passing=True)
    intake.refused.append(Refusal(name=file.item.origin, reason=reason))
    return None


def _settle(found: Sequence[tuple[Document, str]], intake: Intake) -> None:
    """Of documents of one id and version, or of one text, the first in order of origin stays; then days are settled."""
    names: dict[tuple[str, str], str] = {}
    texts: dict[object, tuple[str, str]] = {}
    kept: list[Document] = []
    for document, origin in sorted(found, key=lambda one: one[1]):
        said = (document.sha256, document.audience, document.effective_from, document.effective_to)
        same_id, same_text = names.get((document.id, document.version)), texts.get(said)
        if same_id:
            reason = f"same id and version ({document.name})"
            intake.duplicates.append(Duplicate(name=origin, kept=same_id, reason=reason))
        elif same_text and same_text[0] != document.id:
            intake.duplicates.append(Duplicate(name=origin, kept=same_text[1], reason="same text"))
        else:
            names[document.id, document.version] = origin
            texts.setdefault(said, (document.id, origin))
            kept.append(document)
    intake.documents, refused, notes = timeline.settle(kept)
    intake.refused += refused
    intake.notes += notes
