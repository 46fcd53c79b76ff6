"""What an answer took: time until it stood there, time until its first sentence, money."""

from opsplane.evaluation.dataset import Case
from opsplane.evaluation.scorers.rule import Found, Rule, digest
from opsplane.evaluation.scoring import Better, How, Measure
from opsplane.exchange import Exchange


def scorers() -> list[Rule]:
    """All of them."""
    return [
        Rule(_measure("latency", "Milliseconds until the whole answer", How.CLOCK, "ms"), latency),
        Rule(_measure("first_sentence", "Milliseconds until the first sentence", How.CLOCK, "ms"), first_sentence),
        Rule(_measure("cost", "Micro-dollars an exchange", How.RULE, "micros"), cost),
    ]


def latency(_case: Case, exchange: Exchange) -> Found:
    """Milliseconds from the question to the end of the turn."""
    return Found(float(exchange.total_ms))


def first_sentence(_case: Case, exchange: Exchange) -> Found | None:
    """Milliseconds from the question to the first sentence; None where nothing was said."""
    told = exchange.first_sentence_ms
    return None if told is None else Found(float(told))


def cost(_case: Case, exchange: Exchange) -> Found:
    """What every model call of the turn cost, in micro-dollars."""
    return Found(float(exchange.cost_micros))


def _measure(name: str, words: str, how: How, unit: str) -> Measure:
    return Measure(name=name, words=words, how=how, digest=digest(name, 1), better=Better.LOWER, unit=unit)
