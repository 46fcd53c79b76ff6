"""Does the cited evidence support the sentence? Figures with their units, names, denials, conditions, contacts, words.

Rules, so honest about their reach: they catch a wrong figure, an invented name, link or number, a turned denial, a
condition left out or turned round and a sentence about something else. Another meaning in the same words can pass.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from opsplane.evidence import Evidence
from opsplane.finding import Action, Finding
from opsplane.guardrails import amounts, contradiction, figures, statement, universals, wording
from opsplane.guardrails.contradiction import Conflict, Nearness
from opsplane.guardrails.pii import mask
from opsplane.guardrails.reading import ADDRESS, LONGEST, PHONE, Source, read, source, without_contacts
from opsplane.guardrails.statement import Statement, canonical
from opsplane.release import Release

THRESHOLD = 0.5
"""What must be left of a sentence's score; a conflict that takes more than the rest is a finding by itself."""
_ALIKE = 0.66
"""Share of a clause's stems that a sentence of the source must hold to be compared with it."""
_RIVALS, _BAND = 4, 0.08
"""Sentences of the sources that are compared with one clause, and how much less near than the nearest they may be."""
_READ = 6
"""Sentences of the sources that are taken apart for one clause."""
_REWORDED = 0.9
"""Nearness of a sentence that says the same in its own words, where a copy has 1."""
_SAYING_WORDS = (
    "pay pays earn earns cost costs charge charges come comes total totals sum add adds difference together amount "
    "amounts mean means include includes get gets give gives apply applies take takes make makes currently today "
    "twice double half percent dollar dollars euro euros free plus minus times difference equals "
    "month year week day"
)
_SAYING = frozenset(map(wording.stem, _SAYING_WORDS.split()))
"""Words that only carry a figure; a sentence is not held to them."""
_UNIT = re.compile(r";\s|(?<=[a-z0-9%)]{2}[.!?])\s(?=[A-Z])|,?\s(?:while|whereas|but)\s|,\s(?:and|so)\s", re.IGNORECASE)
_UNIT_STEMS = 3
_NAME = re.compile(r"(?<=[\w,;)%])\s{1,3}[\"'(*_]{0,2}([A-Z][^\W\d_]+(?:'s)?)")
_COMMONLY_CAPITAL = (
    "i you your we our us the a an it this that these those if when yes no please note also and or but for in on at "
    "to by of from as is are eastern et monday tuesday wednesday thursday friday saturday sunday january february "
    "march april may june july august september october november december"
)
_COMMON = frozenset(_COMMONLY_CAPITAL.split())


class _Verdict(NamedTuple):
    """Everything that speaks against a sentence, and the share of its words that the sources hold."""

    conflicts: tuple[Conflict, ...]
    support: float
    near: float


def findings(text: str, cited: Sequence[Evidence], release: Release) -> list[Finding]:
    """What the cited sources do not bear out; `text` is the sentence with look-alike characters folded."""
    if not cited:
        return [_withhold("grounding.uncited", text[:80], "no source that exists is cited")]
    verdict = _judge(text, cited, release)
    found: dict[str, Finding] = {}
    left = _left(verdict)
    for conflict in sorted(verdict.conflicts, key=lambda one: -one.weight):
        if conflict.code not in found and (conflict.weight > 1 - THRESHOLD or (left < THRESHOLD and not found)):
            finding = _withhold(conflict.code, conflict.span, conflict.detail)
            found[conflict.code] = finding.model_copy(update={"score": left, "threshold": THRESHOLD})
    if verdict.support < (threshold := release.guardrails.grounding):
        finding = _withhold("grounding.support", text[:80], "too few of its words stand in the cited sources")
        found["grounding.support"] = finding.model_copy(update={"score": verdict.support, "threshold": threshold})
    return list(found.values())


def score(text: str, cited: Sequence[Evidence], release: Release) -> float:
    """In [0, 1]: 1 where it stands in a source, less for every conflict by its weight and for strange words."""
    if not cited:
        return 0.0
    return _left(_judge(text, cited, release))


def _left(verdict: _Verdict) -> float:
    left = (0.55 + 0.45 * verdict.support) * (0.9 + 0.1 * verdict.near)
    for conflict in verdict.conflicts:
        left *= 1 - conflict.weight
    return round(left, 4)


def _judge(text: str, cited: Sequence[Evidence], release: Release) -> _Verdict:
    sources = tuple(map(source, cited))
    contacts = tuple(_contacts(text, sources))
    if any(one.says(text) or one.tells(text) for one in sources):
        return _Verdict(contacts, 1.0, 1.0)
    if len(text) > LONGEST:
        return _Verdict(
            (*contacts, Conflict("grounding.support", text[:80], "too long for one sentence", 1.0)), 0.0, 0.0
        )
    return _judged(text, sources, release.prompt.system, contacts)


@lru_cache(maxsize=512)
def _judged(text: str, sources: tuple[Source, ...], prompt: str, contacts: tuple[Conflict, ...]) -> _Verdict:
    claim = statement.read(without_contacts(text))
    excused, strays = amounts.judge(claim, _units(claim), sources)
    nears, conflicts = [], []
    for unit in _units(claim):
        near, found = _against(
            unit._replace(figures=tuple(f for f in unit.figures if f not in excused)), claim, sources
        )
        nears.append(near)
        conflicts += found
    return _Verdict(
        conflicts=(
            *contacts,
            *strays,
            *conflicts,
            *(one for unit in _units(claim) for one in universals.conflicts(unit.text, unit.stems, sources)),
            *_names(text, sources, prompt),
        ),
        support=_support(text, sources),
        near=_REWORDED * sum(nears) / max(len(nears), 1),
    )


def _units(claim: Statement) -> list[Statement]:
    """The clauses of a sentence that could come from different places; short ones stay with the one before."""
    texts: list[str] = []
    begin = 0
    for match in _UNIT.finditer(claim.text):
        stretch = claim.text[begin : match.start()]
        if len(wording.stems(stretch)) >= _UNIT_STEMS and len(wording.stems(claim.text[match.end() :])) >= _UNIT_STEMS:
            texts.append(stretch)
            begin = match.end()
    if not texts:
        return [claim]
    return [statement.read(part) for part in [*texts, claim.text[begin:]]]


def _against(unit: Statement, claim: Statement, sources: Sequence[Source]) -> tuple[float, list[Conflict]]:
    """How near the nearest sentence of the sources is, and what the one that agrees best says against the clause."""
    if not unit.stems:
        return 1.0, []
    rivals = _rivals(unit, sources)
    if not rivals:
        return 0.0, []
    best = rivals[0][0]
    compared = [
        (contradiction.compare(unit, claim, part, near), near)
        for rank, part, near in rivals
        if rank >= best - _BAND and near.forward >= _ALIKE
    ]
    if not compared:
        return max(near.forward for _, _, near in rivals), []
    found, near = min(compared, key=lambda one: (sum(conflict.weight for conflict in one[0]), -one[1].forward))
    return near.forward, found


def _rivals(unit: Statement, sources: Sequence[Source]) -> list[tuple[float, Statement, Nearness]]:
    """The sentences of the sources that are nearest to the clause, each with how near."""
    parts = [
        (len(unit.stems & part.own) + 0.5 * len(unit.stems & part.heading), part)
        for one in sources
        for part in one.parts
    ]
    parts = [item for item in parts if item[0] > 0 and item[1].said]
    nearest = sorted(parts, key=lambda item: (-item[0], len(item[1].own)))[:_READ]
    rivals = [
        (_rank(found, near, unit), found, near)
        for _, part in nearest
        for found, near in _readings(unit, statement.read(without_contacts(part.text)), part.heading)
    ]
    return sorted(rivals, key=lambda item: -item[0])[:_RIVALS]


def _readings(unit: Statement, part: Statement, heading: frozenset[str]) -> list[tuple[Statement, Nearness]]:
    """A sentence of a source by its clauses, with the conditions at its head, or as a whole where that is nearer."""
    whole = (part, contradiction.nearness(unit, part, heading))
    units = _units(part)
    if len(units) < 2:
        return [whole]
    read_ = [
        (one := clause._replace(clauses=part.clauses, around=part.stems), contradiction.nearness(unit, one, heading))
        for clause in units
    ]
    near = max(near.forward for _, near in read_)
    return read_ if near >= whole[1].forward - 0.1 else [*read_, whole]


def _rank(part: Statement, near: Nearness, unit: Statement) -> float:
    """How near for choosing: shared words first, then their order, the figures, and how much else is said."""
    held = sum(figures.holds(figure, part.figures, part.text.lower()) for figure in unit.figures)
    figured = held / len(unit.figures) if unit.figures else 0.0
    return near.forward + 0.3 * min(near.backward, 1.0) + 0.5 * near.order + 0.2 * figured


def _names(text: str, sources: Sequence[Source], prompt: str) -> list[Conflict]:
    """A capitalised word inside the sentence that neither the evidence nor the release's own prompt uses."""
    known = read(prompt).words
    for match in _NAME.finditer(text):
        word = match.group(1).lower().removesuffix("'s")
        if word in _COMMON or word in known or any(one.knows(word) for one in sources):
            continue
        return [Conflict("grounding.name", match.group(1), "the name stands in no cited source", 0.8)]
    return []


def _support(text: str, sources: Sequence[Source]) -> float:
    """Share of the sentence's content words that the cited sources hold together."""
    known = frozenset().union(*(one.stems for one in sources))
    stems = canonical(wording.stems(figures.without(without_contacts(text))))
    counted = stems - (canonical(_SAYING) - known)
    return round(len(counted & known) / len(counted), 4) if counted else 1.0


def _contacts(text: str, sources: Sequence[Source]) -> Iterator[Conflict]:
    """Links, e-mail addresses and phone numbers must stand in a cited source."""
    for match in ADDRESS.finditer(text):
        address = re.sub(r"^(?:https?://)?(?:www\.)?", "", match.group().lower().rstrip(".,;:!?*_"))
        if not any(address.rstrip("/") in one.lower for one in sources):
            yield Conflict("grounding.contact", match.group(), "the address stands in no cited source", 0.95)
            return
    for match in PHONE.finditer(text):
        digits = re.sub(r"[^0-9A-Z]", "", match.group())[-10:]
        if not any(digits in re.sub(r"[^0-9A-Z]", "", one.joined.upper()) for one in sources):
            yield Conflict("grounding.contact", match.group(), "the phone number stands in no cited source", 0.95)
            return


def _withhold(code: str, span: str, detail: str) -> Finding:
    return Finding(code=code, action=Action.WITHHOLD, stage="answer", span=mask(span.strip()), detail=detail)
