"""Reading the record and judging answers: one rule, one event, and each time the reason."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from opsplane import oversight
from opsplane.access import Actor, Role
from opsplane.errors import Conflict, InvalidRequest, Refused
from opsplane.events import CommandRun, ExchangeReviewed, ReleasePromoted
from opsplane.exchange import Outcome
from opsplane.ledger import checkpoint
from opsplane.ledger.audit import AuditQuery
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import ENTRY
from opsplane.oversight import LEASE, Judgement, Leases
from opsplane.plane import Plane
from opsplane.review import Reason, Verdict
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

BOB = fakes.REVIEWER.model_copy(update={"id": "bob"})
WHY = "case 4711"


async def failed(ledger: Ledger, identity: str = "exchange-0001") -> None:
    await ledger.received(exchange(identity))
    await ledger.answered(exchange(identity, outcome=Outcome.FAILED))


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.OPERATOR, Role.APPROVER, Role.SERVICE])
async def test_only_reviewers_read_the_record_and_judge(ledger: Ledger, notary: Notary, role: Role) -> None:
    actor = Actor(id="somebody", role=role)
    for reading in (
        oversight.read_audit(ledger, AuditQuery(), "", actor=actor, why=WHY),
        oversight.read_exchange(ledger, notary, "exchange-0001", actor=actor, why=WHY),
        oversight.read_review(ledger, Leases(), None, actor=actor, why=WHY),
        oversight.read_coverage(ledger, None, None, actor=actor, why=WHY),
        oversight.judge(ledger, Leases(), Judgement("exchange-0001", Verdict.RIGHT), actor=actor),
    ):
        with pytest.raises(Refused):
            await reading
    assert ledger.count(["command_refused"]) == 5


async def test_reading_an_exchange_is_recorded_with_its_id_and_the_reason(ledger: Ledger, notary: Notary) -> None:
    await ledger.received(exchange("exchange-0001"))
    case = await oversight.read_exchange(ledger, notary, "exchan", actor=fakes.REVIEWER, why=WHY)
    assert case.exchange.id == "exchange-0001"
    assert [entry.event.kind for entry in case.story] == ["question_received"]
    assert ledger.events(["command_run"])[0].event == CommandRun(
        command="exchange", arguments="exchan", rows=1, why=WHY
    )


async def test_a_case_tells_who_registered_and_promoted_its_release_up_to_then(
    ledger: Ledger, notary: Notary, clock: fakes.Clock
) -> None:
    Plane(ledger).configure({"test-1": fakes.release()}, "test-1")
    clock.at += timedelta(minutes=1)
    await ledger.received(exchange("exchange-0001", at=clock.at))
    clock.at += timedelta(minutes=1)
    late = ReleasePromoted(release="test-1", digest=fakes.release().digest, reason="once more")
    await ledger.append(late, fakes.OPERATOR)
    case = await oversight.read_exchange(ledger, notary, "exchange-0001", actor=fakes.REVIEWER, why=WHY)
    assert [entry.event.kind for entry in case.release] == ["release_registered", "release_promoted"]


async def test_the_entries_of_a_case_are_proven(ledger: Ledger, notary: Notary) -> None:
    checkpoint.introduce(ledger, notary)
    await failed(ledger)
    case = await oversight.read_exchange(ledger, notary, "exchange-0001", actor=fakes.REVIEWER, why=WHY)
    assert case.proof
    assert case.proof.valid
    assert [one.seq for one in case.proof.entries] == [entry.seq for entry in case.story]


async def test_an_erased_case_tells_when(ledger: Ledger, notary: Notary, clock: fakes.Clock) -> None:
    await failed(ledger)
    clock.at += timedelta(days=1)
    ledger.vault.destroy("C-1001")
    case = await oversight.read_exchange(ledger, notary, "exchange-0001", actor=fakes.REVIEWER, why=WHY)
    assert case.erased == clock.at
    assert case.exchange.outcome is Outcome.FAILED


async def test_what_is_no_id_is_refused_and_not_quoted_on_the_record(ledger: Ledger, notary: Notary) -> None:
    with pytest.raises(InvalidRequest, match="no exchange's id"):
        await oversight.read_exchange(ledger, notary, "Jane Doe's account", actor=fakes.REVIEWER, why=WHY)
    ledger.settle()
    refused = ledger.read(select(ENTRY.c.payload).where(ENTRY.c.kind == "command_refused"))
    assert b"Jane" not in b"".join(bytes(row.payload) for row in refused)


async def test_looking_at_the_queue_is_a_reading_and_a_verdict_an_event(ledger: Ledger) -> None:
    await failed(ledger)
    leases = Leases()
    task = await oversight.read_review(ledger, leases, None, actor=fakes.REVIEWER, why=WHY)
    assert task.case
    assert task.waiting == {Reason.FLAGGED: 1}
    await oversight.judge(ledger, leases, Judgement("exchange-0001", Verdict.WRONG, 10), actor=fakes.REVIEWER)
    assert ledger.events(["command_run"])[0].event == CommandRun(command="review", arguments="", rows=1, why=WHY)
    (entry,) = ledger.events(["exchange_reviewed"])
    assert entry.actor == fakes.REVIEWER
    assert entry.event == ExchangeReviewed(
        exchange="exchange-0001", reason=Reason.FLAGGED, verdict=Verdict.WRONG, score=10
    )


async def test_two_who_judge_at_once_do_not_both_get_through(ledger: Ledger) -> None:
    await failed(ledger)
    leases = Leases()
    said = [
        oversight.judge(ledger, leases, Judgement("exchange-0001", Verdict.WRONG), actor=who)
        for who in (fakes.REVIEWER, BOB)
    ]
    results = await asyncio.gather(*said, return_exceptions=True)
    assert sorted(type(one).__name__ for one in results) == ["Conflict", "ExchangeReviewed"]
    assert ledger.count(["exchange_reviewed"]) == 1


async def test_a_reviewer_may_judge_again_only_when_it_is_meant(ledger: Ledger) -> None:
    await failed(ledger)
    first = Judgement("exchange-0001", Verdict.WRONG)
    await oversight.judge(ledger, Leases(), first, actor=fakes.REVIEWER)
    with pytest.raises(Conflict, match="again=yes"):
        await oversight.judge(ledger, Leases(), first, actor=fakes.REVIEWER)
    second = Judgement("exchange-0001", Verdict.RIGHT, again=True)
    await oversight.judge(ledger, Leases(), second, actor=fakes.REVIEWER)
    assert ledger.count(["exchange_reviewed"]) == 2


async def test_words_without_end_are_refused(ledger: Ledger) -> None:
    await failed(ledger)
    endless = Judgement("exchange-0001", Verdict.WRONG, corrected="x" * (oversight.LONGEST + 1))
    with pytest.raises(InvalidRequest, match="at most 20,000 characters"):
        await oversight.judge(ledger, Leases(), endless, actor=fakes.REVIEWER)


async def test_the_next_one_passes_over_what_somebody_else_looks_at(ledger: Ledger, clock: fakes.Clock) -> None:
    await failed(ledger, "exchange-0001")
    leases = Leases()
    mine = await oversight.read_review(ledger, leases, None, actor=fakes.REVIEWER, why=WHY)
    assert mine.case
    theirs = await oversight.read_review(ledger, leases, None, actor=BOB, why=WHY)
    assert theirs.case is None
    clock.at += LEASE
    assert (await oversight.read_review(ledger, leases, None, actor=BOB, why=WHY)).case


def test_a_lease_is_one_persons_until_it_lapses_or_is_given_back() -> None:
    leases = Leases()
    assert leases.take("e1", "ann", fakes.NOON)
    assert not leases.take("e1", "bob", fakes.NOON + LEASE - timedelta(seconds=1))
    assert leases.holder("e1") == "ann"
    assert leases.take("e1", "bob", fakes.NOON + LEASE)
    leases.give_back("e1")
    assert leases.holder("e1") == ""
    assert leases.take("e1", "ann", fakes.NOON + LEASE)
