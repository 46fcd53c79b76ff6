"""Whose scores count in a rollout: those of a judge that agrees with people, while it does."""

from pathlib import Path

import pytest

from opsplane.access import SERVICE
from opsplane.evaluation_events import ExchangeScored, JudgeCalibrated
from opsplane.events import EVENTS
from opsplane.exchange import Outcome
from opsplane.intent import Helm
from opsplane.ledger.store import Ledger
from opsplane.rollouts.evidence import Look
from opsplane.rollouts.judgement import Verdict
from opsplane.rollouts.metrics import Metric
from opsplane.rollouts.watcher import Watcher
from opsplane.sampling import Stratum
from tests import fakes
from tests.opsplane.helms import rollout_of, serve
from tests.opsplane.rollouts.test_watcher import CROWD, started

JUDGE = "answer/embedded@0123456789ab"
PLAN = fakes.plan(id="judged", quality=[{"metric": "judge", "harm": 0.1}])


@pytest.fixture
def record_url(tmp_path: Path) -> str:
    """SQLite alone: what is decided here does not depend on the database."""
    return f"sqlite:///{tmp_path / 'record.db'}"


def calibrated(ledger: Ledger, *, votes: bool, judge: str = JUDGE) -> None:
    event = JudgeCalibrated(judge=judge, votes=votes, reason="alpha 0.31 is below 0.6", labels=60)
    ledger.append_now(event, SERVICE)


def scored(at: Helm, stable: int = 90, candidate: int = 90, judge: str = JUDGE) -> None:
    """A score for every exchange of the rollout, by the side that it was on."""
    for entry in at.ledger.follow(0, ("question_answered",), 5_000):
        told = entry.payload["exchange"]
        score = candidate if told["arm"] == "candidate" else stable
        at.ledger.append_now(ExchangeScored(exchange=told["id"], scorer=judge, score=score), SERVICE)
    at.ledger.settle()


def look(at: Helm) -> Look:
    found = Watcher(at).watched()
    assert found
    return next(one for one in found.summary.looks if one.measure.metric is Metric.JUDGE)


def begun(ledger: Ledger, *, votes: bool) -> Helm:
    calibrated(ledger, votes=votes)
    at = started(ledger, PLAN, plan="judged")
    serve(at, CROWD, {})
    return at


def test_a_judge_with_a_vote_is_heard(ledger: Ledger) -> None:
    at = begun(ledger, votes=True)
    scored(at, candidate=20)
    watcher = Watcher(at)
    assert watcher.judged(rollout_of(at.plane.state)).verdict is Verdict.FAILED
    assert look(at).tried.mean == pytest.approx(0.2)


def test_a_judge_without_a_vote_makes_it_inconclusive_and_the_reason_is_told(ledger: Ledger) -> None:
    at = begun(ledger, votes=False)
    scored(at, candidate=20)
    judgement = Watcher(at).judged(rollout_of(at.plane.state))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.reason == f"Not settled: the judge {JUDGE} has no vote. Its scores do not count."


def test_what_a_judge_said_is_taken_back_when_it_loses_its_vote(ledger: Ledger) -> None:
    at = begun(ledger, votes=True)
    scored(at)
    assert look(at).tried.customers > 0
    calibrated(ledger, votes=False)
    at.ledger.settle()
    assert look(at).tried.customers == 0
    reason = Watcher(at).judged(rollout_of(at.plane.state)).reason
    assert f"the judge {JUDGE} lost its vote: alpha 0.31 is below 0.6" in reason


def test_a_judge_that_lost_its_vote_decides_nothing_more_in_this_rollout(ledger: Ledger) -> None:
    at = begun(ledger, votes=True)
    calibrated(ledger, votes=False)
    calibrated(ledger, votes=True)
    scored(at, candidate=20)
    assert look(at).tried.customers == 0
    assert Watcher(at).judged(rollout_of(at.plane.state)).verdict is Verdict.INCONCLUSIVE


def test_another_prompt_or_model_is_another_judge_and_has_no_vote_yet(ledger: Ledger) -> None:
    at = begun(ledger, votes=True)
    scored(at, judge="answer/embedded@ba9876543210")
    assert look(at).tried.customers == 0
    assert not at.plane.state.votes("answer/embedded@ba9876543210")
    assert at.plane.state.votes(JUDGE)


def test_guardrails_abort_whether_a_judge_has_a_vote_or_not(ledger: Ledger) -> None:
    at = started(ledger, PLAN, plan="judged")
    serve(at, CROWD, {"candidate": Outcome.ABSTAINED})
    assert Watcher(at).judged(rollout_of(at.plane.state)).verdict is Verdict.FAILED


def test_a_score_of_an_earlier_version_of_the_product_is_still_read() -> None:
    told = b'{"kind":"exchange_scored","exchange":"e1","scorer":"j","score":70}'
    assert EVENTS.validate_json(told) == ExchangeScored(exchange="e1", scorer="j", score=70)


def test_what_was_judged_because_it_was_flagged_does_not_count_for_either_side(ledger: Ledger) -> None:
    at = begun(ledger, votes=True)
    for entry in at.ledger.follow(0, ("question_answered",), 5_000):
        told = entry.payload["exchange"]
        flagged = ExchangeScored(exchange=told["id"], scorer=JUDGE, score=10, stratum=str(Stratum("flagged", 1.0)))
        at.ledger.append_now(flagged, SERVICE)
    at.ledger.settle()
    assert look(at).tried.customers == 0
