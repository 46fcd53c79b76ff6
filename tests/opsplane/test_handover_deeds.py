"""What customers and staff do about a hand-over: who may, what counts, and what the other is told."""

import asyncio
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from opsplane import handover_context, handover_deeds
from opsplane.access import Actor
from opsplane.errors import Conflict, InvalidRequest, NotFound, PlaneError, Refused
from opsplane.event import ERASED
from opsplane.events import CommandRefused, CommandRun
from opsplane.evidence import Sentence
from opsplane.exchange import Outcome
from opsplane.finding import Action, Finding
from opsplane.handover import SILENCE, Handover, Stage
from opsplane.handover_board import Board
from opsplane.handover_deeds import LONGEST, Place
from opsplane.handover_events import HandoverSaid
from opsplane.ledger import retention
from opsplane.ledger.database import connect
from opsplane.ledger.store import Ledger
from opsplane.ledger.vault import Vault
from tests import fakes
from tests.fakes import APPROVER, CUSTOMER, OPERATOR, REVIEWER
from tests.opsplane.ledger.test_store import exchange
from tests.opsplane.waiting import HALF_AN_HOUR, asked

ONE = "aaaaaaaa-1"
PERSON = Finding(code="scope.person", action=Action.REPLY, stage="question", reply="person")
FRAUD = Finding(code="signal.fraud", action=Action.PREFACE, stage="question", person=True)


@pytest.fixture
def board() -> Board:
    return Board()


async def ask(ledger: Ledger, board: Board, name: str = ONE, **changes: Any) -> Place:
    event = asked(name, ledger.clock(), **changes)
    return await handover_deeds.ask(ledger, board, event, actor=CUSTOMER)


async def take(
    ledger: Ledger, board: Board, actor: Actor = OPERATOR, name: str = ONE, talk: str = "desk-1"
) -> Handover:
    return await handover_deeds.take(ledger, board, name, talk, actor=actor)


async def speaking(ledger: Ledger, board: Board) -> Handover:
    await ask(ledger, board)
    return await take(ledger, board)


def said(ledger: Ledger) -> list[str]:
    return [one.event.text for one in ledger.events(["handover_said"]) if isinstance(one.event, HandoverSaid)]


def refused(ledger: Ledger) -> list[str]:
    events = (one.event for one in ledger.events(["command_refused"]))
    return [event.reason for event in events if isinstance(event, CommandRefused)]


async def test_a_customer_is_told_the_place_in_the_queue(ledger: Ledger, board: Board) -> None:
    assert (await ask(ledger, board)).number == 1
    second = await ask(ledger, board, "bbbbbbbb-2")
    assert (second.number, second.new) == (2, True)


async def test_who_asks_twice_in_a_conversation_waits_once(ledger: Ledger, board: Board) -> None:
    await ask(ledger, board)
    again = await ask(ledger, board, "bbbbbbbb-2", conversation=f"talk-{ONE}")
    assert (again.handover.id, again.number, again.new) == (ONE, 1, False)
    assert ledger.count(["handover_asked"]) == 1


async def test_who_asks_again_urgently_goes_to_the_front(ledger: Ledger, board: Board) -> None:
    await ask(ledger, board, "bbbbbbbb-2")
    await ask(ledger, board)
    same = {"conversation": f"talk-{ONE}", "code": "signal.fraud", "urgent": True}
    assert (await ask(ledger, board, "cccccccc-3", **same)).number == 1


@pytest.mark.parametrize(
    ("findings", "code"),
    [((PERSON,), "scope.person"), ((PERSON, FRAUD), "signal.fraud"), ((), "")],
)
def test_a_turn_wants_a_person_where_a_finding_says_so(findings: tuple[Finding, ...], code: str) -> None:
    found = handover_deeds.wanted(exchange(ONE, findings=findings))
    assert (found.code if found else "") == code


def test_what_a_turn_asks_for_is_named_after_it(clock: fakes.Clock) -> None:
    event = handover_deeds.asked(exchange(ONE, findings=(FRAUD,)), FRAUD, clock() + HALF_AN_HOUR)
    assert (event.handover, event.exchange, event.urgent) == (ONE, ONE, True)
    assert event.summary == "What is the overdraft fee?"


async def test_staff_take_over_and_approvers_and_customers_do_not(ledger: Ledger, board: Board) -> None:
    await ask(ledger, board)
    for actor in (APPROVER, CUSTOMER):
        with pytest.raises(Refused):
            await take(ledger, board, actor)
    assert (await take(ledger, board, REVIEWER)).by == "reviewer"
    assert len(refused(ledger)) == 2


async def test_an_approver_sees_the_queue_and_a_customer_does_not(ledger: Ledger, board: Board) -> None:
    await ask(ledger, board)
    assert len((await handover_deeds.waiting(ledger, board, actor=APPROVER)).waiting) == 1
    with pytest.raises(Refused):
        await handover_deeds.waiting(ledger, board, actor=CUSTOMER)
    read = [one.event for one in ledger.events(["command_run"])]
    assert CommandRun(command="queue", arguments="", rows=1) in read


async def test_who_comes_second_is_told_who_has_it(ledger: Ledger, board: Board) -> None:
    await speaking(ledger, board)
    with pytest.raises(Conflict, match=r"operator took aaaaaaaa over at 17:00 UTC"):
        await take(ledger, board, REVIEWER, talk="desk-2")


async def test_of_two_on_two_servers_one_wins_and_the_other_is_told(
    ledger: Ledger, board: Board, record_url: str, vault: Vault
) -> None:
    await ask(ledger, board)
    with closing(Ledger(connect(record_url), ledger.clock, vault)) as other:
        done = await asyncio.gather(
            take(ledger, board, OPERATOR), take(other, Board(), REVIEWER, talk="desk-2"), return_exceptions=True
        )
    assert sorted(isinstance(one, Conflict) for one in done) == [False, True]
    (winner,) = [one for one in done if isinstance(one, Handover)]
    ledger.settle()
    assert Board().look(ledger)[ONE].by == winner.by


async def test_two_customers_are_not_answered_in_one_chat(ledger: Ledger, board: Board) -> None:
    await speaking(ledger, board)
    await ask(ledger, board, "bbbbbbbb-2", customer="C-1002")
    with pytest.raises(Conflict, match="You speak with C-1001 in this chat"):
        await take(ledger, board, name="bbbbbbbb")
    assert (await take(ledger, board, name="bbbbbbbb", talk="desk-2")).talk == "desk-2"


async def test_nobody_is_taken_over_on_a_terminal(ledger: Ledger, board: Board) -> None:
    await ask(ledger, board)
    with pytest.raises(InvalidRequest, match="in the chat"):
        await take(ledger, board, talk="")


async def test_words_go_on_the_record_masked(ledger: Ledger, board: Board) -> None:
    one = await speaking(ledger, board)
    await handover_deeds.say(ledger, board, one, "My card is 4111 1111 1111 1111.", actor=CUSTOMER)
    await handover_deeds.say(ledger, board, one, "Thank you.", actor=OPERATOR)
    first, second = said(ledger)
    assert "4111 1111" not in first
    assert second == "Thank you."


@pytest.mark.parametrize("text", ["", " \n ", "x" * (LONGEST + 1)])
async def test_nothing_and_too_much_are_not_passed_on(ledger: Ledger, board: Board, text: str) -> None:
    one = await speaking(ledger, board)
    with pytest.raises(InvalidRequest):
        await handover_deeds.say(ledger, board, one, text, actor=CUSTOMER)
    assert said(ledger) == []


async def test_after_the_end_nothing_is_passed_on(ledger: Ledger, board: Board) -> None:
    one = await speaking(ledger, board)
    await handover_deeds.end(ledger, board, "desk-1", "", "solved", actor=OPERATOR)
    with pytest.raises(Conflict, match="not passed on"):
        await handover_deeds.say(ledger, board, one, "Are you there?", actor=CUSTOMER)


async def test_a_colleague_writes_to_nobodys_customer(ledger: Ledger, board: Board) -> None:
    one = await speaking(ledger, board)
    with pytest.raises(Conflict):
        await handover_deeds.say(ledger, board, one, "Hello", actor=REVIEWER)


async def test_who_leaves_puts_the_customer_back_first_in_line(ledger: Ledger, board: Board) -> None:
    await speaking(ledger, board)
    await ask(ledger, board, "bbbbbbbb-2")
    place = await handover_deeds.leave(ledger, board, "desk-1", actor=OPERATOR)
    assert (place.handover.stage, place.number) == (Stage.WAITING, 1)
    with pytest.raises(NotFound):
        await handover_deeds.leave(ledger, board, "desk-1", actor=OPERATOR)


async def test_a_customer_takes_it_back_while_nobody_has_come(ledger: Ledger, board: Board) -> None:
    await ask(ledger, board)
    with pytest.raises(NotFound, match="No person has been asked"):
        await handover_deeds.end(ledger, board, f"talk-{ONE}", "C-1002", "", actor=CUSTOMER)
    await handover_deeds.end(ledger, board, f"talk-{ONE}", "C-1001", "", actor=CUSTOMER)
    with pytest.raises(Conflict, match="over"):
        await take(ledger, board)


async def test_whom_nobody_takes_in_time_waits_no_longer(ledger: Ledger, board: Board, clock: fakes.Clock) -> None:
    await ask(ledger, board)
    clock.at += HALF_AN_HOUR
    with pytest.raises(Conflict):
        await take(ledger, board)
    handover_deeds.lapse(ledger, board)
    handover_deeds.lapse(ledger, Board())
    assert ledger.count(["handover_lapsed"]) == 1
    assert (await ask(ledger, board, "bbbbbbbb-2", conversation=f"talk-{ONE}")).new


async def test_a_conversation_without_a_word_for_an_hour_is_over(
    ledger: Ledger, board: Board, clock: fakes.Clock
) -> None:
    one = await speaking(ledger, board)
    clock.at += SILENCE - timedelta(minutes=1)
    await handover_deeds.say(ledger, board, one, "Still here.", actor=OPERATOR)
    handover_deeds.lapse(ledger, board)
    assert board.look(ledger)[ONE].stage is Stage.TAKEN
    clock.at += SILENCE
    handover_deeds.lapse(ledger, board)
    assert board.look(ledger)[ONE].stage is Stage.OVER


async def test_who_took_a_customer_over_reads_the_context_and_that_is_recorded(ledger: Ledger, board: Board) -> None:
    turn = exchange(ONE, fakes.passage(), outcome=Outcome.REPLIED, findings=(PERSON,), conversation=f"talk-{ONE}")
    await ledger.received(turn)
    await ledger.answered(turn.model_copy(update={"sentences": (Sentence(text="Call us.", cites=()),)}))
    await ask(ledger, board, exchange=ONE, summary="I want a person")
    one = await take(ledger, board)
    await handover_deeds.say(ledger, board, one, "Good evening.", actor=OPERATOR)
    context = await handover_context.read(ledger, board, "aaaaaaaa", actor=OPERATOR)
    assert context.exchange is not None
    assert context.exchange.evidence[0].title == "Fee Schedule"
    assert [(turn.question, turn.answer) for turn in context.turns] == [("What is the overdraft fee?", "Call us.")]
    assert [line.event.text for line in context.said] == ["Good evening."]
    assert context.summary == "I want a person"
    read = [one.event for one in ledger.events(["command_run"])][-1]
    assert read == CommandRun(command="queue", arguments="aaaaaaaa", rows=2, why="hand-over aaaaaaaa")


@pytest.mark.parametrize("actor", [APPROVER, REVIEWER, CUSTOMER])
async def test_nobody_else_reads_it(ledger: Ledger, board: Board, actor: Actor) -> None:
    await speaking(ledger, board)
    with pytest.raises(PlaneError):
        await handover_context.read(ledger, board, "aaaaaaaa", actor=actor)
    assert refused(ledger)


async def test_erasing_a_customer_erases_what_both_sides_said(ledger: Ledger, board: Board) -> None:
    await ask(ledger, board, summary="My card is gone")
    one = await take(ledger, board)
    await handover_deeds.say(ledger, board, one, "My name is Maya.", actor=CUSTOMER)
    await handover_deeds.say(ledger, board, one, "Hello Maya.", actor=OPERATOR)
    retention.destroyed(ledger, retention.subjects(ledger, "C-1001"))
    context = await handover_context.read(ledger, board, ONE, actor=OPERATOR)
    assert [line.event.text for line in context.said] == [ERASED, ERASED]
    assert context.summary == ""
