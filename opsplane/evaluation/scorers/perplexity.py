"""How surprised the model was by its own answer: perplexity, where it reports the probabilities of its tokens."""

import math
from collections.abc import Callable, Sequence

from opsplane.evaluation.dataset import Case
from opsplane.evaluation.scorers.rule import Found, Rule, digest
from opsplane.evaluation.scoring import Better, How, Measure
from opsplane.exchange import Exchange

Reported = Callable[[Exchange], Sequence[float] | None]
"""The natural logarithms of the probabilities of an answer's tokens, as far as its model told them."""
MEASURE = Measure(
    name="perplexity",
    words="Perplexity of the answers, by the model that wrote them",
    how=How.MODEL,
    digest=digest("perplexity", 1),
    better=Better.LOWER,
    unit="none",
)


def perplexity(logprobs: Sequence[float] | None) -> float | None:
    """exp of the mean negative log-probability (Jelinek et al. 1977), at least 1; None without any, or a wrong one."""
    if not logprobs or any(math.isnan(one) or one > 0 for one in logprobs):
        return None
    mean = -math.fsum(logprobs) / len(logprobs)
    return math.exp(mean) if mean < 700 else None


def scorer(reported: Reported) -> Rule:
    """Scores the answers of models that report log-probabilities, and says nothing about the others."""

    def read(_case: Case, exchange: Exchange) -> Found | None:
        told = reported(exchange)
        if told is None:
            return None
        value = perplexity(told)
        return Found(value, "" if value is not None else "what the model reported has no perplexity")

    return Rule(MEASURE, read)
