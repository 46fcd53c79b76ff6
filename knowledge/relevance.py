"""How good a ranking is, by judgements of what is relevant: pure functions, each with its formula's source.

Names are ranked best first, each once. `judged` maps names to grades; a name that is not in it, or whose grade is not
above 0, is not relevant. All measures lie in [0, 1]; where nothing is relevant they raise `ValueError`, since a
question without an answer is to be left out of a mean and not to count as a failure.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import log2

Judged = Mapping[str, float]


def ndcg(ranked: Sequence[str], judged: Judged, at: int = 10) -> float:
    """Normalised discounted cumulative gain of the first `at`, gain being the grade, as trec_eval and BEIR count it.

    DCG = Σ grade(i) / log2(i + 1) over ranks i from 1 on, divided by that of the best possible ranking. Järvelin,
    Kekäläinen (2002), "Cumulated gain-based evaluation of IR techniques".
    """
    best = _gain(sorted(_relevant(judged).values(), reverse=True)[:at])
    return _gain(judged.get(name, 0.0) for name in _once(ranked)[:at]) / best


def recall(ranked: Sequence[str], judged: Judged, at: int = 5) -> float:
    """The share of what is relevant that is among the first `at`. Manning, Raghavan, Schütze (2008), chapter 8."""
    relevant = _relevant(judged)
    return len(relevant.keys() & set(_once(ranked)[:at])) / len(relevant)


def reciprocal_rank(ranked: Sequence[str], judged: Judged, at: int = 10) -> float:
    """One over the rank of the first relevant name among the first `at`, 0 where there is none; its mean is MRR.

    Voorhees (1999), "The TREC-8 Question Answering Track Report".
    """
    relevant = _relevant(judged)
    return next((1 / rank for rank, name in enumerate(_once(ranked)[:at], 1) if name in relevant), 0.0)


def average_precision(ranked: Sequence[str], judged: Judged, at: int | None = None) -> float:
    """The mean, over all that is relevant, of the precision at its rank, 0 where it is not found; its mean is MAP.

    With `at` only so many are looked at, and no more than that can be found. Buckley, Voorhees (2000), "Evaluating
    evaluation measure stability".
    """
    relevant = _relevant(judged)
    found, total = 0, 0.0
    for rank, name in enumerate(_once(ranked)[:at], 1):
        if name in relevant:
            found += 1
            total += found / rank
    return total / (len(relevant) if at is None else min(len(relevant), at))


def _relevant(judged: Judged) -> dict[str, float]:
    relevant = {name: grade for name, grade in judged.items() if grade > 0}
    if not relevant:
        raise ValueError("Nothing is judged relevant.")
    return relevant


def _gain(grades: Iterable[float]) -> float:
    return sum(max(grade, 0.0) / log2(rank + 1) for rank, grade in enumerate(grades, 1))


def _once(ranked: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(ranked))
