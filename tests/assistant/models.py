"""Stand-ins for models: a chat model that follows a script, and word counts in the place of an embedding model."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any
from zlib import crc32

import numpy as np
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from numpy.typing import NDArray

from assistant.extractive.lexicon import terms


class WordCounts:
    """Vectors that count topic words: the same words, the same direction."""

    def __init__(self) -> None:
        self.texts = 0

    def encode(self, texts: Sequence[str], *, lasting: bool = False) -> NDArray[np.float32]:
        """Unit vectors, shape (len(texts), 384)."""
        self.texts += len(texts)
        counts = np.zeros((len(texts), 384), np.float32)
        for row, text in enumerate(texts):
            counts[row, 383] = 0.1
            for term in terms(text):
                counts[row, crc32(term.encode()) % 383] += 1
        unit: NDArray[np.float32] = counts / np.linalg.norm(counts, axis=1, keepdims=True)
        return unit


class Scripted(BaseChatModel):
    """Says one scripted message a call, a few letters at a time, and remembers what it was given."""

    script: list[AIMessage]
    heard: list[list[BaseMessage]]
    pause: float
    stopped: list[bool]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Runnable[Any, AIMessage]:
        """Tools change nothing: the script calls them."""
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next(messages))])

    def _stream(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        yield from _chunks(self._next(messages))

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        try:
            for chunk in _chunks(self._next(messages)):
                yield chunk
                await asyncio.sleep(self.pause)
        except (asyncio.CancelledError, GeneratorExit):
            self.stopped.append(True)
            raise

    def _next(self, messages: list[BaseMessage]) -> AIMessage:
        self.heard.append(list(messages))
        return self.script[len(self.heard) - 1]


def _chunks(message: AIMessage) -> Iterator[ChatGenerationChunk]:
    text = str(message.text)
    for start in range(0, len(text), 4):
        yield ChatGenerationChunk(message=AIMessageChunk(content=text[start : start + 4]))
    calls = [
        tool_call_chunk(name=call["name"], args=str(call["args"]).replace("'", '"'), id=call["id"], index=number)
        for number, call in enumerate(message.tool_calls)
    ]
    yield ChatGenerationChunk(
        message=AIMessageChunk(
            content="",
            tool_call_chunks=calls,
            usage_metadata=message.usage_metadata,
            response_metadata=message.response_metadata,
        )
    )


def scripted(*script: AIMessage, pause: float = 0.0) -> Scripted:
    """A model that says these messages in turn."""
    return Scripted(script=list(script), heard=[], stopped=[], pause=pause)
