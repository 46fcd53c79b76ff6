"""Cases made of exchanges: what is taken over, what is masked, who may, and what erasure leaves."""

from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from opsplane import casebook
from opsplane.access import SERVICE, Actor, Role
from opsplane.casebook import Kept, Wanted
from opsplane.errors import Conflict, InvalidRequest, NotFound, Refused
from opsplane.evaluation.dataset import Case
from opsplane.events import CommandRun, ExchangeReviewed
from opsplane.evidence import Evidence, Origin, Sentence
from opsplane.exchange import Outcome
from opsplane.ledger.store import Ledger
from opsplane.review import Reason, Verdict
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

WHY = "case 4711"
SAID = (Sentence(text="The fee is $29.", cites=(1,)), Sentence(text="Call us.", cites=()))


async def turn(ledger: Ledger, identity: str, *evidence: Evidence, **changes: Any) -> None:
    given = {"outcome": Outcome.ANSWERED, "sentences": SAID} | changes
    began = {name: value for name, value in given.items() if name in ("conversation", "customer", "question")}
    await ledger.received(exchange(identity, **began))
    await ledger.answered(exchange(identity, *(evidence or (fakes.passage(1), fakes.passage(2, "Else."))), **given))


async def corrected(ledger: Ledger, identity: str, text: str) -> None:
    event = ExchangeReviewed(exchange=identity, reason=Reason.CHOSEN, verdict=Verdict.WRONG, corrected=text)
    await ledger.append(event, fakes.REVIEWER, identity, "C-1001")


async def add(ledger: Ledger, identity: str, **changes: Any) -> Case:
    event = await casebook.add(ledger, Wanted(identity, **changes), actor=fakes.REVIEWER, why=WHY)
    return event.case


async def kept(ledger: Ledger) -> tuple[Kept, ...]:
    return await casebook.read(ledger, actor=fakes.REVIEWER, why=WHY)


async def test_a_case_takes_question_cites_and_the_reviewers_answer_over(ledger: Ledger) -> None:
    await turn(ledger, "aaaaaaaa-1")
    await corrected(ledger, "aaaaaaaa-1", "It was $30.")
    await corrected(ledger, "aaaaaaaa-1", "The fee is $15 for each item.")
    case = await add(ledger, "aaaaaa", facts=("$15",), tags=("fees",))
    assert (case.id, case.kind, case.as_, case.source) == ("record-aaaaaaaa", "record", "customer", "aaaaaaaa-1")
    assert (case.question, case.reference) == ("What is the overdraft fee?", "The fee is $15 for each item.")
    assert (case.facts, case.documents, case.tags, case.expect) == (("$15",), ("document-1",), ("fees",), "answer")


async def test_what_was_answered_before_in_the_conversation_goes_with_it(ledger: Ledger) -> None:
    await turn(ledger, "aaaaaaaa-0", question="What cards are there?")
    await turn(ledger, "aaaaaaaa-1", question="Hello", outcome=Outcome.REPLIED)
    await turn(ledger, "aaaaaaaa-2", question="Another customer's", customer="C-1002")
    await turn(ledger, "aaaaaaaa-3", question="Elsewhere", conversation="talk-2")
    await turn(ledger, "aaaaaaaa-4", question="And what do they cost?")
    await turn(ledger, "aaaaaaaa-5", question="Later")
    assert (await add(ledger, "aaaaaaaa-4")).history == ("What cards are there?",)


async def test_personal_data_is_masked_everywhere(ledger: Ledger) -> None:
    card = "4111 1111 1111 1111"
    await turn(ledger, "aaaaaaaa-0", question=f"Mine is {card}")
    await turn(ledger, "aaaaaaaa-1", question=f"Is {card} locked?")
    case = await add(ledger, "aaaaaaaa-1", facts=(card,), corrected=f"No, {card} is not.")
    assert "4111 1111" not in str(case)
    assert case.question == "Is [card number …1111] locked?"


async def test_what_was_turned_away_stays_so_unless_a_reviewer_knows_an_answer(ledger: Ledger) -> None:
    for number in range(3):
        await turn(ledger, f"aaaaaaa{number}-1", outcome=Outcome.DECLINED)
    assert (await add(ledger, "aaaaaaa0", documents=())).expect == "decline"
    assert (await add(ledger, "aaaaaaa1", corrected="It is $15.")).expect == "answer"
    assert (await add(ledger, "aaaaaaa2", expect="decline", corrected="Why not")).documents == ()


async def test_a_reviewers_answer_about_the_customers_own_accounts_fits_no_persona(ledger: Ledger) -> None:
    balance = fakes.passage(1, "The balance is $7.00.", origin=Origin.TOOL, document="account_balances")
    await turn(ledger, "aaaaaaaa-1", balance)
    await corrected(ledger, "aaaaaaaa-1", "You have $9.00.")
    case = await add(ledger, "aaaaaaaa-1")
    assert (case.reference, case.documents) == ("", ("account_balances",))


async def test_once_the_words_are_erased_the_case_drops_out(ledger: Ledger) -> None:
    await turn(ledger, "aaaaaaaa-1")
    await turn(ledger, "bbbbbbbb-1", customer="C-1002")
    await add(ledger, "aaaaaaaa-1")
    await add(ledger, "bbbbbbbb-1")
    ledger.vault.destroy("C-1001")
    assert [(one.name, one.case is None) for one in await kept(ledger)] == [
        ("record-aaaaaaaa", True),
        ("record-bbbbbbbb", False),
    ]
    whole = await casebook.dataset(ledger, UTC, actor=fakes.REVIEWER, why=WHY)
    assert [case.id for case in whole.cases] == ["record-bbbbbbbb"]
    with pytest.raises(Conflict, match="The words of aaaaaaaa were erased"):
        await add(ledger, "aaaaaaaa-1", name="again")


async def test_the_words_of_a_case_are_sealed_and_its_name_is_not(ledger: Ledger) -> None:
    await turn(ledger, "aaaaaaaa-1")
    await add(ledger, "aaaaaaaa-1", name="fee-case")
    ledger.settle()
    (public,) = ledger.follow(0, ["case_added"], 10)
    assert public.payload == {"kind": "case_added", "exchange": "aaaaaaaa-1", "name": "fee-case"}


async def test_the_set_is_true_on_the_day_on_which_the_newest_was_added(ledger: Ledger, clock: fakes.Clock) -> None:
    await turn(ledger, "aaaaaaaa-1")
    await turn(ledger, "bbbbbbbb-1")
    await add(ledger, "aaaaaaaa-1")
    clock.at += timedelta(days=2, hours=10)
    await add(ledger, "bbbbbbbb-1")
    whole = await casebook.dataset(ledger, ZoneInfo("America/New_York"), actor=SERVICE, why=WHY)
    assert (whole.name, str(whole.as_of), len(whole.cases)) == ("record", "2026-11-25", 2)


async def test_what_is_removed_is_asked_no_longer_and_can_be_added_anew(ledger: Ledger) -> None:
    await turn(ledger, "aaaaaaaa-1")
    await add(ledger, "aaaaaaaa-1")
    with pytest.raises(Conflict, match="The case record-aaaaaaaa was made of aaaaaaaa already"):
        await add(ledger, "aaaaaaaa-1", name="other")
    event = await casebook.remove(ledger, "record-aaaaaaaa", "call 212 555 0188", actor=fakes.REVIEWER, why=WHY)
    assert event.reason == "call [phone number]"
    assert await kept(ledger) == ()
    with pytest.raises(NotFound, match="No case was made of an exchange yet"):
        await casebook.dataset(ledger, UTC, actor=fakes.REVIEWER, why=WHY)
    assert (await add(ledger, "aaaaaaaa-1", name="other")).id == "other"


async def test_a_name_is_used_once(ledger: Ledger) -> None:
    await turn(ledger, "aaaaaaaa-1")
    await turn(ledger, "bbbbbbbb-1")
    await add(ledger, "aaaaaaaa-1", name="fee")
    with pytest.raises(Conflict, match="The case fee is there already"):
        await add(ledger, "bbbbbbbb-1", name="fee")


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.OPERATOR, Role.APPROVER])
async def test_only_reviewers_make_and_read_cases(ledger: Ledger, role: Role) -> None:
    actor = Actor(id="somebody", role=role)
    for deed in (
        casebook.add(ledger, Wanted("aaaaaaaa-1"), actor=actor, why=WHY),
        casebook.remove(ledger, "fee", "no", actor=actor, why=WHY),
        casebook.read(ledger, actor=actor, why=WHY),
        casebook.dataset(ledger, UTC, actor=actor, why=WHY),
    ):
        with pytest.raises(Refused):
            await deed
    assert ledger.count(["command_refused"]) == 4


async def test_that_cases_were_read_is_recorded_with_the_reason(ledger: Ledger) -> None:
    await turn(ledger, "aaaaaaaa-1")
    await add(ledger, "aaaaaaaa-1")
    await kept(ledger)
    told = [entry.event for entry in ledger.events(["command_run"])]
    assert told == [
        CommandRun(command="golden", arguments="add aaaaaaaa-1", rows=1, why=WHY),
        CommandRun(command="golden", arguments="", rows=1, why=WHY),
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "Jane Doe"}, "name=Jane Doe: up to 40 small letters"),
        ({"name": "4111111111111111"}, "nothing about the customer"),
        ({"kind": ""}, "kind="),
        ({"tags": ("a b",)}, "tags=a b"),
        ({"facts": ("x",) * 21}, "facts=…: at most 20"),
        ({"documents": ("x" * 501,)}, "documents=…"),
        ({"corrected": "x" * 20_001}, "corrected: at most 20,000"),
        ({"expect": "decline", "facts": ("x",)}, "has no expected facts"),
        ({"exchange": "no such id"}, "That is no exchange's id"),
    ],
)
async def test_what_no_case_can_have_is_named(ledger: Ledger, changes: dict[str, Any], told: str) -> None:
    await turn(ledger, "aaaaaaaa-1")
    with pytest.raises(InvalidRequest, match=told):
        await casebook.add(ledger, Wanted(**{"exchange": "aaaaaaaa-1"} | changes), actor=fakes.REVIEWER, why=WHY)
    assert ledger.count(["case_added"]) == 0


async def test_an_exchange_that_is_not_over_or_not_there_makes_no_case(ledger: Ledger) -> None:
    await ledger.received(exchange("aaaaaaaa-1"))
    with pytest.raises(Conflict, match="is not answered yet"):
        await add(ledger, "aaaaaaaa-1")
    with pytest.raises(NotFound, match="There is no exchange 'bbbbbbbb'"):
        await add(ledger, "bbbbbbbb")
    with pytest.raises(NotFound, match="There is no case 'fee'"):
        await casebook.remove(ledger, "fee", "no", actor=fakes.REVIEWER, why=WHY)
    with pytest.raises(InvalidRequest, match="Say why"):
        await casebook.remove(ledger, "fee", " ", actor=fakes.REVIEWER, why=WHY)
