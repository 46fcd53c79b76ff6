import asyncio
from collections.abc import AsyncIterator

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk

from assistant.reading import Endless, Held, Reading


def chunk(text: str = "", call: bool = False) -> AIMessageChunk:
    calls = [tool_call_chunk(name="look", args="{}", id="a", index=0)] if call else []
    return AIMessageChunk(content=text, tool_call_chunks=calls)


async def stream(*texts: str, fail: Exception | None = None, hang: bool = False) -> AsyncIterator[AIMessageChunk]:
    for text in texts:
        yield chunk(text)
    if fail:
        raise fail
    if hang:
        await asyncio.Event().wait()


async def test_chunks_come_in_order_and_then_none() -> None:
    async with Reading(stream("a", "b")) as reading:
        came = [await reading.next(1.0) for _ in range(3)]
    assert [one.text if one else None for one in came] == ["a", "b", None]


async def test_what_the_provider_raises_is_raised_after_what_came_before() -> None:
    async with Reading(stream("a", fail=ConnectionResetError("gone"))) as reading:
        assert await reading.next(1.0)
        with pytest.raises(ConnectionResetError):
            await reading.next(1.0)


async def test_nobody_waits_longer_than_told() -> None:
    async with Reading(stream(hang=True)) as reading:
        with pytest.raises(TimeoutError):
            await reading.next(0.01)
        with pytest.raises(TimeoutError):
            await reading.next(-1.0)


async def test_the_read_under_way_is_cancelled_at_the_end() -> None:
    cancelled = []

    async def listening() -> AsyncIterator[AIMessageChunk]:
        yield chunk("a")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async with Reading(listening()) as reading:
        await reading.next(1.0)
    assert cancelled == [True]


async def test_an_answer_without_end_is_given_up() -> None:
    async def endless() -> AsyncIterator[AIMessageChunk]:
        one = chunk("a")
        while True:
            yield one

    async def read() -> None:
        async with Reading(endless()) as reading:
            while True:
                await reading.next(5.0)

    with pytest.raises(Endless):
        await read()


def test_nothing_is_let_out_before_a_sentence_is_complete() -> None:
    held = Held(whole=False)
    assert held.take(chunk("The fee ")) == []
    assert held.take(chunk("is $15. [1]")) == []
    assert not held.shown
    assert [one.text for one in held.take(chunk(" It is due"))] == ["The fee ", "is $15. [1]", " It is due"]
    assert [one.text for one in held.take(chunk(" soon"))] == [" soon"]
    assert held.shown


def test_calls_of_tools_wait_for_the_end_and_are_none_where_it_is_bad() -> None:
    for whole, calls in ((True, 1), (False, 0)):
        held = Held(whole=False)
        assert held.take(chunk("Let me look. One moment")) != []
        assert held.take(chunk("", call=True)) == []
        assert [len(one.tool_call_chunks) for one in held.rest(whole=whole)] == [calls]


def test_a_whole_answer_waits_for_its_end() -> None:
    held = Held(whole=True)
    assert held.take(chunk("The fee is $15. It is due")) == []
    assert [one.text for one in held.rest(whole=True)] == ["The fee is $15. It is due"]


def test_what_is_told_twice_counts_once() -> None:
    held = Held(whole=False)
    for reason in ("STOP", "STOP"):
        held.take(AIMessageChunk(content="a", response_metadata={"finish_reason": reason, "mean": 0.5}))
    held.take(AIMessageChunk(content="", response_metadata={"finish_reason": 7, "mean": 0.7}))
    assert held.message().response_metadata == {"finish_reason": "STOP", "mean": 0.5}


def test_probabilities_of_tokens_are_added_up() -> None:
    held = Held(whole=False)
    for likely in (-0.1, -0.2):
        held.take(AIMessageChunk(content="a", response_metadata={"logprobs": {"content": [{"logprob": likely}]}}))
    assert held.message().response_metadata["logprobs"]["content"] == [{"logprob": -0.1}, {"logprob": -0.2}]


def test_the_message_is_everything_that_came() -> None:
    held = Held(whole=False)
    assert held.message().text == ""
    for text in ("a", "b", "c"):
        held.take(chunk(text))
    assert held.message().text == "abc"
    assert held.begun
