"""An evaluation put together: which release on which dataset by which scorers, apart from customers' record."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path

from assistant import estimate as estimates
from assistant import questions, workshop
from assistant.bootstrap import App
from assistant.estimate import Language
from assistant.settings import Settings
from assistant.workshop import Workshop
from opsplane import catalogue
from opsplane.errors import InvalidRequest
from opsplane.evaluation.dataset import Case, Dataset
from opsplane.evaluation.kept import Kept
from opsplane.evaluation.report import Report, gathered
from opsplane.evaluation.run import Run, Standing
from opsplane.evaluation.scoring import How, Measure, Score, Scorer
from opsplane.exchange import Exchange
from opsplane.release import Release

Told = Callable[[Standing], None]

TOGETHER = 4
"""Cases under way at a time, unless somebody says otherwise."""
_CODE = ("assistant", "opsplane", "knowledge")


@dataclass(frozen=True)
class Wanted:
    """What is to be evaluated. `judge` names the judge among the scorers, if there is one; see `Run` for the rest.

    `language` are the models that the scorers ask. With an `at_most` of 0 a run that costs nothing is made.
    """

    dataset: Dataset
    scorers: Sequence[Scorer]
    judge: str = ""
    together: int = TOGETHER
    at_most: int | None = None
    withdrawn: frozenset[str] = frozenset()
    told: Told = field(default=lambda _: None)
    language: Language = field(default_factory=Language)


@dataclass(frozen=True)
class Outcome:
    """A report with its exchanges by case; answers known from before, and micro-dollars that were spent just now."""

    report: Report
    known: int
    spent_micros: int
    exchanges: Mapping[str, Exchange] = field(default_factory=dict)


def release(name: str, settings: Settings) -> Release:
    """A release file by its id or name, or the one of the settings; raises as `catalogue.load_file` does."""
    return catalogue.load_file(settings.releases, name or settings.release)


def kept(folder: Path) -> Path:
    """Where answers and scores of earlier runs lie."""
    return folder / "evaluations" / "kept.db"


def run(
    shop: Workshop, release: Release, wanted: Wanted, known: Kept, alter: Callable[[App], App] = lambda app: app
) -> Outcome:
    """Evaluate a release on the day on which the dataset was true; blocks until it is done.

    `alter` changes the product that answers, to see what a fault does; nothing of such a run may be kept in `known`.

    Raises `NotFound` for a persona that nobody knows, and what `workshop.serving` raises for a release that cannot be
    loaded: then nothing was asked.
    """
    if wanted.at_most == 0 and _free(shop, release, wanted, known):
        wanted = replace(wanted, at_most=None)
    with _opened(shop, release, wanted) as opened:
        _personas(opened, wanted.dataset)
        return asyncio.run(_run(alter(opened), shop, release, wanted, known))


def estimate(shop: Workshop, release: Release, wanted: Wanted, known: Kept) -> tuple[int, int]:
    """How many answers of a run are not known yet, and how many micro-dollars it will cost, roughly.

    That is for those answers, and for language models that read them and what is known but not scored yet.
    """
    planned = _planned(None, shop, release, wanted, known, Standing(len(wanted.dataset.cases)))
    missing = planned.asked(wanted.dataset)
    length = estimates.characters(release)
    unread = [(one.name, length) for one in _read_by_models(wanted) for _ in missing]
    unread += asyncio.run(_unread(planned, wanted, missing))
    micros = estimates.answers(shop.prices, release, sum(len(case.history) + 1 for case in missing))
    micros += sum(estimates.reading(shop.prices, wanted.language, name, length) for name, length in unread)
    return len(missing), micros


@dataclass(frozen=True)
class _Unread:
    """In the place of a scorer: notes the answers that it would have to read, by their length."""

    measure: Measure
    found: list[tuple[str, int]]

    async def score(self, _case: Case, exchange: Exchange) -> Score | None:
        """No score."""
        self.found.append((self.measure.name, estimates.characters(exchange)))
        return None


async def _unread(planned: Run, wanted: Wanted, missing: Sequence[Case]) -> list[tuple[str, int]]:
    """The measures of answers that are known but not scored yet, with their lengths; nothing is asked."""
    found: list[tuple[str, int]] = []
    gone = {case.id for case in missing}
    answered = tuple(case for case in wanted.dataset.cases if case.id not in gone)
    scorers = [_Unread(one, found) for one in _read_by_models(wanted)]
    if scorers:
        await replace(planned, scorers=scorers, at_most=None, told=lambda _: None, seen={})(
            wanted.dataset.model_copy(update={"cases": answered})
        )
    return found


def _read_by_models(wanted: Wanted) -> list[Measure]:
    return [one.measure for one in wanted.scorers if one.measure.how is How.MODEL]


def _free(shop: Workshop, release: Release, wanted: Wanted, known: Kept) -> bool:
    """Whether a run will cost nothing: what has no price in the table is not free."""
    asked, micros = estimate(shop, release, wanted, known)
    unpriced = estimates.unpriced_judges(shop.prices, wanted.language)
    return not micros and not unpriced and not (asked and estimates.unpriced(shop.prices, release))


def _opened(shop: Workshop, release: Release, wanted: Wanted) -> AbstractContextManager[App]:
    clock = questions.clock_on(wanted.dataset.as_of.isoformat(), shop.settings.zone)
    return workshop.serving(shop, release, clock, wanted.withdrawn)


async def _run(opened: App, shop: Workshop, release: Release, wanted: Wanted, known: Kept) -> Outcome:
    last = Standing(len(wanted.dataset.cases))
    planned = _planned(opened, shop, release, wanted, known, last)
    rows = await planned(wanted.dataset)
    searched = _searched(shop, release)
    report = gathered(
        rows,
        [one.measure for one in wanted.scorers],
        release=release.id,
        release_digest=release.digest,
        dataset=wanted.dataset.name,
        dataset_digest=wanted.dataset.digest,
        as_of=wanted.dataset.as_of,
        index=searched[0],
        generation=searched[1],
        judge=wanted.judge,
        asked=len(wanted.dataset.cases),
    )
    return Outcome(report, last.known, last.spent_micros, planned.seen)


def _planned(opened: App | None, shop: Workshop, release: Release, wanted: Wanted, known: Kept, last: Standing) -> Run:
    async def ask(name: str, conversation: str, text: str) -> Exchange:
        if opened is None:
            raise InvalidRequest("Nothing is asked while a run is only planned.")
        return await questions.exchange_of(opened, name, conversation, text)

    def told(standing: Standing) -> None:
        last.done, last.known, last.spent_micros = standing.done, standing.known, standing.spent_micros
        wanted.told(standing)

    return Run(
        subject=subject(shop, release, wanted),
        ask=ask,
        scorers=wanted.scorers,
        kept=known,
        together=wanted.together,
        at_most=wanted.at_most,
        told=told,
    )


def subject(shop: Workshop, release: Release, wanted: Wanted) -> str:
    """SHA-256 over what an answer depends on beside its case: release, documents, day, bank, and the code itself."""
    index, generation = _searched(shop, release)
    parts = [release.digest, index, generation, wanted.dataset.as_of.isoformat(), shop.settings.bank, code()]
    return hashlib.sha256("\n".join([*parts, *sorted(wanted.withdrawn)]).encode()).hexdigest()


@cache
def code() -> str:
    """SHA-256 over the product's own files: another version answers otherwise."""
    told = hashlib.sha256(version("opsplane").encode())
    root = Path(__file__).parent.parent
    for package in _CODE:
        for path in sorted((root / package).rglob("*")):
            if path.suffix in (".py", ".yaml", ".toml", ".npz") and "corpus" not in path.parts:
                told.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return told.hexdigest()


def _searched(shop: Workshop, release: Release) -> tuple[str, str]:
    """The index that a release searches, and which generation of it."""
    wanted = release.retrieval
    return wanted.index, wanted.generation or shop.library.generation(wanted.index) or ""


def _personas(opened: App, dataset: Dataset) -> None:
    for name in sorted({case.as_ for case in dataset.cases}):
        questions.person(opened, name)
