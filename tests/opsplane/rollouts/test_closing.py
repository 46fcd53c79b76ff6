"""The closing report holds all that an auditor keeps, and whoever makes it again gets the same bytes."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from opsplane import requests
from opsplane.access import Actor
from opsplane.control_events import (
    RolloutAborted,
    RolloutAdvanced,
    RolloutConcluded,
    RolloutJudged,
    RolloutPromoted,
    RolloutStarted,
)
from opsplane.custody_events import RequestDecided
from opsplane.errors import NotFound
from opsplane.events import Event, FeedbackGiven, QuestionAnswered, QuestionReceived, ShadowAnswered
from opsplane.exchange import Outcome
from opsplane.finding import Action, Finding
from opsplane.intent import Helm
from opsplane.ledger.database import connect
from opsplane.ledger.store import Ledger
from opsplane.ledger.vault import Vault
from opsplane.plane import Plane
from opsplane.rollouts.closing import Closing, as_json, digest, read
from opsplane.rollouts.plan import Plan
from opsplane.rollouts.rollout import STABLE, Rollout
from opsplane.rollouts.watcher import Watcher
from opsplane.seconding import START, actions
from opsplane.state import State
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

ONE = fakes.release()
TWO = fakes.release(
    id="test-2", note="the <b>second</b>", prompt={"system": "You answer from given sources & no other."}
)
THREE = fakes.release(id="test-3", note="the third")
EXPERIMENT = {"kind": "experiment", "steps": [{"share": 100, "customers": 1, "exchanges": 1}]}
SHADOW = {"kind": "shadow", "steps": [{"share": 100, "customers": 1, "exchanges": 1}]}


@dataclass
class Stage:
    """A record on which a rollout is acted out, event by event."""

    ledger: Ledger
    count: int = 0

    def __post_init__(self) -> None:
        self.plane = Plane(self.ledger)
        self.plane.configure({one.id: one for one in (ONE, TWO, THREE)}, "test-1")
        self.watcher = Watcher(Helm(self.plane, self.ledger, fakes.plans()))

    @property
    def state(self) -> State:
        return self.plane.state

    @property
    def rollout(self) -> Rollout:
        found = self.state.rollout or self.state.past[-1]
        assert found
        return found

    def put(self, event: Event, actor: Actor = fakes.OPERATOR) -> None:
        self.ledger.append_now(event, actor)

    def start(self, plan: Plan | None = None, candidates: Sequence[str] = (TWO.digest,), **changes: Any) -> Rollout:
        """A rollout whose split is always the same."""
        event = RolloutStarted(
            rollout="r0000001",
            candidates=tuple(candidates),
            stable=ONE.digest,
            plan=(plan or fakes.plan()).canonical(),
            salt="5a17",
            reason="case 4711",
        )
        self.put(event.model_copy(update=changes))
        return self.rollout

    def ask(self, customer: str, outcome: Outcome = Outcome.ANSWERED, **changes: Any) -> str:
        """One exchange on the side that the customer is on."""
        self.count += 1
        identity = f"e{self.count:05}"
        side = self.rollout.side(customer)
        told = {"arm": side.arm, "rollout": side.rollout, "share": side.share, "digest": side.digest}
        one = exchange(identity, customer=customer, outcome=outcome, **told | changes)
        self.ledger.append_now(QuestionReceived(exchange=one), fakes.CUSTOMER, identity, customer)
        self.ledger.append_now(QuestionAnswered(exchange=one), fakes.CUSTOMER, identity, customer)
        return identity

    def crowd(self, customers: int, bad: str = "") -> None:
        """One exchange each, declined for everybody on the arm called `bad`."""
        for number in range(customers):
            name = f"C-{number:04}"
            on_bad = self.rollout.side(name).arm == bad
            self.ask(name, Outcome.DECLINED if on_bad else Outcome.ANSWERED)

    def closing(self) -> Closing:
        return read(self.watcher, self.rollout)


@pytest.fixture
def stage(ledger: Ledger) -> Stage:
    return Stage(ledger)


def half(**changes: Any) -> Plan:
    """A plan that begins with one half of the customers."""
    return fakes.plan(steps=[{"share": 50, "customers": 2, "exchanges": 4}, {"share": 100}], **changes)


def test_a_second_reader_of_the_record_gets_the_same_bytes(
    stage: Stage, record_url: str, vault: Vault, clock: fakes.Clock
) -> None:
    clock.step = timedelta(seconds=1)
    stage.start(half())
    stage.crowd(80, bad="candidate")
    stage.watcher.look_now()
    assert stage.state.rollout is None
    first = as_json(stage.closing())
    stage.ask("C-9999")
    clock.at += timedelta(days=700)
    other = Ledger(connect(record_url), clock, vault)
    watcher = Watcher(Helm(Plane(other), other))
    assert as_json(read(watcher, stage.rollout)) == first
    other.close()


def test_a_watcher_that_looked_all_the_time_reports_what_a_new_one_does(stage: Stage, clock: fakes.Clock) -> None:
    clock.step = timedelta(seconds=1)
    stage.start(half())
    for number in range(12):
        stage.ask(f"C-{number:04}")
        stage.watcher.look_now()
    assert as_json(stage.closing()) == as_json(read(Watcher(stage.watcher.helm), stage.rollout))


def test_what_came_after_the_end_is_not_looked_at(stage: Stage, clock: fakes.Clock) -> None:
    stage.start(half())
    stage.crowd(6)
    clock.at += timedelta(minutes=1)
    stage.put(RolloutAborted(rollout="r0000001", cause="operator", reason="enough"))
    clock.at += timedelta(minutes=1)
    before = stage.closing()
    stage.ask("C-1", rollout="r0000001", arm="candidate", share=5_000)
    assert stage.closing() == before
    assert (sum(before.split.exposures), before.at) == (6, clock.at - timedelta(minutes=1))


def test_a_failed_rollout_tells_its_verdict_cause_and_numbers(stage: Stage, clock: fakes.Clock) -> None:
    clock.step = timedelta(seconds=1)
    stage.start(half())
    stage.crowd(80, bad="candidate")
    stage.watcher.look_now()
    closing = stage.closing()
    assert (closing.end.status, closing.end.cause, closing.end.verdict) == ("aborted", "guardrail", "failed")
    (metric,) = closing.metrics
    assert metric.harmful
    assert metric.guardrail
    assert (metric.stable.mean, metric.tried.mean) == (1.0, 0.0)
    assert metric.log_e >= metric.log_threshold
    assert metric.path
    assert [one.fate for one in closing.candidates] == ["sent back"]
    assert [one.what for one in closing.story] == ["started", "aborted"]


def test_every_change_of_verdict_names_the_entry_that_was_looked_at(stage: Stage) -> None:
    stage.start()
    stage.ask("C-1")
    stage.watcher.look_now()
    other = RolloutJudged(rollout="another", step=0, verdict="passed", reason="", seq=1, exposures=0)
    stage.put(other)
    (turn,) = stage.closing().verdicts
    assert (turn.verdict, turn.exposures) == ("inconclusive", 1)
    assert turn.entry > turn.looked_at > 0


def test_one_in_progress_says_so_and_does_not_depend_on_when_it_is_read(stage: Stage, clock: fakes.Clock) -> None:
    stage.start()
    stage.ask("C-1")
    before = as_json(stage.closing())
    clock.at += timedelta(days=3)
    assert as_json(stage.closing()) == before
    assert not stage.closing().end.over
    assert stage.closing().candidates[0].fate == "in progress"


def test_a_rollout_without_an_exchange_has_a_report(stage: Stage, clock: fakes.Clock) -> None:
    stage.start()
    stage.put(RolloutAborted(rollout="r0000001", cause="operator", reason="never mind"))
    closing = stage.closing()
    assert closing.split.exposures == (0, 0)
    assert closing.metrics[0].worst is None
    assert closing.at == clock.at


def test_a_rollout_that_the_record_does_not_know_is_refused(stage: Stage) -> None:
    rollout = stage.start()
    with pytest.raises(NotFound, match="r-other"):
        read(stage.watcher, replace(rollout, id="r-other"))


def test_approvals_stand_with_maker_approver_and_digest(stage: Stage, clock: fakes.Clock) -> None:
    action = actions(stage.watcher.helm)[START]
    request = requests.make(stage.ledger, action, "test-2", "case 1", fakes.OPERATOR, plan=fakes.plan().digest)
    open_ = requests.make(stage.ledger, action, "test-2", "case 2", fakes.OPERATOR, rollout="r0000001")
    decided = RequestDecided(
        request=request.id, action=START, subject="test-2", digest=request.digest, decision="approved", reason=""
    )
    stage.put(decided, fakes.APPROVER)
    stage.start(request=request.id, approved_by="approver")
    (one,) = stage.closing().agreements
    assert (one.request, one.maker, one.decider, one.decision) == (request.id, "operator", "approver", "approved")
    assert (one.digest, one.details["plan"]) == (request.digest, stage.closing().plan_digest)
    assert open_.id != one.request


def test_what_is_decided_after_the_end_changes_no_report(stage: Stage, clock: fakes.Clock) -> None:
    action = actions(stage.watcher.helm)[START]
    request = requests.make(stage.ledger, action, "test-2", "case 2", fakes.OPERATOR, rollout="r0000001")
    stage.start()
    stage.put(RolloutAborted(rollout="r0000001", cause="operator"))
    before = stage.closing()
    clock.at += timedelta(minutes=1)
    decided = RequestDecided(
        request=request.id, action=START, subject="test-2", digest=request.digest, decision="rejected", reason="no"
    )
    stage.put(decided, fakes.APPROVER)
    assert stage.closing() == before


def test_the_whole_plan_and_what_the_candidate_changes_are_in_it(stage: Stage) -> None:
    stage.start()
    told = json.loads(as_json(stage.closing()))
    canonical = json.dumps(told["plan"], sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(canonical.encode()).hexdigest() == told["plan_digest"]
    (candidate,) = told["candidates"]
    assert candidate["digest"] == TWO.digest
    assert [one["field"] for one in candidate["texts"]] == ["prompt.system"]
    assert {"id", "note"} <= {one["field"] for one in candidate["fields"]}


def test_a_zero_tolerance_finding_names_its_exchange(stage: Stage) -> None:
    stage.start(half())
    customer = next(f"C-{n}" for n in range(99) if stage.rollout.side(f"C-{n}").arm != STABLE)
    promise = Finding(code="compliance.promise", action=Action.WITHHOLD, stage="answer")
    identity = stage.ask(customer, findings=(promise,))
    stage.watcher.look_now()
    end = stage.closing().end
    assert (end.cause, end.zero_exchange) == ("zero_tolerance", identity)
    assert end.zero


def test_a_promoted_candidate_is_told_with_every_step(stage: Stage) -> None:
    stage.start(half())
    stage.put(RolloutAdvanced(rollout="r0000001", step=1, reason="early"))
    stage.put(RolloutPromoted(rollout="r0000001", digest=TWO.digest, reason="good"))
    closing = stage.closing()
    assert [one.what for one in closing.story] == ["started", "advanced to step 2", "promoted"]
    assert (closing.end.winner, closing.candidates[0].fate, closing.losers) == (TWO.short, "promoted", ())


def test_an_experiment_names_winner_and_losers(stage: Stage) -> None:
    stage.start(fakes.plan(**EXPERIMENT), (TWO.digest, THREE.digest))
    stage.crowd(60, bad=STABLE)
    stage.put(RolloutConcluded(rollout="r0000001", winner=THREE.digest, reason="best"))
    closing = stage.closing()
    assert [one.fate for one in closing.candidates] == ["not chosen", "winner"]
    assert (closing.losers, closing.end.winner) == ((TWO.short,), THREE.short)
    assert "wins" in closing.end.finding
    assert closing.split.arms == ("stable", "candidate-1", "candidate-2")
    assert {one.candidate for one in closing.metrics} == {1, 2}


def test_an_experiment_without_a_winner_says_what_was_shown(stage: Stage) -> None:
    stage.start(fakes.plan(**EXPERIMENT), (TWO.digest, THREE.digest))
    stage.crowd(60)
    stage.put(RolloutConcluded(rollout="r0000001", reason="none"))
    closing = stage.closing()
    assert closing.losers == (TWO.short, THREE.short)
    assert closing.end.finding.startswith("No difference in “answered”")


def test_a_shadow_is_compared_on_the_same_questions(stage: Stage) -> None:
    stage.start(fakes.plan(**SHADOW))
    for number in range(4):
        identity = stage.ask(f"C-{number}")
        unseen = exchange(
            identity, customer=f"C-{number}", outcome=Outcome.ABSTAINED, arm="shadow", rollout="r0000001", share=10_000
        )
        stage.ledger.append_now(ShadowAnswered(exchange=unseen), fakes.CUSTOMER, identity, f"C-{number}")
    closing = stage.closing()
    assert closing.split.exposures == (4, 4)
    assert (closing.metrics[0].stable.mean, closing.metrics[0].tried.mean) == (1.0, 0.0)


def test_thumbs_that_come_late_are_in_the_report(stage: Stage) -> None:
    stage.start(half(quality=[{"metric": "thumbs", "harm": 0.1}]))
    identity = stage.ask("C-1")
    stage.put(FeedbackGiven(exchange=identity, value=0, comment=""), fakes.CUSTOMER)
    _, thumbs = stage.closing().metrics
    assert thumbs.stable.exposures + thumbs.tried.exposures == 1
    assert not thumbs.guardrail


def test_the_json_is_ascii_with_sorted_keys_and_named_by_its_digest(stage: Stage) -> None:
    stage.start(reason="für <b>Grüße</b>")
    text = as_json(stage.closing())
    assert text.isascii()
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert digest(stage.closing()) == hashlib.sha256(text.encode()).hexdigest()
