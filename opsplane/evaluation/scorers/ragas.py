"""RAGAS's four measures as they were published: what is counted, whoever gives the verdicts.

Es, James, Espinosa-Anke and Schockaert (2023), "RAGAS: Automated Evaluation of Retrieval Augmented Generation", arXiv
2309.15217, section 3, for faithfulness and answer relevancy; the documentation of RAGAS for context precision and
context recall, which came later. `ragas_model` takes the verdicts of a language model, `ragas_embedded` those of the
embedded models; a report says which.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from opsplane.evaluation.dataset import Case
from opsplane.evaluation.evaluate import TURNED_AWAY, score
from opsplane.evaluation.scorers.rule import Found
from opsplane.evidence import Evidence, Origin, Sentence
from opsplane.exchange import Exchange

Support = Callable[[str, Sequence[str]], float]
"""How probably texts bear out the whole of a sentence, in [0, 1]."""
Encode = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to vectors, shape (texts, dimensions)."""


class Name(StrEnum):
    """The four."""

    FAITHFULNESS = "faithfulness"
    RELEVANCY = "answer_relevancy"
    PRECISION = "context_precision"
    RECALL = "context_recall"


WORDS = {
    Name.FAITHFULNESS: "Claims of the answer that follow from its sources",
    Name.RELEVANCY: "How near the question is to what the answer answers",
    Name.PRECISION: "Useful passages before useless ones",
    Name.RECALL: "Claims of the right answer that the sources hold",
}
LONGEST = 20_000
"""Characters of an answer that is read for faithfulness; a longer one is unscored."""
EVASIVE = Found(0.0, "turned away")
"""The relevancy of an answer that gives no information."""


def share(verdicts: Sequence[bool]) -> float | None:
    """Faithfulness |V| / |S| and context recall: claims that hold, of all; None without a claim."""
    return sum(verdicts) / len(verdicts) if verdicts else None


def precision(useful: Sequence[bool]) -> float | None:
    """Context precision: the mean over the useful places k of the share of useful passages among the first k.

    0 where none is useful, None without a passage.
    """
    if not useful:
        return None
    at = [sum(useful[:place]) / place for place, one in enumerate(useful, start=1) if one]
    return sum(at) / len(at) if at else 0.0


def relevancy(question: NDArray[np.float32], others: NDArray[np.float32]) -> float:
    """The mean cosine of the question, shape (d,), and each of the others, shape (n, d); in [-1, 1], null vectors 0."""
    lengths = np.linalg.norm(others, axis=1) * np.linalg.norm(question)
    cosines = np.divide(others @ question, lengths, out=np.zeros(len(others), np.float32), where=lengths > 0)
    return float(np.clip(cosines.mean(dtype=np.float64), -1, 1))


def passages(exchange: Exchange) -> tuple[Evidence, ...]:
    """What was retrieved, in the order of retrieval; what account tools returned has no rank."""
    found = [one for one in exchange.evidence if one.origin is Origin.PASSAGE]
    return tuple(sorted(found, key=lambda one: one.number))


def turned_away(case: Case, exchange: Exchange) -> bool:
    """Whether an answerable question got no answer."""
    return case.expect == "answer" and exchange.outcome in TURNED_AWAY


def expected(case: Case) -> str:
    """The right answer as far as the case tells it: the reference, else its facts, the first wording of each."""
    facts = (one if isinstance(one, str) else one[0] for one in case.facts)
    return case.reference or "\n".join(facts)


def facts_held(case: Case, exchange: Exchange) -> Found | None:
    """The share of the expected facts that stand in the sources: recall where there is no reference answer.

    A fact is a claim already, and the rule that looks for it in an answer finds it in a source as well.
    """
    if not case.facts:
        return None
    held = tuple(Sentence(text=f"{one.title}. {one.section}. {one.text}") for one in exchange.evidence)
    missing = score(case, exchange.model_copy(update={"sentences": held})).missing
    value = 1 - len(missing) / len(case.facts)
    return Found(value, f"not in the sources: {', '.join(missing)}" if missing else "", {"facts": value})
