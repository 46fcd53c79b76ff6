"""The configuration of `local-cloud.yaml`, from its file to the answers: golden cases through Gemini's own clients."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import pytest

from assistant import assessing, bootstrap, evaluating, questions, scoring, workshop
from assistant.bootstrap import App
from assistant.settings import Settings, from_environment
from assistant.workshop import Workshop
from knowledge.embedding import MiniLM
from opsplane import spend
from opsplane.evaluation.dataset import Dataset
from opsplane.evaluation.kept import Kept
from opsplane.evaluation.report import Row
from opsplane.evaluation.run import Run
from opsplane.evaluation.scoring import Scorer
from opsplane.exchange import Exchange
from tests import library
from tests.vertex.cloud import Cloud
from tests.vertex.server import serving
from tests.vertex.services import VERBS

EVERY = 11
"""Of the golden cases, in the order of their files, so that every kind is among them."""


@pytest.fixture(scope="module")
def embeddings(settings: Settings) -> MiniLM:
    """With what was embedded before; the cloud's models and the product share it."""
    return bootstrap.embeddings_of(settings, lambda *_: None)


@pytest.fixture(scope="module")
def cloud(embeddings: MiniLM) -> Iterator[Cloud]:
    with serving(VERBS, Cloud(held={"embeddings": embeddings})) as running:
        yield running


@pytest.fixture(scope="module")
def production(cloud: Cloud, settings: Settings) -> Settings:
    """What the file says, but for the places of this test."""
    releases = library.ROOT / "deploy" / "releases"
    places = {"data": settings.data, "releases": releases, "google_endpoint": cloud.url}
    return from_environment({}, library.ROOT / "local-cloud.yaml", **places)


@pytest.fixture(scope="module")
def shop(production: Settings, embeddings: MiniLM) -> Iterator[Workshop]:
    with closing(bootstrap.library_of(production, embeddings)) as library:
        yield Workshop(production, library, embeddings, spend.load())


@pytest.fixture(scope="module")
def cases(shop: Workshop) -> Dataset:
    whole = assessing.of_name("golden", shop.settings)
    return whole.model_copy(update={"cases": whole.cases[::EVERY]})


@dataclass(frozen=True)
class Evaluated:
    """The rows of the cases, and every exchange, those of earlier questions too."""

    rows: Sequence[Row]
    exchanges: Sequence[Exchange]

    @property
    def failed(self) -> set[str]:
        return {row.case for row in self.rows if not row.passed}


async def asked(app: App, cases: Dataset, scorers: Sequence[Scorer]) -> Evaluated:
    exchanges: list[Exchange] = []

    async def ask(name: str, conversation: str, text: str) -> Exchange:
        exchanges.append(await questions.exchange_of(app, name, conversation, text))
        return exchanges[-1]

    with Kept(None) as nothing:
        rows = await Run(subject="", ask=ask, scorers=scorers, kept=nothing)(cases)
    await app.parts.responder._chat_model.aclose()  # type: ignore[attr-defined]  # an Agent, of ChatModels
    return Evaluated(rows, exchanges)


def evaluated(shop: Workshop, name: str, cases: Dataset) -> Evaluated:
    release = evaluating.release(name, shop.settings)
    scorers = scoring.bench(shop, release, assessing.RULES).scorers
    clock = questions.clock_on(cases.as_of.isoformat(), shop.settings.zone)
    with workshop.serving(shop, release, clock) as app:
        for person in {case.as_ for case in cases.cases}:
            questions.person(app, person)
        return asyncio.run(asked(app, cases, scorers))


@pytest.fixture(scope="module")
def outcome(shop: Workshop, cases: Dataset) -> Evaluated:
    return evaluated(shop, "", cases)


def test_as_many_golden_cases_pass_as_with_the_embedded_release(
    outcome: Evaluated, shop: Workshop, cases: Dataset
) -> None:
    own = replace(shop, settings=replace(shop.settings, releases=Settings().releases))
    embedded = evaluated(own, "heron-6", cases)
    assert {one.release for one in outcome.exchanges} == {"heron-cloud"}
    assert len(outcome.rows) >= 24
    assert len(outcome.failed) <= len(embedded.failed), (outcome.failed, embedded.failed)


def test_what_gemini_answers_is_booked_and_its_region_is_on_the_record(outcome: Evaluated) -> None:
    answered = [one for one in outcome.exchanges if one.usage.output]
    assert len(answered) >= 12
    for one in answered:
        assert one.route is not None
        assert one.route.model.startswith("google_genai:gemini-")
        assert one.route.region == "us-central1"
        assert one.cost_micros > 0
        assert not one.reroutes


def test_the_tokens_that_the_cloud_bills_are_those_that_were_booked(outcome: Evaluated, cloud: Cloud) -> None:
    bills, booked = cloud.held["gemini"]["bills"], [one.usage for one in outcome.exchanges]
    assert sum(one["input"] for one in bills) == sum(one.input for one in booked)
    assert sum(one["output"] for one in bills) == sum(one.output for one in booked)
    assert {one["location"] for one in bills} == {"us-central1"}
