"""A turn as a trace: a root span with how it ended, and one below it for each step, call, check and commit.

The control plane knows nothing of it: what a turn is handed is wrapped here, for this turn alone. No words of the
customer, of a document or of a model are in any span; the turn's record has them, under `opsplane.exchange.id`.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter, time_ns

from opentelemetry import trace
from opentelemetry.trace import Link, Span

from assistant import conventions as names
from assistant.calls import Watched
from assistant.meters import Attributes
from assistant.observer import Observer, failed
from assistant.settings import Settings
from assistant.traceparent import CONNECTION
from opsplane.access import Actor
from opsplane.errors import RecordUnavailable
from opsplane.events import Event, QuestionAnswered, ShadowAnswered
from opsplane.evidence import Evidence, Retrieved, Sentence
from opsplane.exchange import Exchange, Outcome, Question, Route
from opsplane.finding import Finding
from opsplane.guardrails.rails import Rails, refused
from opsplane.ledger.store import Ledger
from opsplane.parts import Aftermath, Parts, Retrieve, Watch
from opsplane.plane import Serving
from opsplane.release import Release
from opsplane.spend import Purpose
from opsplane.turn import govern

log = logging.getLogger(__name__)

UNRECORDED = "unrecorded"
"""How a turn ends whose record is not available."""


@contextmanager
def observing(settings: Settings, ledger: Ledger) -> Iterator[Observer | None]:
    """What turns are observed with, where the settings say where that is sent. Raises `InvalidRequest`."""
    if not (settings.otlp_endpoint or settings.cloud_monitoring):
        yield None
        return
    # The exporters take half a second to import, and whoever sends nothing does without them.
    from assistant import telemetry  # noqa: PLC0415

    with telemetry.opened(settings, ledger.vault.secret("telemetry")) as observer:
        yield observer


async def turn(question: Question, parts: Parts, watch: Watch, observer: Observer | None) -> Exchange:
    """One governed turn, observed where anybody is told; raises what `govern` raises."""
    if observer is None:
        return await govern(question, parts, watch)
    about: Attributes = {
        "opsplane.exchange.id": question.id,
        names.CONVERSATION: question.conversation,
        names.USER_HASH: observer.pseudonym(question.customer),
        "opsplane.role": question.actor.role.value,
    }
    behind = CONNECTION.get()
    root = observer.tracer.start_span("turn", attributes=about, links=[Link(behind)] if behind else ())
    with trace.use_span(root, record_exception=False, set_status_on_exception=False):
        observed = _Turn(question, parts, observer, root)
        try:
            return await govern(question, observed.parts(), observed.watch(watch))
        except RecordUnavailable as error:
            observed.unrecorded(error)
            raise
        finally:
            observed.end()


class _Turn:
    """One turn while it is observed."""

    def __init__(self, question: Question, parts: Parts, observer: Observer, root: Span) -> None:
        self.observer, self.root = observer, root
        self.exchange: Exchange | None = None
        self.decided = time_ns()  # when what routing waits for was there
        self._question, self._parts = question, parts
        self._responder = Watched(parts.responder, observer, root, parts.purpose, self.routed)
        self._routed = False
        self._release = observer.tracer.start_span("release")
        self._outcome = ""

    def parts(self) -> Parts:
        """What the turn is handed."""
        inner = self._parts
        return replace(
            inner,
            ledger=_Record(inner.ledger, self),
            rails=_Rails(inner.rails, self.observer),
            retrieve=_retrieve(inner.retrieve, self.observer),
            responder=self._responder,
            aftermath=_Aftermath(inner.aftermath, inner, self) if inner.aftermath else None,
        )

    def watch(self, inner: Watch) -> Watch:
        """Who looks on."""
        return _Watch(inner, self)

    def released(self) -> None:
        """The release was chosen, and the question is on the record."""
        if self._release.is_recording():
            self._release.end()

    def unrecorded(self, error: Exception) -> None:
        """The record was not available."""
        self._outcome = UNRECORDED
        failed(self.root, type(error).__name__)

    def routed(self, route: Route) -> None:
        """A model was chosen."""
        told: Attributes = {"opsplane.tier": route.tier.value, "opsplane.model": route.model}
        since = None if self._routed else self.decided
        self.observer.tracer.start_span("routing", attributes=told, start_time=since).end()
        self._routed = True

    def end(self) -> None:
        """End every span of the turn, and put down how it ended."""
        self.released()
        self._responder.end()
        exchange = self.exchange
        outcome = self._outcome or (exchange.outcome.value if exchange else "") or Outcome.FAILED.value
        self.root.set_attributes({"opsplane.outcome": outcome} | (_ended(exchange) if exchange else {}))
        if exchange and exchange.outcome is Outcome.FAILED and not self._outcome:
            failed(self.root, exchange.error.partition(":")[0] or "unknown")
        self.root.end()
        self.observer.meters.turn(exchange, outcome)
        told = {"exchange": self._question.id, "outcome": outcome}
        log.info("turn %s ended: %s", self._question.id, outcome, extra=told)


def _ended(exchange: Exchange) -> Attributes:
    told: Attributes = {
        "opsplane.release": exchange.release,
        "opsplane.release.digest": exchange.digest,
        "opsplane.arm": exchange.arm,
        "opsplane.code": exchange.code,
        "opsplane.topic": exchange.topic,
        "opsplane.index": exchange.index,
        "opsplane.index.generation": exchange.generation,
        "opsplane.sentences": len(exchange.sentences),
        "opsplane.withheld": len(exchange.withheld),
        "opsplane.findings": _codes(exchange.findings),
        "opsplane.reroutes": len(exchange.reroutes),
        "opsplane.cost_micros": exchange.cost_micros,
        names.INPUT_TOKENS: exchange.usage.input,
        names.OUTPUT_TOKENS: exchange.usage.output,
    }
    if exchange.rollout:
        told["opsplane.rollout"] = exchange.rollout
    if exchange.route:
        told |= {"opsplane.tier": exchange.route.tier.value, "opsplane.model": exchange.route.model}
    if exchange.first_sentence_ms is not None:
        told["opsplane.first_sentence_ms"] = exchange.first_sentence_ms
    return told


def _codes(findings: Iterable[Finding]) -> list[str]:
    return sorted({one.code for one in findings})


class _Watch:
    """Whoever looks on, and when steps ended."""

    def __init__(self, inner: Watch, turn: _Turn) -> None:
        self._inner, self._turn = inner, turn
        self._said = False

    async def step(self, name: str, detail: str) -> None:
        """A step ended; what it found out may quote the customer and is left out."""
        if name == "release":
            self._turn.released()
        if name != "route":
            self._turn.decided = time_ns()
        await self._inner.step(name, detail)

    async def say(self, sentence: Sentence, evidence: Sequence[Evidence]) -> None:
        """A sentence is on the record."""
        if not self._said:
            self._said = True
            self._turn.root.add_event("first sentence")
        await self._inner.say(sentence, evidence)


class _Record(Ledger):
    """The record with a span around each commit of a turn: the same writer and database under another name."""

    def __init__(self, ledger: Ledger, turn: _Turn) -> None:
        vars(self).update(vars(ledger))
        self._turn = turn

    async def append(self, event: Event, actor: Actor, exchange: str = "", subject: str = "") -> None:
        """Put one event on the record, and look at what it says."""
        observer = self._turn.observer
        if isinstance(event, QuestionAnswered):
            self._turn.exchange = event.exchange
        begun = perf_counter()
        with observer.span(f"record {event.kind}"):
            await super().append(event, actor, exchange, subject)
        observer.meters.commit(event.kind, perf_counter() - begun)
        if isinstance(event, ShadowAnswered):
            observer.meters.shadow(event.exchange)


class _Rails(Rails):
    """The guardrails with a span around each check: the same ones under another name."""

    def __init__(self, rails: Rails, observer: Observer) -> None:
        vars(self).update(vars(rails))
        self._observer = observer

    async def question(self, text: str, release: Release) -> list[Finding]:
        """What stands against answering."""
        with self._observer.span("guardrails question") as span:
            return _noted(await super().question(text, release), span)

    async def scope(self, text: str, evidence: Sequence[Evidence], release: Release) -> list[Finding]:
        """What kind of message it is."""
        with self._observer.span("guardrails scope") as span:
            return _noted(await super().scope(text, evidence, release), span)

    async def topic(self, text: str) -> str:
        """What a question is about."""
        with self._observer.span("guardrails topic"):
            return await super().topic(text)

    async def passages(self, evidence: Sequence[Evidence], release: Release) -> tuple[list[Evidence], list[Finding]]:
        """The passages that a model may read."""
        with self._observer.span("guardrails passages") as span:
            kept, found = await super().passages(evidence, release)
            span.set_attribute("opsplane.passages", len(kept))
            return kept, _noted(found, span)

    async def sentence(
        self, sentence: Sentence, evidence: Sequence[Evidence], release: Release, question: str = ""
    ) -> list[Finding]:
        """What stands against showing a sentence."""
        with self._observer.span("guardrails sentence") as span:
            found = await super().sentence(sentence, evidence, release, question)
            span.set_attribute("opsplane.refused", refused(found))
            return _noted(found, span)


def _noted(found: list[Finding], span: Span) -> list[Finding]:
    if found:
        span.set_attribute("opsplane.findings", _codes(found))
    return found


def _retrieve(inner: Retrieve, observer: Observer) -> Retrieve:
    async def retrieve(query: str, release: Release) -> Retrieved:
        index = release.retrieval.index
        about: Attributes = {names.OPERATION: names.RETRIEVAL, names.DATA_SOURCE: index}
        with observer.span(f"{names.RETRIEVAL} {index}", about) as span:
            found = await inner(query, release)
            best = max((one.cosine for one in found.passages), default=0.0)
            span.set_attributes(
                {
                    "opsplane.index.generation": found.generation,
                    "opsplane.passages": len(found.passages),
                    "opsplane.best_cosine": best,
                }
            )
            return found

    return retrieve


class _Aftermath:
    """What follows a turn. Of a shadow, calls and commits are observed, in the trace of the turn that it shadows."""

    def __init__(self, inner: Aftermath, parts: Parts, turn: _Turn) -> None:
        self._inner, self._parts, self._turn = inner, parts, turn

    async def ended(self, question: Question, exchange: Exchange, serving: Serving, parts: Parts) -> None:  # noqa: ARG002 - the protocol's
        """A turn ended."""
        turn, own = self._turn, self._parts
        responder = Watched(own.responder, turn.observer, turn.root, Purpose.SHADOW)
        observed = replace(own, responder=responder, ledger=_Record(own.ledger, turn))
        await self._inner.ended(question, exchange, serving, observed)

    async def settle(self) -> None:
        """Wait for what is under way."""
        await self._inner.settle()
