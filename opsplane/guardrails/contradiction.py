"""What a sentence says against the nearest sentence of its source: another figure, the opposite, a condition lost."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import product
from typing import NamedTuple

from opsplane.guardrails import conditions, figures, opposites
from opsplane.guardrails.conditions import Clause, Condition
from opsplane.guardrails.statement import Denial, Statement, canonical, told_of

_NEAR = 0.85
"""Share of the sentence's words in the source's from which both are taken to say the same thing."""
_CLOSE = 0.7
_RELEVANT = 0.6
_EDIT = 4
"""Words that one edit of a sentence replaces at most, where the sentences are compared word by word."""
_LOOSE = {"grounding.negation": 0.6}
"""What a conflict weighs where the two sentences are less near than `_NEAR`; 0.75 of its weight if not told here."""

_TOKENS = 200
"""Words of a sentence that is compared word by word."""
_OTHER = "the cited source gives another figure for it"


class Conflict(NamedTuple):
    """Something that speaks against the sentence: code, words, reason, and how much in (0, 1]."""

    code: str
    span: str
    detail: str
    weight: float


class Nearness(NamedTuple):
    """Share of the claim's stems in the source's sentence and of its stems in the claim, opposites counted as equal.

    `order` is the share of the claim's neighbouring words that are neighbours there.
    """

    forward: float
    backward: float
    order: float = 0.0


def nearness(claim: Statement, part: Statement, heading: frozenset[str] = frozenset()) -> Nearness:
    """How near two sentences are."""
    mine, theirs = claim.stems, part.stems
    shared = mine & (theirs | heading)
    only_mine, only_theirs = mine - shared, theirs - shared
    turned = opposites.turned(only_mine, only_theirs)
    if claim.free or part.free:  # "free" and "costs nothing" share no word
        turned += sum(one in {"free", "cost", "charg", "fee", "pay", "noth"} for one in only_mine)
    forward = (len(shared) + turned) / max(len(mine), 1)
    order = len(claim.couples & part.couples) / max(len(claim.couples), 1)
    return Nearness(min(forward, 1.0), (len(mine & theirs) + turned) / max(len(theirs), 1), order)


def compare(unit: Statement, claim: Statement, part: Statement, near: Nearness) -> list[Conflict]:
    """What stands against a clause (`unit`) of the claim where `part` is the sentence that it should say again."""
    found = [
        *_turned(unit, claim, part, near),
        *_figures(unit, claim, part, near),
        *_exclusive(unit, claim, part),
        *_names(unit, claim, part),
    ]
    found += [*_left_out(unit, claim, part, near), *_surer(unit, part)]
    found += _misplaced(unit, claim, part)
    if near.forward >= _NEAR:
        return found
    return [one._replace(weight=round(one.weight * _LOOSE.get(one.code, 0.75), 3)) for one in found]


def _turned(unit: Statement, claim: Statement, part: Statement, near: Nearness) -> list[Conflict]:
    """Every denial, opposite and turned bound turns the meaning once; twice is back again."""
    bounds = list(_bounds(unit, part))
    turns = [
        *_denied(unit, claim, part),
        *bounds,
        *_free(unit, part),
        *_opposites(unit, claim, part, bounds=not bounds),
    ]
    if len(turns) % 2 == 0 and alike(near):
        turns = _edited(unit, part)
    return turns[:1] if len(turns) % 2 else []


def alike(near: Nearness) -> bool:
    """Whether the sentences are near enough to be compared word by word."""
    return near.forward >= _NEAR and near.backward >= _RELEVANT


def _steps(unit: Statement, part: Statement) -> list[tuple[Sequence[str], Sequence[str]]]:
    """The short stretches of words in which two sentences differ, those of the clause first."""
    if max(len(unit.tokens), len(part.tokens)) > _TOKENS:
        return []
    matcher = SequenceMatcher(None, unit.tokens, part.tokens, autojunk=False)
    edits: list[tuple[Sequence[str], Sequence[str]]] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        at_end = a == 0 or b == len(unit.tokens) if kind == "insert" else c == 0 or d == len(part.tokens)
        whole = kind == "replace" or not at_end  # a clause more on one side is no edit
        if kind != "equal" and whole and max(b - a, d - c) <= _EDIT:
            edits.append((unit.tokens[a:b], part.tokens[c:d]))
    return edits


def _edited(unit: Statement, part: Statement) -> list[Conflict]:
    """Denials put in or taken out and words in their opposites' place, where the sentences are otherwise alike."""
    found = []
    for mine, theirs in _steps(unit, part):
        ours, others = _denying(mine), _denying(theirs)
        pair = next((pair for pair in product(mine, theirs) if opposites.opposed(*pair, in_place=True)), None)
        if pair and len(ours) == len(others):
            detail = f"the cited source says the opposite ({_plain(pair[1])})"
            found.append(Conflict("grounding.negation", _word(pair[0], unit), detail, 0.7))
        elif not pair and len(ours) != len(others):
            detail = "the cited source states it without the negation" if ours else "the cited source denies it"
            found.append(Conflict("grounding.negation", (ours or [unit.text[:80]])[0], detail, 0.75))
    return found


def _denying(tokens: Sequence[str]) -> list[str]:
    return [token for token in tokens if token in opposites.DENIALS]


def _denied(unit: Statement, claim: Statement, part: Statement) -> Iterator[Conflict]:
    """Denials of one side that the other lacks; one left on each side are taken for the same in other words."""
    theirs = [denial for denial in part.denials if not any(_same(other, denial) for other in claim.denials)]
    mine = [denial for denial in unit.denials if not any(_same(denial, other) for other in part.denials)]
    ours = [denial for denial in mine if _share(denial.scope, part) >= _RELEVANT]
    others = [denial for denial in theirs if _share(denial.scope, unit) >= _RELEVANT]
    if (
        (ours and any(_touches(denial, unit) for denial in theirs))
        or (others and mine)
        or (claim.free and not part.free)
    ):
        return
    for denial in ours:
        yield Conflict("grounding.negation", denial.word, "the cited source states it without the negation", 0.8)
    for _ in others:
        yield Conflict("grounding.negation", unit.text[:80], "the cited source denies it", 0.8)


def _touches(denial: Denial, unit: Statement) -> bool:
    return not denial.scope or bool(denial.scope & unit.stems)


def _same(one: Denial, other: Denial) -> bool:
    return bool(one.scope & other.scope) or (one.word == other.word and not one.scope | other.scope)


def _share(scope: frozenset[str], statement: Statement) -> float:
    """Share of the denied words that the other sentence uses, itself or by their opposite."""
    held = sum(one in statement.stems or opposites.opposite(one, statement.stems) != "" for one in scope)
    return held / len(scope) if scope else 0.0


def _opposites(unit: Statement, claim: Statement, part: Statement, *, bounds: bool) -> Iterator[Conflict]:
    """The first word of the clause whose opposite stands in the source; bounds are left to the figures they bound."""
    mine, theirs = unit.marks - part.marks, part.marks - claim.marks
    for one in sorted(mine):
        other = opposites.opposite(one, theirs)
        if other and (bounds or not opposites.bounding(one)):
            detail = f"the cited source says the opposite ({_plain(other)})"
            yield Conflict("grounding.negation", _word(one, unit), detail, 0.75)
            return


def _bounds(unit: Statement, part: Statement) -> Iterator[Conflict]:
    for figure in unit.figures:
        held = [other for other in part.figures if figures.holds(figure, [other], part.text.lower())]
        implied = conditions.limit(part.text) if held and not any(other.bound for other in held) else ""
        if held and all(figures.opposed(figure, other) or {figure.bound, implied} == {"<", ">"} for other in held):
            yield Conflict(
                "grounding.condition", figure.text, "at least where the cited source says at most, or the reverse", 0.8
            )
            return


def _free(unit: Statement, part: Statement) -> Iterator[Conflict]:
    priced = any(
        one.units & figures.MONEY and one.number and not one.bound and figures.holds(one, part.figures, "")
        for one in unit.figures
    )
    if part.free and not unit.free and unit.paid and not priced:
        yield Conflict("grounding.negation", unit.text[:80], "the cited source says that it costs nothing", 0.75)
    elif unit.free and not part.free and part.paid:
        yield Conflict(
            "grounding.negation", unit.text[:80], "the cited source does not say that it costs nothing", 0.75
        )


def _figures(unit: Statement, claim: Statement, part: Statement, near: Nearness) -> Iterator[Conflict]:
    text = part.text.lower()
    strays = [figure for figure in unit.figures if not figures.holds(figure, part.figures, text)]
    missing = [other for other in part.figures if not figures.holds(other, claim.figures, claim.text.lower())]
    for figure in strays:
        if any(figures.alike(figure, other) for other in missing):
            yield Conflict("grounding.figure", figure.text, _OTHER, 0.85)
            return
    if not alike(near):
        return
    for mine, theirs in _steps(unit, part):
        ours = [unit.numbers[token] for token in mine if token in unit.numbers]
        others = [part.numbers[token] for token in theirs if token in part.numbers]
        if ours and others and ours[0] in unit.figures and not figures.holds(ours[0], others, text):
            yield Conflict("grounding.figure", ours[0].text, _OTHER, 0.8)
            return


def _misplaced(unit: Statement, claim: Statement, part: Statement) -> Iterator[Conflict]:
    """Where a sentence tells figures of several things apart, each must stay with its own."""
    for figure in unit.figures:
        own = [told_of(other, part) for other in part.figures if figures.holds(figure, [other], part.text.lower())]
        others = [
            told_of(other, part)
            for other in part.figures
            if figures.alike(figure, other) and not figures.holds(figure, [other], "")
        ]
        own, others = [one for one in own if one], [one for one in others if one]
        if not own or not others:
            continue
        said = told_of(figure, unit)
        if max(len(said & one) for one in others) > max(len(said & one) for one in own):
            yield Conflict(
                "grounding.figure", figure.text, "the cited source gives this figure for something else", 0.75
            )
            return
        if not any(one & claim.stems for one in own):
            yield Conflict(
                "grounding.condition", figure.text, "the cited source gives another figure for other cases", 0.6
            )
            return


def _exclusive(unit: Statement, claim: Statement, part: Statement) -> Iterator[Conflict]:
    for one in sorted(opposites.listed(unit.marks - part.marks)):
        other = next((two for two in sorted(part.marks - claim.marks) if opposites.exclusive(one, two)), None)
        if other:
            yield Conflict("grounding.condition", _word(one, unit), f"the cited source says {_plain(other)}", 0.8)
            return


def _names(unit: Statement, claim: Statement, part: Statement) -> Iterator[Conflict]:
    mine, theirs = unit.names - part.marks, part.names - claim.marks
    if mine and theirs:
        yield Conflict("grounding.name", _word(min(mine), unit), "the cited source says it of another name", 0.6)


def _left_out(unit: Statement, claim: Statement, part: Statement, near: Nearness) -> Iterator[Conflict]:
    """The weightiest condition of the clauses that the claim repeats which it does not repeat itself."""
    lost = [one for clause in part.clauses if _repeats(unit, claim, clause) for one in _lost(clause, claim, part)]
    weights = [(conditions.WEIGHTS[condition.kind], condition.text) for condition in lost]
    if part.only and not claim.only and not conditions.ONLY.search(claim.text):
        weights.append((conditions.WEIGHTS["only"] if near.backward >= _CLOSE else 0.35, "only"))
    weights += [
        (conditions.WEIGHTS["bound"], figure.text)
        for figure in _unbounded(unit, claim, part)
        if near.backward >= _CLOSE
    ]
    softer = 0.6 if opposites.hedged(claim.marks) and not opposites.hedged(part.marks) else 1.0
    if weights:
        weight, text = max(weights)
        yield Conflict(
            "grounding.condition", text[:80], "the cited source says it under this condition only", weight * softer
        )
    if near.forward >= _NEAR and (lost_word := _contrast(claim, part)):
        yield Conflict("grounding.condition", lost_word, "the cited source tells two cases apart", 0.6 * softer)
    if claim.only and not part.only and unit.only and near.backward >= _CLOSE:
        yield Conflict("grounding.condition", "only", "the cited source does not restrict it so", 0.6)


def _contrast(claim: Statement, part: Statement) -> str:
    """A word that the source sets against its opposite, as domestic and international, where the claim has neither."""
    around = part.around - claim.stems
    pairs = ((one, opposites.opposite(one, around)) for one in sorted(part.stems - claim.stems))
    return next((f"{one}, {two}" for one, two in pairs if two), "")


def _repeats(unit: Statement, claim: Statement, clause: Clause) -> bool:
    """The claim says what the clause says, at least most of it or with most of its own words."""
    stems = canonical(clause.stems)
    shared = len(stems & unit.stems)
    if not stems or shared < min(2, len(stems)):
        return False
    held = not clause.figures or any(
        figures.holds(figure, claim.figures, claim.text.lower()) for figure in clause.figures
    )
    return held and (shared >= _RELEVANT * len(stems) or shared >= _NEAR * len(unit.stems))


def _lost(clause: Clause, claim: Statement, part: Statement) -> list[Condition]:
    """The conditions that the claim does not repeat; of several that each suffice one is enough."""
    lost = [one for one in clause.conditions if not _kept(one, clause, claim, part)]
    if any(one.choice for one in clause.conditions) and len(lost) < len(clause.conditions):
        return []
    return lost


def _kept(condition: Condition, clause: Clause, claim: Statement, part: Statement) -> bool:
    """One of its figures or more than a third of the words that are its own stand in the claim."""
    text = claim.text.lower()
    if any(figures.holds(figure, claim.figures, text) for figure in condition.figures):
        return True
    if condition.kind == "bound":  # another limit of the same sentence serves as well
        rivals = [one for one in claim.figures if figures.holds(one, part.figures, part.text.lower())]
        alike = any(figures.alike(one, other) and one.bound for one in rivals for other in condition.figures)
        return alike or (not condition.figures and not claim.marks.isdisjoint({"_ge", "_le"}))
    stems = canonical(condition.stems)
    own = (stems - canonical(clause.stems)) or (frozenset() if condition.figures else stems)
    if not own:
        return not condition.figures
    return len(own & claim.stems) * 3 > len(own)


def _unbounded(unit: Statement, claim: Statement, part: Statement) -> Iterator[figures.Figure]:
    """Figures of money or number said flatly that the source gives as a limit."""
    if conditions.bounded(claim.text):
        return
    for figure in unit.figures:
        if figure.bound or figure.units & {"date", "time", "th"}:
            continue
        if any(one.bound and figures.holds(figure, [one], "") for one in claim.figures):
            continue
        held = [other for other in part.figures if figures.holds(figure, [other], part.text.lower())]
        if held and all(other.bound in {"<", ">"} for other in held):
            yield figure


def _surer(unit: Statement, part: Statement) -> Iterator[Conflict]:
    if word := opposites.surer(unit.words, part.words):
        yield Conflict("grounding.condition", word, "the cited source says it less surely, or more", 0.6)


def _word(stem: str, statement: Statement) -> str:
    """The word of the sentence behind a stem."""
    return next((word for word in statement.text.split() if word.lower().startswith(stem[:4])), _plain(stem))


def _plain(stem: str) -> str:
    return {"_ge": "at least", "_le": "at most", "_free": "free"}.get(stem, stem)
