"""How much of what the model wrote stood up to the checks of the turn."""

from opsplane.evaluation.dataset import Case
from opsplane.evaluation.scorers.rule import Found, Rule, digest
from opsplane.evaluation.scoring import How, Measure
from opsplane.exchange import Exchange

MEASURE = Measure(
    name="grounded",
    words="The model's sentences that passed the checks, of all that it wrote",
    how=How.RULE,
    digest=digest("grounded", 1),
)


def grounded(_case: Case, exchange: Exchange) -> Found | None:
    """The share of sentences that were shown of all that were written; fixed replies cite nothing and do not count."""
    passed = sum(bool(one.cites) for one in exchange.sentences)
    total = passed + len(exchange.withheld)
    if not total:
        return None
    return Found(passed / total, f"{total - passed} of {total} sentences withheld" if total > passed else "")


def scorer() -> Rule:
    """The scorer."""
    return Rule(MEASURE, grounded)
