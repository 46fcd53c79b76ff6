"""What a run will cost, roughly, before anything is asked: a token is taken as four characters."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from opsplane.evaluation import rubric
from opsplane.evaluation.judge import MEASURE
from opsplane.evaluation.scorers.ragas import Name
from opsplane.exchange import Exchange
from opsplane.release import Release, Scalar
from opsplane.spend import Prices, Usage

_TOKEN, _PASSAGE, _QUESTION, _SENTENCE = 4, 1_500, 200, 120  # characters
_PROMPT, _REPLY = 900, 400  # characters of what a reader of RAGAS's measures is told, and of what a judge replies
_CALLS = {MEASURE: 1, Name.FAITHFULNESS: 2, Name.RELEVANCY: 1, Name.PRECISION: 1, Name.RECALL: 1}


@dataclass(frozen=True)
class Estimate:
    """How many questions will be asked, for how many micro-dollars about, and by which models without a price."""

    asked: int
    micros: int
    unpriced: tuple[str, ...] = ()


@dataclass(frozen=True)
class Language:
    """The language models that judge, by name; the first of them reads for RAGAS's measures too."""

    names: tuple[str, ...] = ()
    region: str = ""


def region(settings: Mapping[str, Scalar]) -> str:
    """Where a model is asked, as the price table knows it; empty where that is not said."""
    return str(settings.get("location", settings.get("region", "")))


def answers(prices: Prices, release: Release, questions: int) -> int:
    """Micro-dollars for so many answers: a prompt holds the release's words and as many passages as it retrieves."""
    told = len(release.prompt.system) + sum(len(one.question) + len(one.answer) for one in release.prompt.examples)
    model = release.models.flash
    usage = _usage(told + _sources(release) + _QUESTION, _answer(release))
    return questions * prices.cost(model.name, usage, region(model.settings))


def reading(prices: Prices, language: Language, measure: str, characters: int) -> int:
    """Micro-dollars for one measure of an answer that is so long with its question and sources; 0 if no model reads."""
    if measure not in _CALLS:
        return 0
    judged = measure == MEASURE
    models = language.names if judged else language.names[:1]
    usage = _usage((_rubric("answer") if judged else _PROMPT) + characters, _REPLY)
    return _CALLS[measure] * sum(prices.cost(name, usage, language.region) for name in models)


def pairs(prices: Prices, language: Language, release: Release, count: int) -> int:
    """Micro-dollars for so many pairs of answers, each read in both orders."""
    read = _rubric("preference") + characters(release) + _answer(release)
    usage = _usage(read, _REPLY)
    return 2 * count * sum(prices.cost(name, usage, language.region) for name in language.names)


def characters(answered: Release | Exchange) -> int:
    """The length of an answer with its question and sources, as it is or as a release's will be."""
    if isinstance(answered, Release):
        return _QUESTION + _sources(answered) + _answer(answered)
    texts = (answered.question, *(one.text for one in answered.evidence), *(one.text for one in answered.sentences))
    return sum(map(len, texts))


def unpriced(prices: Prices, release: Release) -> list[str]:
    """The models of a release that have no price in the table."""
    models = (release.models.flash, release.models.pro)
    return [one.name for one in models if not prices.knows(one.name, region(one.settings))]


def unpriced_judges(prices: Prices, language: Language) -> list[str]:
    """The judges that have no price in the table."""
    return [name for name in language.names if not prices.knows(name, language.region)]


def _usage(read: int, written: int) -> Usage:
    return Usage(input=read // _TOKEN, output=written // _TOKEN)


def _sources(release: Release) -> int:
    return release.retrieval.passages * (release.retrieval.passage_characters or _PASSAGE)


def _answer(release: Release) -> int:
    return release.style.sentences * _SENTENCE


@cache
def _rubric(name: str) -> int:
    return sum(map(len, rubric.load_all()[name].written("")))
