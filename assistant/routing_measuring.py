"""Every question of a dataset on both tiers through the governed turn, as what settings of routing are tried on."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from assistant import conversation, estimate, evaluating, judging, questions, scoring, workshop
from assistant.bootstrap import App
from assistant.chat import MEMORY
from assistant.estimate import Estimate, Language
from assistant.evaluating import Outcome, Wanted
from assistant.workshop import Workshop
from opsplane import fitness
from opsplane.draft import FIRST
from opsplane.errors import InvalidRequest
from opsplane.evaluation.dataset import Case, Dataset
from opsplane.evaluation.frontier import Side, Trial
from opsplane.evaluation.kept import Kept
from opsplane.evaluation.report import Row
from opsplane.evaluation.scoring import Better, Measure
from opsplane.evidence import Evidence, Origin
from opsplane.exchange import Earlier, Exchange, Tier
from opsplane.exchange import Outcome as Ended
from opsplane.finding import Action, Finding
from opsplane.guardrails import pii
from opsplane.guardrails.rails import ENDING
from opsplane.release import Release, Routing
from opsplane.routing import Signals

PASSED = "passed"
"""The measure that needs no scorer: whether a case passed."""
Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Order:
    """What is measured. `measure` is `PASSED` or a scorer's name; `at_most` are micro-dollars of both tiers."""

    measure: str = PASSED
    judge: str = ""
    together: int = evaluating.TOGETHER
    at_most: int | None = None
    told: Told = field(default=lambda *_: None)

    def telling(self, told: Told) -> "Order":
        """The same, and `told` hears how far it is."""
        return replace(self, told=told)


@dataclass(frozen=True)
class Measured:
    """What came of it. `unscored` cases have no number on one of the tiers, and of `failed` ones an answer broke off.

    `missing` cases were not answered, because the limit was reached. A provider that did not answer says nothing about
    a tier, so none of them is among the trials.
    """

    trials: tuple[Trial, ...]
    words: str  # the measure, as people read it
    judge: str  # who judged, or nobody
    unscored: int
    failed: int
    missing: int
    known: int
    spent_micros: int


def twins(release: Release) -> dict[Tier, Release]:
    """The release with one tier's model in both places, so that whatever routing says this model answers.

    They are named alike for every policy of routing, so that what was answered for one is known for all. A model that
    does not answer fails: another in its place would be measured as it.
    """
    found = {}
    for tier in Tier:
        models = release.models.model_dump()
        models |= {"flash": models[tier.value], "pro": models[tier.value]}
        if models.get("resilience"):
            regions = tuple(one for one in models["resilience"]["fallback"] if one == "region")
            models["resilience"] = models["resilience"] | {"fallback": regions}
        head = {"id": f"frontier-{tier.value}", "author": "opsplane routing frontier", "note": "One tier alone."}
        found[tier] = release.model_copy(update=head | {"models": models, "routing": Routing().model_dump()})
    return found


def expected(shop: Workshop, release: Release, dataset: Dataset, order: Order, known: Kept) -> Estimate:
    """What `measure` will ask and cost. Raises what `scoring.bench` does, and `InvalidRequest` for another measure."""
    wanted = _wanted(shop, release, dataset, order)
    apart = twins(release).values()
    found = [evaluating.estimate(shop, one, wanted, known) for one in apart]
    asking = [one for one, (asked, _) in zip(apart, found, strict=True) if asked]
    unpriced = [name for one in asking for name in estimate.unpriced(shop.prices, one)]
    unpriced += estimate.unpriced_judges(shop.prices, wanted.language)
    return Estimate(sum(asked for asked, _ in found), sum(cost for _, cost in found), tuple(dict.fromkeys(unpriced)))


def measure(shop: Workshop, release: Release, dataset: Dataset, order: Order, known: Kept) -> Measured:
    """Answer every case on each tier, as far as that is not known yet. Blocks; raises what `evaluating.run` does."""
    fitness.weights(release)
    wanted, found = _wanted(shop, release, dataset, order), dict[Tier, Outcome]()
    for tier, twin in twins(release).items():
        left = None if order.at_most is None else max(0, order.at_most - sum(o.spent_micros for o in found.values()))
        told = _named(order.told, f"Questions on {tier.value.capitalize()}")
        found[tier] = evaluating.run(shop, twin, replace(wanted, at_most=left, told=told), known)
    rows = {tier: {row.case: row for row in one.report.rows} for tier, one in found.items()}
    cases = [case for case in dataset.cases if all(case.id in one for one in rows.values())]
    before = _before(shop, release, dataset, [case for case in cases if case.history])
    trials, unscored, failed = [], 0, 0
    for case in cases:
        answers = {tier: one.exchanges[case.id] for tier, one in found.items()}
        flash, pro = (_side(rows[tier][case.id], answers[tier], order.measure) for tier in Tier)
        if any(one.outcome is Ended.FAILED for one in answers.values()):
            failed += 1
        elif flash and pro:
            trials.append(Trial(_own(case, answers[Tier.FLASH], release, before.get(case.id, ())), flash, pro))
        else:
            unscored += 1
    return Measured(
        trials=tuple(trials),
        words="cases passed" if order.measure == PASSED else wanted.scorers[0].measure.words,
        judge=wanted.judge,
        unscored=unscored,
        failed=failed,
        missing=len(dataset.cases) - len(cases),
        known=sum(one.known for one in found.values()),
        spent_micros=sum(one.spent_micros for one in found.values()),
    )


def _wanted(shop: Workshop, release: Release, dataset: Dataset, order: Order) -> Wanted:
    """The one scorer that is asked for; where only passing counts, the cheapest stands in its place."""
    names = ("facts",) if order.measure == PASSED else (order.measure,)
    bench = scoring.bench(shop, release, names, order.judge)
    for one in bench.scorers:
        _must_compare(one.measure)
    judges = scoring.who(release, shop.settings, order.judge)
    own = release.models.judge
    models = tuple(name for name in judges if name != judging.EMBEDDED)
    language = Language(models if bench.judge else (), estimate.region(own.settings) if own else "")
    return Wanted(dataset, bench.scorers, bench.identity, order.together, order.at_most, language=language)


def _must_compare(one: Measure) -> None:
    if one.unit != "share" or one.better is not Better.HIGHER:
        raise InvalidRequest(f"{one.name} is no share of which more is better. Try passed, facts, grounded or judge.")


def _named(told: Told, what: str) -> evaluating.Told:
    return lambda standing: told(what, standing.done, standing.of)


def _side(row: Row, exchange: Exchange, measure: str) -> Side | None:
    score = row.score(measure)
    quality = float(row.passed) if measure == PASSED else score.value if score else None
    if quality is None:
        return None
    refused = exchange.route is not None and exchange.outcome is Ended.ABSTAINED and bool(exchange.withheld)
    return Side(quality, exchange.cost_micros, refused)


def _own(case: Case, exchange: Exchange, release: Release, before: tuple[Signals, ...]) -> tuple[Signals, ...]:
    """The questions of a case's conversation as routing saw them, its own last; none where it never came to that."""
    if exchange.route is None:
        return ()
    passages = [one for one in exchange.evidence if one.origin is Origin.PASSAGE]
    text = pii.mask(case.question) if release.guardrails.mask_for_model else case.question
    return (*before, _signals(text, passages, exchange.findings, exchange.topic, len(before), release))


def _signals(
    text: str, passages: Sequence[Evidence], findings: Sequence[Finding], topic: str, turns: int, release: Release
) -> Signals:
    named = (one.reply for one in findings if one.action is Action.PREFACE)
    care = tuple(name for name in dict.fromkeys(named) if name in release.replies)[:FIRST]
    near = tuple((one.document, one.cosine) for one in passages)
    return Signals(len(text.split()), near, topic, care, turns)


def _before(
    shop: Workshop, release: Release, dataset: Dataset, cases: Sequence[Case]
) -> Mapping[str, tuple[Signals, ...]]:
    """The earlier questions of conversations as routing saw them: searched and checked again, no model is asked."""
    if not cases:
        return {}
    clock = questions.clock_on(dataset.as_of.isoformat(), shop.settings.zone)
    with workshop.serving(shop, twins(release)[Tier.FLASH], clock) as app:
        return asyncio.run(_all_before(app, release, cases))


async def _all_before(app: App, release: Release, cases: Sequence[Case]) -> Mapping[str, tuple[Signals, ...]]:
    return {case.id: await _earlier(case, app, release) for case in cases}


async def _earlier(case: Case, app: App, release: Release) -> tuple[Signals, ...]:
    found: list[Signals] = []
    earlier: tuple[Earlier, ...] = ()
    for text in case.history:
        whole = conversation.standalone(text, earlier[-MEMORY:])
        one = await _looked_at(text, whole, len(found), app, release)
        if one:
            found.append(one)
            earlier = (*earlier, Earlier(question=whole, answer=""))
    return tuple(found)


async def _looked_at(text: str, whole: str, turns: int, app: App, release: Release) -> Signals | None:
    """A question as routing would see it; None where a check meets it before. The steps are those of the turn."""
    rails = app.parts.rails
    if release.guardrails.mask_for_model:
        text, whole = pii.mask(text), pii.mask(whole)
    findings = await rails.question(text, release)
    if any(one.action in ENDING for one in findings):
        return None
    passages, _ = await rails.passages((await app.parts.retrieve(whole, release)).passages, release)
    if any(one.action in ENDING for one in await rails.scope(whole, passages, release)):
        return None
    return _signals(text, passages, findings, await rails.topic(whole), turns, release)
