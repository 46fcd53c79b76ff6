"""Human review: which exchanges a reviewer should look at and how urgently, verdicts, and how much was looked at."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from opsplane.exchange import Exchange, Outcome
from opsplane.finding import Action, Finding

SHARE = 0.05
"""The share of exchanges without anything remarkable that are looked at all the same."""


class Reason(StrEnum):
    """Why an exchange should be looked at, most urgent first."""

    ZERO_TOLERANCE = "zero_tolerance"  # something that must never happen was tried; see `ZERO_TOLERANCE`
    THUMBS_DOWN = "thumbs_down"  # the customer said that the answer was no good
    FLAGGED = "flagged"  # it failed, a sentence was withheld, nothing found stood up, or somebody attacked
    SAMPLED = "sampled"  # drawn by lot
    CHOSEN = "chosen"  # nothing of these: a reviewer picked it


RANK = {reason: rank for rank, reason in enumerate(Reason)}
"""Lower is more urgent."""


class Verdict(StrEnum):
    """What a reviewer says of an answer."""

    RIGHT = "right"
    WRONG = "wrong"
    UNSURE = "unsure"


ZERO_TOLERANCE = {
    ("answer", "access.foreign_data"): "a number like another customer's account",
    ("answer", "compliance.promise"): "a promised or predicted return",
    ("answer", "compliance.guarantee"): "a guaranteed approval, rate or result",
    ("answer", "compliance.advice"): "personalised investment advice",
    ("answer", "compliance.legal"): "legal or tax advice",
    ("answer", "compliance.fairness"): "credit tied to a protected characteristic",
    ("answer", "conduct.credentials"): "a customer asked for a secret",
    ("answer", "leak."): "the assistant's instructions or tools",
    ("answer", "injection."): "words that give orders to a model",
    ("question", "legal.evasion"): "a question for help with a crime, which may have to be reported",
}
"""Stage and code (or its beginning, where it ends with a dot) of the findings that a person must see each time.

A sentence with such a finding was withheld, but a model had written it: the next one may be worded past the rule.
"""

_ATTACKS = ("injection.", "access.other_customer")


def queue_answered(exchange: Exchange, share: float = SHARE) -> Reason | None:
    """Why a turn that has ended should be looked at, or None.

    Pure, and looks only at what stays readable after an erasure: the queue can be made anew from the record. The lot
    depends on the exchange's id alone.
    """
    if any(zero_tolerance(finding) for finding in exchange.findings):
        return Reason.ZERO_TOLERANCE
    if _flagged(exchange):
        return Reason.FLAGGED
    return Reason.SAMPLED if drawn(exchange.id, share) else None


def queue_thumb(value: int | None) -> Reason | None:
    """Why a rated exchange should be looked at: for a thumb down. Taking it back calls nothing off."""
    return Reason.THUMBS_DOWN if value == 0 else None


def zero_tolerance(finding: Finding) -> str:
    """What about the finding can never be tolerated, or nothing."""
    for (stage, code), meaning in ZERO_TOLERANCE.items():
        if finding.stage == stage and _is(finding.code, code):
            return meaning
    return ""


def drawn(identity: str, share: float) -> bool:
    """Whether the lot falls on this exchange; `share` is in [0, 1], and a larger share holds every smaller one."""
    digest = hashlib.sha256(f"opsplane-review/1\n{identity}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def _flagged(exchange: Exchange) -> bool:
    withheld = any(finding.action is Action.WITHHOLD for finding in exchange.findings)
    searched_in_vain = exchange.outcome is Outcome.ABSTAINED and exchange.route is not None
    attacked = any(_is(finding.code, code) for finding in exchange.findings for code in _ATTACKS)
    return withheld or exchange.outcome is Outcome.FAILED or searched_in_vain or attacked


def _is(code: str, wanted: str) -> bool:
    return code == wanted or (wanted.endswith(".") and code.startswith(wanted))


@dataclass(frozen=True)
class Count:
    """So many exchanges ended like this, were queued for this reason (or none) and got this verdict (or none)."""

    outcome: str
    reason: str
    verdict: str
    number: int


@dataclass(frozen=True)
class Opinion:
    """What one reviewer said of one exchange."""

    exchange: str
    reviewer: str
    verdict: str


@dataclass(frozen=True)
class Share:
    """How many of some exchanges were reviewed."""

    name: str
    exchanges: int
    reviewed: int

    @property
    def share(self) -> float | None:
        """The part that was reviewed, in [0, 1]; None where there are no exchanges."""
        return self.reviewed / self.exchanges if self.exchanges else None


@dataclass(frozen=True)
class Work:
    """How many exchanges one reviewer judged, and how."""

    reviewer: str
    verdicts: dict[str, int]

    @property
    def reviewed(self) -> int:
        """All of them."""
        return sum(self.verdicts.values())


@dataclass(frozen=True)
class Coverage:
    """What share was reviewed, by whom, and how far two reviewers of the same exchange say the same.

    `pairs` counts the pairs of reviewers over exchanges that more than one judged, `equal` those of one verdict.
    """

    whole: Share
    reasons: tuple[Share, ...]
    outcomes: tuple[Share, ...]
    reviewers: tuple[Work, ...]
    pairs: int
    equal: int

    @property
    def agreement(self) -> float | None:
        """The part of pairs with one verdict, in [0, 1]; None where no exchange was judged twice."""
        return self.equal / self.pairs if self.pairs else None


def coverage(counts: Sequence[Count], opinions: Iterable[Opinion]) -> Coverage:
    """Add up. Of several opinions of one reviewer on one exchange the last counts."""
    latest = {(one.exchange, one.reviewer): one.verdict for one in opinions}
    by_reviewer: dict[str, Counter[str]] = {}
    by_exchange: dict[str, list[str]] = {}
    for (exchange, reviewer), verdict in latest.items():
        by_reviewer.setdefault(reviewer, Counter())[verdict] += 1
        by_exchange.setdefault(exchange, []).append(verdict)
    pairs = [_pairs(len(verdicts)) for verdicts in by_exchange.values()]
    equal = [sum(_pairs(n) for n in Counter(verdicts).values()) for verdicts in by_exchange.values()]
    known = [reason.value for reason in Reason]
    return Coverage(
        whole=_share("all", counts),
        reasons=tuple(_share(name or "none", [one for one in counts if one.reason == name]) for name in [*known, ""]),
        outcomes=tuple(
            _share(name, [one for one in counts if one.outcome == name]) for name in sorted({c.outcome for c in counts})
        ),
        reviewers=tuple(Work(name, dict(by_reviewer[name])) for name in sorted(by_reviewer)),
        pairs=sum(pairs),
        equal=sum(equal),
    )


def _share(name: str, counts: Sequence[Count]) -> Share:
    return Share(name, sum(one.number for one in counts), sum(one.number for one in counts if one.verdict))


def _pairs(number: int) -> int:
    return number * (number - 1) // 2
