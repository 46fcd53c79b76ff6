"""Questions with judgements of what is relevant to them, asked of a library, and how good its rankings are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter, process_time

import numpy as np
from numpy.typing import NDArray

from knowledge.library import Library, Reader
from knowledge.rank import SearchPlan
from knowledge.relevance import average_precision, ndcg, recall, reciprocal_rank

DEPTH = 50
"""Passages that are ranked for a question; a document is where its best passage is."""
_NOTHING = 2.0  # no cosine is as high: of documents that say the same each has its own place
RESAMPLES = 4_000
_AT_ONCE = 4_000_000  # draws in memory

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Question:
    """A question and the grade of each document that was judged; above 0 it is relevant."""

    id: str
    text: str
    judged: Mapping[str, float]


@dataclass(frozen=True)
class Ranking:
    """What a search made of a question: the document of every passage, best first, with the passage's score; the
    milliseconds of processor time and of the clock that a search took, where that was measured."""

    question: Question
    passages: tuple[tuple[str, float], ...]
    cpu: float = 0.0
    clock: float = 0.0

    @property
    def documents(self) -> list[str]:
        """The documents, best first."""
        return list(dict.fromkeys(name for name, _ in self.passages))


Measure = Callable[[Ranking], float]

MEASURES: Mapping[str, Measure] = {
    "nDCG@10": lambda one: ndcg(one.documents, one.question.judged, 10),
    "recall@5": lambda one: recall(one.documents, one.question.judged, 5),
    "recall@10": lambda one: recall(one.documents, one.question.judged, 10),
    "MRR@10": lambda one: reciprocal_rank(one.documents, one.question.judged, 10),
    "MAP": lambda one: average_precision(one.documents, one.question.judged),
}
"""By name; MAP looks at what `DEPTH` passages hold."""


@dataclass(frozen=True)
class Mean:
    """A mean over questions with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def questions(texts: Mapping[str, str], judgements: Mapping[str, Mapping[str, float]]) -> list[Question]:
    """The questions for which something is judged relevant, in the order of `texts`; no other can be measured."""
    found = (Question(name, text, judgements.get(name, {})) for name, text in texts.items())
    return [one for one in found if any(grade > 0 for grade in one.judged.values())]


@dataclass(frozen=True)
class Asking:
    """How questions are put: to which index, for whom, by which plan.

    `names` gives a document's name in the judgements by its id in the library; one that it does not have keeps its id.
    """

    library: Library
    reader: Reader
    index: str
    names: Mapping[str, str]

    def rank(self, question: Question, plan: SearchPlan, *, timed: bool = False) -> Ranking:
        """What the library finds, `DEPTH` passages deep whatever the plan says; the time is that of the plan itself."""
        cpu, clock = self._time(question.text, plan) if timed else (0.0, 0.0)
        deep = plan.model_copy(update={"passages": DEPTH, "alike": _NOTHING})
        found = self.library.search(question.text, self.reader, deep, index=self.index)
        hits = ((hit.chunk.document_id, hit.score) for hit in found.hits)
        return Ranking(question, tuple((self.names.get(name, name), score) for name, score in hits), cpu, clock)

    def _time(self, text: str, plan: SearchPlan) -> tuple[float, float]:
        clock, cpu = perf_counter(), process_time()
        self.library.search(text, self.reader, plan, index=self.index)
        return 1000 * (process_time() - cpu), 1000 * (perf_counter() - clock)


def mean(values: Sequence[float] | Floats, seed: int = 0) -> Mean:
    """A mean with its percentile bootstrap interval over the values (at least one). Equal seeds, equal intervals.

    Efron, Tibshirani (1993), "An Introduction to the Bootstrap", chapter 13. Of differences on the same questions it
    is the paired one.
    """
    given = np.asarray(values, np.float64)
    draw = np.random.default_rng(seed)
    means: list[Floats] = []
    left, step = RESAMPLES, max(1, _AT_ONCE // len(given))
    while left > 0:
        rows = min(step, left)
        means.append(given[draw.integers(0, len(given), (rows, len(given)))].mean(axis=1))
        left -= rows
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return Mean(float(given.mean()), float(low), float(high))
