"""The embedded chat model: answers out of the sources it is given, by rules and without a language model."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolCall,
    ToolMessage,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field, SkipValidation

from assistant import sources
from assistant.extractive import intent, results
from assistant.extractive.choice import choose
from assistant.extractive.confidence import Encoder

NAME = "embedded:extractive"
_TOKEN = re.compile(r"\w+|[^\w\s]")


class ExtractiveChat(BaseChatModel):
    """Chooses the sentences of the sources that answer the question, and calls account tools where it is asked to.

    Reads the last human message (date, sources, question) and the tool messages after it; nothing else.
    `sentences` is the most that one answer holds, `opening` a courtesy before the first of them. An answer that the
    sources do not hold is empty.
    """

    model_config = ConfigDict(extra="forbid")

    embeddings: SkipValidation[Encoder] = Field(exclude=True)
    sentences: int = Field(default=4, ge=1, le=12)
    opening: str = ""

    @property
    def _llm_type(self) -> str:
        return NAME

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": NAME, "sentences": self.sentences, "opening": self.opening}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with these tools at hand; it calls them only where the question is about own accounts."""
        kwargs.pop("tool_choice", None)
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - an answer ends by itself
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - nothing to tell before the end
        **kwargs: Any,
    ) -> ChatResult:
        said, calls = self._answer(messages, _names(kwargs))
        message = AIMessage(
            " ".join(said),
            tool_calls=calls,
            usage_metadata=_usage(messages, said, calls),
            response_metadata=_metadata(calls),
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - an answer ends by itself
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        said, calls = self._answer(messages, _names(kwargs))
        for number, sentence in enumerate(said):
            piece = f" {sentence}" if number else sentence
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if run_manager:
                run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk
        yield ChatGenerationChunk(
            message=AIMessageChunk(
                content="",
                tool_call_chunks=[
                    tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=number)
                    for number, call in enumerate(calls)
                ],
                usage_metadata=_usage(messages, said, calls),
                response_metadata=_metadata(calls),
                chunk_position="last",
            )
        )

    def _answer(self, messages: list[BaseMessage], tools: frozenset[str]) -> tuple[list[str], list[ToolCall]]:
        """Marked sentences, or the tools to call first."""
        asked = max((n for n, message in enumerate(messages) if isinstance(message, HumanMessage)), default=-1)
        text = messages[asked].text if asked >= 0 else ""
        given, question = sources.read(text)
        today = sources.read_today(text) or date.max
        looked = [
            sources.read_result(message.text) for message in messages[asked + 1 :] if isinstance(message, ToolMessage)
        ]
        wishes, rest = intent.read(question, today)
        calls = [wish for wish in wishes if wish.tool in tools]
        if calls and not looked:
            return [], [
                ToolCall(name=wish.tool, args=wish.arguments, id=f"call_{number}", type="tool_call")
                for number, wish in enumerate(calls, 1)
            ]
        said = results.choose(question, looked, self.sentences)
        if rest or not looked:
            room = max(self.sentences - len(said), 1)
            chosen = choose(rest or question, given, self.embeddings, room, today)
            said += [f"{one.text} [{one.source.number}]" for one in chosen]
        return ([self.opening.strip(), *said] if said and self.opening.strip() else said), []


def _names(kwargs: dict[str, Any]) -> frozenset[str]:
    return frozenset(tool["function"]["name"] for tool in kwargs.get("tools", []))


def _metadata(calls: list[ToolCall]) -> dict[str, Any]:
    return {"finish_reason": "tool_calls" if calls else "stop", "model_name": NAME}


def _usage(messages: Sequence[BaseMessage], said: Sequence[str], calls: Sequence[ToolCall]) -> UsageMetadata:
    """Words and punctuation marks, counted as tokens: the embedded model has no other."""
    read = sum(len(_TOKEN.findall(message.text)) for message in messages)
    written = sum(len(_TOKEN.findall(text)) for text in (*said, *(json.dumps(call["args"]) for call in calls)))
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
