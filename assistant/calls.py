"""Model calls and tools of an answer as spans, read off the parts that a responder yields.

A call begins when the responder is asked, when a tool's result is in, or when another model takes over, and ends with
its `Used`. So its span reaches from question to last sentence as the turn sees it, with the checks of the sentences in
between; neither prompt nor answer is in it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from time import time_ns

from opentelemetry.trace import Span

from assistant import conventions as names
from assistant.meters import Attributes
from assistant.observer import Observer, bare, failed, kind_of, plain, written
from opsplane.evidence import Evidence, Sentence
from opsplane.exchange import Looked, Question, Rerouted, Route, Used
from opsplane.finding import Finding
from opsplane.parts import Part, Refusal, Responder
from opsplane.release import Release
from opsplane.spend import Purpose

SECOND = 1_000_000_000
RETRIED, RESTING = "model.retried", "model.resting"
"""Codes: the same model is asked again; a model is not asked because it failed too often in a row."""


class Watched:
    """A responder whose model calls and tools are traced and measured; `routed` hears of the model of each answer."""

    def __init__(
        self,
        responder: Responder,
        observer: Observer,
        root: Span,
        purpose: Purpose,
        routed: Callable[[Route], None] = lambda _: None,
    ) -> None:
        self._responder, self._observer, self._root, self._purpose = responder, observer, root, purpose
        self._routed = routed
        self._open: set[Calls] = set()

    async def sentences(
        self, question: Question, passages: Sequence[Evidence], route: Route, release: Release
    ) -> AsyncIterator[Part]:
        """What the responder yields."""
        self._routed(route)
        parts = self._responder.sentences(question, passages, route, release)
        async for part in self._watched(parts, self._calls(question, route, release, stream=True)):
            yield part

    async def repair(
        self, refusal: Refusal, question: Question, evidence: Sequence[Evidence], route: Route, release: Release
    ) -> AsyncIterator[Part]:
        """Likewise; a responder that has no other attempt makes no call."""
        parts = self._responder.repair(refusal, question, evidence, route, release)
        async for part in self._watched(parts, self._calls(question, route, release, stream=False)):
            yield part

    def end(self) -> None:
        """End what is still open: a turn that failed does not close its responder."""
        for calls in list(self._open):
            calls.stop()
        self._open.clear()

    def _calls(self, question: Question, route: Route, release: Release, *, stream: bool) -> "Calls":
        about: Attributes = {names.CONVERSATION: question.conversation, names.REQUEST_STREAM: stream}
        about |= {"opsplane.purpose": self._purpose.value} | written(release)
        return Calls(self._observer, self._root, route, about)

    async def _watched(self, parts: AsyncIterator[Part], calls: "Calls") -> AsyncIterator[Part]:
        self._open.add(calls)
        try:
            async with aclosing(parts):  # type: ignore[type-var]  # an async generator, declared as an iterator
                async for part in parts:
                    calls.take(part)
                    yield part
            calls.end()
        except (asyncio.CancelledError, GeneratorExit):
            calls.stop()
            raise
        except Exception as error:
            calls.fail(type(error).__name__)
            raise
        finally:
            self._open.discard(calls)


class Calls:
    """The calls of one answer, one after the other; at most one is open. Its span is made once it is sure to be one."""

    def __init__(self, observer: Observer, root: Span, route: Route, about: Attributes) -> None:
        self._observer, self._root, self._route, self._about = observer, root, route, about
        self._span: Span | None = None
        self._since = self._used = time_ns()  # when the next call began, and when the last one ended
        self._due = True  # whether a call is under way: a correction comes behind its usage
        self._told: Used | None = None  # the usage of a call of which the next part may say that it failed
        self._trouble = ""  # what is known to stand against the call under way

    def take(self, part: Part) -> None:
        """What a part says about calls."""
        match part:
            case Used(purpose=None):
                self._settle()
                self._ended(part)
            case Looked():
                self._settle()
                self._tool(part)
            case Rerouted():
                self._reroute(part)
            case Finding():
                self._find(part)
            case Sentence() if self._due:
                self._begun()

    def end(self) -> None:
        """The answer is complete; a call that never told its usage ends here."""
        if self._due and self._trouble not in ("", RESTING):
            self._begun()
        self._close(self._trouble if self._due else "")

    def stop(self) -> None:
        """The customer left, or time was up."""
        if self._span and self._due:
            self._span.add_event("stopped")
        self._close()

    def fail(self, kind: str) -> None:
        """The call broke off with an error of this kind."""
        if self._due:
            self._begun()
        self._close(kind if self._due else "")

    def _begun(self) -> Span:
        if self._span is None:
            told = self._observer.asked(self._route) | self._about
            name = f"{names.CHAT} {bare(self._route.model)}"
            kind = kind_of(self._route)
            self._span = self._observer.tracer.start_span(name, kind=kind, attributes=told, start_time=self._since)
        return self._span

    def _ended(self, used: Used) -> None:
        """A call told its usage; it ended now, and well unless the next part says otherwise."""
        if used.region and used.region != self._route.region:
            self._route = self._route.model_copy(update={"region": used.region})
        span, usage = self._begun(), used.usage
        span.set_attributes(self._observer.asked(self._route))
        span.set_attribute(names.RESPONSE_MODEL, bare(used.model))
        if used.finish:
            span.set_attribute(names.FINISH_REASONS, [plain(used.finish)])
        if usage.input + usage.output:
            span.set_attributes({names.INPUT_TOKENS: usage.input, names.OUTPUT_TOKENS: usage.output})
            span.set_attributes({names.CACHED_TOKENS: usage.cached, names.THINKING_TOKENS: usage.thinking})
        self._told, self._used, self._due = used, time_ns(), False

    def _settle(self) -> None:
        """What told its usage went well."""
        if self._told:
            self._close()

    def _close(self, error: str = "") -> None:
        """End the open call, if there is one: when its usage came, else now."""
        if (span := self._span) is None:
            return
        told, used, error = self._observer.asked(self._route), self._told, error or self._trouble
        told["opsplane.purpose"] = self._about["opsplane.purpose"]
        if error:
            failed(span, error)
            told[names.ERROR_TYPE] = error
        if used:
            told[names.RESPONSE_MODEL] = bare(used.model)
        end = self._used if used else time_ns()
        span.end(end)
        self._observer.meters.call(told, (end - self._since) / SECOND, used.usage if used else None)
        self._span, self._told, self._trouble, self._since = None, None, "", end

    def _tool(self, looked: Looked) -> None:
        """A tool ran between the call that asked for it and now; several of one round ran side by side."""
        tool = plain(looked.tool)
        told: Attributes = {names.OPERATION: names.EXECUTE_TOOL, names.TOOL_NAME: tool, names.TOOL_TYPE: "function"}
        name = f"{names.EXECUTE_TOOL} {tool}"
        self._observer.tracer.start_span(name, attributes=told, start_time=self._used).end()
        self._since, self._due = time_ns(), True

    def _find(self, finding: Finding) -> None:
        """The model is asked again, or will not answer; what else was found is told with the turn."""
        if finding.code == RETRIED:
            self._begun().add_event("retried")
            if self._told:
                self._close("model.failed")
                self._since = time_ns()
            self._due, self._trouble = True, ""
        elif finding.code.startswith("model.") and self._due:
            self._trouble = plain(finding.code)

    def _reroute(self, to: Rerouted) -> None:
        """The call failed, or was not even made since the place failed so often, and another model is asked."""
        code = plain(to.code)
        if self._due and code != RESTING:
            self._begun()
        self._close(code)
        self._root.add_event("rerouted", _towards(to))
        self._route, self._since, self._due, self._trouble = to.route, time_ns(), True, ""


def _towards(to: Rerouted) -> dict[str, str]:
    told = {"opsplane.code": plain(to.code), "opsplane.tier": to.route.tier.value, "opsplane.model": to.route.model}
    return told | ({names.REGION: to.route.region} if to.route.region else {})
