"""Corrected answers come back whole, masked, and no longer than their customer's words are kept."""

import json
from datetime import date, timedelta

import pytest

from opsplane.access import Actor
from opsplane.corrections import Corrections, read_corrections
from opsplane.days import Days
from opsplane.errors import Refused
from opsplane.events import CommandRun
from opsplane.evidence import Evidence, Origin
from opsplane.exchange import Outcome
from opsplane.ledger.store import Ledger
from opsplane.oversight import Judgement, Leases, judge
from opsplane.review import Verdict
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

BOB = fakes.REVIEWER.model_copy(update={"id": "bob"})


async def turn(ledger: Ledger, identity: str, *evidence: Evidence, customer: str = "C-1001") -> None:
    await ledger.received(exchange(identity, customer=customer))
    sources = evidence or (fakes.passage(),)
    await ledger.answered(exchange(identity, *sources, customer=customer, outcome=Outcome.ANSWERED))


async def correct(ledger: Ledger, identity: str, corrected: str, who: Actor = fakes.REVIEWER) -> None:
    said = Judgement(identity, Verdict.WRONG, corrected=corrected, again=True, marks={"accuracy": 2})
    await judge(ledger, Leases(), said, actor=who)
    ledger.settle()


async def found(ledger: Ledger, days: Days | None = None) -> Corrections:
    return await read_corrections(ledger, days or Days(), actor=fakes.REVIEWER, why="tuning")


async def texts(ledger: Ledger, days: Days | None = None) -> list[str]:
    return [one.corrected for one in (await found(ledger, days)).rows]


async def test_a_row_holds_what_there_is_to_learn_from(ledger: Ledger) -> None:
    await turn(ledger, "exchange-1")
    await correct(ledger, "exchange-1", "It is $15.")
    (row,) = [json.loads(line) for line in (await found(ledger)).as_jsonl().splitlines()]
    assert row["exchange"] == "exchange-1"
    assert (row["corrected"], row["marks"], row["score"]) == ("It is $15.", {"accuracy": 2}, 25)
    assert row["sources"][0]["text"] == "The fee is $15 for each item."
    assert row["account"] is False
    assert "C-1001" not in str(row)


async def test_newest_first_and_the_last_word_counts(ledger: Ledger, clock: fakes.Clock) -> None:
    clock.step = timedelta(seconds=1)
    for name in ("exchange-1", "exchange-2"):
        await turn(ledger, name)
        await correct(ledger, name, f"first of {name}")
    await correct(ledger, "exchange-1", "bob's", BOB)
    assert await texts(ledger) == ["bob's", "first of exchange-2"]
    await judge(ledger, Leases(), Judgement("exchange-1", Verdict.UNSURE, again=True), actor=BOB)
    ledger.settle()
    assert await texts(ledger) == ["first of exchange-2", "first of exchange-1"]


async def test_days_are_those_of_the_correction(ledger: Ledger, clock: fakes.Clock) -> None:
    await turn(ledger, "exchange-1")
    await correct(ledger, "exchange-1", "today's")
    clock.at += timedelta(days=2)
    await turn(ledger, "exchange-2")
    await correct(ledger, "exchange-2", "later")
    today = date(2026, 11, 23)
    assert await texts(ledger, Days(until=today)) == ["today's"]
    assert await texts(ledger, Days(since=today + timedelta(days=1))) == ["later"]


async def test_an_erased_customers_corrections_are_gone(ledger: Ledger) -> None:
    await turn(ledger, "exchange-1", customer="C-1001")
    await turn(ledger, "exchange-2", customer="C-1002")
    for name in ("exchange-1", "exchange-2"):
        await correct(ledger, name, f"corrected {name}")
    ledger.vault.destroy("C-1001")
    assert await texts(ledger) == ["corrected exchange-2"]


async def test_personal_data_is_masked_in_words_and_in_what_account_tools_told(ledger: Ledger) -> None:
    tool = fakes.passage(origin=Origin.TOOL, text="Paid with card 4111 1111 1111 1111.")
    await turn(ledger, "exchange-1", tool)
    await correct(ledger, "exchange-1", "Write to jane@example.com.")
    told = (await found(ledger)).as_jsonl().decode()
    assert "4111 1111" not in told
    assert "jane@" not in told
    assert json.loads(told)["account"] is True


async def test_many_are_cut_off_and_it_is_told(ledger: Ledger) -> None:
    for number in range(3):
        await turn(ledger, f"exchange-{number}")
        await correct(ledger, f"exchange-{number}", f"number {number}")
    cut = await read_corrections(ledger, Days(), actor=fakes.REVIEWER, why="tuning", most=2)
    assert (len(cut.rows), cut.more) == (2, True)


async def test_reading_is_for_reviewers_and_on_the_record_with_the_reason(ledger: Ledger) -> None:
    await found(ledger, Days(since=date(2026, 11, 1)))
    (entry,) = ledger.events(["command_run"])
    assert entry.event == CommandRun(command="corrections", arguments="2026-11-01", rows=0, why="tuning")
    with pytest.raises(Refused):
        await read_corrections(ledger, Days(), actor=fakes.OPERATOR, why="tuning")
