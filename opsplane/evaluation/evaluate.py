"""A case held against its answer: the facts, figures, citations and declines that a right one has."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from opsplane.evaluation.dataset import Case, Dataset
from opsplane.exchange import Exchange, Outcome

Ask = Callable[[str, str, str], Awaitable[Exchange]]
"""Sign-in name, conversation and text in; a finished exchange out."""

TURNED_AWAY = frozenset({Outcome.DECLINED, Outcome.ABSTAINED})
SPOKEN = frozenset({Outcome.ANSWERED, Outcome.REPLIED})
_FIGURE = re.compile(
    r"(?P<sign>[$€£¥]\s?)?(?P<number>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?)"
    r"(?:[\s-]?(?P<unit>%|(?:percent|per cent|dollars?|usd|bucks)\b))?"
)
_SHARED = (
    (re.compile(r"([$€£¥])(\d[\d,.]*\s?(?:[-–—]|to)\s?)(?=\d)"), r"\1\2\1"),  # $5 to 10
    (re.compile(r"(\d)(\s?(?:[-–—]|to)\s?\d[\d,.]{0,20}(?:%| percent\b))"), r"\1%\2"),  # 3–5%
)
"""Ranges that name their unit once."""


@dataclass(frozen=True)
class Result:
    """One case and what the turn made of it."""

    case: Case
    exchange: Exchange
    missing: tuple[str, ...]  # expected facts that are not in the answer
    stated: tuple[str, ...]  # forbidden statements that are
    unsupported: tuple[str, ...]  # figures that do not stand in what their sentence cites
    cited: bool  # one of the expected documents
    passed: bool


async def evaluate(dataset: Dataset, ask: Ask, progress: Callable[[str, int, int], None]) -> list[Result]:
    """Ask every case in a conversation of its own, earlier questions first."""
    results = []
    for number, case in enumerate(dataset.cases, start=1):
        for earlier in case.history:
            await ask(case.as_, f"case-{case.id}", earlier)
        results.append(score(case, await ask(case.as_, f"case-{case.id}", case.question)))
        progress("Questions", number, len(dataset.cases))
    return results


def score(case: Case, exchange: Exchange) -> Result:
    """Hold an exchange against its case. Pure."""
    answer = _flat(exchange.answer)
    missing = tuple(told(fact) for fact in case.facts if not _stated(answer, fact))
    stated = tuple(one for one in case.forbidden if _stands(_flat(one), answer))
    unsupported = _unsupported(exchange)
    cited_documents = {one.document for one in exchange.evidence if one.number in _cites(exchange)}
    cited = not case.documents or bool(cited_documents & set(case.documents))
    if case.expect == "decline":
        passed = exchange.outcome in TURNED_AWAY
    else:
        passed = exchange.outcome in SPOKEN and not missing and cited
    return Result(case, exchange, missing, stated, unsupported, cited, passed and not stated and not unsupported)


def states(text: str, fact: str | tuple[str, ...]) -> bool:
    """Whether a text states a fact, in one of its accepted alternatives."""
    return _stated(_flat(text), fact)


def told(fact: str | tuple[str, ...]) -> str:
    """A fact as people read it: its accepted alternatives."""
    return fact if isinstance(fact, str) else " or ".join(fact)


def _stated(flat: str, fact: str | tuple[str, ...]) -> bool:
    alternatives = (fact,) if isinstance(fact, str) else fact
    return any(_stands(_flat(one), flat) for one in alternatives)


def _cites(exchange: Exchange) -> set[int]:
    return {number for sentence in exchange.sentences for number in sentence.cites}


def _unsupported(exchange: Exchange) -> tuple[str, ...]:
    """Figures of an answer that do not stand, as a whole and with their unit, in what their own sentence cites.

    A sentence that cites nothing is held against all evidence. What was worked out stands nowhere. Fixed replies have
    no sources and are not looked at.
    """
    if exchange.outcome is not Outcome.ANSWERED:
        return ()
    found: dict[str, None] = {}
    for sentence in exchange.sentences:
        sources = [one for one in exchange.evidence if not sentence.cites or one.number in sentence.cites]
        held = _figures(_shared(" ".join(f"{one.title} {one.section} {one.text}" for one in sources)))
        known = {(number, unit) for _, number, unit in held} | {(number, "") for _, number, _ in held}
        found |= {text: None for text, *figure in _figures(sentence.text) if tuple(figure) not in known}
    return tuple(found)


def _figures(text: str) -> list[tuple[str, str, str]]:
    """Every figure as written, its number without commas and closing zeros, and its unit: money, % or none."""
    return [(one.group(), _number(one["number"]), _unit(one)) for one in _FIGURE.finditer(_flat(text))]


def _number(written: str) -> str:
    plain = written.replace(",", "")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _unit(figure: re.Match[str]) -> str:
    if figure["sign"]:
        return figure["sign"].strip()
    named = figure["unit"] or ""
    return "%" if named[:3] in ("%", "per") else "$" if named else ""


def _shared(text: str) -> str:
    for pattern, whole in _SHARED:
        text = pattern.sub(whole, text)
    return text


def _stands(words: str, text: str) -> bool:
    """Whether `words` stand in `text` as a whole: $2 does not stand in $29."""
    return re.search(rf"(?<!\d)(?<!\d[.,]){re.escape(words)}(?!\d|[.,]\d)", text) is not None


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("’", "'").replace("\u00a0", " ")).lower()
