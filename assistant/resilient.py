"""A chat model that does not give up: it tries again, then asks others, and in the end the embedded one, in time."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from time import monotonic
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, message_chunk_to_message
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableBinding
from pydantic import SkipValidation

from assistant import endings, failures, forms, ladder, prefix_cache
from assistant.breaker import Breaker, Circuit
from assistant.endings import Remedy
from assistant.failures import Failure
from assistant.ladder import Rung
from assistant.reading import Held, Reading
from assistant.tokens import usage
from opsplane.exchange import Rerouted, Route, Used
from opsplane.finding import Action, Finding
from opsplane.release import Resilience

log = logging.getLogger(__name__)

PARTS = "parts"
"""Where a message's metadata hold what happened on the way: `Used`, `Rerouted` and `Finding`."""
ANSWERED = "answered"
"""Where they hold who answered."""
_MARGIN = 0.95
"""The share of the release's time-out after which an answer ends, so that it is here that it ends."""


@dataclass(frozen=True)
class Nature:
    """Time in seconds, waiting and chance."""

    clock: Callable[[], float] = monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


@dataclass(frozen=True)
class Place:
    """A rung of the ladder and the model that stands on it."""

    rung: Rung
    chat: BaseChatModel


@dataclass(frozen=True)
class Answered:
    """Who answered one call; `spent` are the seconds that the calls of this turn took so far."""

    rung: Rung
    spent: float


class _Broken(Exception):
    """A try came to nothing; `shown` where a sentence had been let out, `ended` where the answer came to its end."""

    def __init__(self, failure: Failure, held: Held, place: Place, *, ended: bool = False) -> None:
        super().__init__(failure.detail)
        self.failure, self.shown = failure, held.shown
        message, rung = held.message(), place.rung
        finish = endings.finish(message.response_metadata)
        used = Used(model=rung.name, usage=usage(message), finish=finish, region=rung.region)
        self.used: list[Used] = [used] if message.usage_metadata else []
        if ended:  # else the cache has taken it back
            self.used += prefix_cache.bought(message, rung.name, rung.region)


@dataclass(frozen=True)
class _Asked:
    """One call as it reaches us; `begun` (of the turn's first call), `deadline` and `end` are moments of the clock."""

    messages: list[BaseMessage]
    arguments: dict[str, Any]
    places: tuple[Place, ...]
    whole: bool
    begun: float
    deadline: float  # for the first sentence, all language models together
    end: float  # of everything
    silence: float  # seconds without a chunk after which an answer in the making has broken off
    form: forms.Form | None = None
    silent: bool = False  # to say nothing is an answer too

    def patience(self, held: Held, until: float, now: float) -> float:
        """Seconds to wait for the next chunk."""
        if not held.begun:
            return min(until, self.end) - now
        if held.shown:
            return min(self.silence, self.end - now)
        return min(max(self.deadline - now, self.silence / 4), self.end - now)


class ResilientChat(BaseChatModel):
    """The models of one tier of one release as one. It raises nothing but cancellation.

    What it says are the chunks of one model's answer. In front and between come empty ones whose metadata hold what
    goes on the record under `PARTS`; the last tells who `ANSWERED`, or has the reason to finish `UNANSWERED`. Nothing
    is let out before a sentence is complete; after that an answer is never begun again: it ends as `INTERRUPTED`.
    """

    places: SkipValidation[tuple[Place, ...]]
    terms: Resilience
    seconds: float
    breaker: SkipValidation[Breaker]
    nature: SkipValidation[Nature] = Nature()

    @property
    def _llm_type(self) -> str:
        return "resilient"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Each model takes the tools in its own form when it is asked."""
        return cast(Runnable[LanguageModelInput, AIMessage], self.bind(tools=list(tools), **kwargs))

    def with_structured_output(self, schema: Any, **kwargs: Any) -> Runnable[LanguageModelInput, Any]:
        """Answers as values of a pydantic class; what is not of that form counts as no answer. Raises `ValueError`."""
        form = forms.Form(schema)
        return self.bind(form=form, **kwargs) | form.read

    def correcting(self, route: Route) -> Runnable[LanguageModelInput, AIMessage]:
        """The model that answered, to be asked for other words; the embedded one only copies and has none."""
        told = {"begin": (route.model, route.region), "written": True}
        return cast(Runnable[LanguageModelInput, AIMessage], self.bind(**told))

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise NotImplementedError("a resilient model is asked from asynchronous code")

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002 - nothing to tell before the end
        **kwargs: Any,
    ) -> ChatResult:
        asked = self._asked(messages, kwargs | ({"stop": stop} if stop else {}), whole=True)
        async with aclosing(self._climb(asked)) as chunks:
            first, *others = [chunk async for chunk in chunks]
        message = message_chunk_to_message(first.__add__(others) if others else first)
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002 - LangChain tells the tokens itself
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        asked = self._asked(messages, kwargs | ({"stop": stop} if stop else {}), whole="form" in kwargs)
        async with aclosing(self._climb(asked)) as chunks:
            async for chunk in chunks:
                yield ChatGenerationChunk(message=chunk)

    def _asked(self, messages: list[BaseMessage], arguments: dict[str, Any], *, whole: bool) -> _Asked:
        begin, written = arguments.pop("begin", None), arguments.pop("written", False)
        form, before = arguments.pop("form", None), _before(messages)
        if before:
            begin = (before.rung.name, before.rung.region)
        first = next((n for n, one in enumerate(self.places) if (one.rung.name, one.rung.region) == begin), 0)
        places = tuple(one for one in self.places[first:] if not (one.rung.embedded and (written or form)))
        now, limit = self.nature.clock(), self.terms.first_token_seconds
        kept = ladder.reserve(self.terms, places[-1].rung) if places else 0.0
        spent = before.spent if before else 0.0
        end = now - spent + self.seconds * _MARGIN
        return _Asked(
            messages=messages,
            arguments=arguments,
            places=places,
            whole=whole,
            begun=now - spent,
            deadline=min(now + limit, end) - kept,
            end=end,
            silence=limit,
            form=form,
            silent=written,
        )

    async def _climb(self, asked: _Asked) -> AsyncGenerator[AIMessageChunk]:
        """Ask one place after the other; the chunks of the one that answers."""
        failure, shown = Failure("model.unavailable", "there is no model to ask"), False
        behind = sum(not one.rung.embedded for one in asked.places)
        for place, following in zip(asked.places, (*asked.places[1:], None), strict=True):
            behind -= 1
            try:
                async with aclosing(self._tried(place, behind, asked)) as chunks:
                    async for chunk in chunks:
                        yield chunk
                return
            except _Broken as broken:
                failure, shown = broken.failure, broken.shown
                if broken.used and not shown:
                    yield _note(*broken.used)
            if failure.change:
                yield _note(_to_change(failure, place.rung))
            if shown:
                yield self._last(place, asked, finish=endings.INTERRUPTED, why=failure)
                return
            if following:
                yield _note(_rerouted(place.rung, following.rung, failure))
        yield _note(_noted(failure), finish=endings.UNANSWERED)

    async def _tried(self, place: Place, behind: int, asked: _Asked) -> AsyncGenerator[AIMessageChunk]:
        """Ask one place until it answers or may not be asked again; raises `_Broken`."""
        circuit, now = Circuit(place.rung.where, self.terms), self.nature.clock()
        until = now + ladder.share(asked.deadline - now, behind)
        for tries in range(1, self.terms.attempts + 1):
            try:
                async with aclosing(self._admitted(place, circuit, asked, until)) as chunks:
                    async for chunk in chunks:
                        yield chunk
                return
            except _Broken as broken:
                failure = broken.failure
                pause = ladder.pause(tries, failure.wait, self.nature.chance())
                last = tries >= min(self.terms.attempts, failure.tries)
                if broken.shown or last or self.nature.clock() + pause >= until:
                    raise
                yield _note(*broken.used, _again(failure, place.rung, pause))
            await self.nature.sleep(pause)

    async def _admitted(
        self, place: Place, circuit: Circuit, asked: _Asked, until: float
    ) -> AsyncGenerator[AIMessageChunk]:
        """One try, where the breaker lets it through; it is told how that went. The embedded model has no breaker."""
        if place.rung.embedded:
            async with aclosing(self._one(place, asked, asked.end)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        if not await self.breaker.admits(circuit):
            told = "it failed too often in a row and is left alone for a while"
            raise _Broken(Failure("model.resting", told), Held(whole=True), place)
        well: bool | None = None
        try:
            async with aclosing(self._one(place, asked, until)) as chunks:
                async for chunk in chunks:
                    yield chunk
            well = True
        except _Broken as broken:
            well = False if broken.failure.counts else None
            raise
        finally:
            if well is None:  # nobody waited for the end, or the place is not to blame
                self.breaker.leave(circuit)
            else:
                await self.breaker.settle(circuit, well=well)

    async def _one(self, place: Place, asked: _Asked, until: float) -> AsyncGenerator[AIMessageChunk]:
        """One call; its chunks as far as they may be shown, and who answered. Raises `_Broken`."""
        held = Held(whole=asked.whole)
        async with Reading(_stream(place, asked)) as reading:
            while True:
                try:
                    chunk = await reading.next(asked.patience(held, until, self.nature.clock()))
                    free = held.take(chunk) if chunk else []
                except Exception as error:
                    if endings.finish(held.message().response_metadata):
                        break  # it was complete: what breaks after its end breaks nothing
                    failure = failures.read(error)
                    log.warning("%s did not answer: %s, %s", place.rung.where, failure.code, failure.detail)
                    raise _Broken(failure, held, place) from error
                if chunk is None:
                    break
                for one in free:
                    yield one
        _check(held, asked, place)
        whole = endings.read(held.message().response_metadata).whole
        for one in held.rest(whole=whole):
            yield one
        yield self._last(place, asked)

    def _last(self, place: Place, asked: _Asked, finish: str = "", why: Failure | None = None) -> AIMessageChunk:
        answered = Answered(place.rung, self.nature.clock() - asked.begun)
        return _note(*([_noted(why)] if why else []), finish=finish, answered=answered)


def _before(messages: Sequence[BaseMessage]) -> Answered | None:
    """Who answered the call before this one in the same turn: there it goes on."""
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            return None
        if isinstance(message, AIMessage) and isinstance(found := message.response_metadata.get(ANSWERED), Answered):
            return found
    return None


async def _stream(place: Place, asked: _Asked) -> AsyncIterator[AIMessageChunk]:
    """The answer of one place, in pieces.

    The model is asked below LangChain's callbacks: whoever listens to us must not hear it too, and what LangChain does
    with an error takes the client's answer for one that can be read without waiting.
    """
    arguments: dict[str, Any] = {**asked.arguments, **(asked.form.wanted if asked.form else {})}
    model: Any = place.chat
    if tools := arguments.pop("tools", None):
        choice = arguments.pop("tool_choice", None)
        model = place.chat.bind_tools(tools, **({"tool_choice": choice} if choice else {}))
    if isinstance(model, RunnableBinding):
        arguments, model = {**model.kwargs, **arguments}, model.bound
    async for chunk in model._astream(asked.messages, **arguments):
        told = {**(chunk.generation_info or {}), **chunk.message.response_metadata}
        yield chunk.message.model_copy(update={"response_metadata": told})


def _check(held: Held, asked: _Asked, place: Place) -> None:
    """Raise `_Broken` for an answer that came to its end and is none; the embedded model has the last word."""
    message = held.message()
    ending = endings.read(message.response_metadata)
    if place.rung.embedded:
        return
    if ending.whole and not endings.finish(message.response_metadata) and place.rung.provider.startswith("google_"):
        raise _Broken(Failure("model.interrupted", "its answer ended in the middle", tries=2), held, place, ended=True)
    if ending.whole and not (asked.silent or str(message.text).strip() or message.tool_calls or held.shown):
        ending = endings.EMPTY
    if ending.whole and asked.form and not asked.form.fits(str(message.text)):
        ending = endings.SHAPELESS
    if ending.remedy is Remedy.NONE or (held.shown and not asked.whole):
        return
    tries = 2 if ending.remedy is Remedy.AGAIN else 1
    raise _Broken(Failure(ending.code, ending.detail, tries=tries, counts=False), held, place, ended=True)


def _note(*parts: Used | Rerouted | Finding, finish: str = "", answered: Answered | None = None) -> AIMessageChunk:
    """An empty chunk that tells something."""
    told: dict[str, Any] = {PARTS: list(parts)} if parts else {}
    if finish:
        told["finish_reason"] = finish
    if answered:
        told[ANSWERED] = answered
    return AIMessageChunk(content=[], response_metadata=told)


def _rerouted(failed: Rung, to: Rung, failure: Failure) -> Rerouted:
    route = Route(tier=to.tier, model=to.name, reason=f"in place of {failed.where}: {failure.code}", region=to.region)
    return Rerouted(route=route, code=failure.code, detail=f"{failed.where}: {failure.detail}")


def _again(failure: Failure, rung: Rung, pause: float) -> Finding:
    detail = f"{rung.where} is asked again after {pause:.1f} s: {failure.code}, {failure.detail}"
    return Finding(code="model.retried", action=Action.NOTE, stage="answer", detail=detail)


def _noted(failure: Failure) -> Finding:
    return Finding(code=failure.code, action=Action.NOTE, stage="answer", detail=failure.detail)


def _to_change(failure: Failure, rung: Rung) -> Finding:
    detail = f"models.{rung.tier.value}, {rung.where}: {failure.change} ({failure.detail})"
    return Finding(code=failure.code, action=Action.NOTE, stage="answer", detail=detail)
