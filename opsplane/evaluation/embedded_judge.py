"""The judge where no language model may be asked: a rubric of measures, by the grounding checks and embeddings.

What it can tell: whether sources bear out each sentence, whether an answer is about its question, whether what a case
asks for is in it, and whether it is short and plain. What it cannot: whether a true answer about the topic is the right
one, and, without a case, whether it was right not to answer; that stays unscored. Its grounding checks are those that
the turn itself used, so that what slips through them slips through it too. Deterministic.

The four criteria are called as people's are. Each is in [0, 1], and the score is their mean by `WEIGHTS`:

- accuracy: half the mean, half the lowest of how surely each sentence is borne out by what it cites (nothing cited: 0);
  0 where the case forbids a statement;
- relevance: half whether it is about the question (the share of the question's words that answer and headings of its
  sources hold, and how near the nearest sentence is), half whether about nothing else (how near its sentences are, on
  average); nearness is the cosine with the question, by `_NEAR`;
- completeness, only with a case that says something of it: the mean of the share of expected facts, and of the share of
  the reference's words and figures that the answer holds;
- clarity: the mean of length (from `_LONG` words on less), reading ease (from `_EASE` points on full) and the share of
  sentences that do not hedge.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from opsplane.evaluation.dataset import Case
from opsplane.evaluation.evaluate import TURNED_AWAY, states
from opsplane.evaluation.judge import MEASURE, named, unscored, weighted
from opsplane.evaluation.matter import Matter
from opsplane.evaluation.ruling import Reason, Unusable
from opsplane.evaluation.scorers import readability
from opsplane.evaluation.scoring import How, Score
from opsplane.evidence import Evidence, Sentence
from opsplane.exchange import Outcome
from opsplane.guardrails import figures, wording

VERSION = 1
"""Of the measures below: another one is another judge."""
WEIGHTS = {"accuracy": 3.0, "relevance": 2.0, "completeness": 2.0, "clarity": 1.0}

_NEAR = (0.1, 0.7)  # cosines that count nothing and all
_LONG = (120, 300)  # words that are not long yet, and that count nothing
_EASE = (0.0, 50.0)  # points of reading ease likewise
_SENTENCES, _CHARACTERS = 40, 2_000  # that are read
_HEDGE = re.compile(
    r"\b(?:i (?:think|guess|believe|assume|suppose)|maybe|perhaps|probably|presumably|possibly|it seems|i am not sure|"
    r"i'm not sure|as far as i know|should be around|might be)\b",
    re.IGNORECASE,
)

Bears = Callable[[str, Sequence[Evidence]], float]
"""How surely, in [0, 1], sources bear out a sentence; look-alike characters are folded already."""
Encode = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to unit vectors, shape (len(texts), dimensions)."""


class EmbeddedJudge:
    """Grades without a language model. `bears` and `encode` may be called from several threads at once."""

    how = How.EMBEDDED
    words = "Judge: by the embedded rubric, no language model"

    def __init__(self, bears: Bears, encode: Encode, model: str, rests_on: str) -> None:
        """`model` names the embedding model, `rests_on` is the digest of the grounding model's weights."""
        self._bears, self._encode = bears, encode
        self.identity = named("embedded", model, [VERSION, model, rests_on, WEIGHTS])

    async def grade(self, matter: Matter) -> Score:
        """A score with its criteria; unscored where only a case could tell, and there is none."""
        if matter.empty:
            return unscored(Unusable(Reason.EMPTY, "there is no answer to judge"))
        if matter.outcome is not Outcome.ANSWERED or (matter.case and matter.case.expect == "decline"):
            return _ended(matter)
        part = await asyncio.to_thread(self._part, matter)
        low = min(part, key=lambda name: part[name])
        why = "" if part[low] >= 1 else f"lowest in {low}; by the embedded rubric, no language model"
        return Score(scorer=MEASURE, value=weighted(part, WEIGHTS), why=why, part=part)

    def _part(self, matter: Matter) -> dict[str, float]:
        own = [one for one in matter.sentences if one.text not in matter.fixed][:_SENTENCES]
        found = {"accuracy": self._accuracy(own, matter), "relevance": self._relevance(own, matter)}
        said = list(_completeness(matter.answer, matter.case)) if matter.case else []
        if said:
            found["completeness"] = fmean(said)
        found["clarity"] = _clarity([one.text for one in own])
        return {name: round(value, 4) for name, value in found.items()}

    def _accuracy(self, own: Sequence[Sentence], matter: Matter) -> float:
        if matter.case and any(states(matter.answer, one) for one in matter.case.forbidden):
            return 0.0
        borne = [self._bears(wording.plain(one.text[:_CHARACTERS]), matter.cited(one)) for one in own]
        return (fmean(borne) + min(borne)) / 2 if borne else 0.0

    def _relevance(self, own: Sequence[Sentence], matter: Matter) -> float:
        texts = [one.text[:_CHARACTERS] for one in own if one.text.strip()]
        if not texts:
            return 0.0
        question = matter.question[:_CHARACTERS]
        asked = wording.stems(question)
        headings = " ".join(f"{one.title} {one.section}" for sentence in own for one in matter.cited(sentence))
        held = asked & wording.stems(f"{' '.join(texts)} {headings}")
        vectors = self._encode([question, *texts])
        near = [_scaled(float(cosine), *_NEAR) for cosine in vectors[1:] @ vectors[0]]
        about = fmean([len(held) / len(asked), max(near)]) if asked else max(near)
        return (about + fmean(near)) / 2


def _ended(matter: Matter) -> Score:
    """A question that was turned away or met by a fixed reply, or should have been: only the case can tell."""
    case = matter.case
    if case is None:
        return unscored(Unusable(Reason.NO_CASE, f"{matter.outcome.value}; whether that was right takes a case"))
    if case.expect == "decline":
        value = float(matter.outcome in TURNED_AWAY)
        return Score(scorer=MEASURE, value=value, why="" if value else "it should have been turned away")
    if matter.outcome in TURNED_AWAY:
        return Score(scorer=MEASURE, value=0.0, why="it should have been answered")
    held = [float(states(matter.answer, fact)) for fact in case.facts] or [float(not case.documents)]
    return Score(scorer=MEASURE, value=round(fmean(held), 6), why="a fixed reply")


def _completeness(answer: str, case: Case) -> Iterator[float]:
    if case.facts:
        yield fmean(states(answer, fact) for fact in case.facts)
    if case.reference:
        stems, numbers = wording.stems(case.reference), {one.value for one in figures.read(case.reference)}
        held = len(stems & wording.stems(answer)) + len(numbers & {one.value for one in figures.read(answer)})
        if stems or numbers:
            yield held / (len(stems) + len(numbers))


def _clarity(texts: Sequence[str]) -> float:
    counts = readability.counted(texts)
    if counts is None:
        return 0.0
    hedged = sum(bool(_HEDGE.search(one)) for one in texts) / len(texts)
    return fmean([1 - _scaled(counts.words, *_LONG), _scaled(counts.ease, *_EASE), 1 - hedged])


def _scaled(value: float, zero: float, full: float) -> float:
    """The value's place between two others, in [0, 1]."""
    return min(1.0, max(0.0, (value - zero) / (full - zero)))
