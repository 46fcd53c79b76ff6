"""What routing makes of questions that both tiers answered: quality and cost of each setting, and which to take. Pure.

No model is asked: a setting chooses, question by question, between two answers that are there already.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from opsplane import routing
from opsplane.evaluation.estimate import Estimate, Floats, estimate
from opsplane.evaluation.paired import FEWEST
from opsplane.release import Routing
from opsplane.routing import NEVER, RULES, Signals

RESAMPLES, FOLDS = 1_000, 5
ALWAYS_FLASH, ALWAYS_PRO = "always Flash", "always Pro"
_ROOM = 4_000_000
"""Numbers of a bootstrap's weights that are held at a time."""
_FEW = 5
"""A topic that fewer questions are about is no candidate for Pro."""
_GRID: dict[str, tuple[float, ...]] = {
    "pro_from_words": (1, 10, 15, 20, 30, 40),
    "pro_from_documents": (2, 3, 4, 5),
    "pro_from_passages": (2, 3, 4, 6),
    "pro_from_turns": (1, 3, 5),
    "pro_below_margin": (0.01, 0.02, 0.05, 0.1, 0.2),
    "pro_below_cosine": (0.4, 0.5, 0.6, 0.7, 0.8),
}
"""Thresholds that are tried beside the release's own; one word or more is every question."""

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True)
class Side:
    """A question as one tier answered it: quality in [0, 1], micro-dollars, and whether no sentence stood up."""

    quality: float
    micros: int
    refused: bool = False


@dataclass(frozen=True)
class Trial:
    """A question on both tiers. `questions` are those of its conversation that came to routing, its own last.

    Without any the question was met before a model was chosen, and no setting changes anything about it.
    """

    questions: tuple[Signals, ...]
    flash: Side
    pro: Side


@dataclass(frozen=True)
class Goal:
    """What is recommended: the best within `at_most` micro-dollars a question, where that is given; else the cheapest
    of which it is sure that it loses at most `margin` of quality against always Pro."""

    margin: float = 0.02
    at_most: float | None = None


class Point(_Value):
    """A setting on these questions; `policy` is None for always one tier. Shares are of the questions routed.

    `micros` is the mean cost of a question, `against` the quality less that of always Pro, paired by question.
    `optimal`: no other setting is as good for less, or better for as much.
    """

    name: str
    policy: Routing | None
    share: float
    escalated: float
    micros: float
    quality: Estimate
    against: Estimate
    optimal: bool = False


class Frontier(_Value):
    """Every setting that chooses differently, cheapest first, beside always one tier and the release's own.

    `free` says that both tiers cost nothing: then Pro's share stands for the cost. `held_out` is what choosing by the
    goal comes to on questions that it did not see, five times over. `why` tells the recommendation, or that there is
    none.
    """

    cases: int
    routed: int
    tried: int
    free: bool
    points: tuple[Point, ...]
    flash: Point
    pro: Point
    present: Point
    chosen: Point | None
    why: str
    held_out: Point | None = None

    @property
    def optimal(self) -> tuple[Point, ...]:
        """The settings on the frontier, cheapest first."""
        return tuple(one for one in self.points if one.optimal)


def explore(trials: Sequence[Trial], present: Routing, goal: Goal) -> Frontier:
    """Try every setting on these questions. Equal trials give equal frontiers; without trials there is nothing to try.

    Intervals are 95 % percentile bootstraps over questions, differences drawn together: Efron and Tibshirani (1993),
    "An Introduction to the Bootstrap", chapters 13 and 16.
    """
    settings = _settings(trials, present)
    table = _Table.of(trials, settings)
    names = [*map(label, settings), ALWAYS_FLASH, ALWAYS_PRO]
    points = table.points(names, [*settings, None, None])
    everyone = np.arange(len(trials))
    place = table.pick(everyone, goal)
    chosen = None if place is None else points[place]
    return Frontier(
        cases=len(trials),
        routed=int(table.routed.sum()),
        tried=len(settings),
        free=table.free,
        points=tuple(sorted((points[one] for one in table.apart()), key=lambda one: (one.micros, one.share))),
        flash=points[-2],
        pro=points[-1],
        present=points[-3],
        chosen=chosen,
        why=_why(chosen, goal, table),
        held_out=_held_out(table, goal) if chosen else None,
    )


def label(policy: Routing) -> str:
    """A setting in a few words."""
    told = [told for name, told in _named(policy) if name]
    words = " or ".join(told) if policy.pro_from_words > 1 else "every question"
    return f"{words or 'no rule'}{', escalating' if policy.escalate else ''}"


def _named(policy: Routing) -> Iterator[tuple[bool, str]]:
    """Each rule with whether it is on."""
    yield policy.pro_from_words < NEVER, f"from {policy.pro_from_words} words"
    yield policy.pro_from_documents < NEVER, f"from {policy.pro_from_documents} documents"
    yield policy.pro_from_passages is not None, f"from {policy.pro_from_passages} passages"
    yield policy.pro_from_turns is not None, f"from {policy.pro_from_turns} turns"
    yield policy.pro_below_margin is not None, f"margin up to {policy.pro_below_margin}"
    yield policy.pro_below_cosine is not None, f"cosine up to {policy.pro_below_cosine}"
    yield bool(policy.pro_intents), f"about {', '.join(policy.pro_intents)}"


def _settings(trials: Sequence[Trial], present: Routing) -> list[Routing]:
    """None, one and two rules of the grid together, each without and with escalation; at last the release's own.

    How near counts as close stays as it is. Fewer rules come first, so that of equals the simpler one is kept.
    """
    bare = Routing(pro_from_words=NEVER, pro_from_documents=NEVER, close_within=present.close_within)
    rules = [
        (field, value)
        for field, values in _GRID.items()
        for value in sorted({*values, *({getattr(present, field)} - {None, NEVER})})
    ]
    rules += [("pro_intents", topics) for topics in _topics(trials, present)]
    sets = [(), *((one,) for one in rules), *(two for two in combinations(rules, 2) if two[0][0] != two[1][0])]
    made = [bare.model_copy(update=dict(some) | {"escalate": tries}) for some in sets for tries in (None, "once")]
    return [*made, present]


def _topics(trials: Sequence[Trial], present: Routing) -> list[tuple[str, ...]]:
    """The release's topics together, and each that some questions are about."""
    about = [one.questions[-1].topic for one in trials if one.questions]
    common = [(topic,) for topic in sorted(set(about)) if topic and about.count(topic) >= _FEW]
    return list(dict.fromkeys([*([present.pro_intents] if present.pro_intents else []), *common]))


def _chosen(trials: Sequence[Trial], settings: Sequence[Routing]) -> Bools:
    """Settings × questions: whether Pro answers at once.

    Any rule alone is enough, and once a conversation is on Pro it stays there: so each rule is asked once about each
    question of a conversation, whatever it stands beside.
    """
    known: dict[Routing, Bools] = {}

    def sent(rule: Routing) -> Bools:
        if rule not in known:
            known[rule] = np.array([any(routing.needs_pro(q, rule) for q in one.questions) for one in trials], bool)
        return known[rule]

    return np.array([np.logical_or.reduce([sent(rule) for rule in _alone(one)]) for one in settings])


def _alone(policy: Routing) -> list[Routing]:
    """Each rule of a setting by itself; the first has none but those that are always on."""
    bare = Routing(pro_from_words=NEVER, pro_from_documents=NEVER, close_within=policy.close_within)
    fields = [rule.field for rule in RULES if rule.field and rule.on(policy)]
    return [bare, *(bare.model_copy(update={field: getattr(policy, field)}) for field in fields)]


@dataclass(frozen=True)
class _Table:
    """Rows × questions: `pro` where Pro answers at once, `again` where it answers after Flash.

    Rows are the settings, then always Flash and always Pro, which are none.
    """

    quality: Floats
    micros: Floats
    pro: Bools
    again: Bools
    routed: Bools

    @classmethod
    def of(cls, trials: Sequence[Trial], settings: Sequence[Routing]) -> "_Table":
        """What every setting makes of every question."""
        routed = np.array([bool(one.questions) for one in trials], bool)
        refused = np.array([one.flash.refused for one in trials], bool)
        pro = np.vstack([_chosen(trials, settings), np.zeros_like(routed), routed])
        tries = np.array([*(one.escalate is not None for one in settings), False, False])
        again = tries[:, None] & refused & routed & ~pro
        low, high = (np.array([side.quality for side in sides], np.float64) for sides in _sides(trials))
        cheap, dear = (np.array([side.micros for side in sides], np.float64) for sides in _sides(trials))
        cost = np.where(pro, dear, cheap) + np.where(again, dear, 0.0)
        return cls(np.where(pro | again, high, low), cost, pro, again, routed)

    @cached_property
    def free(self) -> bool:
        """Whether nothing costs anything."""
        return not self.micros.any()

    def points(self, names: Sequence[str], policies: Sequence[Routing | None]) -> list[Point]:
        """Every row, in order."""
        quality = _bounds(self.quality), _bounds(self.quality - self.quality[-1])
        best = self._optimal() if len(self.routed) else frozenset()
        return [
            self._point(place, name, policy, (quality[0][:, place], quality[1][:, place])).model_copy(
                update={"optimal": place in best}
            )
            for place, (name, policy) in enumerate(zip(names, policies, strict=True))
        ]

    def _point(self, place: int, name: str, policy: Routing | None, ends: tuple[Floats, Floats]) -> Point:
        units, count = len(self.routed), max(int(self.routed.sum()), 1)
        means = [float(one.mean()) if units else np.nan for one in (self.quality[place], self._lost(place))]
        found = [estimate(units, mean, (float(one[0]), float(one[1]))) for mean, one in zip(means, ends, strict=True)]
        return Point(
            name=name,
            policy=policy,
            share=round(float((self.pro | self.again)[place].sum() / count), 6),
            escalated=round(float(self.again[place].sum() / count), 6),
            micros=round(float(self.micros[place].mean()), 3) if units else 0.0,
            quality=found[0],
            against=found[1],
        )

    def _lost(self, place: int) -> Floats:
        return np.asarray(self.quality[place] - self.quality[-1])

    def _effort(self, some: Ints) -> Floats:
        """What a question takes on average: micro-dollars, or where all are free Pro's share."""
        told = (self.pro | self.again).astype(np.float64) if self.free else self.micros
        return np.asarray(np.round(told[:-2, some].mean(axis=1), 9))

    def _worth(self, some: Ints) -> Floats:
        return np.asarray(np.round(self.quality[:-2, some].mean(axis=1), 9))

    def _optimal(self) -> frozenset[int]:
        """The settings that no other beats in one of quality and effort without losing in the other."""
        everyone = np.arange(len(self.routed))
        effort, worth = self._effort(everyone), self._worth(everyone)
        found, best = {}, -1.0
        for place in np.lexsort((np.arange(len(effort)), -worth, effort)):
            if worth[place] > best:
                best = float(worth[place])
                found[best] = float(effort[place])
        return frozenset(place for place in range(len(effort)) if found.get(float(worth[place])) == effort[place])

    def apart(self) -> list[int]:
        """The settings that choose differently; of equals the first, which is the simplest."""
        rows = np.packbits(np.hstack([self.pro[:-2], self.again[:-2]]), axis=1)
        return sorted(int(one) for one in np.unique(rows, axis=0, return_index=True)[1])

    def pick(self, some: Ints, goal: Goal) -> int | None:
        """The setting that the goal wants, judged by some of the questions; None where there is none, or too few."""
        if len(some) < FEWEST:
            return None
        effort, worth, order = self._effort(some), self._worth(some), np.arange(len(self.pro) - 2)
        if goal.at_most is not None:
            fits = self.micros[:-2, some].mean(axis=1) <= goal.at_most
            ranked = np.lexsort((order, effort, -worth))
        else:
            fits = _bounds(self.quality[:-2, some] - self.quality[-1, some])[0] >= -goal.margin
            ranked = np.lexsort((order, -worth, effort))
        return next((int(one) for one in ranked if fits[one]), None)


def _sides(trials: Sequence[Trial]) -> tuple[list[Side], list[Side]]:
    return [one.flash for one in trials], [one.pro for one in trials]


def _bounds(values: Floats, seed: int = 0) -> Floats:
    """The ends of the 95 % interval of each row's mean, shape (2, rows); all rows are drawn together."""
    units = values.shape[1]
    if not units:
        return np.full((2, len(values)), np.nan)
    draw, size = np.random.default_rng(seed), max(1, min(RESAMPLES, _ROOM // units))
    even, means = np.full(units, 1 / units), []
    for begun in range(0, RESAMPLES, size):
        weights = draw.multinomial(units, even, min(size, RESAMPLES - begun)).astype(np.float64)
        means.append(weights @ values.T / units)
    return np.asarray(np.percentile(np.concatenate(means), [2.5, 97.5], axis=0))


def _held_out(table: _Table, goal: Goal) -> Point | None:
    """What the goal chooses on four fifths of the questions, on the fifth that it did not see, five times over."""
    units = len(table.routed)
    if units * (FOLDS - 1) // FOLDS < FEWEST:
        return None
    fold = np.random.default_rng(0).permutation(units) % FOLDS
    taken = np.zeros(units, np.int64)
    for number in range(FOLDS):
        place = table.pick(np.flatnonzero(fold != number), goal)
        taken[fold == number] = len(table.pro) - 1 if place is None else place  # where nothing is chosen, always Pro
    every = np.arange(units)
    own = _Table(
        np.vstack([table.quality[taken, every], table.quality[-2:]]),
        np.vstack([table.micros[taken, every], table.micros[-2:]]),
        np.vstack([table.pro[taken, every], table.pro[-2:]]),
        np.vstack([table.again[taken, every], table.again[-2:]]),
        table.routed,
    )
    return own.points(("chosen on other questions", ALWAYS_FLASH, ALWAYS_PRO), [None] * 3)[0]


def _why(chosen: Point | None, goal: Goal, table: _Table) -> str:
    units = len(table.routed)
    if units < FEWEST:
        return f"{units} questions are too few to recommend a setting by: at least {FEWEST} are needed."
    if chosen is None:
        least = float(table.micros[:-2].mean(axis=1).min())
        return f"No setting costs {goal.at_most:g} micro-dollars a question or less: the cheapest costs {least:,.0f}."
    if goal.at_most is not None:
        return f"The best of the settings that cost {goal.at_most:,g} micro-dollars a question or less."
    least_words = "asks Pro least" if table.free else "costs least"
    return f"Of the settings that surely lose at most {goal.margin:g} of quality against always Pro, it {least_words}."
