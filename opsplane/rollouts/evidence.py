"""What speaks for and against a rollout's candidates, gathered entry by entry from the record.

Everything is taken in the order of the record, late scores when they arrive, so that whoever reads the same entries
has the same numbers, to the last digit, today or in two years.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log
from typing import Any

from opsplane.finding import Finding
from opsplane.ledger.store import Public
from opsplane.review import zero_tolerance
from opsplane.rollouts.arm import Arm, SequentialTest
from opsplane.rollouts.assignment import WHOLE
from opsplane.rollouts.betting import BettingTest
from opsplane.rollouts.clustered import ClusteredTest
from opsplane.rollouts.metrics import LATE, Exposure, Metric
from opsplane.rollouts.plan import Kind, Measure, Plan
from opsplane.rollouts.ratio import RatioTest
from opsplane.rollouts.rollout import Rollout, arm_number
from opsplane.sampling import Stratum

KINDS = (
    *("question_answered", "shadow_answered", "feedback_given", "exchange_reviewed", "exchange_scored"),
    *("rollout_paused", "rollout_resumed", "judge_calibrated"),
)
"""The kinds of entry that evidence is made of."""
POINTS = 240
"""At most so many points of a metric's path are kept; beyond, every second one is left out."""
_WAITING = 5_000
"""Exchanges whose shadow may still come."""
_KNOWN = 200_000
"""The newest exchanges for which a late score counts."""
_RIGHT = {"right": 1.0, "wrong": 0.0}


@dataclass(frozen=True)
class Point:
    """A metric as it stood after so many exposures of the rollout."""

    exposures: int
    log_e: float
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Look:
    """One metric of one candidate against stable. `interval` is the confidence sequence at the metric's own alpha.

    `log_e` speaks for a harm beyond what the plan bears; at `threshold` it is certain.
    """

    measure: Measure
    candidate: int  # its number, from 1
    stable: Arm
    tried: Arm
    difference: float | None
    interval: tuple[float, float] | None
    low: float | None  # the lower end of a one-sided sequence at the same alpha
    log_e: float
    threshold: float
    path: tuple[Point, ...]

    @property
    def harmful(self) -> bool:
        """Whether it is certain that the candidate is worse by more than is borne."""
        return self.log_e >= self.threshold

    @property
    def worst(self) -> float:
        """The largest harm that is not ruled out."""
        return 1.0 if self.low is None else max(0.0, -self.low)


@dataclass(frozen=True)
class Summary:
    """Everything that a verdict is made of. `ratio` is the log e-value that customers are not split as they should be.

    `zero` tells of the first thing that must never happen, with the exchange where it did; `unheard` why a judge's
    scores do not count, where some do not; `seq` is the last entry taken in.
    """

    looks: tuple[Look, ...]
    exposures: tuple[int, ...]  # by arm, stable first
    customers: tuple[int, ...]
    ratio: float
    zero: str
    zero_exchange: str
    seq: int
    unheard: str = ""


@dataclass
class _Track:
    measure: Measure
    candidate: int
    test: SequentialTest
    stride: int = 1
    path: list[Point] = field(default_factory=list)

    def add(self, exposure: Exposure, value: float, exposures: int, alpha: float) -> None:
        """One value; the path keeps every `stride`-th."""
        self.test.add(exposure.customer, exposure.arm > 0, exposure.share, value)
        if exposures % self.stride:
            return
        interval, _ = bounds(self.test, alpha)
        if interval is None or self.test.difference is None:
            return
        self.path.append(Point(exposures, self.test.log_e, self.test.difference, *interval))
        if len(self.path) > POINTS:
            self.path, self.stride = self.path[::2], self.stride * 2


def bounds(test: SequentialTest, alpha: float) -> tuple[tuple[float, float] | None, float | None]:
    """The two-sided sequence for the difference and the one-sided lower end, never closer than the data allow.

    Where nothing has varied yet a normal approximation has no width at all. What happens to a share h of u customers
    is missed with probability (1−h)^u, so that nothing below log(1/α)/u is ruled out, whatever the metric (for α = 5 %
    the rule of three, Hanley and Lippman-Hand, JAMA 249, 1983).
    """
    interval, low, difference = test.interval(alpha), test.low(alpha), test.difference
    if interval is None or low is None or difference is None:
        return None, None
    unseen = -log(alpha) / max(1, min(arm.customers for arm in test.arms))
    below, above = max(-1.0, difference - unseen), min(1.0, difference + unseen)
    return (min(interval[0], below), max(interval[1], above)), min(low, below)


def _test(plan: Plan, measure: Measure) -> SequentialTest:
    """A shadow's two answers to one question hang together, which only the clustered test takes into account."""
    exact = plan.test == "exact" and plan.kind is not Kind.SHADOW
    return BettingTest(measure.harm) if exact else ClusteredTest(measure.harm)


class Evidence:
    """The evidence on one rollout. `votes` are the judges whose scores counted when it began.

    A judge that loses its vote meanwhile decides nothing in this rollout any more: what it said is taken back, and
    what any judge says later is not counted, since a test that begins anew would have another chance to be wrong.
    """

    def __init__(self, rollout: Rollout, after: int = 0, votes: Collection[str] = ()) -> None:
        self.rollout = rollout.id
        self._votes = set(votes)
        self._lost, self._unheard = False, ""
        self.seq = after
        plan = rollout.plan
        arms = len(rollout.candidates)
        self._kind = plan.kind
        self._alpha = plan.each / arms
        self._plan = plan
        self._tracks = [
            _Track(measure, number + 1, _test(plan, measure)) for number in range(arms) for measure in plan.measures
        ]
        self._ratio = RatioTest(arms + 1)
        self._exposures = [0] * (arms + 1)
        self._customers: list[set[str]] = [set() for _ in range(arms + 1)]
        self._met: set[str] = set()
        self._known: OrderedDict[str, Exposure] = OrderedDict()  # without their words, for late scores
        self._scored: set[tuple[str, Metric]] = set()
        self._live: OrderedDict[str, Mapping[str, Any]] = OrderedDict()
        self._zero = self._zero_exchange = ""
        self._paused = False

    def take(self, entry: Public) -> None:
        """Take one entry in; one that is not of this rollout changes nothing but the number."""
        self.seq = entry.seq
        payload = entry.payload
        match entry.kind:
            case "question_answered":
                self._answered(payload["exchange"])
            case "shadow_answered" if payload["exchange"].get("rollout") == self.rollout:
                self._shadowed(payload["exchange"])
            case "feedback_given" if payload["value"] is not None:
                self._late(payload["exchange"], Metric.THUMBS, float(payload["value"]))
            case "exchange_reviewed":
                self._reviewed(payload)
            case "exchange_scored" | "judge_calibrated":
                self._judged(entry.kind, payload)
            case "rollout_paused" if payload["rollout"] == self.rollout:
                self._paused = True
            case "rollout_resumed" if payload["rollout"] == self.rollout and self._paused:
                self._paused = False
                self._ratio = RatioTest(len(self._exposures))  # whoever goes on has looked into the split until then

    def summary(self) -> Summary:
        """Where it stands."""
        return Summary(
            looks=tuple(self._look(track) for track in self._tracks),
            exposures=tuple(self._exposures),
            customers=tuple(len(one) for one in self._customers),
            ratio=self._ratio.log_e,
            zero=self._zero,
            zero_exchange=self._zero_exchange,
            seq=self.seq,
            unheard=self._unheard,
        )

    def _look(self, track: _Track) -> Look:
        stable, tried = track.test.arms
        interval, low = bounds(track.test, self._alpha)
        return Look(
            measure=track.measure,
            candidate=track.candidate,
            stable=stable,
            tried=tried,
            difference=track.test.difference,
            interval=interval,
            low=low,
            log_e=track.test.log_e,
            threshold=-log(self._alpha),
            path=tuple(track.path),
        )

    def _answered(self, told: Mapping[str, Any]) -> None:
        if self._kind is Kind.SHADOW:
            self._live[told["id"]] = told
            if len(self._live) > _WAITING:
                self._live.popitem(last=False)
        elif told.get("rollout") == self.rollout:
            arm, share = arm_number(told["arm"]), told["share"] / WHOLE
            self._exposed(Exposure(told["id"], told["customer"], arm, share, told))

    def _shadowed(self, told: Mapping[str, Any]) -> None:
        """A question that both answered: each counts as drawn by a fair coin, so that customer and question cancel."""
        live = self._live.pop(told["id"], None)
        if live is not None:
            self._exposed(
                Exposure(told["id"], told["customer"], 0, 0.5, live),
                Exposure(told["id"], told["customer"], 1, 0.5, told),
            )

    def _exposed(self, *exposures: Exposure) -> None:
        for exposure in exposures:
            self._exposures[exposure.arm] += 1
            self._customers[exposure.arm].add(exposure.customer)
            if exposure.arm:
                self._never(exposure)
            for metric in {track.measure.metric for track in self._tracks} - LATE:
                self._count(exposure, metric, None)
        first = exposures[0]
        self._known[first.exchange] = replace(first, told={})
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        if self._kind is not Kind.SHADOW and first.customer not in self._met:
            self._met.add(first.customer)
            self._ratio.add(first.arm, self._shares(first.share))

    def _shares(self, share: float) -> Sequence[float]:
        arms = len(self._exposures)
        return [1 - share, share] if self._kind is Kind.CANARY else [1 / arms] * arms

    def _never(self, exposure: Exposure) -> None:
        for found in exposure.told["findings"]:
            meaning = zero_tolerance(Finding.model_validate(found))
            if meaning and found["stage"] == "answer" and not self._zero:
                self._zero, self._zero_exchange = meaning, exposure.exchange

    def _reviewed(self, payload: Mapping[str, Any]) -> None:
        score = payload.get("score")
        value = _RIGHT.get(payload["verdict"]) if score is None else score / 100
        if value is not None:
            self._late(payload["exchange"], Metric.REVIEW, value)

    def _judged(self, kind: str, payload: Mapping[str, Any]) -> None:
        if kind == "judge_calibrated":
            self._calibrated(payload)
        elif not Stratum.read(payload.get("stratum", "")).plain:
            return  # looked at because it was flagged: the side that is flagged more often would look worse than it is
        elif payload["scorer"] in self._votes and not self._lost:
            self._late(payload["exchange"], Metric.JUDGE, payload["score"] / 100)
        elif not self._unheard:
            self._unheard = f"the judge {payload['scorer']} has no vote"

    def _calibrated(self, payload: Mapping[str, Any]) -> None:
        judge = payload["judge"]
        if payload["votes"]:
            self._votes.add(judge)
        elif judge in self._votes:
            self._votes.remove(judge)
            self._lost, self._unheard = True, f"the judge {judge} lost its vote: {payload['reason']}"
            self._tracks = [
                _Track(one.measure, one.candidate, _test(self._plan, one.measure))
                if one.measure.metric is Metric.JUDGE
                else one
                for one in self._tracks
            ]

    def _late(self, exchange: str, metric: Metric, value: float) -> None:
        """A score that came after the answer; the first of its kind counts. In a shadow it is nobody's."""
        if self._kind is Kind.SHADOW or (exchange, metric) in self._scored:
            return
        if exposure := self._known.get(exchange):
            self._scored.add((exchange, metric))
            self._count(exposure, metric, value)

    def _count(self, exposure: Exposure, metric: Metric, given: float | None) -> None:
        for track in self._tracks:
            if track.measure.metric is metric and exposure.arm in (0, track.candidate):
                value = exposure.value(metric, track.measure.cap) if given is None else given
                if value is not None:
                    track.add(exposure, value, sum(self._exposures), self._alpha)
