import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from pydantic import BaseModel

from assistant import sources
from assistant.llm import ChatModels
from assistant.resilient import ANSWERED, PARTS, Nature, ResilientChat
from opsplane.evidence import Sentence
from opsplane.exchange import Looked, Rerouted, Route, Tier, Used
from opsplane.finding import Action, Finding
from opsplane.parts import Refusal
from tests import fakes
from tests.assistant import upstream
from tests.assistant.models import WordCounts
from tests.assistant.upstream import EMBEDDED, FLASH, HERE, PRO, THERE, Time, answer, chat, of
from tests.vertex.cloud import Cloud
from tests.vertex.faults import Kind
from tests.vertex.gemini import VERBS
from tests.vertex.server import serving

WHOLE = [
    "The overdraft fee is $15 for each item.",
    "The overdraft fee is $0 when the account is overdrawn by $20 or less.",
]
FAULTS = {  # what is told of it, and how often a place is asked
    Kind.BUSY: ("model.exhausted", 2),
    Kind.UNAVAILABLE: ("model.unavailable", 2),
    Kind.INTERNAL: ("model.unavailable", 2),
    Kind.DENIED: ("model.refused", 1),
    Kind.NOT_FOUND: ("model.refused", 1),
    Kind.INVALID: ("model.refused", 1),
    Kind.SLOW: ("model.slow", 1),
    Kind.HANGS: ("model.slow", 1),
    Kind.DROPS: ("model.unavailable", 2),
    Kind.TRUNCATED: ("model.garbled", 2),
    Kind.GARBLED: ("model.garbled", 2),
}
WAITING = (Kind.SLOW, Kind.HANGS)


# google-genai inherits from aiohttp's session, which aiohttp discourages; that is between the two of them
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


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
    yield server
    await upstream.hang_up(chat(made))
    server.faults.clear()
    server.pace.token = server.pace.first_token = 0.0


def asked(cloud: Cloud) -> list[tuple[str, str]]:
    """Model and region of each call that the server heard."""
    paths = [call.path.split("/") for call in cloud.heard("gemini.stream")]
    return [(path[-1].partition(":")[0], path[path.index("locations") + 1]) for path in paths]


def said(parts: list[Any]) -> list[str]:
    return [part.text for part in of(Sentence, parts)]


def codes(parts: list[Any]) -> list[str]:
    return [part.code for part in of(Finding, parts)]


def ask() -> list[HumanMessage]:
    return [HumanMessage(sources.write([fakes.passage(1, upstream.SOURCE)], "What is the overdraft fee?"))]


async def test_where_all_is_well_one_call_answers(cloud: Cloud, made: ChatModels) -> None:
    parts = await answer(chat(made))
    assert said(parts)[:2] == WHOLE
    (used,) = of(Used, parts)
    assert (used.model, used.region, used.finish) == (FLASH, HERE, "STOP")
    assert used.usage.input > 0
    assert used.usage.output > 0
    assert not of(Rerouted, parts)
    assert asked(cloud) == [("gemini-3.8-flash", HERE)]


async def test_each_call_says_on_googles_bill_what_it_was_for(cloud: Cloud, made: ChatModels) -> None:
    await answer(chat(made))
    (call,) = cloud.heard("gemini.stream")
    assert call.body["labels"] == {"release": "test-1", "tier": "flash", "purpose": "answer"}
    assert call.headers["authorization"] == "Bearer local"


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_dead_region_is_answered_for_by_another(kind: Kind, cloud: Cloud, made: ChatModels) -> None:
    code, tries = FAULTS[kind]
    cloud.faults.add(kind, "gemini", f"locations/{HERE}", seconds=60.0)
    parts = await answer(chat(made, first_token_seconds=1.4 if kind in WAITING else 8.0))
    assert said(parts)[:2] == WHOLE
    assert len(set(said(parts))) == len(said(parts))
    rerouted = of(Rerouted, parts)
    assert [(one.route.model, one.route.region, one.code) for one in rerouted] == [
        (PRO, HERE, code),
        (FLASH, THERE, code),
    ]
    assert [(one.model, one.region) for one in of(Used, parts)] == [(FLASH, THERE)]
    assert asked(cloud) == [("gemini-3.8-flash", HERE)] * tries + [("gemini-4-argon", HERE)] * tries + [
        ("gemini-3.8-flash", THERE)
    ]


async def test_the_deadline_is_shared_by_all_so_that_the_embedded_model_comes_in_time(
    cloud: Cloud, made: ChatModels
) -> None:
    cloud.faults.add(Kind.HANGS, "gemini")
    parts = await answer(chat(made, first_token_seconds=0.4).model_copy(update={"nature": Nature()}))
    assert said(parts)[:2] == WHOLE
    assert [one.code for one in of(Rerouted, parts)] == ["model.slow"] * 3


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_whole_answer_comes_from_another_region_too(kind: Kind, cloud: Cloud, made: ChatModels) -> None:
    cloud.faults.add(kind, "gemini", f"locations/{HERE}", seconds=60.0)
    message = await chat(made, first_token_seconds=1.4 if kind in WAITING else 8.0).ainvoke(ask())
    assert message.text.count(WHOLE[0]) == 1
    rung = message.response_metadata[ANSWERED].rung
    assert (rung.name, rung.region) == (FLASH, THERE)
    assert [one.code for one in of(Rerouted, message.response_metadata[PARTS])] == [FAULTS[kind][0]] * 2


@pytest.mark.parametrize("kind", FAULTS)
async def test_with_every_region_dead_the_embedded_model_answers(kind: Kind, cloud: Cloud, made: ChatModels) -> None:
    cloud.faults.add(kind, "gemini", seconds=60.0)
    parts = await answer(chat(made, first_token_seconds=0.4 if kind in WAITING else 8.0))
    assert said(parts)[:2] == WHOLE
    last = of(Rerouted, parts)[-1]
    assert (last.route.model, last.route.region, last.code) == (EMBEDDED, "", FAULTS[kind][0])
    assert [one.model for one in of(Used, parts)] == [EMBEDDED]


@pytest.mark.parametrize("kind", [Kind.DENIED, Kind.NOT_FOUND, Kind.INVALID])
async def test_what_an_operator_must_change_is_on_the_record(kind: Kind, cloud: Cloud, made: ChatModels) -> None:
    cloud.faults.add(kind, "gemini", f"locations/{HERE}")
    told = [one for one in of(Finding, await answer(chat(made))) if one.code == "model.refused"]
    assert [one.action for one in told] == [Action.NOTE] * 2
    words = {Kind.DENIED: "roles/aiplatform.user", Kind.NOT_FOUND: "retired", Kind.INVALID: "generation"}
    assert told[0].detail.startswith("models.flash, ")
    assert words[kind] in told[0].detail


async def test_the_server_is_waited_for_as_long_as_it_asks(cloud: Cloud, made: ChatModels) -> None:
    cloud.faults.add(Kind.BUSY, "gemini", times=1, retry_after="2")
    time = Time()
    parts = await answer(chat(made, time))
    assert time.paused == [2.25]
    assert codes(parts) == ["model.retried"]
    assert not of(Rerouted, parts)
    assert asked(cloud) == [("gemini-3.8-flash", HERE)] * 2


async def test_nobody_waits_longer_than_the_deadline_allows(cloud: Cloud, made: ChatModels) -> None:
    cloud.faults.add(Kind.BUSY, "gemini", f"locations/{HERE}", retry_after="30")
    time = Time()
    parts = await answer(chat(made, time))
    assert time.paused == []
    assert said(parts)[:2] == WHOLE
    assert asked(cloud) == [("gemini-3.8-flash", HERE), ("gemini-4-argon", HERE), ("gemini-3.8-flash", THERE)]


async def test_pauses_grow_and_are_drawn_by_chance(cloud: Cloud, made: ChatModels) -> None:
    cloud.faults.add(Kind.UNAVAILABLE, "gemini", times=3)
    time = Time()
    await answer(chat(made, time, attempts=4))
    assert time.paused == [0.25, 0.5, 1.0]


async def test_a_region_that_fails_again_and_again_is_left_alone_for_a_while(cloud: Cloud, made: ChatModels) -> None:
    cloud.faults.add(Kind.UNAVAILABLE, "gemini", f"locations/{HERE}")
    time = Time()
    model = chat(made, time, attempts=1, breaker_failures=2, breaker_seconds=30.0)
    for _ in range(3):
        parts = await answer(model)
    assert asked(cloud).count(("gemini-3.8-flash", HERE)) == 2
    assert [one.code for one in of(Rerouted, parts)] == ["model.resting"] * 2
    time.now += 30.0
    await answer(model)
    await answer(model)
    assert asked(cloud).count(("gemini-3.8-flash", HERE)) == 3
    cloud.faults.clear()
    time.now += 30.0
    for _ in range(2):
        assert not of(Rerouted, await answer(model))


async def test_where_there_is_nothing_to_fall_back_on_the_turn_fails_in_the_releases_words(
    cloud: Cloud, made: ChatModels
) -> None:
    cloud.faults.add(Kind.UNAVAILABLE, "gemini")
    model = chat(made)
    parts = await answer(model.model_copy(update={"places": model.places[:1]}))
    assert said(parts) == []
    assert of(Used, parts) == []
    last = of(Finding, parts)[-1]
    assert (last.code, last.action, last.reply) == ("model.unavailable", Action.DECLINE, "failed")


@pytest.mark.parametrize("kind", [Kind.DROPS, Kind.TRUNCATED])
async def test_an_answer_that_breaks_off_after_a_sentence_ends_there(
    kind: Kind, cloud: Cloud, made: ChatModels
) -> None:
    cloud.faults.add(kind, "gemini", bytes=1_250)
    parts = await answer(chat(made))
    assert said(parts) == WHOLE[:1]
    assert codes(parts)[-1] == "model.interrupted"
    assert of(Rerouted, parts) == []
    assert [one.finish for one in of(Used, parts)] == ["INTERRUPTED"]
    assert len(asked(cloud)) == 1


async def test_a_stream_that_falls_silent_after_a_sentence_ends_there(cloud: Cloud, made: ChatModels) -> None:
    cloud.pace.token = 0.02
    cloud.held["gemini"]["chunk"] = 20
    try:
        model = chat(made, first_token_seconds=0.3)
        cloud.pace.token = 0.1  # two seconds between two chunks
        parts = await answer(model.model_copy(update={"places": model.places[:1]}))
    finally:
        del cloud.held["gemini"]["chunk"]
    assert said(parts) == WHOLE[:1]
    assert codes(parts) == ["model.slow", "model.interrupted"]


async def test_a_blocked_prompt_is_declined_and_nobody_else_is_asked(cloud: Cloud, made: ChatModels) -> None:
    cloud.faults.add(Kind.BLOCKED, "gemini")
    parts = await answer(chat(made), replies=fakes.release().replies | {"unsafe": "I cannot help with that."})
    (found,) = of(Finding, parts)
    assert (found.code, found.action, found.reply) == ("model.blocked", Action.DECLINE, "unsafe")
    assert "SAFETY" in found.detail
    assert [one.usage.output for one in of(Used, parts)] == [0]
    assert len(asked(cloud)) == 1


@pytest.mark.parametrize(("kind", "code"), [(Kind.SAFETY, "model.safety"), (Kind.TOO_LONG, "model.truncated")])
async def test_an_answer_that_is_stopped_keeps_its_whole_sentences(
    kind: Kind, code: str, cloud: Cloud, made: ChatModels
) -> None:
    cloud.faults.add(kind, "gemini")
    parts = await answer(chat(made))
    assert said(parts) == WHOLE[: len(said(parts))] != []
    assert [(one.code, one.action) for one in of(Finding, parts)] == [(code, Action.NOTE)]
    assert len(of(Used, parts)) == len(asked(cloud)) == 1


async def test_a_malformed_call_of_a_tool_is_tried_once_more(cloud: Cloud, made: ChatModels) -> None:
    cloud.faults.add(Kind.MALFORMED, "gemini", times=1)
    parts = await answer(chat(made, attempts=5), "What is my balance?")
    assert [one.tool for one in of(Looked, parts)] == ["account_balances"]
    assert codes(parts) == ["model.retried"]
    assert len(of(Used, parts)) == len(asked(cloud)) == 3  # the one that failed was billed too


async def test_malformed_twice_another_model_is_asked_and_stays_for_the_turn(cloud: Cloud, made: ChatModels) -> None:
    cloud.faults.add(Kind.MALFORMED, "gemini", "flash")
    parts = await answer(chat(made, attempts=5), "What is my balance?")
    assert [one.model for one in of(Used, parts)] == [FLASH, FLASH, PRO, PRO]
    assert [one.code for one in of(Rerouted, parts)] == ["model.malformed"]
    assert [model for model, _ in asked(cloud)] == ["gemini-3.8-flash"] * 2 + ["gemini-4-argon"] * 2


class Verdict(BaseModel):
    """A form to be filled in."""

    verdict: str
    reasons: list[str]


@pytest.mark.parametrize("how", ["", "schema"])
async def test_an_answer_of_another_form_is_no_answer(how: str, cloud: Cloud, made: ChatModels) -> None:
    cloud.faults.add(Kind.MALFORMED, "gemini", "flash", message=how)
    found = await chat(made).with_structured_output(Verdict).ainvoke(ask())
    assert isinstance(found, Verdict)
    assert [model for model, _ in asked(cloud)] == ["gemini-3.8-flash"] * 2 + ["gemini-4-argon"]


async def test_a_form_that_no_model_fills_in_is_none(cloud: Cloud, made: ChatModels) -> None:
    cloud.faults.add(Kind.MALFORMED, "gemini")
    assert await chat(made).with_structured_output(Verdict).ainvoke(ask()) is None


async def left(cloud: Cloud) -> list[int]:
    """What the server had written when its client went away."""
    for _ in range(200):
        if cloud.held["gemini"]["cancelled"]:
            break
        await asyncio.sleep(0.01)
    return list(cloud.held["gemini"]["cancelled"])


async def begin(model: ResilientChat) -> tuple[AsyncIterator[Any], Any]:
    stream = upstream.agent(model).sentences(
        fakes.question(), (fakes.passage(1, upstream.SOURCE),), upstream.ROUTE, upstream.release()
    )
    return stream, await anext(stream)


async def test_when_the_customer_presses_stop_the_server_stops_writing(cloud: Cloud, made: ChatModels) -> None:
    cloud.pace.token = 0.02
    cloud.held["gemini"]["cancelled"].clear()
    model, begun = chat(made), asyncio.Event()

    async def turn() -> None:
        stream, _ = await begin(model)
        begun.set()
        async for _ in stream:
            pass

    task = asyncio.create_task(turn())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(await left(cloud)) == 1


async def test_when_nobody_reads_on_the_server_stops_writing(cloud: Cloud, made: ChatModels) -> None:
    cloud.pace.token = 0.02
    cloud.held["gemini"]["cancelled"].clear()
    stream, first = await begin(chat(made))
    assert first.text == WHOLE[0]
    await stream.aclose()  # type: ignore[attr-defined]  # an async generator
    assert len(await left(cloud)) == 1


async def test_a_model_that_is_left_between_two_chunks_stops_too(cloud: Cloud, made: ChatModels) -> None:
    cloud.pace.token = 0.02
    cloud.held["gemini"]["cancelled"].clear()
    stream = chat(made).astream(ask())
    async for _ in stream:
        break
    await stream.aclose()  # type: ignore[attr-defined]  # an async generator
    assert len(await left(cloud)) == 1


async def test_a_repair_asks_the_model_that_answered_and_climbs_from_there(cloud: Cloud, made: ChatModels) -> None:
    cloud.faults.add(Kind.UNAVAILABLE, "gemini", "argon")
    finding = Finding(code="grounding.figure", action=Action.WITHHOLD, stage="answer", span="$9", detail="not there")
    refusal = Refusal(Sentence(text="The overdraft fee is $9 for each item.", cites=(1,)), (finding,))
    route = Route(tier=Tier.PRO, model=PRO, reason="rerouted", region=HERE)
    repaired = upstream.agent(chat(made)).repair(
        refusal, fakes.question(), [fakes.passage(1, upstream.SOURCE)], route, upstream.release()
    )
    parts = [part async for part in repaired]
    assert said(parts) == [WHOLE[0]]
    assert asked(cloud) == [("gemini-4-argon", HERE)] * 2 + [("gemini-3.8-flash", THERE)]


async def test_a_repair_is_never_the_embedded_models(cloud: Cloud, made: ChatModels) -> None:
    cloud.faults.add(Kind.UNAVAILABLE, "gemini")
    message = await chat(made).correcting(upstream.ROUTE).ainvoke(ask())
    assert message.text == ""
    assert EMBEDDED not in [one.route.model for one in of(Rerouted, message.response_metadata[PARTS])]
