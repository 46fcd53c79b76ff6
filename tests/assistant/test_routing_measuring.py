"""Every question on both tiers, through the governed turn, once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest

from assistant import evaluating, routing_measuring, workshop
from assistant.bootstrap import App
from assistant.routing_measuring import Measured, Order, twins
from assistant.workshop import Workshop
from opsplane.errors import InvalidRequest
from opsplane.evaluation.dataset import Dataset, load
from opsplane.evaluation.kept import Kept
from opsplane.exchange import Tier
from opsplane.release import Release
from tests import fakes

SET = """
as_of: 2026-11-23
cases:
  - id: fee
    kind: fees
    question: How much is the overdraft fee?
    facts: [$15]
    documents: [overdraft-terms, fee-schedule-consumer]
  - {id: cake, kind: off-topic, question: "How do I bake a cake?", expect: decline}
  - id: more
    kind: fees
    history: [hello, "How much is the wire fee?"]
    question: And the overdraft fee?
    facts: [$15]
    documents: [overdraft-terms, fee-schedule-consumer]
"""


@pytest.fixture(scope="module")
def shop(app: App) -> Workshop:
    return workshop.of(app)


@pytest.fixture(scope="module")
def release(shop: Workshop) -> Release:
    return evaluating.release("", shop.settings)


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    with Kept(None) as one:
        yield one


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    file = tmp_path_factory.mktemp("datasets") / "small.yaml"
    file.write_text(SET)
    return load(file)


@dataclass(frozen=True)
class First:
    """The first time that the set was answered."""

    asked: int
    heard: Sequence[tuple[str, int, int]]
    found: Measured


@pytest.fixture(scope="module")
def first(shop: Workshop, release: Release, small: Dataset, kept: Kept) -> First:
    asked, heard = routing_measuring.expected(shop, release, small, Order(), kept).asked, list[tuple[str, int, int]]()
    order = Order().telling(lambda *one: heard.append(one))
    return First(asked, heard, routing_measuring.measure(shop, release, small, order, kept))


def test_each_case_is_answered_on_both_tiers(first: First) -> None:
    assert (first.asked, first.found.known) == (6, 0)
    assert {("Questions on Flash", 3, 3), ("Questions on Pro", 3, 3)} <= set(first.heard)
    assert [(one.flash.quality, one.pro.quality) for one in first.found.trials[:2]] == [(1, 1)] * 2


@pytest.mark.usefixtures("first")
def test_a_second_time_nobody_is_asked_and_a_scorers_number_is_the_quality_where_it_has_one(
    shop: Workshop, release: Release, small: Dataset, kept: Kept
) -> None:
    again = routing_measuring.measure(shop, release, small, Order(measure="facts"), kept)
    assert (again.known, again.spent_micros, len(again.trials), again.unscored) == (6, 0, 2, 1)
    assert routing_measuring.expected(shop, release, small, Order(), kept).asked == 0


def test_routings_signals_are_those_of_the_turn_and_of_the_questions_before_it(first: First) -> None:
    fee, cake, more = first.found.trials
    assert cake.questions == ()
    assert [(one.words, one.topic, one.turns) for one in fee.questions] == [(6, "fees", 0)]
    assert fee.questions[0].near
    assert [(one.words, one.turns) for one in more.questions] == [(6, 0), (4, 1)]


def test_what_was_answered_for_one_policy_is_known_for_another(release: Release) -> None:
    other = release.model_copy(update={"id": "other", "routing": {"pro_from_words": 3, "escalate": "once"}})
    assert {one.digest for one in twins(release).values()} == {one.digest for one in twins(other).values()}


def test_each_twin_has_one_model_alone_and_nobody_in_its_place() -> None:
    models = {"flash": {"name": "a:x"}, "pro": {"name": "a:y"}, "resilience": {"fallback": ["pro", "region"]}}
    for tier, twin in twins(fakes.release(models=models, routing={"escalate": "once"})).items():
        name = "a:x" if tier is Tier.FLASH else "a:y"
        assert {twin.models.flash.name, twin.models.pro.name} == {name}
        assert twin.models.resilience is not None
        assert twin.models.resilience.fallback == ("region",)
        assert twin.routing.escalate is None


def test_what_is_no_share_or_better_when_lower_is_refused(
    shop: Workshop, release: Release, small: Dataset, kept: Kept
) -> None:
    with pytest.raises(InvalidRequest, match="no share of which more is better"):
        routing_measuring.expected(shop, release, small, Order(measure="latency"), kept)


def test_what_costs_too_much_is_left_out(shop: Workshop, release: Release, small: Dataset, kept: Kept) -> None:
    dear = release.models.model_dump() | {"pro": {"name": "google_genai:gemini-4-argon"}}
    priced = release.model_copy(update={"models": dear, "generation": {}})
    expected = routing_measuring.expected(shop, priced, small, Order(), kept)
    assert expected.micros > 0
    found = routing_measuring.measure(shop, priced, small, replace(Order(), at_most=0), kept)
    assert (found.missing, found.trials, found.spent_micros) == (3, (), 0)
