"""Which live exchanges a judge looks at: everything that was flagged, and of each stratum a share drawn by lot.

A stratum is a topic and an outcome. Whether the lot falls on an exchange depends on its id alone, and on the very lot
that gives reviewers theirs: what people look at by chance, the judge looks at too, so that the two can be compared.
"""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from opsplane.exchange import Outcome
from opsplane.policy import Sampling
from opsplane.review import RANK, Reason

JUDGED = frozenset({Outcome.ANSWERED, Outcome.ABSTAINED, Outcome.DECLINED, Outcome.FAILED})
"""How a turn must have ended to be judged: a fixed reply, or a turn that was stopped, tells nothing of an answer."""
ALWAYS = frozenset({Reason.ZERO_TOLERANCE, Reason.THUMBS_DOWN, Reason.FLAGGED})
"""What is looked at without a lot."""
UNTOLD = "untold"
"""The topic of what was met before anybody looked."""
_LOT = RANK[Reason.SAMPLED]
_Z95 = 1.959964


@dataclass(frozen=True)
class Stratum:
    """Why an exchange was looked at, as it stands on the record.

    `probability` is the chance with which this one came to be looked at, so that 1/probability is its weight in an
    average. `plain` tells whether the lot would also have drawn it with the least share that any stratum has: plain
    ones alone are a plain sample of all traffic, in which two releases can be compared without weights.
    """

    name: str
    probability: float
    plain: bool = False

    def __str__(self) -> str:
        """As it stands on the record: `cards/answered 0.1 plain`."""
        return f"{self.name} {self.probability:g}{' plain' if self.plain else ''}"

    @property
    def sampled(self) -> bool:
        """Whether it says anything of all traffic: what was picked for its label by a person does not."""
        return self.name != Reason.CHOSEN.value

    @classmethod
    def read(cls, text: str) -> Self:
        """The stratum that stands on the record; anything else counts as looked at for certain, and as plain."""
        name, _, rest = text.partition(" ")
        given, _, mark = rest.partition(" ")
        try:
            probability = float(given)
        except ValueError:
            return cls(text, 1.0, plain=True)
        return cls(name, probability, mark == "plain") if 0 < probability <= 1 else cls(text, 1.0, plain=True)


@dataclass(frozen=True)
class Candidate:
    """An exchange that ended, as far as it is told without opening its words; `reason` is why it was flagged."""

    id: str
    at: datetime
    outcome: Outcome
    reason: Reason | None = None
    shadowed: bool = False  # a shadow answered it too


@dataclass(frozen=True)
class Pick:
    """An exchange that is to be looked at, and how urgently: lower comes first."""

    id: str
    topic: str
    stratum: Stratum
    urgency: tuple[int, float]


def lot(identity: str) -> float:
    """The exchange's number in [0, 1), the one that `review.drawn` holds against a share."""
    digest = hashlib.sha256(f"opsplane-review/1\n{identity}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def share(topic: str, outcome: Outcome, sampling: Sampling) -> float:
    """The share of a stratum: the larger one where the policy names both its topic and its outcome."""
    named = [sampling.strata[name] for name in (topic, outcome.value) if name in sampling.strata]
    return max(named, default=sampling.share)


def least(sampling: Sampling) -> float:
    """The least share that any stratum has."""
    return min((sampling.share, *sampling.strata.values()))


def possible(candidate: Candidate, sampling: Sampling) -> bool:
    """Whether the exchange will be looked at, whatever its topic turns out to be: most need not be opened at all."""
    if candidate.outcome not in JUDGED:
        return False
    topics = (value for name, value in sampling.strata.items() if name not in set(Outcome))
    most = max((share("", candidate.outcome, sampling), *topics))
    return candidate.reason in ALWAYS or lot(candidate.id) < most


def pick(candidate: Candidate, topic: str, sampling: Sampling) -> Pick | None:
    """Whether and how urgently an exchange on this topic is looked at.

    Where a budget leaves room for some only, those with the smallest lot for their share come first: what is judged of
    a stratum is then a plain sample of it too (sequential Poisson sampling, Ohlsson, J. Official Statistics 14, 1998).
    """
    if candidate.outcome not in JUDGED:
        return None
    number, part = lot(candidate.id), share(topic, candidate.outcome, sampling)
    plain = number < least(sampling)
    if candidate.reason in ALWAYS:
        stratum = Stratum(candidate.reason.value, 1.0, plain)
        return Pick(candidate.id, topic, stratum, (RANK[candidate.reason], number))
    if number >= part:
        return None
    name = f"{topic or UNTOLD}/{candidate.outcome.value}".replace(" ", "-")
    return Pick(candidate.id, topic, Stratum(name, part, plain), (_LOT, number / part))


def chosen(identity: str, topic: str) -> Pick:
    """An exchange that is looked at because a person labelled it, so that the judge can be held against that."""
    return Pick(identity, topic, Stratum(Reason.CHOSEN.value, 1.0), (RANK[Reason.CHOSEN], 0.0))


@dataclass(frozen=True)
class Average:
    """A weighted mean with its 95 % interval, None while one value alone tells no spread."""

    value: float
    low: float | None
    high: float | None
    number: int


def average(scores: Iterable[tuple[Stratum, float]]) -> Average | None:
    """What the mean over all traffic would be, each score weighted by one over its chance; None without any.

    The ratio estimator of Hájek (1971) with its linearised variance, Σ w²(y − m)² / (Σ w)² (Särndal, Swensson and
    Wretman, Model Assisted Survey Sampling, 1992, section 5.7), for traffic like this rather than for this traffic.
    """
    weighed = [(1 / stratum.probability, score) for stratum, score in scores if stratum.sampled]
    if not weighed:
        return None
    total = sum(weight for weight, _ in weighed)
    mean = sum(weight * score for weight, score in weighed) / total
    if len(weighed) == 1:
        return Average(mean, None, None, 1)
    spread = math.sqrt(sum((weight * (score - mean)) ** 2 for weight, score in weighed)) / total
    return Average(mean, mean - _Z95 * spread, mean + _Z95 * spread, len(weighed))
