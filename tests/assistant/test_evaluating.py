"""Evaluations over the real product: run, kept, compared, diagnosed, on the record."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from assistant import assessing, commands, evaluating, evaluations, report_text, scoring, workshop
from assistant.assessing import Order
from assistant.bootstrap import App
from assistant.evaluating import Wanted
from assistant.workshop import Workshop
from opsplane.access import SERVICE
from opsplane.control_events import AlertRaised, ReleaseEvaluated
from opsplane.errors import Conflict, InvalidRelease, InvalidRequest, NotFound, Refused
from opsplane.evaluation.dataset import Dataset, load
from opsplane.evaluation.diagnosis import Cause
from opsplane.evaluation.kept import Kept
from opsplane.release import Release
from tests import fakes
from tests.opsplane.evaluation.answers import case

SET = """
as_of: 2026-11-23
cases:
  - id: fee
    kind: fees
    question: How much is the overdraft fee?
    facts: [$15]
    documents: [overdraft-terms, fee-schedule-consumer]
    reference: "The overdraft fee is $15 for each item."
  - {id: cake, kind: off-topic, question: "How do I bake a cake?", expect: decline}
  - {id: gold, kind: fees, question: "How much is the overdraft fee?", facts: ["$99"], documents: [overdraft-terms]}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("datasets")
    (found / "golden.yaml").write_text(SET)
    return found


@pytest.fixture(scope="module")
def shop(app: App, folder: Path) -> Workshop:
    return replace(workshop.of(app), settings=replace(app.settings, datasets=folder))


@pytest.fixture(scope="module")
def release(shop: Workshop) -> Release:
    return evaluating.release("", shop.settings)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with Kept(tmp_path / "kept.db") as one:
        yield one


@pytest.fixture
def small(folder: Path) -> Dataset:
    return load(folder / "golden.yaml")


@pytest.fixture
def serving(app: App, folder: Path, tmp_path: Path) -> App:
    settings = replace(app.settings, datasets=folder)
    return evaluations.equipped(replace(app, settings=settings))


def test_answers_are_scored_by_rule_and_by_the_embedded_models(
    shop: Workshop, release: Release, small: Dataset, kept: Kept
) -> None:
    made = assessing.assess(shop, release, None, small, Order(), kept)
    report = made.assessment.report
    assert {row.case: row.passed for row in report.rows} == {"fee": True, "cake": True, "gold": False}
    for name in ("facts", "faithfulness", "answer_relevancy", "context_recall", "bleu", "rouge_l", "judge", "latency"):
        mean = report.mean(name)
        assert mean is not None, name
        assert mean.value is not None, name
    assert report.judge.startswith("embedded")


def test_the_same_run_again_asks_nothing_and_has_the_same_digest(
    shop: Workshop, release: Release, small: Dataset, kept: Kept
) -> None:
    first = assessing.assess(shop, release, None, small, Order(), kept)
    again = assessing.assess(shop, release, None, small, Order(), kept)
    assert (first.known, again.known) == (0, 3)
    assert first.assessment.report.digest == again.assessment.report.digest
    with Kept(None) as nothing:
        fresh = assessing.assess(shop, release, None, small, Order(), nothing)
    assert fresh.assessment.report.digest == first.assessment.report.digest


def test_a_judge_compares_the_answers_that_differ_in_both_orders(
    shop: Workshop, release: Release, small: Dataset, kept: Kept
) -> None:
    short = release.model_copy(update={"id": "short", "style": {"sentences": 1}})
    made = assessing.assess(shop, short, release, small, Order(("judge",), pairs=True), kept)
    found, compared = made.assessment.contest, made.assessment.comparison
    assert found is not None
    assert compared is not None
    assert sorted((*found.won, *found.lost, *found.tied, *found.unscored)) == sorted(compared.changed)
    assert "Preferred by the judge of pairs" in report_text.as_markdown(made.assessment)


def test_what_a_run_will_ask_is_known_beforehand(shop: Workshop, release: Release, small: Dataset, kept: Kept) -> None:
    assert evaluating.estimate(shop, release, Wanted(small, ()), kept) == (3, 0)
    dear = release.model_copy(
        update={
            "models": {
                "flash": {"name": "google_genai:gemini-3.5-flash"},
                "pro": {"name": "google_genai:gemini-3.5-flash"},
            }
        }
    )
    asked, micros = evaluating.estimate(shop, dear, Wanted(small, ()), kept)
    assert asked == 3
    assert 1_000 < micros < 100_000


def test_a_judge_is_estimated_also_where_the_answers_are_known(
    shop: Workshop, release: Release, small: Dataset, kept: Kept
) -> None:
    order = Order(judge="google_genai:gemini-3.8-flash")
    own = {"name": "google_genai:gemini-3.8-flash", "settings": {"google_api_key": "none"}}
    judged = release.model_copy(
        update={"models": release.models.model_copy(update={"judge": type(release.models.flash)(**own)})}
    )
    before = assessing.expected(shop, [judged], small, order, kept)
    assert (before.asked, before.unpriced) == (3, ())
    assert before.micros > 0
    assessing.assess(shop, judged, None, small, Order(assessing.RULES), kept)
    after = assessing.expected(shop, [judged, judged], small, order, kept)
    assert after.asked == 0
    assert 0 < after.micros <= before.micros


def test_documents_that_are_withdrawn_make_another_run(shop: Workshop, release: Release, small: Dataset) -> None:
    one, other = (
        evaluating.subject(shop, release, Wanted(small, (), withdrawn=gone))
        for gone in (frozenset(), frozenset({"fees@2"}))
    )
    assert one != other


def test_failures_are_diagnosed_out_of_the_real_documents(
    shop: Workshop, release: Release, small: Dataset, kept: Kept
) -> None:
    made = assessing.assess(shop, release, None, small, Order(assessing.RULES), kept)
    (found,) = assessing.diagnosed(shop, made.assessment).found
    assert (found.case, found.cause) == ("gold", Cause.DOCUMENT)


def test_a_persona_that_nobody_knows_is_named_before_anything_is_asked(
    shop: Workshop, release: Release, kept: Kept
) -> None:
    nobody = Dataset(as_of=date(2026, 11, 23), cases=(case(**{"as": "nobody"}),))
    with pytest.raises(NotFound, match="'nobody'"):
        assessing.assess(shop, release, None, nobody, Order(assessing.RULES), kept)
    assert kept.forget() == 0


def test_a_release_on_an_index_that_is_not_there_is_refused_in_words(
    shop: Workshop, release: Release, small: Dataset, kept: Kept
) -> None:
    lost = release.model_copy(update={"retrieval": {"index": "nowhere"}})
    with pytest.raises(InvalidRelease, match="there is no index 'nowhere'"):
        assessing.assess(shop, lost, None, small, Order(assessing.RULES), kept)


def test_unknown_scorers_and_judges_are_named_with_what_there_is(shop: Workshop, release: Release) -> None:
    with pytest.raises(InvalidRequest, match="facts"):
        scoring.bench(shop, release, ("fact",))
    with pytest.raises(InvalidRequest, match="provider:model"):
        scoring.bench(shop, release, ("judge",), "somebody")
    with pytest.raises(InvalidRequest, match="nobody judges"):
        scoring.bench(shop, release, ("judge",), "none")


def test_a_releases_own_judge_goes_before_the_settings(shop: Workshop, release: Release) -> None:
    own = release.model_copy(update={"models": release.models.model_dump() | {"judge": {"name": "embedded:judge"}}})
    assert scoring.who(own, shop.settings) == ("embedded:judge",)
    assert scoring.who(own, shop.settings, "embedded") == ("embedded",)
    assert scoring.who(release, shop.settings) == ("embedded",)
    assert release.digest == evaluating.release("", shop.settings).digest


def test_the_hourly_run_puts_its_report_on_the_record_as_the_services_own(serving: App) -> None:
    alerts: list[AlertRaised] = []
    told = evaluations.Evaluations(serving).golden(alerts.append)
    assert told.startswith("2 of 3 cases passed")
    newest = serving.desk.ledger.events(["release_evaluated"])[-1]
    assert newest.actor == SERVICE
    assert "gate inconclusive" in told  # three cases are too few for any verdict
    assert alerts == []
    before = serving.desk.ledger.count(["release_evaluated"])
    evaluations.Evaluations(serving).golden(alerts.append)  # nothing has changed since: nothing to put on the record
    assert serving.desk.ledger.count(["release_evaluated"]) == before


async def test_an_operator_evaluates_in_the_chat_and_the_report_is_on_the_record(serving: App) -> None:
    told: list[str] = []

    async def step(_name: str, detail: str) -> None:
        told.append(detail)

    panel = await commands.run("/evaluate", fakes.OPERATOR, replace(serving.desk, step=step))
    assert "2 of 3 cases passed" in panel.text
    assert panel.download
    assert panel.download.name.endswith(".html")
    assert "3 of 3 cases" in told
    (event,) = [one.event for one in serving.desk.ledger.events(["release_evaluated"])][-1:]
    assert isinstance(event, ReleaseEvaluated)
    assert not event.passed
    shown = await commands.run(f"/report {event.report[:12]}", fakes.REVIEWER, serving.desk)
    assert "2 of 3 cases passed" in shown.text
    listed = await commands.run("/report", fakes.OPERATOR, serving.desk)
    assert event.report[:12] in listed.text


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ("/evaluate nobody-7", "nobody-7"),
        ("/evaluate dataset=silver", "silver"),
        ("/evaluate colour=red", "Write /evaluate"),
        ("/evaluate a b", "Write /evaluate"),
        ("/report ../../secret", "named by its digest"),
        ("/report 0123456789ab", "no report here begins"),
    ],
)
async def test_what_cannot_be_evaluated_is_refused_in_words(serving: App, given: str, refused: str) -> None:
    with pytest.raises((InvalidRequest, NotFound), match=refused):
        await commands.run(given, fakes.OPERATOR, serving.desk)


async def test_a_customer_evaluates_nothing(serving: App) -> None:
    with pytest.raises(Refused):
        await commands.run("/evaluate", fakes.CUSTOMER, serving.desk)


async def test_on_a_desk_that_only_reads_the_record_the_terminals_command_is_named(app: App) -> None:
    with pytest.raises(InvalidRequest, match="opsplane evaluate"):
        await commands.run("/evaluate", fakes.OPERATOR, replace(app.desk, evaluations=None))


def test_a_second_evaluation_at_the_same_time_is_refused(serving: App) -> None:
    evaluator = evaluations.Evaluations(serving)
    with evaluator.alone(), pytest.raises(Conflict, match="under way"):
        evaluator.golden(lambda _: None)


def test_the_release_that_serves_is_held_against_bounds_alone(serving: App) -> None:
    gate = evaluations.Evaluations(serving).policy.gate
    assert gate.compares
    assert not gate.alone().compares
    assert set(gate.alone().measures) == {"facts", "citations", "declines", "figures", "forbidden"}
