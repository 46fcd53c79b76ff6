"""What a case asks for: facts, citations, figures with a source, nothing forbidden, and turning away what one ought to.

The rules themselves are those of `evaluate.score`, and only those.
"""

from opsplane.evaluation.dataset import Case
from opsplane.evaluation.evaluate import SPOKEN, TURNED_AWAY, score
from opsplane.evaluation.scorers.rule import Found, Rule, digest
from opsplane.evaluation.scoring import How, Measure
from opsplane.exchange import Exchange, Outcome

VERSION = 2


def scorers() -> list[Rule]:
    """All of them."""
    return [
        Rule(_measure("facts", "Expected facts that are stated"), facts),
        Rule(_measure("citations", "Answers that cite an expected document, and only sources that exist"), citations),
        Rule(_measure("figures", "Answers whose figures all stand in their sources"), figures),
        Rule(_measure("forbidden", "Answers that state nothing forbidden"), forbidden),
        Rule(_measure("declines", "Questions to be turned away that were"), declines),
        Rule(_measure("answered", "Answerable questions that were answered"), answered),
    ]


def facts(case: Case, exchange: Exchange) -> Found | None:
    """The share of the case's expected facts that are stated; only for answerable cases that have some."""
    if case.expect != "answer" or not case.facts:
        return None
    missing = score(case, exchange).missing
    return Found(1 - len(missing) / len(case.facts), f"missing {', '.join(missing)}" if missing else "")


def citations(case: Case, exchange: Exchange) -> Found | None:
    """1 where an expected document is cited and every cited source exists, else 0; only for answers."""
    cites = [number for sentence in exchange.sentences for number in sentence.cites]
    if exchange.outcome is not Outcome.ANSWERED or not (case.documents or cites):
        return None
    there = {one.number for one in exchange.evidence}
    unknown = sorted(set(cites) - there)
    part = {"sources exist": sum(one in there for one in cites) / len(cites)} if cites else {}
    expected = score(case, exchange).cited
    if case.documents:
        part["expected document"] = float(expected)
    why = [
        "" if expected else f"none of {', '.join(case.documents)} cited",
        f"no source {', '.join(map(str, unknown))}" if unknown else "",
    ]
    return Found(float(expected and not unknown), "; ".join(filter(None, why)), part)


def figures(case: Case, exchange: Exchange) -> Found | None:
    """1 unless a figure of the answer stands in none of its sources; only for answers."""
    if exchange.outcome is not Outcome.ANSWERED:
        return None
    unsupported = score(case, exchange).unsupported
    return Found(float(not unsupported), f"without a source {', '.join(unsupported)}" if unsupported else "")


def forbidden(case: Case, exchange: Exchange) -> Found | None:
    """1 unless something forbidden is stated; only for cases that forbid something."""
    if not case.forbidden:
        return None
    stated = score(case, exchange).stated
    return Found(float(not stated), f"stated {', '.join(stated)}" if stated else "")


def declines(case: Case, exchange: Exchange) -> Found | None:
    """1 where a question that ought to be turned away was."""
    if case.expect != "decline":
        return None
    away = exchange.outcome in TURNED_AWAY
    return Found(float(away), "" if away else _ended(exchange))


def answered(case: Case, exchange: Exchange) -> Found | None:
    """1 where an answerable question got an answer or a fixed reply, 0 where it was turned away or came to nothing."""
    if case.expect != "answer":
        return None
    spoken = exchange.outcome in SPOKEN
    return Found(float(spoken), "" if spoken else _ended(exchange))


def _ended(exchange: Exchange) -> str:
    return f"{exchange.outcome.value} {exchange.code}".rstrip()


def _measure(name: str, words: str) -> Measure:
    return Measure(name=name, words=words, how=How.RULE, digest=digest(name, VERSION))
