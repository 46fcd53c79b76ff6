"""`/metrics`: figures for Prometheus, counted from the record as entries come in, without a word or name of customers.

There is none unless `OPSPLANE_METRICS=1`: it is served on the port that customers use, and tells how much is asked,
what that costs and which releases are tried. What came through a proxy is refused even then; see `direct`.

Counters begin where the process does, and every process counts the whole record: take the maximum over instances, not
the sum. Buckets and names are few and fixed; releases beyond `RELEASES` are counted together.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE

from assistant.meters import Few
from opsplane import sampling
from opsplane.ledger.store import Ledger, Public
from opsplane.sampling import Stratum

__all__ = ["CONTENT_TYPE", "MetricsPage", "direct"]

KINDS = (
    *("question_answered", "shadow_answered", "cost_booked", "feedback_given", "alert_raised", "alert_undelivered"),
    *("exchange_scored", "exchange_unscored", "judge_calibrated"),
)
BATCH = 2_000
MOST = 50
"""Batches that one page takes in; what is left is counted by the next."""
RELEASES = 50
JUDGES = 10
"""Judges that are told apart; the one that has been silent for longest makes room for a new one."""
SCORES = 500
"""The newest scores that a judge's mean is taken over."""
_OTHER = "other"
_TOKENS = ("input", "output", "cached", "thinking")
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 30, 60)
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def direct(headers: Mapping[str, str]) -> bool:
    """Whether a request came straight to us: what a proxy hands on may come from anywhere."""
    return not any(name in headers for name in _FORWARDED)


class MetricsPage:
    """Takes the record in from the moment it is made, by each look a bit further. May be asked from several threads."""

    def __init__(self, ledger: Ledger) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # their own
        self._ledger, self._lock = ledger, threading.Lock()
        self._registry = CollectorRegistry(auto_describe=True)
        self._make()
        self._releases: set[str] = set()
        self._few = Few()
        self._scores: OrderedDict[str, deque[tuple[Stratum, float]]] = OrderedDict()
        self._votes: OrderedDict[str, bool] = OrderedDict()
        self._seq = ledger.last()
        for entry in ledger.events(["judge_calibrated"]):
            self._calibrated(entry.event.model_dump())

    def text(self) -> bytes:
        """The page; raises `RecordUnavailable`."""
        with self._lock:
            self._gather()
            self._set()
            return generate_latest(self._registry)

    def _make(self) -> None:
        r = self._registry
        where = ("outcome", "release", "tier")
        self._exchanges = Counter("opsplane_exchanges", "Turns that ended", where, registry=r)
        self._shadows = Counter("opsplane_shadows", "Answers that nobody saw", ("outcome", "release"), registry=r)
        first, whole = "Until the first sentence", "Until the end of a turn"
        self._first = Histogram("opsplane_first_sentence_seconds", first, ("tier",), registry=r, buckets=_SECONDS)
        self._whole = Histogram("opsplane_exchange_seconds", whole, ("tier",), registry=r, buckets=_SECONDS)
        tokens = "Tokens of answers: those read and written, and what of them was cached or thought"
        self._tokens = Counter("opsplane_tokens", tokens, ("type",), registry=r)
        self._found = Counter("opsplane_findings", "What guardrails found", ("code", "action"), registry=r)
        self._reroutes = Counter("opsplane_reroutes", "Models that did not answer", ("code",), registry=r)
        self._cost = Counter("opsplane_cost_dollars", "What models cost, in US dollars", ("purpose",), registry=r)
        self._thumbs = Counter("opsplane_feedback", "Customers' thumbs", ("thumb",), registry=r)
        self._alerts = Counter("opsplane_alerts", "Alerts that were raised", ("about",), registry=r)
        self._lost = Counter("opsplane_alerts_undelivered", "Alerts that did not get through a channel", registry=r)
        self._judged = Counter("opsplane_judged", "Exchanges that were judged", ("judge", "result"), registry=r)
        mean = f"Mean of the newest {SCORES} scores, 0 to 1, each weighted by one over its chance to be drawn"
        self._score = Gauge("opsplane_judge_score", mean, ("judge",), registry=r)
        self._vote = Gauge("opsplane_judge_votes", "Whether a judge's scores count: 1 or 0", ("judge",), registry=r)
        self._entries = Gauge("opsplane_record_entries", "Entries on the record that are chained", registry=r)

    def _gather(self) -> None:
        for _ in range(MOST):
            entries = self._ledger.follow(self._seq, KINDS, BATCH)
            for entry in entries:
                self._seq = entry.seq
                self._take(entry)
            if len(entries) < BATCH:
                return

    def _set(self) -> None:
        self._score.clear()
        self._vote.clear()
        for judge, scores in self._scores.items():
            if found := sampling.average(scores):
                self._score.labels(judge).set(found.value)
        for judge, votes in self._votes.items():
            self._vote.labels(judge).set(votes)
        self._entries.set(self._ledger.last())

    def _take(self, entry: Public) -> None:
        told = entry.payload
        match entry.kind:
            case "question_answered":
                self._answered(told["exchange"])
            case "shadow_answered":
                shadow = told["exchange"]
                self._shadows.labels(shadow["outcome"], self._release(shadow["release"])).inc()
            case "cost_booked":
                self._spent(told["cost"])
            case "exchange_scored" | "exchange_unscored":
                self._scored(told)
            case "judge_calibrated":
                self._calibrated(told)
            case _:
                self._rest(entry.kind, told)

    def _rest(self, kind: str, told: Mapping[str, Any]) -> None:
        match kind:
            case "feedback_given" if told["value"] is not None:
                self._thumbs.labels("up" if told["value"] else "down").inc()
            case "alert_raised":
                self._alerts.labels(told["about"]).inc()
            case "alert_undelivered":
                self._lost.inc()

    def _answered(self, told: Mapping[str, Any]) -> None:
        tier = (told.get("route") or {}).get("tier") or "none"
        self._exchanges.labels(told["outcome"], self._release(told["release"]), tier).inc()
        self._whole.labels(tier).observe(told["total_ms"] / 1000)
        if told["first_sentence_ms"] is not None:
            self._first.labels(tier).observe(told["first_sentence_ms"] / 1000)
        for cost in told.get("costs", ()):
            self._spent(cost)
        usage = told.get("usage") or {}
        for kind in _TOKENS:
            self._tokens.labels(kind).inc(usage.get(kind, 0))
        for one in told.get("findings", ()):
            self._found.labels(self._few("finding", one["code"]), one["action"]).inc()
        for one in told.get("reroutes", ()):
            self._reroutes.labels(self._few("reroute", one["code"])).inc()

    def _spent(self, cost: Mapping[str, Any]) -> None:
        self._cost.labels(cost["purpose"]).inc(cost["micros"] / 1_000_000)

    def _release(self, name: str) -> str:
        if name not in self._releases and len(self._releases) >= RELEASES:
            return _OTHER
        self._releases.add(name)
        return name

    def _scored(self, told: Mapping[str, Any]) -> None:
        judge, score = told["scorer"], told.get("score")
        scores = self._scores.setdefault(judge, deque(maxlen=SCORES))
        self._scores.move_to_end(judge)
        if len(self._scores) > JUDGES:
            silent, _ = self._scores.popitem(last=False)
            for result in ("scored", "unscored"):
                self._judged.remove(silent, result)
        self._judged.labels(judge, "unscored" if score is None else "scored").inc()
        if score is not None:
            scores.append((Stratum.read(told.get("stratum", "")), score / 100))

    def _calibrated(self, told: Mapping[str, Any]) -> None:
        self._votes[told["judge"]] = told["votes"]
        self._votes.move_to_end(told["judge"])
        if len(self._votes) > JUDGES:
            self._votes.popitem(last=False)
