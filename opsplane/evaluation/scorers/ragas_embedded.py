"""RAGAS's four measures without a language model: the embedded models, and what a case expects, give the verdicts.

Faithfulness takes sentences for claims and the grounding model for the reader; context recall the same for the
reference answer. Answer relevancy takes the answer's own sentences for the questions they answer: a stand-in, lower
than the published measure and only good to compare like with like. Context precision takes the passages of expected
documents for the useful ones. How far they agree with people: `python -m benchmarks.embedded_ragas`.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from opsplane.evaluation.dataset import Case
from opsplane.evaluation.scorers import ragas
from opsplane.evaluation.scorers.ragas import Encode, Name, Support
from opsplane.evaluation.scorers.rule import Found, Rule, digest, named, sentences, written
from opsplane.evaluation.scoring import How, Measure, Score
from opsplane.exchange import Exchange

VERSION = 1
THRESHOLD = 0.5
"""Support from which on a sentence counts as held."""
SENTENCES = 200
"""Sentences that are judged at most."""


@dataclass(frozen=True)
class Threaded:
    """A measure that calculates for some milliseconds: in a thread, so that whoever chats meanwhile does not wait."""

    measure: Measure
    read: Callable[[Case, Exchange], Found | None]

    async def score(self, case: Case, exchange: Exchange) -> Score | None:
        """What the function finds, under the measure's name."""
        return named(self.measure, await asyncio.to_thread(self.read, case, exchange))


@dataclass(frozen=True)
class Held:
    """Faithfulness and context recall by the grounding model; `model` is its name and digest."""

    support: Support
    model: str

    def scorers(self) -> list[Threaded]:
        """Both."""
        return [
            Threaded(_measure(Name.FAITHFULNESS, support=self.model), self.faithfulness),
            Threaded(_measure(Name.RECALL, support=self.model), self.recall),
        ]

    def faithfulness(self, _case: Case, exchange: Exchange) -> Found | None:
        """The share of the model's own sentences that all sources together bear out."""
        said = sentences(written(exchange))
        return self._held(said, exchange) if said else None

    def recall(self, case: Case, exchange: Exchange) -> Found | None:
        """The share of the reference answer's sentences that the sources bear out, or of the expected facts."""
        if case.expect != "answer":
            return None
        if not case.reference:
            return ragas.facts_held(case, exchange)
        return self._held(sentences([case.reference]), exchange)

    def _held(self, said: Sequence[str], exchange: Exchange) -> Found:
        if long := _too_long(said):
            return long
        texts = [one.text for one in exchange.evidence]
        chances = [self.support(one, texts) if texts else 0.0 for one in said]
        verdicts = [one >= THRESHOLD for one in chances]
        failed = [one for one, holds in zip(said, verdicts, strict=True) if not holds]
        why = f"not in the sources: {'; '.join(failed)}"[:500] if failed else ""
        return Found(ragas.share(verdicts), why, {"mean support": round(float(np.mean(chances)), 6)} if said else {})


@dataclass(frozen=True)
class Near:
    """Answer relevancy by sentence vectors; `encoder` is the name of their model."""

    encode: Encode
    encoder: str

    def scorer(self) -> Threaded:
        """The scorer."""
        return Threaded(_measure(Name.RELEVANCY, encoder=self.encoder), self.relevancy)

    def relevancy(self, case: Case, exchange: Exchange) -> Found | None:
        """The mean cosine of the question and the answer's sentences; 0 where an answerable one was turned away."""
        if ragas.turned_away(case, exchange):
            return ragas.EVASIVE
        said = sentences(written(exchange))
        if case.expect != "answer" or not said:
            return None
        if long := _too_long(said):
            return long
        vectors = np.asarray(self.encode([exchange.standalone or exchange.question, *said]))
        return Found(round(ragas.relevancy(vectors[0], vectors[1:]), 6))


def precision_scorer(tools: frozenset[str] = frozenset()) -> Rule:
    """Context precision by the expected documents; `tools` are names of account tools, whose results have no rank."""

    def precision(case: Case, exchange: Exchange) -> Found | None:
        wanted = set(case.documents) - tools - {one.tool for one in exchange.tools}
        if case.expect != "answer" or not wanted:
            return None
        value = ragas.precision([one.document in wanted for one in ragas.passages(exchange)])
        return None if value is None else Found(value, "" if value else "no passage of an expected document")

    return Rule(_measure(Name.PRECISION), precision)


def _too_long(said: Sequence[str]) -> Found | None:
    if len(said) > SENTENCES:
        return Found(None, f"more than {SENTENCES} sentences")
    if sum(map(len, said)) > ragas.LONGEST:
        return Found(None, f"longer than {ragas.LONGEST:,} characters")
    return None


def _measure(name: Name, **parts: str) -> Measure:
    told = digest(name, VERSION, form="embedded", **parts)
    unit = "none" if name is Name.RELEVANCY else "share"
    return Measure(name=name, words=ragas.WORDS[name], how=How.EMBEDDED, digest=told, unit=unit)
