"""What is measured of turns and model calls: tokens, durations, outcomes, findings, money.

Attributes are few and their values bounded: no customer, no conversation, no words. Each process counts what it did
itself, so instances add up; the record's own figures are on `/metrics`.
"""

from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Meter, Observation
from opentelemetry.util.types import AttributeValue

from assistant import conventions as names
from opsplane.exchange import Exchange
from opsplane.spend import Purpose, Usage

Attributes = dict[str, AttributeValue]

DIFFERENT = 100
"""So many values of one attribute are told apart in a process's life; later ones count together."""
OTHER = "other"


class Few:
    """Lets the first `DIFFERENT` values of each attribute through: a hostile name must not make a series of its own."""

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {}

    def __call__(self, attribute: str, value: str) -> str:
        """The value, or `OTHER`."""
        known = self._known.setdefault(attribute, set())
        if value not in known:
            if len(known) >= DIFFERENT:
                return OTHER
            known.add(value)
        return value


class Meters:
    """The instruments. May be used from several threads."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._few = Few()
        self._tokens = _histogram(meter, names.TOKEN_USAGE, "{token}", "Tokens of one model call", names.TOKENS)
        self._calls = self._durations(names.OPERATION_DURATION, "From asking a model to the end of its answer")
        self._turns = self._durations("opsplane.turn.duration", "From a question to the end of its turn")
        self._first = self._durations("opsplane.turn.first_sentence", "From a question to the first sentence")
        self._commits = self._durations("opsplane.record.commit.duration", "Until an entry is durable")
        self._ended = self._counter("opsplane.turns", "{turn}", "Turns that ended")
        self._shadows = self._counter("opsplane.shadows", "{turn}", "Answers that nobody saw")
        self._findings = self._counter("opsplane.findings", "{finding}", "What guardrails found")
        self._reroutes = self._counter("opsplane.reroutes", "{reroute}", "Models that did not answer")
        self._cached = self._counter("opsplane.tokens.cached", "{token}", "Input tokens out of a context cache")
        self._cost = self._counter("opsplane.cost", "{microdollar}", "What models cost, in millionths of a US dollar")

    def call(self, attributes: Attributes, seconds: float, usage: Usage | None) -> None:
        """A model call ended; `usage` is None where it failed or its provider told none."""
        self._calls.record(seconds, attributes)
        if usage is None or not usage.input + usage.output:
            return  # zero would be a claim
        told = {key: value for key, value in attributes.items() if key != names.ERROR_TYPE}
        self._tokens.record(usage.input, told | {names.TOKEN_TYPE: "input"})
        self._tokens.record(usage.output, told | {names.TOKEN_TYPE: "output"})
        if usage.cached:
            self._cached.add(usage.cached, told)

    def commit(self, kind: str, seconds: float) -> None:
        """An entry of a turn is durable."""
        self._commits.record(seconds, {"opsplane.event": kind})

    def turn(self, exchange: Exchange | None, outcome: str) -> None:
        """A turn ended; `outcome` is the exchange's, or why none is on the record."""
        if exchange is None:
            self._ended.add(1, {"opsplane.outcome": outcome})
            return
        tier = exchange.route.tier.value if exchange.route else "none"
        where: Attributes = {"opsplane.tier": tier}
        self._turns.record(exchange.total_ms / 1000, where | {"opsplane.outcome": outcome})
        if exchange.first_sentence_ms is not None:
            self._first.record(exchange.first_sentence_ms / 1000, where)
        served: Attributes = {"opsplane.release": self._few("release", exchange.release), "opsplane.arm": exchange.arm}
        self._ended.add(1, served | where | {"opsplane.outcome": outcome})
        for finding in exchange.findings:
            code = self._few("finding", finding.code)
            told: Attributes = {"opsplane.code": code, "opsplane.stage": finding.stage}
            self._findings.add(1, told | {"opsplane.action": finding.action.value})
        for one in exchange.reroutes:
            self._reroutes.add(1, {"opsplane.code": self._few("reroute", one.code), "opsplane.tier": one.route.tier})
        self._spent(exchange)

    def shadow(self, exchange: Exchange) -> None:
        """A candidate's answer that nobody saw is on the record."""
        release = self._few("release", exchange.release)
        self._shadows.add(1, {"opsplane.release": release, "opsplane.outcome": exchange.outcome.value})
        self._spent(exchange)

    def gauge(self, name: str, unit: str, description: str, read: Callable[[], Iterable[tuple[float, str]]]) -> None:
        """A figure that is asked for at each export, e.g. how far one falls behind: pairs of value and `opsplane.name`.

        `read` runs in the exporter's thread; nothing is exported of what it cannot tell.
        """

        def observed(_: CallbackOptions) -> Iterable[Observation]:
            return [Observation(value, {"opsplane.name": self._few(name, of)}) for value, of in read()]

        self._meter.create_observable_gauge(name, [observed], unit, description)

    def _spent(self, exchange: Exchange) -> None:
        for cost in exchange.costs:
            about: Attributes = {names.REQUEST_MODEL: self._few("model", cost.model)}
            self._cost.add(cost.micros, about | {"opsplane.purpose": Purpose(cost.purpose).value})

    def _durations(self, name: str, description: str) -> Histogram:
        return _histogram(self._meter, name, "s", description, names.SECONDS)

    def _counter(self, name: str, unit: str, description: str) -> Counter:
        return self._meter.create_counter(name, unit, description)


def _histogram(meter: Meter, name: str, unit: str, description: str, bounds: Iterable[float]) -> Histogram:
    return meter.create_histogram(
        name, unit, description, explicit_bucket_boundaries_advisory=[float(one) for one in bounds]
    )
