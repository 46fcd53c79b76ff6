"""Running a dataset through the turn and counting what came of it."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import quantiles

from opsplane.evaluation.dataset import Case, Dataset
from opsplane.exchange import Exchange, Outcome

Ask = Callable[[str, str, str], Awaitable[Exchange]]
"""Sign-in name, conversation and text in; a finished exchange out."""

TURNED_AWAY = frozenset({Outcome.DECLINED, Outcome.ABSTAINED})
SPOKEN = frozenset({Outcome.ANSWERED, Outcome.REPLIED})
_FIGURE = re.compile(r"\$?\d[\d,]*(?:\.\d+)?%?")


@dataclass(frozen=True)
class Result:
    """One case and what the turn made of it."""

    case: Case
    exchange: Exchange
    missing: tuple[str, ...]  # expected facts that are not in the answer
    stated: tuple[str, ...]  # forbidden statements that are
    unsupported: tuple[str, ...]  # figures that stand in no cited source
    cited: bool  # one of the expected documents
    passed: bool


@dataclass(frozen=True)
class Count:
    """How many of how many."""

    right: int
    of: int

    @property
    def share(self) -> float:
        """The share in [0, 1]; 1 where there was nothing to count."""
        return self.right / self.of if self.of else 1.0


@dataclass(frozen=True)
class Report:
    """What a run came to."""

    release: str
    results: tuple[Result, ...]

    @property
    def facts(self) -> Count:
        """Answerable cases whose expected facts are all in the answer."""
        counted = [one for one in self.results if one.case.expect == "answer" and one.case.facts]
        return Count(sum(not one.missing for one in counted), len(counted))

    @property
    def cited(self) -> Count:
        """Answered cases that cite one of the expected documents."""
        counted = [one for one in self.results if one.case.documents and one.exchange.outcome is Outcome.ANSWERED]
        return Count(sum(one.cited for one in counted), len(counted))

    @property
    def declined(self) -> Count:
        """Cases to be turned away that were."""
        counted = [one for one in self.results if one.case.expect == "decline"]
        return Count(sum(one.exchange.outcome in TURNED_AWAY for one in counted), len(counted))

    @property
    def wrong(self) -> int:
        """Forbidden statements and figures without a source, over all answers."""
        return sum(len(one.stated) + len(one.unsupported) for one in self.results)

    def by_kind(self) -> dict[str, Count]:
        """Cases passed, by kind."""
        kinds = dict.fromkeys(one.case.kind for one in self.results)
        return {
            kind: Count(
                sum(one.passed for one in self.results if one.case.kind == kind),
                sum(one.case.kind == kind for one in self.results),
            )
            for kind in kinds
        }

    def latency(self) -> tuple[float, float]:
        """Median and 99th percentile of whole turns, milliseconds."""
        times = [one.exchange.total_ms for one in self.results]
        cuts = quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 99
        return cuts[49], cuts[98]


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
    missing = tuple(str(fact) for fact in case.facts if not _stated(answer, fact))
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


def _stated(flat: str, fact: str | tuple[str, ...]) -> bool:
    alternatives = (fact,) if isinstance(fact, str) else fact
    return any(_stands(_flat(one), flat) for one in alternatives)


def _cites(exchange: Exchange) -> set[int]:
    return {number for sentence in exchange.sentences for number in sentence.cites}


def _unsupported(exchange: Exchange) -> tuple[str, ...]:
    """Figures of an answer that stand in none of its sources; fixed replies have no sources and are not looked at."""
    if exchange.outcome is not Outcome.ANSWERED:
        return ()
    sources = _flat(" ".join(f"{one.title} {one.section} {one.text}" for one in exchange.evidence))
    return tuple(one for one in _FIGURE.findall(_flat(exchange.answer)) if one.strip("$%") not in sources)


def _stands(words: str, text: str) -> bool:
    """Whether `words` stand in `text` as a whole: $2 does not stand in $29."""
    return re.search(rf"(?<!\d)(?<!\d[.,]){re.escape(words)}(?!\d|[.,]\d)", text) is not None


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("’", "'").replace("\u00a0", " ")).lower()
