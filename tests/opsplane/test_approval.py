"""Requests that need two people: what counts as a decision, and what does not."""

from datetime import timedelta

import pytest

from opsplane import approval
from opsplane.access import Actor, Role
from opsplane.approval import State
from opsplane.custody_events import RequestDecided, RequestMade
from opsplane.errors import Conflict, InvalidRequest, NotFound, Refused
from opsplane.events import Event
from opsplane.ledger import seal
from opsplane.ledger.store import Entry
from tests import fakes

WEEK = fakes.NOON + timedelta(days=7)
OTHER = Actor(id="reviewer2", role=Role.REVIEWER)


def made() -> RequestMade:
    return approval.made("erase", "C-1001", {}, "asked by  letter", fakes.REVIEWER, WEEK)


def decided(request: RequestMade, decision: str, **changes: str) -> RequestDecided:
    values = {"request": request.request, "action": "erase", "subject": "C-1001", "digest": request.digest}
    return RequestDecided.model_validate(values | {"decision": decision, "reason": "because"} | changes)


def entry(event: Event, actor: Actor, after: timedelta = timedelta(0)) -> Entry:
    return Entry(1, fakes.NOON + after, actor, event)


def folded(*entries: Entry, after: timedelta = timedelta(0)) -> approval.Request:
    (request,) = approval.fold(entries, fakes.NOON + after).values()
    return request


def test_a_request_is_open_until_somebody_decides() -> None:
    event = made()
    request = folded(entry(event, fakes.REVIEWER))
    assert (request.state, request.reason, request.maker) == (State.OPEN, "asked by letter", fakes.REVIEWER)
    assert request.intact


@pytest.mark.parametrize(("decision", "state"), [("approved", State.APPROVED), ("rejected", State.REJECTED)])
def test_another_person_decides(decision: str, state: State) -> None:
    event = made()
    request = folded(entry(event, fakes.REVIEWER), entry(decided(event, decision), OTHER))
    assert (request.state, request.decider, request.answer) == (state, OTHER, "because")


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_the_makers_own_decision_does_not_count(decision: str) -> None:
    event = made()
    assert folded(entry(event, fakes.REVIEWER), entry(decided(event, decision), fakes.REVIEWER)).state is State.OPEN


def test_only_the_maker_withdraws() -> None:
    event = made()
    taken = decided(event, "withdrawn")
    assert folded(entry(event, fakes.REVIEWER), entry(taken, OTHER)).state is State.OPEN
    assert folded(entry(event, fakes.REVIEWER), entry(taken, fakes.REVIEWER)).state is State.WITHDRAWN


def test_the_first_decision_on_the_record_counts() -> None:
    event = made()
    entries = [entry(event, fakes.REVIEWER), entry(decided(event, "rejected"), OTHER)]
    assert folded(*entries, entry(decided(event, "approved"), fakes.APPROVER)).state is State.REJECTED


def test_an_approval_of_another_digest_does_not_count() -> None:
    event = made()
    forged = decided(event, "approved", digest="0" * 64)
    assert folded(entry(event, fakes.REVIEWER), entry(forged, OTHER)).state is State.OPEN


def test_a_second_request_under_the_same_id_changes_nothing() -> None:
    event = made()
    again = event.model_copy(update={"subject": "C-1002"})
    assert folded(entry(event, fakes.REVIEWER), entry(again, fakes.REVIEWER)).subject == "C-1001"


def test_a_week_later_it_is_expired_and_a_late_approval_does_not_count() -> None:
    event = made()
    first = entry(event, fakes.REVIEWER)
    assert folded(first, after=timedelta(days=7)).state is State.EXPIRED
    late = entry(decided(event, "approved"), OTHER, timedelta(days=8))
    assert folded(first, late, after=timedelta(days=8)).state is State.EXPIRED
    with pytest.raises(Conflict, match="expired on 2026-11-30"):
        approval.must_be_open(folded(first, after=timedelta(days=9)))


@pytest.mark.parametrize(
    "changes", [{"reason": "another"}, {"subject": "C-1002"}, {"until": ""}, {"details": {"years": "9"}}]
)
def test_content_that_was_changed_is_noticed(changes: dict[str, object]) -> None:
    request = folded(entry(made().model_copy(update=changes), fakes.REVIEWER))
    assert request.intact is False
    with pytest.raises(Conflict, match="no longer has the digest"):
        approval.must_be_another(request, OTHER)


def test_another_maker_is_another_digest() -> None:
    assert folded(entry(made(), OTHER)).intact is False


def test_erased_words_leave_the_digest_and_no_way_to_guess_them() -> None:
    event = made()
    line = seal.line(event, fakes.REVIEWER, fakes.NOON, subject="C-1001")
    assert b"letter" not in line.payload
    assert event.salt.encode() not in line.payload
    erased = seal.join(line.payload, None)
    request = folded(entry(erased, fakes.REVIEWER))
    assert (request.reason, request.digest, request.intact) == ("[erased]", event.digest, None)


def test_the_maker_may_not_approve() -> None:
    request = folded(entry(made(), fakes.REVIEWER))
    with pytest.raises(Refused, match="another person decides"):
        approval.must_be_another(request, fakes.REVIEWER)
    approval.must_be_another(request, OTHER)


def test_who_decided_already_is_told() -> None:
    event = made()
    request = folded(entry(event, fakes.REVIEWER), entry(decided(event, "approved"), OTHER))
    with pytest.raises(Conflict, match="was approved already, by reviewer2 on 2026-11-23 17:00 UTC"):
        approval.must_be_open(request)


def test_a_request_is_found_by_the_beginning_of_its_id() -> None:
    one = folded(entry(made(), fakes.REVIEWER))
    assert approval.find({one.id: one}, one.id[:4]) == one
    twins = {"abcd0001": one, "abcd0002": one}
    with pytest.raises(InvalidRequest, match="Several"):
        approval.find(twins, "abcd")
    for unknown in ("zzzz", "ab"):
        with pytest.raises(NotFound):
            approval.find(twins, unknown)
    with pytest.raises(InvalidRequest, match="Which request"):
        approval.find(twins, "")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_reason_is_needed_and_not_a_book(reason: str) -> None:
    with pytest.raises(InvalidRequest):
        approval.made("erase", "C-1001", {}, reason, fakes.REVIEWER, None)
