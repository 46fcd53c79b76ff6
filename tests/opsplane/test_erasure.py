"""Erasure: what is gone, what stays, what beats it, and what happens when it is cut off."""

import asyncio

import pytest

from opsplane import custody, requests
from opsplane.access import Actor, Role
from opsplane.custody import Placed
from opsplane.custody_events import CustomerErased, ErasureBegun, ErasureStopped
from opsplane.erasure import Custodian, Receipt, protected
from opsplane.errors import Conflict, PlaneError, RecordUnavailable
from opsplane.events import CommandRun, FeedbackGiven
from opsplane.ledger import keys, verifier
from tests import fakes
from tests.opsplane.custodians import MAYA, SECOND, Chats, approve, blocked, erase, hold, talk, words
from tests.opsplane.ledger.test_store import exchange

IDLE = {"begin": lambda _: None, "carry_out": lambda _: None}


def erased(custodian: Custodian) -> list[CustomerErased]:
    found = custodian.ledger.events(["customer_erased"])
    return [entry.event for entry in found if isinstance(entry.event, CustomerErased)]


async def test_an_erasure_waits_for_a_second_person_and_then_leaves_no_words(
    custodian: Custodian, chats: Chats
) -> None:
    await talk(custodian.ledger)
    request = await erase(custodian)
    assert words(custodian.ledger) == "my divorce"
    decision = await approve(custodian, request.id, fakes.APPROVER)
    assert words(custodian.ledger) == "[erased]"
    assert chats.cleared == [MAYA]
    assert isinstance(decision.result, Receipt)
    event = decision.result.erased
    assert (event.requested_by, event.approved_by, event.conversations) == ("reviewer", "approver", 2)
    assert (event.exchanges, len(event.keys)) == (1, 1)
    # received, answered, the request and its approval were sealed with the customer's key
    assert event.entries == 4


async def test_the_receipt_is_signed_and_holds_no_words(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    decision = await approve(custodian, (await erase(custodian)).id)
    assert isinstance(decision.result, Receipt)
    text, _ = verifier.open_note(decision.result.note, [keys.verifier_key(custodian.signer)])
    assert f"customer {MAYA}" in text
    assert f"key {decision.result.erased.keys[0]}" in text
    assert "divorce" not in text
    assert "letter" not in text
    with pytest.raises(verifier.NoteError):
        verifier.check_note(decision.result.note, [keys.verifier_key(custodian.signer)])
    again = await custody.receipt(custodian, decision.request)
    assert again == decision.result


async def test_a_hold_between_request_and_approval_beats_it_and_is_listed(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    request = await erase(custodian)
    placed = await hold(custodian)
    assert placed.late is False
    with pytest.raises(Conflict, match="C-1001 is under hold and cannot be erased"):
        await approve(custodian, request.id)
    erasure, confirmation = await blocked(custodian)
    assert "under hold" in erasure
    assert confirmation == ""
    assert words(custodian.ledger) == "my divorce"


async def test_a_hold_in_the_moment_of_the_approval_beats_it(custodian: Custodian) -> None:
    """Another process places it after the approval's check: here between the approval and the deed."""
    await talk(custodian.ledger)
    request = await erase(custodian)
    actions = custody.actions(custodian)
    unchecked = requests.Action(**vars(actions["erase"]) | {"check": lambda _: None})
    await hold(custodian)
    with pytest.raises(Conflict, match=r"was not erased.*Nothing was destroyed"):
        await requests.approve(custodian.ledger, actions | {"erase": unchecked}, request.id, actor=SECOND)
    (entry,) = custodian.ledger.events(["erasure_stopped"])
    assert isinstance(entry.event, ErasureStopped)
    assert words(custodian.ledger) == "my divorce"
    custody.resume(custodian)
    assert words(custodian.ledger) == "my divorce"
    assert len(await blocked(custodian)) == 1  # the hold's confirmation


async def test_a_hold_before_the_beginning_on_the_record_beats_it(custodian: Custodian) -> None:
    """Two processes on SQLite: the hold came between the last look at the holds and the beginning's entry."""
    await talk(custodian.ledger)
    request = await erase(custodian)
    actions = custody.actions(custodian)
    idle = requests.Action(**vars(actions["erase"]) | IDLE)
    await requests.approve(custodian.ledger, {"erase": idle}, request.id, actor=SECOND)
    await hold(custodian)
    begun = ErasureBegun(request=request.id, customer=MAYA, keys=())
    await custodian.ledger.append(begun, fakes.REVIEWER, subject=MAYA)
    custody.resume(custodian)
    assert words(custodian.ledger) == "my divorce"
    assert custodian.ledger.count(["erasure_stopped"]) == 1


async def test_a_hold_that_comes_after_the_beginning_is_told_to_be_late(custodian: Custodian, chats: Chats) -> None:
    await talk(custodian.ledger)
    request = await erase(custodian)
    chats.fails = True
    with pytest.raises(RecordUnavailable):
        await approve(custodian, request.id)
    assert (await hold(custodian)).late
    chats.fails = False
    custody.resume(custodian)
    assert len(erased(custodian)) == 1


async def test_a_hold_does_not_wait_for_an_erasure_that_takes_its_time(custodian: Custodian, chats: Chats) -> None:
    await talk(custodian.ledger)
    await talk(custodian.ledger, "exchange-0002", "C-1002")
    request = await erase(custodian)
    chats.hurry.clear()
    approval = asyncio.create_task(approve(custodian, request.id))
    assert await asyncio.to_thread(chats.called.wait, 30)
    assert (await hold(custodian)).late
    assert not (await hold(custodian, "C-1002")).late
    assert not approval.done()
    chats.hurry.set()
    assert isinstance((await approval).result, Receipt)


async def test_of_hold_and_approval_at_once_one_is_first_and_nothing_is_half_done(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    for number in range(6):
        customer = f"C-{number}"
        await talk(custodian.ledger, f"exchange-1{number}", customer)
        request = await erase(custodian, customer)
        placed, decision = await asyncio.gather(
            hold(custodian, customer), approve(custodian, request.id), return_exceptions=True
        )
        done = bool(protected(custodian.ledger).erasures.get(request.id))
        if isinstance(decision, Conflict):
            assert not done
        else:
            assert done
            # held after the erasure: nothing of the customer was left to hold, or the hold knows that it was late
            assert isinstance(placed, PlaneError | Placed)


async def test_an_erasure_that_was_cut_off_is_listed_and_carried_on(custodian: Custodian, chats: Chats) -> None:
    await talk(custodian.ledger)
    request = await erase(custodian)
    chats.fails = True
    with pytest.raises(RecordUnavailable):
        await approve(custodian, request.id)
    assert words(custodian.ledger) == "[erased]"
    assert erased(custodian) == []
    assert await blocked(custodian) == ["It was cut off: /approve carries it on."]
    await talk(custodian.ledger, "exchange-0002", words="back again")
    chats.fails = False
    custody.resume(custodian)
    (event,) = erased(custodian)
    assert (event.exchanges, event.approved_by) == (1, "reviewer2")
    back = custodian.ledger.exchange("exchange-0002")
    assert back is not None
    assert back.question == "back again"
    assert await blocked(custodian) == []


async def test_an_approval_that_was_cut_off_before_the_first_step_is_carried_out_at_start(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    request = await erase(custodian)
    idle = requests.Action(
        **vars(custody.actions(custodian)["erase"]) | {"begin": lambda _: None, "carry_out": lambda _: None}
    )
    await requests.approve(custodian.ledger, {"erase": idle}, request.id, actor=SECOND)
    assert words(custodian.ledger) == "my divorce"
    custody.resume(custodian)
    custody.resume(custodian)
    (event,) = erased(custodian)
    assert (event.request, words(custodian.ledger)) == (request.id, "[erased]")


async def test_approving_again_carries_on_what_was_cut_off(custodian: Custodian, chats: Chats) -> None:
    await talk(custodian.ledger)
    request = await erase(custodian)
    chats.fails = True
    with pytest.raises(RecordUnavailable):
        await approve(custodian, request.id)
    chats.fails = False
    assert isinstance((await approve(custodian, request.id, fakes.APPROVER)).result, Receipt)
    custody.resume(custodian)
    assert len(erased(custodian)) == 1


async def test_a_customer_who_comes_back_gets_a_new_key_and_can_be_erased_again(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    await approve(custodian, (await erase(custodian)).id)
    with pytest.raises(Conflict, match="was erased on 2026-11-23 and has said nothing since"):
        await erase(custodian)
    await talk(custodian.ledger, "exchange-0002", words="back again")
    await approve(custodian, (await erase(custodian)).id)
    first, second = erased(custodian)
    assert not set(first.keys) & set(second.keys)
    assert custodian.ledger.count(["question_received"]) == 2


async def test_what_the_customer_typed_beside_questions_is_erased_too(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    await custodian.ledger.append(CommandRun(command="help", arguments="my divorce"), fakes.CUSTOMER)
    thumb = FeedbackGiven(exchange="exchange-0001", value=0, comment="so rude")
    await custodian.ledger.append(thumb, fakes.CUSTOMER, "exchange-0001")
    await approve(custodian, (await erase(custodian)).id)
    typed = custodian.ledger.events(["command_run", "feedback_given"])
    told = " ".join(str(entry.event) for entry in typed if entry.actor == fakes.CUSTOMER)
    assert "divorce" not in told
    assert "rude" not in told


async def test_others_keep_their_words(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    daniel = Actor(id="customer2", role=Role.CUSTOMER)
    other = exchange("exchange-0002", customer="C-1002", actor=daniel, question="my house")
    await custodian.ledger.received(other)
    await approve(custodian, (await erase(custodian)).id)
    found = custodian.ledger.exchange("exchange-0002")
    assert found is not None
    assert found.question == "my house"
