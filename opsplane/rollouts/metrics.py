"""What a rollout is judged by: each metric is one number in [0, 1] of an exchange, higher is better."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from opsplane.exchange import Outcome
from opsplane.finding import Action


class Metric(StrEnum):
    """The metrics that a plan can name."""

    ANSWERED = "answered"  # the customer got an answer or a fixed reply, and was not turned away
    COMPLETED = "completed"  # the turn did not fail
    CLEAN = "clean"  # no sentence had to be withheld
    FAST = "fast"  # the whole turn's time below the cap: 1 is at once, 0 is at the cap or beyond
    PROMPT = "prompt"  # the time to the first sentence likewise
    CHEAP = "cheap"  # the cost below the cap likewise
    THUMBS = "thumbs"  # 1 thumb up, 0 thumb down, where one was given
    REVIEW = "review"  # a reviewer's score, or right 1 and wrong 0
    JUDGE = "judge"  # a judge's score


WORDS = {
    Metric.ANSWERED: "answered",
    Metric.COMPLETED: "without failure",
    Metric.CLEAN: "nothing withheld",
    Metric.FAST: "speed of the whole turn",
    Metric.PROMPT: "speed of the first sentence",
    Metric.CHEAP: "cheapness",
    Metric.THUMBS: "thumbs up",
    Metric.REVIEW: "reviewers' score",
    Metric.JUDGE: "judge's score",
}
"""How people read them."""

CAPPED = frozenset({Metric.FAST, Metric.PROMPT, Metric.CHEAP})
"""Those that need a cap: milliseconds, or micro-dollars."""
LATE = frozenset({Metric.THUMBS, Metric.REVIEW, Metric.JUDGE})
"""Those that come after the exchange, if they come."""

_ENDED = frozenset({Outcome.ANSWERED, Outcome.REPLIED, Outcome.DECLINED, Outcome.ABSTAINED, Outcome.FAILED})


@dataclass(frozen=True)
class Exposure:
    """One customer met one side of a rollout. `arm` 0 is stable; `share` is the probability of the other side."""

    exchange: str
    customer: str
    arm: int
    share: float
    told: Mapping[str, Any]  # the public part of the exchange

    def value(self, metric: Metric, cap: int) -> float | None:
        """The metric in [0, 1], or None where this exchange says nothing about it."""
        told = self.told
        if Outcome(told["outcome"]) not in _ENDED:  # the customer left or pressed Stop
            return None
        match metric:
            case Metric.ANSWERED:
                return float(told["outcome"] in (Outcome.ANSWERED, Outcome.REPLIED))
            case Metric.COMPLETED:
                return float(told["outcome"] != Outcome.FAILED)
            case Metric.CLEAN:
                return float(all(one["action"] != Action.WITHHOLD for one in told["findings"]))
            case Metric.FAST:
                return below(told["total_ms"], cap)
            case Metric.PROMPT:
                return below(told["first_sentence_ms"], cap)
            case Metric.CHEAP:
                return below(told["cost_micros"], cap)
        return None


def below(amount: int | None, cap: int) -> float | None:
    """How far an amount stays below its cap, in [0, 1]; None where there is none."""
    return None if amount is None else 1 - min(amount, cap) / cap
