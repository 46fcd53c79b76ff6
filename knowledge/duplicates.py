"""Near-duplicates: documents that say the same as another one, and passages that many documents repeat.

MinHash of five-word shingles with locality-sensitive hashing finds candidates; whether one is a duplicate is
decided exactly. Leaving out a document must lose nothing, so that each figure (amount, percentage, date, number of
days) and each "not" must stand in both with the same words before and after it: equal overlap with another figure
is another product or a conflict, never a duplicate.
"""

import hashlib
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray

from knowledge.document import Document, Section
from knowledge.wording import subject, vocabulary

ALIKE = 0.9
"""Share of common five-word runs from which documents with equal figures are one: about six other words of 600."""

_SEED, _PERMUTATIONS = 6, 128
_BANDS = (16, 8)  # finds .9999 of the pairs at .9; of pairs at .5 only .06
_SLACK = 0.12  # three standard errors of an estimate from 128 permutations
_SHINGLE = 5
_BEFORE, _AFTER = 4, 2
_FACTS = 16
_STEP = np.uint64(0x9E3779B97F4A7C15)
_AT_ONCE = 4_096
_MOST_ASKED, _MOST_COMPARED = 256, 32
_SMALLEST_SECTION = 25
_WORD = re.compile(r"[$€£%§]|[^\W_]+(?:[.,:][0-9]+)*")
_DIGIT = re.compile(r"\d")
_END = re.compile(r"[.!?;:](?=\s)|\n[ \t]*\n|\|[ \t]*\n")
_LISTED = re.compile(r"(?m)^[ \t]*+(?:\d{1,3}[.)]|[-*•])(?=\s)")
_LAID_OUT = re.compile(r"(?m)^[ \t]*+[ :|-]++$|[*_`]+|\|")
_NOT = vocabulary("not no never none without unless except cannot don doesn isn won nor neither")
_OPEN_END = date.max

Shingles = NDArray[np.uint64]


@dataclass(frozen=True)
class Signed:
    """A document with the signature that `signature` made of it, now or earlier."""

    document: Document
    signature: bytes

    @cached_property
    def shingles(self) -> Shingles:
        """The distinct five-word runs of the text, hashed and sorted."""
        return _shingles(_hashed(_words(_text(self.document))))


@dataclass(frozen=True, slots=True)
class Near:
    """`dropped` says nothing that `kept` does not say, from the day `since` on; both are `id@version`.

    Before `since` only the dropped one holds, so that questions about those days still need it.
    """

    dropped: str
    kept: str
    similarity: float
    since: date


@dataclass(frozen=True, slots=True)
class Repeated:
    """A passage that stands in several documents: how it begins, and where (`id@version`, headings)."""

    beginning: str
    places: tuple[tuple[str, tuple[str, ...]], ...]


def signature(document: Document) -> bytes:
    """528 bytes: 128 MinHash values of the text and a hash of its figures. Equal text, equal bytes, on any machine."""
    text = _text(document)
    return _facts(text) + _bytes(_minhash(_shingles(_hashed(_words(text)))))


def near(documents: Sequence[Signed]) -> list[Near]:
    """Which documents may be left out, and for which; the order of `documents` does not matter.

    Kept is the one that holds longest, then the newest, then one with an owner, then the first by name. Versions
    of one id, documents for different audiences, of which one supersedes the other, which never hold on the same
    day or whose titles name different things are never duplicates.
    """
    found: list[Near] = []
    groups: dict[tuple[str, bytes], list[Signed]] = defaultdict(list)
    for one in documents:
        groups[one.document.audience, one.signature[:_FACTS]].append(one)
    for group in groups.values():
        if len(group) > 1:
            found += _among(sorted(group, key=_preference))
    return sorted(found, key=lambda each: (each.dropped, each.kept))


def repeated(documents: Iterable[Document], *, places: int = 3) -> list[Repeated]:
    """Passages of 25 words or more that stand, nearly alike, in at least `places` documents; most frequent first.

    For the report only: boilerplate stays in the index, since each copy answers for its own document.
    """
    passages = _Passages()
    for document in sorted(documents, key=lambda each: each.name):
        for section in document.sections:
            passages.add(document, section)
    many = [
        Repeated(one.beginning, tuple(one.places))
        for one in passages.kept
        if len({name.partition("@")[0] for name, _ in one.places}) >= places
    ]
    return sorted(many, key=lambda each: (-len(each.places), each.beginning))


@dataclass(frozen=True)
class _Passage:
    beginning: str
    facts: bytes
    values: MinHash
    places: list[tuple[str, tuple[str, ...]]]


class _Passages:
    """Sections gathered by likeness, by the estimate alone."""

    def __init__(self) -> None:
        self.kept: list[_Passage] = []
        self._index = MinHashLSH(num_perm=_PERMUTATIONS, params=_BANDS)
        self._same: dict[str, _Passage] = {}

    def add(self, document: Document, section: Section) -> None:
        """Put a section with those like it, unless it is short."""
        text = _LISTED.sub("", section.text)
        words = _words(text)
        if len(words) < _SMALLEST_SECTION:
            return
        whole = hashlib.blake2b(" ".join(words).encode(), digest_size=16).hexdigest()
        if whole not in self._same:
            self._same[whole] = self._like(_facts(text), _minhash(_shingles(_hashed(words))), section)
        self._same[whole].places.append((document.name, section.path))

    def _like(self, facts: bytes, values: MinHash, section: Section) -> _Passage:
        for key in sorted(self._index.query(values))[:_MOST_ASKED]:
            other: _Passage = self.kept[key]
            if other.facts == facts and values.jaccard(other.values) >= ALIKE:
                return other
        passage = _Passage(" ".join(section.text[:400].split())[:160], facts, values, [])
        self._index.insert(len(self.kept), values)
        self.kept.append(passage)
        return passage


def _preference(one: Signed) -> tuple[int, int, bool, str]:
    document = one.document
    ends = (document.effective_to or _OPEN_END).toordinal()
    return -ends, -document.effective_from.toordinal(), not document.owner, document.name


def _among(group: Sequence[Signed]) -> Iterator[Near]:
    """Duplicates among documents with equal figures, best first: each is compared with those kept before it."""
    index = MinHashLSH(num_perm=_PERMUTATIONS, params=_BANDS)
    for place, one in enumerate(group):
        mine = _read(one.signature)
        twin = _twin(one, _candidates(index, group, mine))
        if twin is None:
            index.insert(place, mine)
        else:
            yield twin


def _candidates(index: MinHashLSH, group: Sequence[Signed], mine: MinHash) -> list[Signed]:
    """Those that the index thinks alike and whose estimate allows it, most alike first; never too many."""
    found = [
        (-float(mine.jaccard(_read(group[key].signature))), key) for key in sorted(index.query(mine))[:_MOST_ASKED]
    ]
    likely = sorted(each for each in found if -each[0] >= ALIKE - _SLACK)
    return [group[key] for _, key in likely[:_MOST_COMPARED]]


def _twin(one: Signed, candidates: Iterable[Signed]) -> Near | None:
    """The first candidate that says all that a document says."""
    for other in candidates:
        since = _together(one.document, other.document)
        if since is None:
            continue
        similarity = _jaccard(one.shingles, other.shingles)
        if similarity >= ALIKE:
            return Near(one.document.name, other.document.name, round(similarity, 3), since)
    return None


def _together(one: Document, kept: Document) -> date | None:
    """The first day on which both hold, if one could stand for the other at all."""
    if one.id == kept.id or one.id in kept.supersedes or kept.id in one.supersedes:
        return None
    mine, theirs = subject(one.title), subject(kept.title)
    if not (mine <= theirs or theirs <= mine):
        return None
    since = max(one.effective_from, kept.effective_from)
    return since if since <= (one.effective_to or _OPEN_END) else None


def _text(document: Document) -> str:
    """Headings and text; the whole title path is left out, since copies are often filed under another title."""
    parts = (part for section in document.sections for part in (*section.path[-1:], section.text))
    return _LISTED.sub("", "\n".join(parts))


def _words(text: str) -> list[str]:
    """Words, figures and signs in small letters, without what only lays them out."""
    return _WORD.findall(_LAID_OUT.sub(" ", text).lower())


def _facts(text: str) -> bytes:
    """A hash, 16 bytes, of all figures and negations, each with the words around it in its sentence or row.

    How often one stands there and in which order does not matter.
    """
    around: set[str] = set()
    for piece in _END.split(text):
        words = _words(piece)
        around.update(
            " ".join(words[max(0, place - _BEFORE) : place + _AFTER + 1])
            for place, word in enumerate(words)
            if word in _NOT or _DIGIT.search(word)
        )
    return hashlib.blake2b("\n".join(sorted(around)).encode(), digest_size=_FACTS).digest()


def _hashed(words: Sequence[str]) -> Shingles:
    known = {word: zlib.crc32(word.encode()) for word in set(words)}
    return np.fromiter((known[word] for word in words), dtype=np.uint64, count=len(words))


def _shingles(hashed: Shingles) -> Shingles:
    """Runs of five words as one number each, distinct and sorted; a shorter text is one run."""
    size = min(_SHINGLE, len(hashed))
    count = len(hashed) - size + 1 if size else 0
    runs = np.zeros(count, dtype=np.uint64)
    for offset in range(size):
        runs = runs * _STEP + hashed[offset : offset + count]
    return np.unique(runs ^ (runs >> np.uint64(29)))


def _minhash(shingles: Shingles) -> MinHash:
    made = _empty()
    low = (shingles * _STEP) >> np.uint64(32)
    for start in range(0, len(low), _AT_ONCE):  # a batch takes 2 MB, a whole book would take gigabytes
        made.update_batch(low[start : start + _AT_ONCE].tolist())
    return made


def _bytes(made: MinHash) -> bytes:
    return np.asarray(made.hashvalues, dtype="<u4").tobytes()


def _empty() -> MinHash:
    return MinHash(num_perm=_PERMUTATIONS, seed=_SEED, hashfunc=int, scheme="affine32")


def _read(signed: bytes) -> MinHash:
    made = _empty()
    made.hashvalues = np.frombuffer(signed[_FACTS:], dtype="<u4").astype(made.hashvalues.dtype)
    return made


def _jaccard(one: Shingles, other: Shingles) -> float:
    common = len(np.intersect1d(one, other, assume_unique=True))
    together = len(one) + len(other) - common
    return common / together if together else 1.0
