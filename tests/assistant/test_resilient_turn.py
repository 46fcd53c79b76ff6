"""Turns whose models fail, from the question to the record: every call is booked once and nothing is said twice."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.llm import ChatModels
from opsplane import spend
from opsplane.budget import Guard
from opsplane.evidence import Retrieved
from opsplane.exchange import Exchange, Outcome
from opsplane.guardrails.rails import Rails
from opsplane.guardrails.scope import Scope
from opsplane.ledger.database import connect
from opsplane.ledger.store import Ledger
from opsplane.parts import Parts
from opsplane.plane import Plane
from opsplane.release import Release
from opsplane.turn import govern
from tests import fakes
from tests.assistant import upstream
from tests.assistant.models import WordCounts
from tests.assistant.upstream import EMBEDDED, FLASH, HERE, PRO, THERE, chat
from tests.vertex.cloud import Cloud
from tests.vertex.faults import Kind
from tests.vertex.gemini import VERBS
from tests.vertex.server import serving

# google-genai inherits from aiohttp's session, which aiohttp discourages; that is between the two of them
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
PARTIAL, UNSAFE = "There is more that I left out.", "I cannot help with that."
FIRST = "The overdraft fee is $15 for each item."


@pytest.fixture(scope="module")
def server() -> Iterator[Cloud]:
    with serving(VERBS) as running:
        running.held["embeddings"] = WordCounts()
        yield running


@pytest.fixture(scope="module")
def made(server: Cloud) -> ChatModels:
    return upstream.models(server)


@pytest.fixture
async def cloud(server: Cloud, made: ChatModels) -> AsyncIterator[Cloud]:
    server.calls.clear()
    server.held.pop("gemini", None)
    yield server
    await upstream.hang_up(chat(made))
    server.faults.clear()


async def turn(made: ChatModels, tmp_path: Path, text: str = "What is the overdraft fee?", **terms: Any) -> Exchange:
    replies = fakes.release().replies | {"partial": PARTIAL, "unsafe": UNSAFE}
    release = upstream.release(replies=replies)
    ledger = Ledger(connect(f"sqlite:///{tmp_path / 'record.db'}"), fakes.Clock(), fakes.vault(tmp_path, fakes.Clock()))

    async def retrieve(query: str, release: Release) -> Retrieved:
        return Retrieved(passages=(fakes.passage(1, upstream.SOURCE),), index="index-1", generation="g1")

    plane = Plane(ledger)
    plane.configure({release.id: release}, release.id)
    agent = upstream.agent(chat(made, **terms), (upstream.account_balances,))
    rails = Rails(Scope(WordCounts().encode))
    handed = Parts(plane, ledger, rails, retrieve, agent, spend.load(), Guard(ledger, ()))
    try:
        exchange = await govern(fakes.question(text), handed, fakes.Witness())
        assert ledger.exchange(exchange.id) == exchange
    finally:
        ledger.close()
    return exchange


def billed(cloud: Cloud) -> tuple[int, int]:
    """Tokens in and out as the server counts them."""
    bills = cloud.held["gemini"]["bills"]
    return sum(one["input"] for one in bills), sum(one["output"] for one in bills)


async def test_a_dead_region_is_on_the_record_with_who_answered(cloud: Cloud, made: ChatModels, tmp_path: Path) -> None:
    cloud.faults.add(Kind.UNAVAILABLE, "gemini", f"locations/{HERE}")
    exchange = await turn(made, tmp_path)
    assert exchange.outcome is Outcome.ANSWERED
    assert exchange.answer.count(FIRST) == 1
    assert exchange.route
    assert (exchange.route.model, exchange.route.region) == (FLASH, THERE)
    assert [(one.route.model, one.code) for one in exchange.reroutes] == [
        (PRO, "model.unavailable"),
        (FLASH, "model.unavailable"),
    ]
    assert [(one.model, one.region) for one in exchange.costs] == [(FLASH, THERE)]
    assert (exchange.usage.input, exchange.usage.output) == billed(cloud)


async def test_where_all_is_well_the_route_has_its_region(cloud: Cloud, made: ChatModels, tmp_path: Path) -> None:
    exchange = await turn(made, tmp_path)
    assert exchange.route
    assert (exchange.route.region, exchange.reroutes) == (HERE, ())
    assert (exchange.usage.input, exchange.usage.output) == billed(cloud)


async def test_the_embedded_model_is_the_route_where_it_took_over(
    cloud: Cloud, made: ChatModels, tmp_path: Path
) -> None:
    cloud.faults.add(Kind.HANGS, "gemini")
    exchange = await turn(made, tmp_path, first_token_seconds=0.4)
    assert exchange.outcome is Outcome.ANSWERED
    assert exchange.route
    assert exchange.route.model == EMBEDDED
    assert exchange.answer.startswith(FIRST)
    assert exchange.cost_micros == 0


async def test_an_answer_that_breaks_off_says_that_it_is_not_all(
    cloud: Cloud, made: ChatModels, tmp_path: Path
) -> None:
    cloud.faults.add(Kind.DROPS, "gemini", bytes=1_250)
    exchange = await turn(made, tmp_path)
    assert exchange.outcome is Outcome.ANSWERED
    assert [one.text for one in exchange.sentences] == [FIRST, PARTIAL]
    assert exchange.findings[-1].code == "model.interrupted"
    assert exchange.route
    assert exchange.route.model == FLASH


@pytest.mark.parametrize(("kind", "code"), [(Kind.SAFETY, "model.safety"), (Kind.TOO_LONG, "model.truncated")])
async def test_an_answer_that_was_stopped_says_so_too(
    kind: Kind, code: str, cloud: Cloud, made: ChatModels, tmp_path: Path
) -> None:
    cloud.faults.add(kind, "gemini")
    exchange = await turn(made, tmp_path)
    assert (exchange.sentences[0].text, exchange.sentences[-1].text) == (FIRST, PARTIAL)
    assert [one.code for one in exchange.findings] == [code]
    assert (exchange.usage.input, exchange.usage.output) == billed(cloud)


async def test_a_blocked_prompt_is_declined_in_the_releases_words(
    cloud: Cloud, made: ChatModels, tmp_path: Path
) -> None:
    cloud.faults.add(Kind.BLOCKED, "gemini")
    exchange = await turn(made, tmp_path)
    assert (exchange.outcome, exchange.code, exchange.answer) == (Outcome.DECLINED, "model.blocked", UNSAFE)
    assert (exchange.usage.input, exchange.usage.output) == billed(cloud)


async def test_every_call_that_was_billed_is_booked_once(cloud: Cloud, made: ChatModels, tmp_path: Path) -> None:
    cloud.faults.add(Kind.MALFORMED, "gemini", "flash")
    exchange = await turn(made, tmp_path, "What is my balance?")
    assert len(cloud.held["gemini"]["bills"]) == 4
    assert (exchange.usage.input, exchange.usage.output) == billed(cloud)
    assert {one.model for one in exchange.costs} == {FLASH, PRO}
    assert len(exchange.tools) == 1
