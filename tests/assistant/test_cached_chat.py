"""A cached call says what any other says; what changes is the bill. Real clients, over a socket."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.tools import tool
from langchain_google_genai import ChatGoogleGenerativeAI

from assistant import prompting
from assistant.agent import Agent
from assistant.cached_chat import CachedChat, cached
from opsplane.exchange import Route, Tier, Used
from opsplane.spend import Purpose, Usage
from tests import fakes
from tests.assistant import keeping
from tests.assistant.keeping import FLASH, PASSAGE, RELEASE, TTL, Bench, bought, cached_tokens, stream
from tests.vertex.cloud import Cloud
from tests.vertex.faults import Kind

# Google's client derives a class from one of aiohttp's, which aiohttp does not like.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


@pytest.fixture(scope="module")
def models() -> Iterator[tuple[Cloud, dict[str, ChatGoogleGenerativeAI]]]:
    with keeping.shared() as one:
        yield one


@pytest.fixture
def bench(models: tuple[Cloud, dict[str, ChatGoogleGenerativeAI]]) -> Iterator[Bench]:
    with keeping.opened(*models) as one:
        yield one


@tool
def account_balances(account: str = "") -> str:
    """Balances."""
    return account


def test_once_it_pays_calls_go_with_the_cache_and_say_the_same(bench: Bench) -> None:
    said = bench.warm(bench.model())
    assert [cached_tokens(one) > 2_048 for one in said] == [False, False, False, True]
    assert {str(one.text) for one in said} == {"The overdraft fee is $15 for each item. [1]"}
    assert len({one.usage_metadata["input_tokens"] for one in said if one.usage_metadata}) == 1
    assert bench.made() == 1


def test_tools_are_kept_too_and_called_all_the_same(bench: Bench) -> None:
    model = bench.model().bind_tools([account_balances])
    said = [bench.ask(model, "What is my balance?") for _ in range(4)]
    assert cached_tokens(said[-1]) > 2_048
    assert [one.tool_calls[0]["name"] for one in said] == ["account_balances"] * 4
    plain, *_, kept = (call.body for call in bench.cloud.heard("gemini.generate"))
    (made,) = (call.body for call in bench.cloud.heard("gemini.cache.create"))
    assert made["tools"] == plain["tools"]
    assert made["systemInstruction"]["parts"] == plain["systemInstruction"]["parts"]
    assert [*made["contents"], *kept["contents"]] == plain["contents"]
    assert not kept.keys() & {"systemInstruction", "tools", "toolConfig"}


def test_other_tools_are_another_cache(bench: Bench) -> None:
    bench.warm(bench.model())
    bench.warm(bench.model().bind_tools([account_balances]))
    assert bench.made() == 2


async def test_a_stream_is_cached_in_any_event_loop(bench: Bench) -> None:
    def streamed() -> tuple[str, int]:
        whole = asyncio.run(stream(bench.model(own=True), bench.prompt()))
        return str(whole.text), cached_tokens(whole)

    said = [await asyncio.to_thread(streamed) for _ in range(4)]  # each in a thread and a loop of its own
    assert {text for text, _ in said} == {"The overdraft fee is $15 for each item. [1]"}
    assert [tokens > 0 for _, tokens in said] == [False, False, False, True]


async def test_what_was_bought_is_told_once_by_the_call_after(bench: Bench) -> None:
    for _ in range(3):
        await asyncio.to_thread(bench.ask, bench.model())
    said = [await stream(bench.model(own=True), bench.prompt()) for _ in range(2)]
    assert [len(bought(one)) for one in said] == [1, 0]
    assert bench.caches.close() == ()


def test_making_is_booked_as_input_and_keeping_by_the_second(bench: Bench) -> None:
    *before, after = bench.warm(bench.model())
    assert [bought(one) for one in before] == [[], [], []]
    (used,) = bought(after)
    tokens = cached_tokens(after)
    assert used == Used(
        model=FLASH, usage=Usage(input=tokens, stored=tokens * TTL), region="us-central1", purpose=Purpose.CACHE
    )


async def test_a_stream_that_is_left_gives_back_what_it_was_to_tell(bench: Bench) -> None:
    model = bench.model(own=True)
    for _ in range(3):
        await asyncio.to_thread(bench.ask, model)
    left = model.astream(bench.prompt())
    await anext(left)
    await left.aclose()
    (unbooked,) = bench.caches.close()
    await model.aclose()
    assert unbooked.purpose is Purpose.CACHE
    assert unbooked.usage.stored == unbooked.usage.input * TTL


def test_nothing_that_a_customer_wrote_gets_into_a_cache(bench: Bench) -> None:
    model = bench.model()
    for number in range(5):
        bench.ask(model, f"My name is Jane Roe and my number is {number}.")
    (made,) = bench.cloud.heard("gemini.cache.create")
    words = str(made.body)
    assert "Jane" not in words
    assert PASSAGE.text not in words
    assert "Today is" not in words


def test_a_prompt_that_begins_in_another_way_goes_as_it_is(bench: Bench) -> None:
    model = bench.model()
    bench.warm(model)
    stable = prompting.prefix(bench.release)
    for messages in ([HumanMessage("Hello?")], [*stable[:-1], HumanMessage("Hello?")], bench.prompt()):
        model.invoke(messages)
    *_, other, shorter, same = (call.body for call in bench.cloud.heard("gemini.generate"))
    assert ["cachedContent" in body for body in (other, shorter, same)] == [False, False, True]


def test_a_call_that_chooses_its_tool_goes_as_it_is(bench: Bench) -> None:
    bench.warm(bench.model().bind_tools([account_balances]))
    bench.model().bind_tools([account_balances], tool_choice="any").invoke(bench.prompt())
    *_, chosen = (call.body for call in bench.cloud.heard("gemini.generate"))
    assert chosen["toolConfig"]
    assert "cachedContent" not in chosen


def test_a_cache_that_is_gone_costs_no_answer_and_is_made_again(bench: Bench) -> None:
    model = bench.model()
    bench.warm(model)
    bench.cloud.faults.add(Kind.EXPIRED, "gemini.generate", times=1)
    missed, next_one = bench.ask(model), bench.ask(model)
    assert missed.text == next_one.text == "The overdraft fee is $15 for each item. [1]"
    assert (cached_tokens(missed), cached_tokens(next_one) > 0) == (0, True)
    assert bench.made() == 2


async def test_a_cache_that_is_gone_before_a_stream_costs_no_answer(bench: Bench) -> None:
    model = bench.model(own=True)
    for _ in range(3):
        await asyncio.to_thread(bench.ask, model)
    bench.cloud.faults.add(Kind.EXPIRED, "gemini.stream", times=1)
    whole = await stream(model, bench.prompt())
    assert whole.text == "The overdraft fee is $15 for each item. [1]"
    assert len(bought(whole)) == 1


def test_an_error_that_is_not_the_caches_is_raised(bench: Bench) -> None:
    model = bench.model()
    bench.warm(model)
    bench.cloud.faults.add(Kind.BUSY, "gemini.generate", times=1)
    with pytest.raises(Exception, match="429"):
        model.invoke(bench.prompt())
    assert cached_tokens(bench.ask(model)) > 0


def test_only_googles_models_are_kept_and_only_where_the_release_says_so(bench: Bench) -> None:
    plain = bench.model().model
    without = fakes.release(models={"flash": {"name": FLASH}, "pro": {"name": FLASH}})
    assert cached(plain, FLASH, without, bench.caches) is plain
    assert cached(plain, "embedded:extractive", RELEASE, bench.caches) is plain
    assert isinstance(cached(plain, FLASH, RELEASE, bench.caches), CachedChat)


async def test_an_agents_turn_books_what_keeping_cost(bench: Bench) -> None:
    model = bench.model(own=True)
    agent = Agent(lambda *_: model, [], None, lambda: fakes.NOON.date())  # type: ignore[arg-type]  # no tool reads it
    route = Route(tier=Tier.FLASH, model=FLASH, reason="test", region="us-central1")
    booked = []
    for _ in range(5):
        parts = [part async for part in agent.sentences(fakes.question(), (PASSAGE,), route, bench.release)]
        booked.append([part.purpose for part in parts if isinstance(part, Used)])
        await asyncio.to_thread(bench.caches.settle)
    await model.aclose()
    assert booked == [[None], [None], [None], [None, Purpose.CACHE], [None]]


class Breaking:
    """A model whose connection breaks after the last word of an answer, or before it."""

    model, location, client = "gemini-3.8-flash", "us-central1", None

    _llm_type = "breaking"
    _identifying_params: Mapping[str, Any] = {}

    def __init__(self, finish: str) -> None:
        self._finish = finish

    async def aclose(self) -> None:
        """There is nothing to close."""

    async def _astream(self, *_: Any, **__: Any) -> AsyncIterator[ChatGenerationChunk]:
        info = {"finish_reason": self._finish} if self._finish else {}
        yield ChatGenerationChunk(message=AIMessageChunk(content="Yes."), generation_info=info)
        raise ConnectionResetError("gone")


@pytest.mark.parametrize(("finish", "left"), [("STOP", 0), ("", 1)])
async def test_what_breaks_after_an_answers_end_is_booked_with_it(bench: Bench, finish: str, left: int) -> None:
    model = cached(Breaking(finish), FLASH, bench.release, bench.caches)  # type: ignore[arg-type]  # as far as is needed
    assert isinstance(model, CachedChat)
    with pytest.raises(ConnectionResetError):
        await stream(model, bench.prompt())
    (wanted,) = (one.wanted for one in bench.caches._entries.values())
    bench.caches.give_back(wanted, Usage(input=1, stored=2))
    with pytest.raises(ConnectionResetError):
        await stream(model, bench.prompt())
    assert len(bench.caches.close()) == left
