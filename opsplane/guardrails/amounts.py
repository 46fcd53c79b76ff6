"""Whether the figures of a sentence stand in its sources, there about the same thing, or were worked out rightly."""

from collections.abc import Sequence

from opsplane.guardrails import derivation, figures, statement
from opsplane.guardrails.contradiction import Conflict
from opsplane.guardrails.figures import Figure
from opsplane.guardrails.reading import Source
from opsplane.guardrails.statement import Statement, told_of

_SHARED, _ABOUT = 3, 0.6
"""A figure is about something else where its own sentences share less than `_ABOUT` of the stems that the nearest
sentence shares, and that one shares at least `_SHARED`."""
_CONTAINED = 0.8
_OPERANDS = 6
"""Sentences of the sources whose figures may have been worked with."""
_MOST = 40
"""Figures of one sentence."""
_CODE = "grounding.figure"


def judge(
    claim: Statement, units: Sequence[Statement], sources: Sequence[Source]
) -> tuple[frozenset[Figure], list[Conflict]]:
    """Figures that need no source because they were worked out rightly, and what speaks against the others."""
    if not claim.figures:
        return frozenset(), _compared(claim, sources)
    if len(claim.figures) > _MOST:
        return frozenset(), [Conflict(_CODE, claim.text[:80], "more figures than can be checked", 1.0)]
    held = {
        figure: [one for one in sources if figures.holds(figure, one.figures, one.lower)] for figure in claim.figures
    }
    grounded = [figure for figure in claim.figures if held[figure]]
    excused: set[Figure] = set()
    for one in derivation.shown(claim.text):
        if not one.right:
            return frozenset(), [Conflict(_CODE, one.result.text, "the arithmetic does not come out", 0.9)]
        if any(held.get(figure) for figure in one.operands):
            excused |= {one.result, *one.operands}
    for figure in sorted(
        claim.figures, key=lambda one: not one.units & figures.MONEY
    ):  # before the counts that amounts need
        excused |= _worked_out(figure, claim, grounded, sources)
        if not held[figure] and figure not in excused:
            detail = "the figure with this unit stands in no cited source"
            return frozenset(excused), [Conflict(_CODE, figure.text, detail, 0.9)]
    detail = "the cited source gives this figure for something else"
    strays = [
        figure
        for unit in units
        for figure in unit.figures
        if figure in grounded
        and figure not in excused
        and all(_elsewhere(figure, stems, held[figure]) for stems in {unit.stems, claim.stems})
    ]
    return frozenset(excused), [Conflict(_CODE, figure.text, detail, 0.7) for figure in strays][:1]


def _worked_out(
    figure: Figure, claim: Statement, grounded: Sequence[Figure], sources: Sequence[Source]
) -> frozenset[Figure]:
    """The figure, with the counts that it was worked out with, where that is evident; else nothing."""
    if figure in grounded:
        if not derivation.counts(claim.text):
            return frozenset()
        times = derivation.multiplied(figure, claim.text, _operands(claim, sources))
        return frozenset({figure, times}) if times else frozenset()
    if derivation.told(claim.text) and derivation.derived(figure, grounded):
        return frozenset({figure})
    operands = [*grounded, *_operands(claim, sources)]
    if times := derivation.multiplied(figure, claim.text, operands):
        return frozenset({figure, times})
    text = "\n".join(one.readable for one in sources)
    found = derivation.evident(figure, claim.text, operands, text) or derivation.counted(figure, claim.text, text)
    return frozenset({figure}) if found else frozenset()


def _operands(claim: Statement, sources: Sequence[Source]) -> list[Figure]:
    """The figures of the nearest sentences; of several that one tells apart, those that the claim speaks of."""
    parts = [
        part
        for one in sources
        for part in one.parts
        if part.figures and (len(part.stems & claim.stems) >= min(2, len(claim.stems)))
    ]
    parts.sort(key=lambda part: -len(part.stems & claim.stems))
    found: list[Figure] = []
    for part in parts[:_OPERANDS]:
        told = [(figure, told_of(figure, statement.read(part.text))) for figure in part.figures]
        meant = [figure for figure, words in told if words & claim.stems]
        found += [figure for figure, _ in told if figure in meant or not any(map(figure.units.__and__, _units(meant)))]
    return found


def _units(found: Sequence[Figure]) -> list[frozenset[str]]:
    return [figure.units for figure in found]


def _compared(claim: Statement, sources: Sequence[Source]) -> list[Conflict]:
    """ "Twice as much as" between things whose figures the sources give."""
    if not derivation.compares(claim.text):
        return []
    right = derivation.factor(claim.text, _operands(claim, sources))
    if right is None or right:
        return []
    return [Conflict(_CODE, claim.text[:80], "the cited figures are not in this proportion", 0.7)]


def _elsewhere(figure: Figure, stems: frozenset[str], sources: Sequence[Source]) -> bool:
    """The sentences of the sources that hold the figure share few words with this one, while another shares many."""
    if figure.units == {""} or "date" in figure.units:
        return False
    best = max(len(stems & part.stems) for one in sources for part in one.parts)
    holding = [part for one in sources for part in one.parts if figures.holds(figure, part.figures, one.lower)]
    if best < _SHARED or not holding or any(len(part.stems) < 2 or _contained(part.own, stems) for part in holding):
        return False
    return max(len(stems & part.stems) for part in holding) < _ABOUT * best


def _contained(part: frozenset[str], stems: frozenset[str]) -> bool:
    """The source's words are nearly all in the sentence, as where two statements were joined."""
    return len(part & stems) >= _CONTAINED * len(part)
