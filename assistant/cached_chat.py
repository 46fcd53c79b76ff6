"""A Gemini model whose prompts' stable beginning the provider keeps, as the release says."""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.exceptions import ModelInvalidRequestError, ModelNotFoundError, ModelPermissionDeniedError
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import ConfigDict, PrivateAttr, SkipValidation

from assistant import prefix_cache, prompting
from assistant.prefix_cache import Beginning, PrefixCaches, Wanted
from opsplane.release import Caching, Release
from opsplane.spend import Usage

_NOT_WITH_A_CACHE = ("tool_choice", "tool_config", "functions", "cached_content")
"""What Google refuses beside cached content, or what would need a cache of its own."""


def cached(model: BaseChatModel, name: str, release: Release, caches: PrefixCaches) -> BaseChatModel:
    """The model that a release names so, with its prompt's beginning kept where the release says so and Google can."""
    if release.models.caching is None or not name.startswith("google_genai:"):
        return model
    stable = tuple(prompting.prefix(release))
    return CachedChat(model=model, name=name, stable=stable, caching=release.models.caching, caches=caches)


class CachedChat(BaseChatModel):
    """Asks `model`, a ChatGoogleGenerativeAI, with cached content in the place of `stable` and the tools.

    Only what is here before any customer speaks can get into a cache: `stable` and the declarations of tools. A call
    that does not begin with `stable`, or chooses a tool, goes as it is; so does one whose cache is gone or refused, at
    once and before anything was said.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    model: SkipValidation[Any]
    name: str  # as the price table has it
    stable: tuple[SkipValidation[BaseMessage], ...]
    caching: Caching
    caches: SkipValidation[PrefixCaches]
    _known: dict[str, Beginning] = PrivateAttr(default_factory=dict)  # by the tools

    @property
    def _llm_type(self) -> str:
        return f"cached-{self.model._llm_type}"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        params: Mapping[str, Any] = self.model._identifying_params
        return params

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with these tools, written as the model itself writes them."""
        return self.bind(**self.model.bind_tools(tools, **kwargs).kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = _Call.begin(self, messages, kwargs)
        result: ChatResult
        with call:
            try:
                result = self.model._generate(call.messages, stop, run_manager, **call.kwargs)
            except _UNUSABLE as error:
                call.without(error)
                result = self.model._generate(messages, stop, run_manager, **kwargs)
            return call.marked(result)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = _Call.begin(self, messages, kwargs)
        result: ChatResult
        with call:
            try:
                result = await self.model._agenerate(call.messages, stop, run_manager, **call.kwargs)
            except _UNUSABLE as error:
                call.without(error)
                result = await self.model._agenerate(messages, stop, run_manager, **kwargs)
            return call.marked(result)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        call = _Call.begin(self, messages, kwargs)
        with call:
            try:
                for chunk in self.model._stream(call.messages, stop, run_manager, **call.kwargs):
                    yield call.told(chunk)
            except _UNUSABLE as error:
                call.without(error)
                for chunk in self.model._stream(messages, stop, run_manager, **kwargs):
                    yield call.told(chunk)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        call = _Call.begin(self, messages, kwargs)
        with call:
            try:
                async for chunk in self.model._astream(call.messages, stop, run_manager, **call.kwargs):
                    yield call.told(chunk)
            except _UNUSABLE as error:
                call.without(error)
                async for chunk in self.model._astream(messages, stop, run_manager, **kwargs):
                    yield call.told(chunk)

    async def aclose(self) -> None:
        """Close the model's connections; its caches stay until their owner lets go of them."""
        await self.model.aclose()


_UNUSABLE = (ModelNotFoundError, ModelInvalidRequestError, ModelPermissionDeniedError)
"""What Google says of cached content that is gone, of another model, or not ours: 404, 400 and 403."""


class _Call:
    """One call: what is sent with cached content, and what was bought, which the first piece of the answer tells.

    As a context it gives back what was bought if the call does not come to its end.
    """

    def __init__(self, chat: CachedChat, wanted: Wanted | None, messages: list[BaseMessage], kwargs: Any) -> None:
        self._chat = chat
        self._wanted = wanted
        self._name = chat.caches.use(wanted) if wanted else None
        self._owed = chat.caches.take(wanted) if wanted else Usage()
        self._begun = self._ended = False
        self.messages = messages[len(chat.stable) :] if self._name else messages
        self.kwargs: dict[str, Any] = kwargs
        if self._name:
            self.kwargs = {key: value for key, value in kwargs.items() if key != "tools"}
            self.kwargs["cached_content"] = self._name

    @classmethod
    def begin(cls, chat: CachedChat, messages: list[BaseMessage], kwargs: Mapping[str, Any]) -> "_Call":
        """A call with cached content where there is some for it."""
        wanted = None
        if _same(messages, chat.stable) and not any(kwargs.get(name) for name in _NOT_WITH_A_CACHE):
            beginning = _beginning(chat, kwargs.get("tools") or ())
            wanted = Wanted(chat.model, beginning, chat.name, chat.caching) if beginning else None
        return cls(chat, wanted, messages, dict(kwargs))

    def __enter__(self) -> None:
        """The call begins."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """The call has ended; what breaks after an answer's end breaks nothing, and the answer tells it."""
        whole = kind is None or (self._ended and issubclass(kind, Exception))
        if self._wanted and not whole:
            self._chat.caches.give_back(self._wanted, self._owed)

    def without(self, error: Exception) -> None:
        """Go on without the cache; raise the error again where it is not the cache's."""
        about_it = isinstance(error, ModelNotFoundError) or "cache" in str(error).lower()
        if self._wanted is None or self._name is None or self._begun or not about_it:
            raise error
        self._chat.caches.lost(self._wanted, self._name)
        self._name = None

    def told(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk:
        """A piece of the answer; the first one tells what was bought."""
        if not self._begun:
            self._begun = True
            chunk.message.response_metadata |= prefix_cache.told(self._owed)
        self._ended = self._ended or bool((chunk.generation_info or {}).get("finish_reason"))
        return chunk

    def marked(self, result: ChatResult) -> ChatResult:
        """A whole answer, which tells what was bought."""
        for generation in result.generations[:1]:
            generation.message.response_metadata |= prefix_cache.told(self._owed)
        return result


def _same(messages: Sequence[BaseMessage], stable: Sequence[BaseMessage]) -> bool:
    """Whether a prompt begins so, and goes on."""
    begun = messages[: len(stable)]
    return len(messages) > len(stable) and all(
        one.type == other.type and one.content == other.content for one, other in zip(begun, stable, strict=True)
    )


def _beginning(chat: CachedChat, tools: Sequence[Any]) -> Beginning | None:
    """What may be kept, or None with tools that are no JSON. It holds the release's own messages, never a call's."""
    try:
        written = json.dumps(list(tools))
    except TypeError:
        return None
    if written not in chat._known:
        system = "\n".join(one.text for one in chat.stable if isinstance(one, SystemMessage))
        turns = tuple((_ROLES[one.type], str(one.text)) for one in chat.stable if one.type in _ROLES)
        told = (chat.model.model, chat.model.location or "", system, turns, _declared(json.loads(written)))
        chat._known[written] = Beginning(*told)
    return chat._known[written]


_ROLES = {"human": "user", "ai": "model"}


def _declared(tools: list[Any]) -> tuple[Mapping[str, Any], ...]:
    """Tools as the provider reads them, so that a cached call offers the same as any other."""
    if not tools:
        return ()
    # heavy, and there where the model is; langchain's own function for caches uses the same, but takes no display name
    from langchain_google_genai._function_utils import convert_to_genai_function_declarations  # noqa: PLC0415

    made = convert_to_genai_function_declarations(tools)
    return tuple(one.model_dump(mode="json", exclude_none=True) for one in made)
