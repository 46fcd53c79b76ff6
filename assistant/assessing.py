"""An evaluation from beginning to end: run, compared with another release, held against the gate, diagnosed."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from assistant import datasets, estimate, evaluating, judging, passages, scoring
from assistant.estimate import Estimate, Language
from assistant.evaluating import Outcome, Told, Wanted
from assistant.evaluator import Made
from assistant.scoring import Bench
from assistant.settings import Settings
from assistant.workshop import Workshop
from knowledge.library import Reader
from opsplane import policy
from opsplane.control_events import ReleaseEvaluated
from opsplane.errors import InvalidRequest
from opsplane.evaluation import comparison, diagnosis
from opsplane.evaluation.assessment import Assessment
from opsplane.evaluation.contest import Contest, contest
from opsplane.evaluation.dataset import Dataset
from opsplane.evaluation.diagnosis import Diagnosis
from opsplane.evaluation.gate import Verdict, decide
from opsplane.evaluation.kept import Kept
from opsplane.evaluation.matter import Matter
from opsplane.evaluation.pairwise import PairJudge
from opsplane.events import ExchangeReviewed
from opsplane.ledger.store import Ledger
from opsplane.policy import Gate
from opsplane.release import Release

RULES = ("facts", "citations", "figures", "declines", "answered", "forbidden", "grounded")
"""The scorers that only count: enough to diagnose, and they cost nothing."""


@dataclass(frozen=True)
class Order:
    """How a release is evaluated; see `evaluating.Wanted`. Without `scorers` all that there can be score.

    With `pairs` a judge compares the answers that differ. `gate` is what it is held against, `votes` says of a judge
    by its identity whether its word counts there.
    """

    scorers: tuple[str, ...] = ()
    judge: str = ""
    together: int = evaluating.TOGETHER
    at_most: int | None = None
    pairs: bool = False
    gate: Gate | None = None
    votes: Callable[[str], bool] = field(default=lambda _judge: False)
    withdrawn: frozenset[str] = frozenset()
    told: Told = field(default=lambda _: None)


def assess(
    shop: Workshop, release: Release, against: Release | None, dataset: Dataset, order: Order, known: Kept
) -> Made:
    """Evaluate a release, and the one to compare it with; both by the same judge. Raises what `evaluating.run` does.

    Compared with nothing, or with itself, a release is held against the gate's bounds alone, without margins.
    `order.at_most` is for both together; where it is used up, no language model compares pairs any more.
    """
    if against is None or against.digest == release.digest:
        against, order = None, replace(order, gate=order.gate.alone() if order.gate else None)
    bench = scoring.bench(shop, release, order.scorers, order.judge)
    wanted = _wanted(shop, release, dataset, order, bench)
    found: list[Outcome] = []
    for one in (release, against):
        if one:
            found.append(evaluating.run(shop, one, replace(wanted, at_most=_left(order.at_most, found)), known))
    made = _made(found, dataset, order)
    if len(found) < 2 or not order.pairs or not bench.judge:
        return made
    if wanted.language.names and _left(order.at_most, found) == 0:
        return made
    judge = scoring.pair_judge(shop, release, order.judge)
    held = asyncio.run(_contest(made.assessment, found, judge))
    spent = made.spent_micros + sum(cost.micros for cost in held.costs)
    return replace(made, assessment=replace(made.assessment, contest=held), spent_micros=spent)


def _wanted(shop: Workshop, release: Release, dataset: Dataset, order: Order, bench: Bench) -> Wanted:
    own = release.models.judge
    judges = scoring.who(release, shop.settings, order.judge) if bench.judge else ()
    return Wanted(
        dataset,
        bench.scorers,
        bench.identity,
        order.together,
        order.at_most,
        order.withdrawn,
        order.told,
        Language(
            tuple(name for name in judges if name != judging.EMBEDDED), estimate.region(own.settings) if own else ""
        ),
    )


def _left(at_most: int | None, found: Sequence[Outcome]) -> int | None:
    """What may be spent after these runs."""
    return None if at_most is None else max(0, at_most - sum(one.spent_micros for one in found))


async def _contest(run: Assessment, found: Sequence[Outcome], judge: PairJudge) -> Contest:
    """The judge of pairs on the answers that differ; the new release's run stands first in `found`."""
    changed = run.comparison.changed if run.comparison else ()
    sides = [{name: Matter.of(one.exchanges[name], run.asked[name]) for name in changed} for one in found]
    return await contest([(name, sides[1][name], sides[0][name]) for name in changed], judge)


def _made(found: Sequence[Outcome], dataset: Dataset, order: Order) -> Made:
    report, baseline = found[0].report, found[1].report if len(found) > 1 else None
    whole = report.rows and baseline and baseline.rows
    compared = comparison.compare(baseline, report) if whole and baseline else None
    votes = bool(report.judge) and order.votes(report.judge)
    decision = decide(report, order.gate, votes=votes, against=compared) if order.gate else None
    assessment = Assessment(report, dataset, baseline, compared, decision)
    return Made(assessment, sum(one.known for one in found), sum(one.spent_micros for one in found))


def expected(shop: Workshop, releases: Sequence[Release], dataset: Dataset, order: Order, known: Kept) -> Estimate:
    """What `assess` will ask and cost; the first release is the one that is evaluated.

    A release that stands there twice is asked once. Raises what `scoring.bench` does.
    """
    bench = scoring.bench(shop, releases[0], order.scorers, order.judge)
    wanted = _wanted(shop, releases[0], dataset, order, bench)
    apart = list({one.digest: one for one in releases}.values())
    found = [evaluating.estimate(shop, one, wanted, known) for one in apart]
    micros = sum(cost for _, cost in found)
    if order.pairs and len(apart) > 1:
        micros += estimate.pairs(shop.prices, wanted.language, releases[0], len(dataset.cases))
    asking = [one for one, (asked, _) in zip(apart, found, strict=True) if asked]
    unpriced = [name for one in asking for name in estimate.unpriced(shop.prices, one)]
    unpriced += estimate.unpriced_judges(shop.prices, wanted.language)
    return Estimate(sum(asked for asked, _ in found), micros, tuple(dict.fromkeys(unpriced)))


def event(run: Assessment) -> ReleaseEvaluated:
    """The report as it goes on the record: passed where the gate says so."""
    report, decision = run.report, run.decision
    counted = [
        f"{one.measure.name} {one.value:.3f}"
        for one in report.means
        if one.value is not None and one.measure.name in RULES
    ]
    verdict = f"; gate {decision.verdict.value}: {decision.reason}" if decision else ""
    return ReleaseEvaluated(
        release=report.release,
        digest=report.release_digest,
        dataset=report.dataset,
        report=report.digest,
        passed=bool(decision and decision.verdict is Verdict.PASSED),
        summary=f"{report.passed} of {len(report.rows)} cases passed, {', '.join(counted)}{verdict}"[:1_000],
        dataset_digest=report.dataset_digest,
        against=run.baseline.release_digest if run.baseline else "",
        gate=decision.verdict.value if decision else "",
        decision=decision.digest if decision else "",
    )


def gate_of(settings: Settings) -> Gate:
    """What the policy demands."""
    return policy.load(settings.policy).gate


def named(name: str, settings: Settings) -> Dataset:
    """A dataset by its name or path; raises what `datasets.opened` does."""
    return datasets.opened(name, settings.datasets)


def of_name(name: str, settings: Settings) -> Dataset:
    """A dataset by its name alone; raises what `datasets.named` does."""
    return datasets.named(name, settings.datasets)


def diagnosed(shop: Workshop, run: Assessment, corrected: int = 0) -> Diagnosis:
    """Why its cases failed; `corrected` counts the corrected answers that a model could be tuned by."""
    if run.dataset is None:
        raise InvalidRequest("A report without its dataset cannot be diagnosed: evaluate again.")
    return diagnosis.diagnose(run.report, run.dataset, _texts(shop, run), scoring.TOOLS, corrected)


def corrected(ledger: Ledger) -> int:
    """How many exchanges reviewers wrote a corrected answer for."""
    told = (one.event for one in ledger.events(["exchange_reviewed"]))
    return len({one.exchange for one in told if isinstance(one, ExchangeReviewed) and one.corrected})


def _texts(shop: Workshop, run: Assessment) -> Mapping[str, str]:
    """The documents in force on the day of the run, whole, by id."""
    reader = Reader(run.report.as_of, passages.CUSTOMERS)
    found: dict[str, list[str]] = {}
    for chunk in shop.library.in_force(reader, run.report.index):
        found.setdefault(chunk.document_id, []).append(chunk.text)
    return {name: "\n".join(texts) for name, texts in found.items()}
