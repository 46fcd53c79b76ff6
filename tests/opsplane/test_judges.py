"""Judges held against what people said on the record."""

import random
from pathlib import Path

import pytest

from opsplane import judges
from opsplane.access import SERVICE
from opsplane.control_events import AlertRaised
from opsplane.errors import Refused
from opsplane.evaluation_events import ExchangeScored, ExchangeUnscored, PreferenceScored
from opsplane.events import ExchangeReviewed
from opsplane.ledger.store import Ledger
from opsplane.plane import Plane
from opsplane.policy import Judges
from opsplane.review import Reason, Verdict
from tests import fakes

JUDGE = "answer/embedded@0123456789ab"
FLOORS = Judges(labels=20)


@pytest.fixture
def record_url(tmp_path: Path) -> str:
    """SQLite alone: what is decided here does not depend on the database."""
    return f"sqlite:///{tmp_path / 'record.db'}"


def scored(ledger: Ledger, exchange: str, score: int, judge: str = JUDGE) -> None:
    event = ExchangeScored(exchange=exchange, scorer=judge, score=score, length=200 + score)
    ledger.append_now(event, SERVICE, exchange)


def reviewed(ledger: Ledger, exchange: str, score: int | None = None, verdict: Verdict = Verdict.RIGHT) -> None:
    event = ExchangeReviewed(exchange=exchange, reason=Reason.SAMPLED, verdict=verdict, score=score)
    ledger.append_now(event, fakes.REVIEWER, exchange, "C-1001")


def history(ledger: Ledger, *, honest: bool, answers: int = 30) -> None:
    """Answers of every quality, judged and reviewed; a judge that is not honest says anything."""
    chance = random.Random(7)
    for number in range(answers):
        person = chance.choice((5, 30, 70, 95))
        judge = person + chance.randint(-5, 5) if honest else chance.randint(0, 100)
        scored(ledger, f"e{number}", max(0, judge))
        reviewed(ledger, f"e{number}", person)
    ledger.settle()


def test_a_label_is_the_reviews_score_or_its_verdict(ledger: Ledger) -> None:
    for number, (score, verdict) in enumerate(
        [(40, Verdict.WRONG), (None, Verdict.RIGHT), (None, Verdict.WRONG), (None, Verdict.UNSURE)]
    ):
        scored(ledger, f"e{number}", 80)
        reviewed(ledger, f"e{number}", score, verdict)
    ledger.settle()
    found = judges.labels(ledger, JUDGE)
    assert [(one.exchange, one.person, one.judge) for one in found] == [
        ("e0", 0.4, 0.8),
        ("e1", 1.0, 0.8),
        ("e2", 0.0, 0.8),
    ]
    assert {one.reviewer for one in found} == {"reviewer"}
    assert {one.length for one in found} == {280}


def test_another_judges_scores_are_not_this_ones(ledger: Ledger) -> None:
    scored(ledger, "e1", 80, "another@1")
    reviewed(ledger, "e1")
    ledger.settle()
    assert judges.labels(ledger, JUDGE) == []
    assert judges.unseen(ledger, JUDGE, 10) == ["e1"]


def test_what_a_judge_left_unscored_is_no_score_until_it_gives_one(ledger: Ledger) -> None:
    ledger.append_now(ExchangeUnscored(exchange="e1", scorer=JUDGE, reason="prose"), SERVICE, "e1")
    reviewed(ledger, "e1")
    ledger.settle()
    assert [one.judge for one in judges.labels(ledger, JUDGE)] == [None]
    assert judges.seen(ledger, JUDGE) == judges.Seen(scored=0, unscored=1)
    scored(ledger, "e1", 90)
    ledger.settle()
    assert [one.judge for one in judges.labels(ledger, JUDGE)] == [0.9]
    assert judges.seen(ledger, JUDGE) == judges.Seen(scored=1, unscored=0)


def test_pairs_that_could_not_be_told_say_nothing_about_the_order(ledger: Ledger) -> None:
    for forward, backward in (("first", "first"), ("first", "unscored")):
        event = PreferenceScored(exchange="e1", scorer=JUDGE, first="a", second="b", forward=forward, backward=backward)
        ledger.append_now(event, SERVICE, "e1")
    ledger.settle()
    assert len(judges.preferences(ledger, JUDGE)) == 1


async def test_a_judge_that_agrees_with_people_earns_its_vote(ledger: Ledger) -> None:
    history(ledger, honest=True)
    plane = Plane(ledger)
    found, told = await judges.held(plane, ledger, JUDGE, FLOORS, actor=fakes.OPERATOR)
    assert found.votes, found.reasons
    assert plane.state.votes(JUDGE)
    assert told.report == found.digest


async def test_a_judge_that_does_not_agree_has_no_vote_and_the_reason_is_told(ledger: Ledger) -> None:
    history(ledger, honest=False)
    plane = Plane(ledger)
    _, told = await judges.held(plane, ledger, JUDGE, FLOORS, actor=fakes.OPERATOR)
    assert not plane.state.votes(JUDGE)
    assert "0.6" in told.reason


async def test_a_reviewer_decides_on_no_judge(ledger: Ledger) -> None:
    with pytest.raises(Refused):
        await judges.held(Plane(ledger), ledger, JUDGE, FLOORS, actor=fakes.REVIEWER)


def test_operators_are_told_once_when_a_judge_loses_its_vote(ledger: Ledger) -> None:
    plane, alerts = Plane(ledger), list[AlertRaised]()
    history(ledger, honest=True)
    judges.calibrate_now(plane, ledger, JUDGE, FLOORS, "", alerts.append)
    assert alerts == []
    for _ in range(2):
        judges.calibrate_now(plane, ledger, JUDGE, Judges(labels=40), "", alerts.append)
    assert [one.subject for one in alerts] == [JUDGE]
    assert "lost its vote" in alerts[0].text
    assert ledger.count(["alert_raised"]) == 1
