"""Which statements of the sources answer a question: scored, chosen, kept together, or none at all."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from functools import lru_cache

from assistant.extractive import opposites, parts, ranges, tense, wanted
from assistant.extractive.confidence import Encoder, Reading, sure
from assistant.extractive.lexicon import reader, terms
from assistant.extractive.statements import Statement, statements
from assistant.sources import Source

_POOL = 48
"""Statements looked at with the encoder, chosen by their words: more found no further answers."""
_CLOSE_LOOK = 12
"""The best of them are encoded once more, under their title and heading."""
_FLOOR = 2.6
"""How far below the best a statement may score and still be said."""
_PART = 0.6
"""The least score of the answer to a part of the question, as a share of the best one to the whole."""
_NEW = 5.0
"""What the topic words that no chosen statement holds yet are worth to the next one."""
_SEVERAL = re.compile(r"\b(?:and|both|compare[ds]?|versus|vs|or|difference)\b|,", re.IGNORECASE)
_LONG_WORD = re.compile(r"[A-Za-z]{6,}")
_DEPENDENT = re.compile(
    r"(?:it|its|they|their|this|these|those|he|she|such|both|neither|the same|otherwise|however|then|instead"
    r"|in that case"
    r"|after that|in this case|if so|if not|also|that|without this|in either case)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Scored:
    """A statement with what speaks for it. The parts of the score are weighed as a logistic regression would."""

    statement: Statement
    terms: frozenset[str]  # topic words of the statement itself
    reached: frozenset[str]  # and of its title and headings
    cosine: float  # with the question, of the statement itself
    under_heading: float  # the same under title and heading; 0 where it was not computed
    words: float  # share of the question's topic words in the statement, weighted by rarity
    reach: float  # the same, with title and headings counted
    score: float


def choose(question: str, sources: Sequence[Source], encoder: Encoder, most: int, today: date) -> list[Statement]:
    """At most `most` statements that answer the question; none if none is good enough.

    The source of the best one comes first; what comes from one source stands in its order.
    """
    question = _spelled(question, sources)
    held = [frozenset(terms(f"{source.text} {source.section} {source.title}")) for source in sources]
    period = tense.asked(question, today)
    question = tense.timeless(question) if period else question
    readings = [
        Reading[Scored](one, held, score(one, sources, encoder, today, period)) for one in parts.questions(question)
    ]
    ranked = [reading.near for reading in readings]
    if not sure(readings, encoder):
        return []
    firsts = [rank[0] for rank in ranked[1:] if rank[0].score >= _PART * ranked[0][0].score]
    chosen = _varied(question, ranked[0], _apart(firsts)[:most], most)
    picked = _together([one.statement for one in chosen], most)
    best = {one.statement.source.number: one.score for one in sorted(chosen, key=lambda one: one.score)}
    return sorted(picked, key=lambda one: (-best[one.source.number], one.place))


def _spelled(question: str, sources: Sequence[Source]) -> str:
    """The question with words that no source knows put right where a source has nearly the same word."""
    known = _vocabulary(tuple(sorted(source.text for source in sources)))

    def right(found: re.Match[str]) -> str:
        word = found[0].lower()
        if word in known:
            return found[0]
        near = get_close_matches(word, [one for one in known if one[0] == word[0]], n=1, cutoff=0.86)
        return near[0] if near else found[0]

    return _LONG_WORD.sub(right, question)


@lru_cache(maxsize=64)
def _vocabulary(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word.lower() for text in texts for word in _LONG_WORD.findall(text))


def score(
    question: str, sources: Sequence[Source], encoder: Encoder, today: date, period: tense.Period | None = None
) -> list[Scored]:
    """The statements worth a look with their scores, best first; of another `period` than today, where one is asked."""
    said = [
        one
        for one in _distinct(sources)
        if period is None or tense.covers(one.text, one.source.effective, period, today)
    ]
    if not said:
        return []
    rank = {source.number: place / max(len(sources) - 1, 1) for place, source in enumerate(sources)}
    rough = sorted(_by_words(question, said), key=lambda one: _roughly(one, rank), reverse=True)[:_POOL]
    asked = encoder.encode([question, reader().plain(question)]).T
    near = encoder.encode([one.statement.text for one in rough], lasting=True)
    scored = [
        replace(one, cosine=float(cosine), score=_weigh(one, float(cosine), rank, question, today))
        for one, cosine in zip(rough, (near @ asked).max(axis=1), strict=True)
    ]
    close = sorted(scored, key=lambda one: one.score, reverse=True)[:_CLOSE_LOOK]
    shown = encoder.encode([headed(one.statement) for one in close], lasting=True)
    looked = [
        replace(one, under_heading=float(cosine), score=one.score + 6.0 * float(cosine) - 2.0 * one.cosine)
        for one, cosine in zip(close, (shown @ asked).max(axis=1), strict=True)
    ]
    return sorted(looked, key=lambda one: one.score, reverse=True)


def headed(one: Statement) -> str:
    """The statement under its title and heading, as the closer look reads it."""
    return f"{one.source.title}. {one.heading or one.source.section}. {one.text}"


def _roughly(one: Scored, rank: dict[int, float]) -> float:
    return one.words + one.reach - 0.6 * rank[one.statement.source.number]


def _by_words(question: str, said: Sequence[Statement]) -> list[Scored]:
    """Each statement with the share of the question's topic words that it holds."""
    asked = frozenset(terms(question))
    owns = [frozenset(terms(one.text)) for one in said]
    reaches = [
        own | frozenset(terms(f"{one.heading} {one.source.section} {one.source.title}"))
        for own, one in zip(owns, said, strict=True)
    ]
    seen = Counter(term for reach in reaches for term in reach & asked)
    rarity = {term: math.log(1 + len(said) / (1 + seen[term])) for term in asked}
    total = sum(rarity.values()) or 1.0
    return [
        Scored(
            statement=one,
            terms=own,
            reached=reach,
            cosine=0.0,
            under_heading=0.0,
            words=sum(rarity[term] for term in own & asked) / total,
            reach=sum(rarity[term] for term in reach & asked) / total,
            score=0.0,
        )
        for one, own, reach in zip(said, owns, reaches, strict=True)
    ]


def _weigh(one: Scored, cosine: float, rank: dict[int, float], question: str, today: date) -> float:
    """The score before the closer look; the weights were fitted to rank answering sentences first."""
    statement = one.statement
    kinds, asked = wanted.kinds(question), frozenset(terms(question))
    answers = any(kind.holds.search(statement.text) for kind in kinds)
    return (
        9.0 * cosine
        + 3.6 * one.words
        + 3.4 * one.reach
        - 1.2 * rank[statement.source.number]
        + ((1.3 if answers else -1.3) if kinds else 0.0)
        - (1.5 if statement.row else 0.0)
        - (2.4 if statement.example else 0.0)
        - (2.5 if statement.source.kind == "marketing" else 0.0)
        + 2.0 * ranges.fit(question, statement.text)
        - (3.0 if tense.elsewhere(statement.text, question, today) else 0.0)
        - (2.0 if statement.text.endswith(("?", ":")) else 0.0)
        - (2.0 if opposites.clash(asked, one.terms) else 0.0)
    )


def _varied(question: str, ranked: Sequence[Scored], chosen: list[Scored], most: int) -> list[Scored]:
    """The best statements that do not repeat each other, those that hold topic words still missing first."""
    asked = frozenset(terms(question))
    new = _NEW if _SEVERAL.search(question) else _NEW / 2
    left = list(ranked)
    while left and len(chosen) < most:
        missing = asked.difference(*(one.reached for one in chosen))
        worth = [one.score + new * len(one.reached & missing) / max(len(asked), 1) for one in left]
        place = worth.index(max(worth))
        if worth[place] < ranked[0].score - _FLOOR:
            break
        chosen = _apart([*chosen, left.pop(place)])
    return chosen


def _apart(scored: Sequence[Scored]) -> list[Scored]:
    """Without those that say hardly more than the ones before them together."""
    kept: list[Scored] = []
    for one in scored:
        said = frozenset[str]().union(*(other.terms for other in kept))
        counted = frozenset[str]().union(*(figures(other.statement.text) for other in kept))
        known = len(one.terms & said) >= 0.7 * len(one.terms) and figures(one.statement.text) <= counted
        if not known:
            kept.append(one)
    return kept


def _together(picked: Sequence[Statement], most: int) -> list[Statement]:
    """Where a statement leans on the one before it, that one comes too, or neither; an example comes whole or not."""
    whole: list[Statement] = []
    for one in picked:
        around = statements(one.source)
        run = [other for other in around if other.block == one.block] if one.example and not one.row else [one]
        while run[0].place and _DEPENDENT.match(run[0].text):
            before = around[run[0].place - 1]
            if before.block != run[0].block:
                break
            run.insert(0, before)
        new = [part for part in run if part not in whole]
        if len(whole) + len(new) <= most:
            whole += new
    return whole


def _distinct(sources: Sequence[Source]) -> list[Statement]:
    """All statements; what overlapping passages repeat is kept once."""
    seen: dict[str, Statement] = {}
    for source in sources:
        for one in statements(source):
            seen.setdefault(re.sub(r"\W+", " ", one.text.lower()), one)
    return list(seen.values())


def figures(text: str) -> frozenset[str]:
    """The numbers of a text as written, without their thousands commas."""
    return frozenset(number.replace(",", "") for number in re.findall(r"\d+(?:[.,]\d+)*", text))
