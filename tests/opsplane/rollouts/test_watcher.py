"""A rollout under watch: what customers' exchanges make of it, by itself."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from opsplane import steering
from opsplane.control_events import (
    AlertRaised,
    ChangesFrozen,
    KillSwitchPulled,
    RolloutAborted,
    RolloutResumed,
    RolloutStarted,
)
from opsplane.events import ExchangeReviewed, FeedbackGiven, ShadowAnswered
from opsplane.exchange import Outcome
from opsplane.finding import Action, Finding
from opsplane.intent import Helm
from opsplane.ledger.store import Ledger
from opsplane.policy import Approvals, Policy
from opsplane.review import Reason
from opsplane.review import Verdict as Decided
from opsplane.rollouts.judgement import Verdict
from opsplane.rollouts.plan import Plan
from opsplane.rollouts.rollout import Rollout, Status
from opsplane.rollouts.watcher import Watch, Watcher
from tests import fakes
from tests.opsplane.helms import ONE, THREE, TWO, act, helm, later, rollout_of, serve
from tests.opsplane.ledger.test_store import exchange

ALONE = Policy(version=1, approve=Approvals(start=False, early=False))
CROWD = [f"C-{number}" for number in range(400)]
PROMISE = Finding(code="compliance.promise", action=Action.WITHHOLD, stage="answer", span="guaranteed 9 %")


@pytest.fixture
def record_url(tmp_path: Path) -> str:
    """SQLite alone: what is decided here does not depend on the database."""
    return f"sqlite:///{tmp_path / 'record.db'}"


def started(ledger: Ledger, *plans: Plan, plan: str = "test", names: tuple[str, ...] = ("test-2",)) -> Helm:
    """A rollout that has begun, with the same customers on the same sides in every run."""
    at = helm(ledger, *plans, policy=ALONE)
    deed = steering.start(at.plane.state, at, names, plan, "").deed
    assert isinstance(deed, RolloutStarted)
    act(at, deed.model_copy(update={"salt": "a fair split"}))
    return at


@pytest.fixture
def alerts() -> list[AlertRaised]:
    return []


@pytest.fixture
def watched(ledger: Ledger, alerts: list[AlertRaised]) -> tuple[Helm, Watcher]:
    at = started(ledger)
    return at, Watcher(at, alerts.append)


def past(at: Helm) -> Rollout:
    assert at.plane.state.rollout is None
    return at.plane.state.past[-1]


def test_a_rollout_that_goes_well_reaches_everybody_by_itself(
    watched: tuple[Helm, Watcher], alerts: list[AlertRaised]
) -> None:
    at, watcher = watched
    for _ in range(8):
        if at.plane.state.rollout is None:
            break
        serve(at, CROWD, {})
        watcher.look()
    assert at.plane.state.stable == TWO.digest
    assert past(at).status is Status.PROMOTED
    assert [alert.about for alert in alerts] == ["rollout_advanced", "rollout_advanced", "rollout_promoted"]
    assert [one.what for one in past(at).story] == ["started", "advanced to step 2", "advanced to step 3", "promoted"]


def test_a_worse_candidate_is_aborted_and_everybody_is_back_on_stable(
    watched: tuple[Helm, Watcher], alerts: list[AlertRaised]
) -> None:
    at, watcher = watched
    serve(at, CROWD, {"candidate": Outcome.ABSTAINED})
    watcher.look()
    assert (past(at).status, past(at).cause) == (Status.ABORTED, "guardrail")
    assert {at.plane.release_for(one).release.digest for one in CROWD} == {ONE.digest}
    assert "answered is worse by more than 10.0 points (0.0 against 100.0" in alerts[0].text.replace(
        "Answered", "answered"
    )
    assert at.ledger.count(["alert_raised"]) == 1


def test_one_thing_that_must_never_happen_aborts_at_once(watched: tuple[Helm, Watcher]) -> None:
    at, watcher = watched
    candidate = next(one for one in CROWD if at.plane.release_for(one).arm == "candidate")
    serve(at, [candidate], {}, findings=(PROMISE,))
    watcher.look_now()
    assert past(at).cause == "zero_tolerance"
    assert "a promised or predicted return" in past(at).story[-1].reason


def test_what_happens_on_the_stable_side_aborts_nothing(watched: tuple[Helm, Watcher]) -> None:
    at, watcher = watched
    stable = next(one for one in CROWD if at.plane.release_for(one).arm == "stable")
    serve(at, [stable], {}, findings=(PROMISE,))
    found = watcher.look()
    assert found is not None
    assert found.judgement.verdict is Verdict.INCONCLUSIVE


def test_too_few_customers_tell_nothing(watched: tuple[Helm, Watcher]) -> None:
    at, watcher = watched
    serve(at, CROWD[:3], {})
    found = watcher.look()
    assert found is not None
    assert found.judgement.verdict is Verdict.INCONCLUSIVE
    assert "Too few to tell" in found.judgement.reason


def test_the_hold_time_passes_by_the_clock(ledger: Ledger) -> None:
    slow = fakes.plan(id="slow", steps=[{"share": 50, "hold": "2h", "customers": 2, "exchanges": 4}, {"share": 90}])
    at = started(ledger, slow, plan="slow")
    watcher = Watcher(at)
    serve(at, CROWD, {})
    found = watcher.look()
    assert found is not None
    assert "held until 2026-11-23 19:00 UTC" in found.judgement.reason
    later(at, hours=2)
    watcher.look()
    assert rollout_of(at.plane.state).step == 1


def test_nobody_decided_by_the_deadline_goes_back_to_stable(watched: tuple[Helm, Watcher]) -> None:
    at, watcher = watched
    later(at, days=14)
    watcher.look()
    assert (past(at).status, past(at).cause, at.plane.state.stable) == (Status.ABORTED, "deadline", ONE.digest)


def test_a_paused_rollout_still_meets_its_deadline(watched: tuple[Helm, Watcher]) -> None:
    at, watcher = watched
    act(at, KillSwitchPulled(reason="fire"))
    later(at, days=15)
    watcher.look()
    assert rollout_of(at.plane.state).status is Status.PAUSED  # nobody is served by it while the switch is on


def test_a_freeze_holds_what_would_go_on(watched: tuple[Helm, Watcher]) -> None:
    at, watcher = watched
    act(at, ChangesFrozen(reason="holidays"))
    serve(at, CROWD, {})
    found = watcher.look()
    assert found is not None
    assert found.judgement.verdict is Verdict.PASSED
    assert rollout_of(at.plane.state).step == 0


def test_customers_that_are_lost_on_one_side_pause_it(watched: tuple[Helm, Watcher], alerts: list[AlertRaised]) -> None:
    at, watcher = watched
    everybody = [f"C-{number}" for number in range(1_500)]
    serve(at, [one for one in everybody if at.plane.release_for(one).arm == "candidate"], {})
    watcher.look()
    assert rollout_of(at.plane.state).status is Status.PAUSED
    assert "not split as they should be" in alerts[0].text


def test_who_resumes_has_looked_into_the_split(watched: tuple[Helm, Watcher]) -> None:
    at, watcher = watched
    everybody = [f"C-{number}" for number in range(1_500)]
    serve(at, [one for one in everybody if at.plane.release_for(one).arm == "candidate"], {})
    watcher.look()
    act(at, RolloutResumed(rollout=rollout_of(at.plane.state).id, reason="a script asked for them"))
    at.ledger.settle()
    watcher.look()
    assert rollout_of(at.plane.state).status is Status.RUNNING


def test_only_a_change_of_verdict_is_put_on_the_record(watched: tuple[Helm, Watcher]) -> None:
    at, watcher = watched
    for _ in range(3):
        watcher.look()
    assert at.ledger.count(["rollout_judged"]) == 1


def test_thumbs_and_reviews_count_when_they_come(ledger: Ledger) -> None:
    rated = fakes.plan(
        id="rated",
        steps=[{"share": 50, "customers": 2, "exchanges": 4}],
        quality=[{"metric": "thumbs", "harm": 0.1}, {"metric": "review", "harm": 0.1}],
    )
    at = started(ledger, rated, plan="rated")
    serve(at, CROWD[:10], {})
    for value in (1, 0):  # the first one counts
        ledger.append_now(FeedbackGiven(exchange="exchange-00000", value=value), fakes.CUSTOMER)
    reviewed = ExchangeReviewed(exchange="exchange-00001", reason=Reason.SAMPLED, verdict=Decided.WRONG)
    ledger.append_now(reviewed, fakes.REVIEWER)
    ledger.settle()
    found = Watcher(at).watched()
    assert found is not None
    _, thumbs, review = found.summary.looks
    assert [thumbs.stable.mean, thumbs.tried.mean].count(1.0) == 1
    assert [review.stable.mean, review.tried.mean].count(0.0) == 1


def test_a_shadow_is_compared_question_by_question_and_concluded(ledger: Ledger) -> None:
    plan = fakes.plan(id="shadow", kind="shadow", steps=[{"share": 100, "customers": 5, "exchanges": 60}])
    at = started(ledger, plan, plan="shadow")
    rollout = rollout_of(at.plane.state)
    serve(at, CROWD[:120], {})
    for number in range(120):
        shadow = exchange(f"exchange-{number:05}").model_copy(
            update={"customer": CROWD[number], "rollout": rollout.id, "arm": "shadow", "outcome": Outcome.ANSWERED}
        )
        ledger.append_now(ShadowAnswered(exchange=shadow), fakes.OPERATOR, shadow.id, shadow.customer)
    ledger.settle()
    found = Watcher(at).look()
    assert found is not None
    assert found.summary.exposures == (120, 120)
    assert found.summary.looks[0].difference == pytest.approx(0, abs=0.01)
    assert past(at).status is Status.CONCLUDED


def test_an_experiment_names_its_winner(ledger: Ledger) -> None:
    plan = fakes.plan(
        id="ab",
        kind="experiment",
        steps=[{"share": 100, "customers": 20, "exchanges": 50}],
        guardrails=[{"metric": "completed", "harm": 0.1}],
        quality=[{"metric": "answered", "harm": 0.1}],
    )
    at = started(ledger, plan, plan="ab", names=("test-2", "test-3"))
    worse = dict.fromkeys(("stable", "candidate-1"), Outcome.DECLINED)
    watcher = Watcher(at)
    serve(at, [f"C-{number}" for number in range(900)], worse)
    watcher.look()
    assert past(at).winner == THREE.digest
    assert "Candidate 2 wins" in past(at).story[-1].reason
    assert at.plane.state.stable == ONE.digest


def test_an_experiment_without_a_difference_says_how_large_it_may_be(ledger: Ledger) -> None:
    plan = fakes.plan(id="ab", kind="experiment", steps=[{"share": 100, "customers": 20, "exchanges": 50}])
    at = started(ledger, plan, plan="ab")
    serve(at, CROWD, {})
    Watcher(at).look()
    assert past(at).winner == ""
    assert "No difference in “answered” was shown; one larger than" in past(at).story[-1].reason


def test_a_thread_looks_whenever_it_is_woken(watched: tuple[Helm, Watcher]) -> None:
    at, _ = watched
    aborted: list[AlertRaised] = []
    with closing(Watch(Watcher(at, aborted.append), every=60.0)) as watch:
        serve(at, CROWD, {"candidate": Outcome.FAILED})
        watch.wake()
        while not aborted:  # the test's own time limit ends this
            watch.wake()
    assert isinstance(at.ledger.events(["rollout_aborted"])[0].event, RolloutAborted)


def test_a_watch_without_a_rollout_does_nothing(ledger: Ledger) -> None:
    assert Watcher(helm(ledger)).look() is None
    assert timedelta() < fakes.plan().deadline
