"""Human review: which exchanges a reviewer should look at and how urgently, and what verdicts there are."""

import hashlib
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
