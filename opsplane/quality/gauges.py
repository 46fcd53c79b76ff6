"""What is read off every exchange: each gauge is one number in [0, 1], higher is better."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import log10
from typing import Any

from opsplane.exchange import Outcome
from opsplane.finding import Action, Finding
from opsplane.review import zero_tolerance


class Gauge(StrEnum):
    """The gauges. A judge's have its name behind a colon on the series that they make."""

    JUDGE = "judge"  # a judge's score
    FAITHFUL = "faithful"  # a judge found at least half of the answer borne out by its sources
    THUMBS = "thumbs"  # 1 thumb up, 0 thumb down
    REVIEW = "review"  # a reviewer's score, or right 1 and wrong 0
    GROUNDED = "grounded"  # no sentence was withheld because its sources do not bear it out
    ANSWERED = "answered"  # something that could be said stood up to the checks
    WELCOME = "welcome"  # the question was not turned away, attacks apart
    COMPLETED = "completed"  # the turn did not fail
    SAFE = "safe"  # the model wrote nothing that can never be tolerated
    UNATTACKED = "unattacked"  # nobody attacked
    PROMPT = "prompt"  # the time to the first sentence, on a scale of ratios
    FAST = "fast"  # the time of the whole turn likewise
    CHEAP = "cheap"  # what it cost likewise


class Scale(StrEnum):
    """How people read a gauge."""

    SCORE = "score"  # 0 to 100, higher is better
    SHARE = "share"  # per cent of what must not happen, lower is better
    TIME = "time"  # milliseconds
    MONEY = "money"  # micro-dollars


@dataclass(frozen=True)
class Meaning:
    """What a gauge is called, how it is read, and which part of the fall that matters it bears.

    `least` is the amount at the top of a scale of ratios.
    """

    words: str
    scale: Scale
    bears: float
    least: int = 1


MEANINGS: Mapping[Gauge, Meaning] = {
    Gauge.JUDGE: Meaning("judge's score", Scale.SCORE, 0.5),
    Gauge.FAITHFUL: Meaning("answers that a judge finds unfaithful", Scale.SHARE, 0.2),
    Gauge.THUMBS: Meaning("thumbs up", Scale.SCORE, 0.5),
    Gauge.REVIEW: Meaning("reviewers' score", Scale.SCORE, 0.5),
    Gauge.GROUNDED: Meaning("answers with something withheld as ungrounded", Scale.SHARE, 0.2),
    Gauge.ANSWERED: Meaning("abstentions", Scale.SHARE, 0.2),
    Gauge.WELCOME: Meaning("questions declined", Scale.SHARE, 0.2),
    Gauge.COMPLETED: Meaning("failures", Scale.SHARE, 0.1),
    Gauge.SAFE: Meaning("answers with something that can never be tolerated", Scale.SHARE, 0.05),
    Gauge.UNATTACKED: Meaning("attacks", Scale.SHARE, 0.2),
    Gauge.PROMPT: Meaning("time to the first sentence", Scale.TIME, 0.3, 10),
    Gauge.FAST: Meaning("time to the whole answer", Scale.TIME, 0.3, 10),
    Gauge.CHEAP: Meaning("cost of an answer", Scale.MONEY, 0.3, 30),
}
"""Where a fall of 5 points matters, 2.5 are borne of a score, 1 of a share, and of a time or a cost a rise by 15 %."""
BY_JUDGE = (Gauge.JUDGE, Gauge.FAITHFUL)
"""Those of which every judge has its own."""
DECADES = 4.0
"""How many powers of ten a scale of ratios spans: 0.1 of it is a factor of 2.5."""

_MODEL = frozenset({Outcome.ANSWERED, Outcome.ABSTAINED})
_ENDED = _MODEL | {Outcome.REPLIED, Outcome.DECLINED, Outcome.FAILED}
_ATTACKS = ("injection.", "access.other_customer")
_OURS = ("killswitch.", "budget.")
"""Declines that operators brought about; nobody need tell them."""


def level(amount: float, least: int) -> float:
    """An amount on a scale of ratios: 1 at `least` or below, 0 at 10^`DECADES` times that or beyond."""
    return 1 - min(DECADES, max(0.0, log10(max(amount, 1e-9) / least))) / DECADES


def amount(value: float, least: int) -> float:
    """The amount that has this level."""
    return float(least * 10 ** (DECADES * (1 - value)))


def gauge_of(series: str) -> Gauge:
    """The gauge of a series; `judge:embedded-1a2b` is of the gauge `judge`."""
    return Gauge(series.partition(":")[0])


def shown(gauge: Gauge, value: float) -> float:
    """The value as people read it: points, per cent, milliseconds or micro-dollars."""
    meaning = MEANINGS[gauge]
    match meaning.scale:
        case Scale.SCORE:
            return 100 * value
        case Scale.SHARE:
            return 100 * (1 - value)
        case _:
            return amount(value, meaning.least)


def read(told: Mapping[str, Any]) -> Iterator[tuple[Gauge, float]]:
    """What an exchange's public part says by itself; nothing where the customer left or pressed Stop."""
    outcome = Outcome(told["outcome"])
    if outcome not in _ENDED:
        return
    findings, code = told["findings"], told["code"]
    attacked = any(one["stage"] == "question" and one["code"].startswith(_ATTACKS) for one in findings)
    yield Gauge.UNATTACKED, float(not attacked)
    yield Gauge.SAFE, float(not _intolerable(findings))
    yield Gauge.COMPLETED, float(outcome is not Outcome.FAILED)
    if outcome in _MODEL or (outcome is Outcome.DECLINED and not attacked and not code.startswith(_OURS)):
        yield Gauge.WELCOME, float(outcome is not Outcome.DECLINED)
    if outcome not in _MODEL:
        return
    yield Gauge.ANSWERED, float(outcome is Outcome.ANSWERED)
    yield Gauge.GROUNDED, float(not any(_ungrounded(one) for one in findings))
    yield Gauge.FAST, level(told["total_ms"], MEANINGS[Gauge.FAST].least)
    yield Gauge.CHEAP, level(told["cost_micros"], MEANINGS[Gauge.CHEAP].least)
    if told["first_sentence_ms"] is not None:
        yield Gauge.PROMPT, level(told["first_sentence_ms"], MEANINGS[Gauge.PROMPT].least)


def _ungrounded(finding: Mapping[str, Any]) -> bool:
    return bool(finding["action"] == Action.WITHHOLD and finding["code"].startswith("grounding."))


def _intolerable(findings: list[dict[str, Any]]) -> bool:
    written = (one for one in findings if one["stage"] == "answer")
    return any(zero_tolerance(Finding.model_validate(one)) for one in written)
