"""Whether the answers were known beforehand: cases that stand in few-shot examples or in training data, and twins.

Texts are compared as words without case, accents and punctuation. *Exact* is the same words; *contained* is a whole
question that stands word for word in a longer text; *near* goes by shingles, the runs of three words: the share of a
case's shingles that the text has (containment) or the share of both texts' that they have in common (resemblance), by
Broder, "On the resemblance and containment of documents", 1997. All pairs above the thresholds are found: a text that
has the share `t` of a case's shingles has at least one of any (1 - t) of them and one more, so that only the rarest
ones are looked up.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from opsplane.evaluation.dataset import Case, Dataset
from opsplane.release import Release

SHINGLE = 3
"""Words of a shingle."""
RESEMBLES = 0.7
"""The share of common shingles from which two texts count as near."""
CONTAINS = 0.8
"""The share of a case's shingles in a longer text from which it counts as near."""
WHOLE = 5
"""Words that a question must have to be looked for inside longer texts: shorter ones stand in many by chance."""
LONG = 10
"""Words from which on a part of the shingles is enough inside a longer text."""
READ = 5_000
"""Words of one text that are read."""

_READ = READ * 20  # characters
_WORD = re.compile(r"\w+")
_LABEL = re.compile(r"^\s*[A-Za-z ]{1,20}:\s+(?=\S)")


class Origin(StrEnum):
    """What a text is for. An exemplar only tells which kind a question is: to find a case in it is less grave."""

    EXAMPLE = "few-shot example"
    TRAINING = "training example"
    EXEMPLAR = "scope exemplar"


class How(StrEnum):
    """In which way a text holds a case, the gravest first."""

    EXACT = "exact"
    CONTAINED = "contained"
    NEAR = "near"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Seen(_Value):
    """One text that a model has seen, and where it stands: "heron-7, example 3", "train.jsonl, line 7"."""

    origin: Origin
    where: str
    question: str
    answer: str = ""


class Match(_Value):
    """A case that was seen: its gravest match in one kind of text. `times` counts the places; `share` is in [0, 1]."""

    case: str
    part: str  # question or reference
    origin: Origin
    how: How
    where: str
    share: float
    times: int = 1


class Twins(_Value):
    """Two cases that ask nearly the same of the same persona after the same questions."""

    first: str
    second: str
    share: float


class Contamination(_Value):
    """What was found of how many cases in how many texts; matches by case, the gravest first."""

    cases: int
    texts: int
    matches: tuple[Match, ...] = ()

    @property
    def grave(self) -> tuple[Match, ...]:
        """Matches with what a model answers from or was trained on."""
        return tuple(one for one in self.matches if one.origin is not Origin.EXEMPLAR)

    @property
    def soft(self) -> tuple[Match, ...]:
        """Matches with exemplars of scope."""
        return tuple(one for one in self.matches if one.origin is Origin.EXEMPLAR)


@dataclass(frozen=True)
class _Words:
    """A text as it is compared."""

    flat: str
    count: int
    shingles: frozenset[str]


@dataclass(frozen=True)
class _Part:
    """A question or a reference of a case."""

    case: str
    name: str
    words: _Words


def check(dataset: Dataset, texts: Iterable[Seen]) -> Contamination:
    """Every case's question and reference against what a model has seen. Pure; texts are read one at a time."""
    parts = [part for case in dataset.cases for part in _parts(case)]
    index = _Index([part.words for part in parts])
    found: dict[tuple[str, str, Origin], Match] = {}
    count = 0
    for count, text in enumerate(texts, 1):  # noqa: B007 - the last number is how many there were
        for match in _matches(text, parts, index):
            key = match.case, match.part, match.origin
            found[key] = _graver(found.get(key), match)
    order = list(How)
    ranked = sorted(found.values(), key=lambda one: (order.index(one.how), -one.share, one.case, one.part, one.origin))
    return Contamination(cases=len(dataset.cases), texts=count, matches=tuple(ranked))


def twins(dataset: Dataset) -> tuple[Twins, ...]:
    """Pairs of cases that nearly repeat each other, the nearest first."""
    asked = [_words(case.question) for case in dataset.cases]
    before = [(case.as_, _words("\n".join(case.history)).flat) for case in dataset.cases]
    index = _Index(asked)
    found = []
    for second, case in enumerate(dataset.cases):
        for first in sorted(one for one in index.candidates(asked[second]) if one < second):
            share = _resemblance(asked[first], asked[second])
            if before[first] == before[second] and share >= RESEMBLES:
                found.append(Twins(first=dataset.cases[first].id, second=case.id, share=round(share, 3)))
    return tuple(sorted(found, key=lambda one: (-one.share, one.first, one.second)))


def of_release(release: Release) -> Iterator[Seen]:
    """The few-shot examples and the scope exemplars of a release."""
    for number, one in enumerate(release.prompt.examples, 1):
        where = f"{release.id}, example {number}"
        yield Seen(origin=Origin.EXAMPLE, where=where, question=one.question, answer=one.answer)
    exemplars = release.guardrails.scope_exemplars
    for text in exemplars.texts if exemplars else ():
        yield Seen(origin=Origin.EXEMPLAR, where=f"{release.id}, {exemplars.name if exemplars else ''}", question=text)


class _Index:
    """Which of many texts may be held by another one: by their rarest shingles, and by all their words."""

    def __init__(self, texts: Sequence[_Words]) -> None:
        frequency = Counter(shingle for one in texts for shingle in one.shingles)
        self._by_shingle: defaultdict[str, list[int]] = defaultdict(list)
        self._by_words: defaultdict[str, list[int]] = defaultdict(list)
        for number, one in enumerate(texts):
            self._by_words[one.flat].append(number)
            for shingle in _rarest(one, frequency):
                self._by_shingle[shingle].append(number)

    def candidates(self, text: _Words) -> set[int]:
        """The numbers of texts that this one may hold."""
        shared = text.shingles & self._by_shingle.keys()
        return {number for shingle in shared for number in self._by_shingle[shingle]}.union(self.same(text.flat))

    def same(self, flat: str) -> Sequence[int]:
        """The numbers of texts that have just these words."""
        return self._by_words.get(flat, ())


def _rarest(text: _Words, frequency: Mapping[str, int]) -> list[str]:
    """So many of its shingles that nothing near can be without all of them, the rarest ones."""
    needed = math.ceil(min(RESEMBLES, CONTAINS) * len(text.shingles))
    ordered = sorted(text.shingles, key=lambda shingle: (frequency[shingle], shingle))
    return ordered[: len(ordered) - needed + 1]


def _parts(case: Case) -> Iterator[_Part]:
    yield _Part(case.id, "question", _words(case.question))
    if case.reference:
        yield _Part(case.id, "reference", _words(case.reference))


def _matches(text: Seen, parts: Sequence[_Part], index: _Index) -> Iterator[Match]:
    for name, said in (("question", text.question), ("reference", text.answer)):
        if not said:
            continue
        words = _words(said)
        lines = {number for line in _lines(said) for number in index.same(line)}
        for number in sorted(lines | index.candidates(words)):
            if parts[number].name == name and (found := _held(parts[number].words, words, same=number in lines)):
                how, share = found
                yield Match(
                    case=parts[number].case,
                    part=name,
                    origin=text.origin,
                    how=how,
                    where=text.where,
                    share=round(share, 3),
                )


def _held(part: _Words, text: _Words, *, same: bool) -> tuple[How, float] | None:
    """How a text holds a case's words, and the share by which it was told; None where it does not."""
    if not part.flat:
        return None
    if same or part.flat == text.flat:
        return How.EXACT, 1.0
    if part.count >= WHOLE and f" {part.flat} " in f" {text.flat} ":
        return How.CONTAINED, 1.0
    if (share := _resemblance(part, text)) >= RESEMBLES:
        return How.NEAR, share
    common = len(part.shingles & text.shingles) / len(part.shingles) if part.shingles else 0.0
    return (How.NEAR, common) if part.count >= LONG and common >= CONTAINS else None


def _graver(known: Match | None, match: Match) -> Match:
    if known is None:
        return match
    order = list(How)
    first = min(known, match, key=lambda one: (order.index(one.how), -one.share))
    return first.model_copy(update={"times": known.times + 1})


def _resemblance(one: _Words, other: _Words) -> float:
    if one.flat == other.flat:
        return 1.0
    common = len(one.shingles & other.shingles)
    return common / (len(one.shingles) + len(other.shingles) - common) if common else 0.0


def _words(text: str) -> _Words:
    words = _split(text)
    runs = (words[at : at + SHINGLE] for at in range(len(words) - SHINGLE + 1))
    return _Words(" ".join(words), len(words), frozenset(" ".join(run) for run in runs))


def _lines(text: str) -> Iterator[str]:
    """The lines of a longer text, each without a label such as "Question:"."""
    for line in text.splitlines():
        yield " ".join(_split(_LABEL.sub("", line, count=1)))


def _split(text: str) -> list[str]:
    """The words of a text without case, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text[:_READ]).casefold()[:_READ]
    bare = "".join(one for one in plain if not unicodedata.combining(one))
    return _WORD.findall(bare.replace("'", "").replace("’", ""))[:READ]
