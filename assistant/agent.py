"""Passages, account tools and a chat model, put together into sentences by a LangChain agent."""

import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from datetime import date
from math import fsum
from typing import Any

from langchain.agents import AgentState, create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.types import Command

from assistant import endings, logprobs, prefix_cache, sources
from assistant.account_tools import Context
from assistant.accounts import Bank
from assistant.ladder import EMBEDDED
from assistant.prompting import corrected, prompt
from assistant.resilient import ANSWERED, PARTS, ResilientChat
from assistant.sentences import Splitter, split
from assistant.tokens import usage
from opsplane.evidence import Evidence, Origin, Sentence
from opsplane.exchange import Looked, Question, Route, Tier, Used
from opsplane.guardrails import context
from opsplane.parts import Part, Refusal
from opsplane.release import Release

_STEPS = 9
"""Model calls and tool rounds together: at most four rounds of tools before the answer."""
_GRAPHS = 8
"""Compiled agents kept: two tiers of the releases that serve at the same time."""

Graph = CompiledStateGraph[Any, Context, Any, Any]
ToolAnswer = ToolMessage | Command[Any]


class _Numbered(AgentState[Any]):
    """The messages and the number of the last passage; results of tools are numbered after it."""

    passages: int


class _NumberResults(AgentMiddleware[_Numbered, Context]):
    """Screens each tool result as data and puts its citation number before it, in the order in which it was asked for.

    What was found goes with the message as its artifact, which no model reads.
    """

    state_schema = _Numbered

    def __init__(self, release: Release) -> None:
        super().__init__()
        self._release = release

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[ToolAnswer]]
    ) -> ToolAnswer:
        """Run the tool, then screen and number what it returned."""
        result = await handler(request)
        if isinstance(result, ToolMessage):
            asked = [call["id"] for message in request.state["messages"] for call in getattr(message, "tool_calls", [])]
            number = request.state["passages"] + asked.index(request.tool_call["id"]) + 1
            text, result.artifact = context.screen_text(result.text, self._release)
            result.content = sources.write_result(number, text)
        return result


class Agent:
    """Answers a question with the model of its route: the responder of the governed turn."""

    def __init__(
        self,
        chat_model: Callable[[Release, Tier], BaseChatModel],
        tools: Sequence[BaseTool],
        bank: Bank,
        today: Callable[[], date],
    ) -> None:
        self._chat_model = chat_model
        self._tools = list(tools)
        self._bank = bank
        self._today = today
        self._graphs: OrderedDict[tuple[str, Tier], Graph] = OrderedDict()

    def prepare(self, release: Release) -> None:
        """Put both tiers together before anybody asks; raise `InvalidRelease` or `InvalidRequest` for what is wrong."""
        for tier in Tier:
            self._graph(release, tier)

    async def sentences(
        self, question: Question, passages: Sequence[Evidence], route: Route, release: Release
    ) -> AsyncIterator[Part]:
        """Sentences with their citations, each account tool that was read, and the usage of each model call.

        Where another model takes over, or an answer does not end as it should, that is told too. Raises what the
        model's provider raises where the release says nothing of resilience, and LangGraph's `GraphRecursionError` for
        a model that never stops calling tools. Closing the iterator, or cancelling its task, stops the model.
        """
        today = self._today()
        reply = _Reply(release, route)
        first = max((passage.number for passage in passages), default=0)
        stream = self._graph(release, route.tier).astream(
            {"messages": prompt(question, passages, release, today), "passages": first},
            {"recursion_limit": _STEPS, "callbacks": []},
            context=Context(customer=question.customer, bank=self._bank, today=today),
            stream_mode=["messages", "updates"],
        )
        async with aclosing(stream):  # type: ignore[type-var]  # an async generator, declared as an iterator
            async for mode, item in stream:
                for part in reply.take(mode, item):
                    yield part

    async def repair(
        self, refusal: Refusal, question: Question, evidence: Sequence[Evidence], route: Route, release: Release
    ) -> AsyncIterator[Part]:
        """The model's own correction of a refused sentence; the embedded model copies and has none."""
        if route.model == EMBEDDED:
            return
        model: Runnable[LanguageModelInput, AIMessage] = self._chat_model(release, route.tier)
        if isinstance(model, ResilientChat):
            model = model.correcting(route)
        message = await model.ainvoke(corrected(refusal, question, evidence, release, self._today()))
        for part in (*_on_the_way(message), *_used(message, route)):
            yield part
        splitter, ending = Splitter(), endings.read(message.response_metadata)
        for sentence in (*splitter.feed(str(message.text)), *(splitter.flush() if ending.whole else ())):
            yield sentence

    def _graph(self, release: Release, tier: Tier) -> Graph:
        key = (release.digest, tier)
        if key not in self._graphs:
            model = self._chat_model(release, tier)
            self._graphs[key] = create_agent(
                model, self._tools, middleware=[_NumberResults(release)], context_schema=Context
            )
            while len(self._graphs) > _GRAPHS:
                self._graphs.popitem(last=False)
        self._graphs.move_to_end(key)
        return self._graphs[key]


class _Reply:
    """An answer while it comes in: what the graph streams, turned into the parts of a turn."""

    def __init__(self, release: Release, route: Route) -> None:
        self._release = release
        self._opening = split(release.style.opening)
        self._route = route
        self._splitter = Splitter()
        self._held = ""  # the opening waits for the sentence that it opens: alone it has no source
        self._said = False
        self._asked: dict[str, dict[str, Any]] = {}

    def take(self, mode: str, item: Any) -> Iterator[Part]:
        """One item of the graph's stream: a piece of a message, or a node that came to its end."""
        if mode == "updates":
            yield from self._stepped(item)
        elif isinstance(item[0], AIMessage):
            yield from _on_the_way(item[0])
            yield from self._opened(self._splitter.feed(str(item[0].text)))

    def _stepped(self, update: dict[str, Any]) -> Iterator[Part]:
        """The model's call, or tools."""
        for change in update.values():
            for message in (change or {}).get("messages", []):
                if isinstance(message, AIMessage):
                    yield from self._ended(message)
                elif isinstance(message, ToolMessage):
                    yield from message.artifact or ()
                    yield _looked(message, self._asked.get(message.tool_call_id, {}))

    def _ended(self, message: AIMessage) -> Iterator[Part]:
        """The end of a model's call; of an answer that did not end as it should the last sentence does not count."""
        ending = endings.read(message.response_metadata)
        if ending.whole:
            yield from self._opened(self._splitter.flush())
        else:
            self._splitter = Splitter()
        self._asked |= {str(call["id"]): call["args"] for call in message.tool_calls}
        yield from _used(message, self._route)
        if not ending.whole:
            yield endings.finding(ending, self._release, said=self._said)

    def _opened(self, said: Iterator[Sentence]) -> Iterator[Sentence]:
        for sentence in said:
            if self._opening and sentence.text == self._opening[0]:
                self._held += f"{self._opening.pop(0)} "
                continue
            self._said = True
            yield sentence.model_copy(update={"text": self._held + sentence.text})
            self._held = ""


def _on_the_way(message: AIMessage) -> Sequence[Part]:
    """What happened before an answer came: other calls, other models."""
    parts: Sequence[Part] = message.response_metadata.get(PARTS, ())
    return parts


def _used(message: AIMessage, route: Route) -> Iterator[Used]:
    """The usage of one model call by whoever answered it, and what was bought to keep its prompt's beginning."""
    told = message.response_metadata
    finish = endings.finish(told)
    if finish == endings.UNANSWERED:
        return
    answered = told.get(ANSWERED)
    model, region = (answered.rung.name, answered.rung.region) if answered else (route.model, route.region)
    likely = logprobs.reported(told)
    mean = fsum(likely) / len(likely) if likely else None
    yield Used(model=model, usage=usage(message), finish=finish, logprob=mean, region=region)
    if finish != endings.INTERRUPTED:  # else the cache has taken it back
        yield from prefix_cache.bought(message, model, region)


def _looked(message: ToolMessage, arguments: dict[str, Any]) -> Looked:
    """A tool's result as evidence; an error of the tool is read by the model like a result."""
    number, text = sources.read_result(message.text)
    name = message.name or "tool"
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    evidence = Evidence(
        number=number,
        origin=Origin.TOOL,
        id=f"{name}-{sha256[:8]}",
        document=name,
        title=f"Your {name.removeprefix('list_').replace('_', ' ')}",
        text=text,
        sha256=sha256,
    )
    return Looked(tool=name, arguments={key: str(value) for key, value in arguments.items()}, evidence=evidence)
