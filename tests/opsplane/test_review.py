"""Who gets looked at and why."""

from pathlib import Path

import pytest

from opsplane import pack, review
from opsplane.exchange import Exchange, Outcome, Route, Tier
from opsplane.finding import Action, Finding
from opsplane.review import RANK, Reason, drawn, queue_answered, queue_thumb
from tests.opsplane.ledger.test_store import exchange

PACK = Path(review.__file__).parent / "guardrails" / "packs" / "retail-us.yaml"


def finding(code: str, stage: str = "answer", action: Action = Action.WITHHOLD) -> Finding:
    return Finding(code=code, action=action, stage=stage)


def answered(*findings: Finding, **changes: object) -> Exchange:
    return exchange("exchange-0001", findings=findings, **{"outcome": Outcome.ANSWERED, **changes})


@pytest.mark.parametrize(
    ("code", "stage"),
    [
        ("access.foreign_data", "answer"),
        ("compliance.promise", "answer"),
        ("compliance.fairness", "answer"),
        ("injection.override", "answer"),
        ("legal.evasion", "question"),
    ],
)
def test_what_must_never_happen_is_always_looked_at(code: str, stage: str) -> None:
    assert queue_answered(answered(finding(code, stage)), share=0) is Reason.ZERO_TOLERANCE


@pytest.mark.parametrize(
    "one",
    [
        answered(finding("grounding.figure")),
        answered(outcome=Outcome.FAILED),
        answered(outcome=Outcome.ABSTAINED, route=Route(tier=Tier.FLASH, model="m", reason="r")),
        answered(finding("injection.override", "question", Action.DECLINE), outcome=Outcome.DECLINED),
        answered(finding("access.other_customer", "question", Action.DECLINE), outcome=Outcome.DECLINED),
    ],
)
def test_what_went_wrong_or_was_an_attack_is_flagged(one: Exchange) -> None:
    assert queue_answered(one, share=0) is Reason.FLAGGED


@pytest.mark.parametrize(
    "one",
    [
        answered(),
        answered(finding("pii.email", "question", Action.NOTE)),
        answered(finding("advice.investment", "question", Action.DECLINE), outcome=Outcome.DECLINED),
        answered(outcome=Outcome.ABSTAINED),
        answered(outcome=Outcome.STOPPED),
    ],
)
def test_everything_else_is_looked_at_only_when_the_lot_falls_on_it(one: Exchange) -> None:
    assert queue_answered(one, share=0) is None
    assert queue_answered(one, share=1) is Reason.SAMPLED


def test_the_most_urgent_reason_is_given() -> None:
    one = answered(finding("grounding.figure"), finding("compliance.advice"), outcome=Outcome.FAILED)
    assert queue_answered(one, share=1) is Reason.ZERO_TOLERANCE
    assert sorted(Reason, key=RANK.__getitem__) == list(Reason)


def test_only_a_thumb_down_calls_a_reviewer() -> None:
    assert [queue_thumb(value) for value in (0, 1, None)] == [Reason.THUMBS_DOWN, None, None]


def test_the_lot_falls_on_about_its_share_and_always_on_the_same() -> None:
    ids = [f"exchange-{number}" for number in range(20_000)]
    chosen = {one for one in ids if drawn(one, 0.05)}
    assert 900 <= len(chosen) <= 1_100
    assert chosen == {one for one in ids if drawn(one, 0.05)}
    assert chosen < {one for one in ids if drawn(one, 0.1)}


def test_the_table_names_only_rules_that_exist() -> None:
    """A renamed rule must not drop out of the queue unnoticed."""
    rules = {(rule.reads, rule.id) for rule in pack.load(PACK).rules}
    ours = {(stage, code) for stage, code in review.ZERO_TOLERANCE if code.split(".")[0] in ("compliance", "legal")}
    assert ours <= rules
