"""The chunks of a model's answer, read by a task of their own, and kept back until a sentence of them is complete."""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from langchain_core.messages import AIMessageChunk

from assistant.sentences import Splitter

_MOST = 20_000
"""Chunks of one answer; a model that sends more does not come to an end."""
_PIECEWISE = ("logprobs", "logprobs_result")
"""What a provider tells of each chunk's own tokens."""
_CLOSING = 2.0
"""Seconds that a connection may take to close."""


class Endless(Exception):
    """An answer had more chunks than any answer has."""


class Reading:
    """A stream under way, whose connection closes when the block ends, however it ends.

    Google's client keeps its socket open where its iterator is closed between two chunks: only a read under way that
    is cancelled closes it, and a task that does nothing but read is always within one. Nobody pays for an answer that
    nobody reads.
    """

    def __init__(self, stream: AsyncIterator[AIMessageChunk]) -> None:
        self._stream = stream
        self._come: asyncio.Queue[AIMessageChunk | Exception | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=_CLOSING)

    async def next(self, seconds: float) -> AIMessageChunk | None:
        """The next chunk, None at the end; raise `TimeoutError`, `Endless` or what the model's provider raises."""
        async with asyncio.timeout(max(seconds, 0.0)):
            come = await self._come.get()
        if isinstance(come, Exception):
            raise come
        return come

    async def _read(self) -> None:
        number = 0
        try:
            async for chunk in self._stream:
                self._come.put_nowait(chunk)
                number += 1
                if number >= _MOST:
                    raise Endless
        except Exception as error:  # noqa: BLE001 - it is raised where the chunk is waited for
            self._come.put_nowait(error)
        else:
            self._come.put_nowait(None)


class Held:
    """What came of an answer so far. Until a sentence is complete nothing may be shown, and another model may begin.

    Calls of tools wait for the end: none is made for an answer that broke off. With `whole` everything does.
    """

    def __init__(self, *, whole: bool) -> None:
        self.begun = self.shown = False  # whether anything came of it at all, and whether anything was let out
        self._whole = whole
        self._splitter = Splitter()
        self._chunks: list[AIMessageChunk] = []
        self._kept: list[AIMessageChunk] = []
        self._told: set[str] = set()  # names of metadata

    def take(self, chunk: AIMessageChunk) -> list[AIMessageChunk]:
        """Another chunk; those that may be shown now."""
        metadata = chunk.response_metadata.items()
        fresh = {key: told for key, told in metadata if key not in self._told or key in _PIECEWISE}
        self._told |= fresh.keys()
        # a part of our own message, not of the model's; LangChain cannot add up what is told twice, such as its end
        own = chunk.model_copy(update={"id": None, "chunk_position": None, "response_metadata": fresh})
        self._chunks.append(own)
        self.begun = self.begun or bool(own.content or own.tool_call_chunks)
        if own.tool_call_chunks or self._whole:
            self._kept.append(own)
            return []
        if self.shown:
            return [own]
        self._kept.append(own)
        self.shown = bool(list(self._splitter.feed(str(own.text))))
        if not self.shown:
            return []
        free = [one for one in self._kept if not one.tool_call_chunks]
        self._kept = [one for one in self._kept if one.tool_call_chunks]
        return free

    def rest(self, *, whole: bool) -> list[AIMessageChunk]:
        """What was kept back to the end; without calls of tools where the answer is not whole."""
        kept, self._kept, self.shown = self._kept, [], True
        return kept if whole else [_without_calls(one) for one in kept]

    def message(self) -> AIMessageChunk:
        """Everything that came, as one message."""
        first, *others = self._chunks or [AIMessageChunk(content="")]
        whole: AIMessageChunk = first.__add__(others) if others else first
        return whole


def _without_calls(chunk: AIMessageChunk) -> AIMessageChunk:
    """The chunk's words and tokens alone."""
    return AIMessageChunk(
        content=chunk.content, usage_metadata=chunk.usage_metadata, response_metadata=chunk.response_metadata
    )
