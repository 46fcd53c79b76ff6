"""A source read once for every sentence that cites it: its sentences, figures and words."""

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import islice, pairwise
from typing import NamedTuple

from opsplane.evidence import Evidence
from opsplane.guardrails import figures, wording
from opsplane.guardrails.figures import Figure
from opsplane.guardrails.statement import canonical

_VERBATIM_WORDS = 3
LONGEST = 2_000
"""Characters of a sentence; what is longer is none."""
_PARTS, _FIGURES = 1_000, 1_000
"""Sentences and figures of one source that are read; what stands behind them supports nothing."""
_HEADING = 80
"""Characters below which a line is read as the heading of what follows."""
_CELL = re.compile(r"(.{1,300}?) [—–] (.{1,100}?): (.{1,600})")
_RULE = re.compile(r"\s*\|[-:| ]{3,}\Z")
ADDRESS = re.compile(
    r"\bhttps?://[^\s<>\"')\]]+|\bwww\.[^\s<>\"')\]]+|[\w.+%-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}\b|"
    r"\b[a-z0-9-]{2,63}(?:\.[a-z0-9-]{2,63}){0,3}\.(?:com|org|net|gov|edu|io|info|biz|co|us|uk|app|bank|"
    r"example|ru|xyz)\b(?:/[^\s<>\"')\]]*)?",
    re.IGNORECASE,
)
PHONE = re.compile(
    r"(?<![\w$.,-])(?:\+?1[-. ]?)?(?:\([0-9]{3}\) ?|[0-9]{3}[-. ])[0-9]{3}[-. ][0-9]{4}(?![\w-])|"
    r"\b1?8[0-9]{2}-?[A-Z]{7}\b"
)
_CONTACT_LIKE = re.compile(r"@|://|[a-z]\.[a-z]{2}|[0-9]{3}[-. )]|[0-9]-?[A-Z]{7}", re.IGNORECASE)


class Part(NamedTuple):
    """A sentence or a table row, its stems, and those of its heading; a row is read with the head of its table."""

    text: str
    own: frozenset[str]
    heading: frozenset[str]
    said: bool  # not a heading, nor the head of a table

    @property
    def stems(self) -> frozenset[str]:
        """Its own stems and its heading's."""
        return self.own | self.heading

    @property
    def figures(self) -> list[Figure]:
        """Its figures, those of links and phone numbers aside."""
        return list(_figures(self.text))


class Source:
    """One text; what is asked of it is worked out once. A verbatim sentence needs `joined` only."""

    def __init__(self, text: str) -> None:
        self.readable = "\n".join(wording.plain(line) for line in text.splitlines())

    @cached_property
    def joined(self) -> str:
        """The text without Markdown marks, white space levelled, lines kept apart."""
        return flat(self.readable)

    @cached_property
    def lower(self) -> str:
        """The text in lower case."""
        return self.readable.lower()

    @cached_property
    def words(self) -> frozenset[str]:
        """Its words, with and without a possessive ending."""
        words = frozenset(wording.words(self.readable))
        return words | {word.removesuffix("'s") for word in words}

    @cached_property
    def stems(self) -> frozenset[str]:
        """The stems of all its words, those of equal meaning as one."""
        return canonical(wording.stems(self.readable)) | wording.stems(self.readable)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Its sentences and rows in order."""
        return tuple(islice(_parts(self.readable), _PARTS))

    @cached_property
    def figures(self) -> list[Figure]:
        """Its different figures in order."""
        return list(dict.fromkeys(figure for part in self.parts for figure in part.figures))[:_FIGURES]

    @cached_property
    def cells(self) -> frozenset[str]:
        """Its lines and table cells: a word or two are copied only if they are one of them."""
        return frozenset(cell.strip() for line in self.joined.split("\n") for cell in line.split("|")) - {""}

    def says(self, text: str) -> bool:
        """Whether the text is copied as a whole from the start of a sentence, line or cell: nothing was cut off."""
        wanted = flat(text).rstrip(".:; ")
        if len(wanted.split()) < _VERBATIM_WORDS:
            return flat(text).strip() in self.cells
        at = self.joined.find(wanted)
        while at >= 0:
            end = at + len(wanted)
            before, after = self.joined[max(0, at - 2) : at].rstrip(" "), self.joined[end : end + 2].lstrip(" ")
            if (not before or before[-1] in ".!?:;|\n*-\"'☐") and (not after or after[0] in ".!?:;|\n\"'"):
                return True
            at = self.joined.find(wanted, at + 1)
        return False

    def tells(self, text: str) -> bool:
        """Whether the text is a cell of a table with the name of its row and the head of its column before it."""
        match = _CELL.fullmatch(flat(text).rstrip(". "))
        if not match:
            return False
        name, head, value = (part.casefold() for part in match.groups())
        heads: list[str] = []
        for line in self.joined.split("\n"):
            cells = [cell.strip().rstrip(".").casefold() for cell in line.strip().strip("|").split("|")]
            if len(cells) < 2:
                heads = []
            elif not heads:
                heads = cells
            elif cells[0] == name and (head, value) in zip(heads[1:], cells[1:], strict=False):
                return True
        return False

    def knows(self, word: str) -> bool:
        """Whether it uses the word in one of its forms."""
        return word in self.words or wording.stem(word) in self.stems


@lru_cache(maxsize=8192)
def _figures(text: str) -> tuple[Figure, ...]:
    return tuple(figures.read(without_contacts(text)))


def source(evidence: Evidence) -> Source:
    """The source with its title, section, version and dates, which a sentence may name too."""
    dates = [day.isoformat() for day in (evidence.effective_from, evidence.effective_to) if day]
    return read("\n".join([evidence.text, evidence.title, evidence.section, evidence.version, *dates]))


@lru_cache(maxsize=256)
def read(text: str) -> Source:
    """The text, read once."""
    return Source(text)


def flat(text: str) -> str:
    """White space and Markdown marks levelled, lines kept apart."""
    lines = (re.sub(r"[*_`#>]+", "", line) for line in text.splitlines())
    return "\n".join(" ".join(line.split()) for line in lines)


def without_contacts(text: str) -> str:
    """The text without links, e-mail addresses and phone numbers, whose digits are no figures."""
    return PHONE.sub(" ", ADDRESS.sub(" ", text)) if _CONTACT_LIKE.search(text) else text


def _parts(readable: str) -> Iterator[Part]:
    heading = head = frozenset[str]()
    lines = readable.split("\n")
    for line, following in pairwise([*lines, ""]):
        row = line.lstrip().startswith("|")
        if not row:
            head = frozenset()
            title = line.lstrip().startswith("#")
            heading = canonical(wording.stems(line)) if title or len(line) < _HEADING else frozenset()
            for part in _cut(wording.sentences(line)):
                yield Part(part, canonical(wording.stems(part)), heading, said=not title)
        elif _RULE.match(following):
            head = canonical(wording.stems(line))
            yield Part(line, head, heading, said=False)
        else:
            for part in _cut([line]):
                yield Part(part, canonical(wording.stems(part)), heading | head, said=not _RULE.match(part))


def _cut(sentences: list[str]) -> Iterator[str]:
    """The sentences, those that are longer than any sentence in pieces."""
    for sentence in sentences:
        yield from (sentence[at : at + LONGEST] for at in range(0, len(sentence), LONGEST))
