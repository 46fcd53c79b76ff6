"""Does the cited evidence support the sentence? Figures with their units, names, negation, contacts, words.

Rules, so honest about their reach: they catch a wrong figure, an invented name, link or number, a turned negation and
a sentence about something else. A changed condition in words that the evidence also uses can pass.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from opsplane.evidence import Evidence
from opsplane.finding import Action, Finding
from opsplane.guardrails import figures, wording
from opsplane.guardrails.figures import Figure
from opsplane.guardrails.pii import mask
from opsplane.release import Release

_ALIKE = 0.8
"""Share of a sentence's stems that a clause of the evidence must hold to be compared on negation."""
_VERBATIM_WORDS = 3
_SHARED, _ABOUT = 3, 0.6
"""A figure is about something else where its own sentences share less than `_ABOUT` of the stems that the nearest
sentence shares, and that one shares at least `_SHARED`."""
_NEGATION_WORDS = (
    "not no never none neither nor cannot without can't won't don't doesn't didn't isn't aren't wasn't weren't hasn't "
    "haven't hadn't wouldn't couldn't shouldn't mustn't needn't"
)
_NEGATIONS = frozenset(_NEGATION_WORDS.split())
_SAYING_WORDS = (
    "pay pays earn earns cost costs charge charges come comes total totals sum add adds difference together amount "
    "amounts mean means include includes get gets give gives apply applies take takes make makes currently today"
)
_SAYING = frozenset(map(wording.stem, _SAYING_WORDS.split()))
"""Words that only carry a figure; a sentence is not held to them."""
_FREE = frozenset({"free", "nothing", "waive", "waived", "waives", "zero"})
_ADDRESS = re.compile(
    r"\bhttps?://[^\s<>\"')\]]+|\bwww\.[^\s<>\"')\]]+|[\w.+%-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}\b|"
    r"\b[a-z0-9-]{2,63}(?:\.[a-z0-9-]{2,63}){0,3}\.(?:com|org|net|gov|edu|io|info|biz|co|us|uk|app|bank|"
    r"example|ru|xyz)\b(?:/[^\s<>\"')\]]*)?",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?<![\w$.,-])(?:\+?1[-. ]?)?(?:\([0-9]{3}\) ?|[0-9]{3}[-. ])[0-9]{3}[-. ][0-9]{4}(?![\w-])|"
    r"\b1?8[0-9]{2}-?[A-Z]{7}\b"
)
_CONTACT_LIKE = re.compile(r"@|://|[a-z]\.[a-z]{2}|[0-9]{3}[-. )]|[0-9]-?[A-Z]{7}", re.IGNORECASE)
_CLAUSE = re.compile(r"[,;:()]|\s(?:and|but|or|unless|although|because|if|when|while|so)\s", re.IGNORECASE)
_NAME = re.compile(r"(?<=[\w,;)%])\s{1,3}[\"'(*_]{0,2}([A-Z][^\W\d_]+(?:'s)?)")
_COMMONLY_CAPITAL = (
    "i you your we our us the a an it this that these those if when yes no please note also and or but for in on at "
    "to by of from as is are eastern et monday tuesday wednesday thursday friday saturday sunday january february "
    "march april may june july august september october november december"
)
_COMMON = frozenset(_COMMONLY_CAPITAL.split())


class _Clause(NamedTuple):
    stems: frozenset[str]
    negative: bool
    free: bool


class _Part(NamedTuple):
    """A sentence or a table row of a source; a row is read with the head of its table."""

    stems: frozenset[str]
    figures: list[Figure]


class _Reading(NamedTuple):
    """One text, read once for every sentence that cites it."""

    joined: str
    lower: str
    words: frozenset[str]
    stems: frozenset[str]
    figures: list[Figure]
    clauses: tuple[_Clause, ...]
    parts: tuple[_Part, ...]


def findings(text: str, cited: Sequence[Evidence], release: Release) -> list[Finding]:
    """What the cited sources do not bear out; `text` is the sentence with look-alike characters folded."""
    if not cited:
        return [_withhold("grounding.uncited", text[:80], "no source that exists is cited")]
    sources = [_source(source) for source in cited]
    found = _contact(text, sources)
    if any(_verbatim(text, source) for source in sources):
        return found
    threshold = release.guardrails.grounding
    return [
        *found,
        *_figures(text, sources),
        *_negation(text, sources),
        *_names(text, sources, release),
        *_support(text, sources, threshold),
    ]


def _figures(text: str, sources: Sequence[_Reading]) -> list[Finding]:
    needed = figures.required(_without_contacts(text))
    held = {
        figure: [source for source in sources if figures.holds(figure, source.figures, source.lower)]
        for figure in needed
    }
    grounded = [figure for figure in needed if held[figure]]
    for figure in needed:
        if not held[figure] and not figures.derived(figure, grounded):
            return [_withhold("grounding.figure", figure.text, "the figure with this unit stands in no cited source")]
    stems = wording.stems(text)
    strays = (figure for figure in grounded if _elsewhere(figure, stems, held[figure]))
    detail = "the cited source gives this figure for something else"
    return [_withhold("grounding.figure", figure.text, detail) for figure in strays][:1]


def _elsewhere(figure: Figure, stems: frozenset[str], sources: Sequence[_Reading]) -> bool:
    """The sentences of the sources that hold the figure share few words with this one, while another shares many."""
    if figure.units == {""} or "date" in figure.units:
        return False
    best = max(len(stems & part.stems) for source in sources for part in source.parts)
    holding = [part for source in sources for part in source.parts if figures.holds(figure, part.figures, source.lower)]
    if best < _SHARED or not holding or any(len(part.stems) < 2 or _contained(part.stems, stems) for part in holding):
        return False
    return max(len(stems & part.stems) for part in holding) < _ABOUT * best


def _negative(text: str) -> bool:
    return not _NEGATIONS.isdisjoint(wording.words(text))


def _free(text: str) -> bool:
    """Says that something costs nothing, where denial and statement are easily taken for each other."""
    return not _FREE.isdisjoint(wording.words(text)) or re.search(r"\$0(?![.\d]*[1-9])", text) is not None


def _contained(part: frozenset[str], stems: frozenset[str]) -> bool:
    """The source's words are nearly all in the sentence, as where two statements were joined."""
    return len(part & stems) >= _ALIKE * len(part)


def _negation(text: str, sources: Sequence[_Reading]) -> list[Finding]:
    """The sentence denies what the evidence states, or the reverse, where both speak of the same thing."""
    stems = wording.stems(text)
    if len(stems) < 3 or "|" in text or _free(text):
        return []
    negative = _negative(text)
    near = [
        clause for source in sources for clause in source.clauses if len(stems & clause.stems) >= _ALIKE * len(stems)
    ]
    if not near or any(clause.negative == negative or clause.free for clause in near):
        return []
    clauses = (clause for source in sources for clause in source.clauses)
    if negative and any(clause.negative and _contained(clause.stems, stems) for clause in clauses):
        return []
    word = next((word for word in wording.words(text) if word in _NEGATIONS), text[:80])
    detail = "the cited source states it without the negation" if negative else "the cited source denies it"
    return [_withhold("grounding.negation", word, detail)]


def _names(text: str, sources: Sequence[_Reading], release: Release) -> list[Finding]:
    """A capitalised word inside the sentence that neither the evidence nor the release's own prompt uses."""
    known = _read(release.prompt.system).words
    for match in _NAME.finditer(text):
        word = match.group(1).lower().removesuffix("'s")
        if word in _COMMON or word in known or any(_knows(word, source) for source in sources):
            continue
        return [_withhold("grounding.name", match.group(1), "the name stands in no cited source")]
    return []


def _support(text: str, sources: Sequence[_Reading], threshold: float) -> list[Finding]:
    """Share of the sentence's content words that the cited sources hold together."""
    known = frozenset().union(*(source.stems for source in sources))
    stems = wording.stems(figures.without(_without_contacts(text)))
    counted = stems - (_SAYING - known)
    if not counted:
        return []
    score = round(len(counted & known) / len(counted), 4)
    if score >= threshold:
        return []
    finding = _withhold("grounding.support", text[:80], "too few of its words stand in the cited sources")
    return [finding.model_copy(update={"score": score, "threshold": threshold})]


def _contact(text: str, sources: Sequence[_Reading]) -> list[Finding]:
    """Links, e-mail addresses and phone numbers must stand in a cited source."""
    for match in _ADDRESS.finditer(text):
        address = re.sub(r"^(?:https?://)?(?:www\.)?", "", match.group().lower().rstrip(".,;:!?*_"))
        if not any(address.rstrip("/") in source.lower for source in sources):
            return [_withhold("grounding.contact", match.group(), "the address stands in no cited source")]
    for match in _PHONE.finditer(text):
        digits = re.sub(r"[^0-9A-Z]", "", match.group())[-10:]
        if not any(digits in re.sub(r"[^0-9A-Z]", "", source.joined.upper()) for source in sources):
            return [_withhold("grounding.contact", match.group(), "the phone number stands in no cited source")]
    return []


def _verbatim(text: str, source: _Reading) -> bool:
    """Copied as a whole from the start of a sentence, line or cell: nothing before it was cut off."""
    wanted = _flat(text).rstrip(".:; ")
    if len(wanted.split()) < _VERBATIM_WORDS:
        return False
    at = source.joined.find(wanted)
    while at >= 0:
        before, after = source.joined[:at].rstrip(" "), source.joined[at + len(wanted) :].lstrip(" ")
        if (not before or before[-1] in ".!?:;|\n*-\"'☐") and (not after or after[0] in ".!?:;|\n\"'"):
            return True
        at = source.joined.find(wanted, at + 1)
    return False


def _knows(word: str, source: _Reading) -> bool:
    return word in source.words or wording.stem(word) in source.stems


def _source(source: Evidence) -> _Reading:
    dates = [day.isoformat() for day in (source.effective_from, source.effective_to) if day]
    return _read("\n".join([source.text, source.title, source.section, source.version, *dates]))


@lru_cache(maxsize=256)
def _read(text: str) -> _Reading:
    readable = "\n".join(wording.plain(line) for line in text.splitlines())
    clauses = [
        _Clause(stems, _negative(part), _free(part))
        for sentence in wording.sentences(readable)
        for part in dict.fromkeys([sentence, *_CLAUSE.split(sentence)])
        if len(stems := wording.stems(part)) >= 2
    ]
    parts = tuple(_parts(readable))
    words = frozenset(wording.words(readable))
    return _Reading(
        joined=_flat(readable),
        lower=readable.lower(),
        words=words | {word.removesuffix("'s") for word in words},
        stems=wording.stems(readable),
        figures=[figure for part in parts for figure in part.figures],
        clauses=tuple(clauses),
        parts=parts,
    )


def _parts(readable: str) -> Iterator[_Part]:
    heading: frozenset[str] = frozenset()
    for line in readable.split("\n"):
        row = line.lstrip().startswith("|")
        if not row:
            heading = wording.stems(line) if line.lstrip().startswith("#") or len(line) < 80 else frozenset()
        for part in [line] if row else wording.sentences(line):
            yield _Part(wording.stems(part) | heading, figures.read(_without_contacts(part)))


def _flat(text: str) -> str:
    """White space and Markdown marks levelled, lines kept apart."""
    lines = (re.sub(r"[*_`#>]+", "", line) for line in text.splitlines())
    return "\n".join(" ".join(line.split()) for line in lines)


def _without_contacts(text: str) -> str:
    return _PHONE.sub(" ", _ADDRESS.sub(" ", text)) if _CONTACT_LIKE.search(text) else text


def _withhold(code: str, span: str, detail: str) -> Finding:
    return Finding(code=code, action=Action.WITHHOLD, stage="answer", span=mask(span.strip()), detail=detail)
