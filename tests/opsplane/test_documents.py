"""Withdrawing documents and answering from them again: by whom, by which name, and what the state allows."""

import pytest

from opsplane import documents, intent, requests
from opsplane.access import Actor
from opsplane.approval import State
from opsplane.control_events import ChangesFrozen
from opsplane.document_events import DocumentWithdrawn
from opsplane.errors import Conflict, InvalidRequest, NotFound, PlaneError, Refused
from opsplane.intent import Helm, Intent
from opsplane.ledger.store import Ledger
from opsplane.policy import Approvals, Policy
from tests import fakes
from tests.opsplane.helms import helm

NAMES = ("fees@1", "fees@2", "Terms@2026-07")


def _withdraw(one: Helm, wanted: str, reason: str = "wrong") -> Intent:
    return documents.withdraw(one.plane.state, NAMES, wanted, reason)


async def _done(one: Helm, wanted: Intent, actor: Actor = fakes.REVIEWER) -> intent.Done:
    return await intent.commit(one, wanted, actor=actor, roles=documents.LOOKS_AFTER)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("fees@2", "fees@2"), (" FEES ", "fees"), ("terms", "Terms"), ("terms@2026-07", "Terms@2026-07")],
)
def test_a_document_is_named_with_its_version_or_without(wanted: str, found: str) -> None:
    assert documents.find(NAMES, wanted) == found


@pytest.mark.parametrize(
    ("wanted", "refusal", "words"),
    [("fes", NotFound, "Did you mean fees"), ("x" * 500, NotFound, "no document"), (" ", InvalidRequest, "Which")],
)
def test_a_name_that_nobody_knows_gets_the_nearest(wanted: str, refusal: type[PlaneError], words: str) -> None:
    with pytest.raises(refusal, match=words):
        documents.find(NAMES, wanted)


async def test_a_withdrawal_counts_at_once_for_every_plane(ledger: Ledger) -> None:
    one, other = helm(ledger), helm(ledger)
    await _done(one, _withdraw(one, "fees@2"))
    assert other.plane.state.withdrawn == {"fees@2"}


async def test_of_two_withdrawals_at_once_one_counts(ledger: Ledger) -> None:
    one = helm(ledger)
    first, second = _withdraw(one, "fees"), _withdraw(one, "fees")
    await _done(one, first)
    with pytest.raises(Conflict, match="withdrawn already"):
        await _done(one, second)


async def test_a_customer_withdraws_nothing(ledger: Ledger) -> None:
    one = helm(ledger)
    with pytest.raises(Refused):
        await _done(one, _withdraw(one, "fees"), fakes.CUSTOMER)
    assert one.plane.state.withdrawn == frozenset()


async def test_a_withdrawal_never_waits_for_a_freeze_but_its_end_does(ledger: Ledger) -> None:
    one = helm(ledger)
    ledger.append_now(ChangesFrozen(reason="holidays"), fakes.OPERATOR)
    await _done(one, _withdraw(one, "fees"))
    with pytest.raises(Conflict, match="frozen"):
        documents.reinstate(one.plane.state, one, "fees", "right")


async def test_a_policy_may_leave_the_end_of_it_to_one_person(ledger: Ledger) -> None:
    one = helm(ledger, policy=Policy(version=1, approve=Approvals(reinstate=False)))
    await _done(one, _withdraw(one, "fees"))
    assert (await _done(one, documents.reinstate(one.plane.state, one, "FEES", "right"))).request is None
    assert one.plane.state.withdrawn == frozenset()


async def test_a_reinstatement_that_was_cut_off_is_carried_on_once(ledger: Ledger) -> None:
    one = helm(ledger)
    await _done(one, _withdraw(one, "fees"))
    asked = (await _done(one, documents.reinstate(one.plane.state, one, "fees", "right"))).request
    assert asked
    known = documents.actions(one)
    action = known[documents.REINSTATE]
    with requests.alone(ledger):
        requests._decide(ledger, action, asked, fakes.OPERATOR, State.APPROVED)  # and then it died
    assert one.plane.state.withdrawn == {"fees"}
    assert len(requests.resume(ledger, known)) == 1
    assert one.plane.state.withdrawn == frozenset()
    assert requests.resume(ledger, known) == []


async def test_what_was_withdrawn_at_a_time_can_be_told_later(ledger: Ledger, clock: fakes.Clock) -> None:
    before = clock.at
    clock.at = before.replace(hour=20)
    ledger.append_now(DocumentWithdrawn(document="fees", reason="wrong"), fakes.OPERATOR)
    assert documents.withheld_at(ledger, before) == {}
    assert documents.withheld_at(ledger, clock.at)["fees"].reason == "wrong"
