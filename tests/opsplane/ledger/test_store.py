"""The record keeps what was acknowledged and gives it back whole."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from opsplane.draft import Draft
from opsplane.errors import RecordUnavailable
from opsplane.events import CommandRun, SentenceSaid
from opsplane.evidence import Evidence, Sentence
from opsplane.exchange import Exchange, Outcome, Tier
from opsplane.ledger.database import connect
from opsplane.ledger.seal import micros, moment
from opsplane.ledger.store import Ledger
from opsplane.ledger.vault import Vault
from opsplane.plane import Serving
from opsplane.spend import Prices
from tests import fakes

PRICES = Prices(version="t", source="t", currency="USD", models={})


def exchange(identity: str = "exchange-0001", *evidence: Evidence, **changes: object) -> Exchange:
    draft = Draft(fakes.question(id=identity), Serving(fakes.release(), "stable"), PRICES, lambda: 0.0)
    draft.evidence.extend(evidence)
    return draft.exchange().model_copy(update=changes)


async def test_what_is_appended_is_read_back_with_time_and_actor(ledger: Ledger, clock: fakes.Clock) -> None:
    await ledger.append(CommandRun(command="status", arguments="", rows=3), fakes.OPERATOR)
    (entry,) = ledger.events(["command_run"])
    assert (entry.at, entry.actor, entry.event) == (
        clock.at,
        fakes.OPERATOR,
        CommandRun(command="status", arguments="", rows=3),
    )


async def test_an_exchange_comes_back_whole_with_its_passages(ledger: Ledger) -> None:
    done = exchange("e1", fakes.passage(1), fakes.passage(2, "Another text."), outcome=Outcome.ANSWERED)
    await ledger.received(exchange("e1"))
    await ledger.answered(done)
    assert ledger.exchange("e1") == done


async def test_a_passages_text_is_kept_once(ledger: Ledger) -> None:
    for identity in ("e1", "e2"):
        await ledger.received(exchange(identity))
        await ledger.answered(exchange(identity, fakes.passage(1, "The same words.")))
    stored = " ".join(str(entry.event) for entry in ledger.events(["question_answered"]))
    assert "The same words." not in stored
    found = ledger.exchange("e2")
    assert found is not None
    assert found.evidence[0].text == "The same words."


async def test_a_turn_cut_off_shows_what_was_said_until_then(ledger: Ledger) -> None:
    await ledger.received(exchange("e1"))
    said = SentenceSaid(exchange="e1", number=1, sentence=Sentence(text="The fee is $15.", cites=(1,)))
    await ledger.said(said, fakes.CUSTOMER, "C-1001")
    found = ledger.exchange("e1")
    assert found is not None
    assert found.outcome is Outcome.RECEIVED
    assert found.answer == "The fee is $15."


async def test_an_unknown_exchange_is_none(ledger: Ledger) -> None:
    assert ledger.exchange("nothing") is None


async def test_many_at_once_are_all_kept_in_an_unbroken_order(ledger: Ledger) -> None:
    runs = [CommandRun(command=str(number), arguments="") for number in range(300)]
    await asyncio.gather(*(ledger.append(run, fakes.OPERATOR) for run in runs))
    ledger.settle()
    entries = ledger.events(["command_run"])
    assert {entry.event for entry in entries} == set(runs)
    assert [entry.seq for entry in entries] == list(range(entries[0].seq, entries[0].seq + 300))


async def test_one_write_that_fails_does_not_take_its_neighbours_with_it(ledger: Ledger) -> None:
    await ledger.received(exchange("twice"))
    jobs = [ledger.received(exchange(name)) for name in ("a", "twice", "b")]
    results = await asyncio.gather(*jobs, return_exceptions=True)
    assert [isinstance(one, RecordUnavailable) for one in results] == [False, True, False]
    assert ledger.exchange("a")
    assert ledger.exchange("b")
    assert len(ledger.story("twice")) == 1


async def test_earlier_turns_are_the_same_customers_only(ledger: Ledger, clock: fakes.Clock) -> None:
    for identity, customer in (("e1", "C-1001"), ("e2", "C-1002")):
        done = exchange(identity, customer=customer, outcome=Outcome.ANSWERED, at=clock.at)
        await ledger.received(exchange(identity, customer=customer))
        await ledger.answered(done.model_copy(update={"sentences": (Sentence(text=f"for {customer}"),)}))
    (turn,) = ledger.earlier("talk-1", "C-1001", 5)
    assert turn.answer == "for C-1001"
    assert turn.tier in (None, *Tier)


def test_times_survive_to_the_microsecond() -> None:
    at = fakes.NOON + timedelta(microseconds=1)
    assert moment(micros(at)) == at


async def test_after_close_nothing_is_taken(tmp_path: Path, vault: Vault) -> None:
    ledger = Ledger(connect(f"sqlite:///{tmp_path / 'r.db'}"), fakes.Clock(), vault)
    ledger.close()
    with pytest.raises(RecordUnavailable):
        await ledger.append(CommandRun(command="late", arguments=""), fakes.OPERATOR)


async def test_a_locked_database_is_told_and_not_waited_for_ever(tmp_path: Path, vault: Vault) -> None:
    path = tmp_path / "r.db"
    engine = connect(f"sqlite:///{path}", busy_ms=50)
    ledger = Ledger(engine, fakes.Clock(), vault)
    with connect(f"sqlite:///{path}").connect() as blocker:
        blocker.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(RecordUnavailable, match="locked"):
            await ledger.append(CommandRun(command="status", arguments=""), fakes.OPERATOR)
    await ledger.append(CommandRun(command="status", arguments=""), fakes.OPERATOR)
    assert len(ledger.events(["command_run"])) == 1
    ledger.close()


async def test_a_full_disk_is_told_and_nothing_is_acknowledged(tmp_path: Path, vault: Vault) -> None:
    url = f"sqlite:///{tmp_path / 'r.db'}"
    Ledger(connect(url), fakes.Clock(), vault).close()
    engine = connect(url)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count=1"))
    ledger = Ledger(engine, fakes.Clock(), vault)
    with pytest.raises(RecordUnavailable, match="full"):
        await ledger.append(CommandRun(command="x" * 100_000, arguments=""), fakes.OPERATOR)
    assert ledger.events(["command_run"]) == []
    ledger.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path, vault: Vault) -> None:
    path = tmp_path / "r.db"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(RecordUnavailable, match="cannot be opened"):
        Ledger(connect(f"sqlite:///{path}"), fakes.Clock(), vault)


@pytest.mark.parametrize("url", ["nonsense", "mysql://localhost/x", "postgresql://127.0.0.1:1/none"])
def test_a_record_elsewhere_is_refused_in_words(url: str) -> None:
    with pytest.raises(RecordUnavailable):
        connect(url)


async def test_words_are_sealed_wherever_they_are_kept(tmp_path: Path, vault: Vault) -> None:
    ledger = Ledger(connect(f"sqlite:///{tmp_path / 'r.db'}"), fakes.Clock(), vault)
    told = exchange("e1", question="Where is my zebra?", sentences=(Sentence(text="In the vault of walnuts."),))
    await ledger.received(told)
    await ledger.answered(told)
    ledger.close()
    written = _written(tmp_path)
    assert b"zebra" not in written
    assert b"walnut" not in written


def _written(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())


async def test_without_its_key_an_exchange_is_a_skeleton(ledger: Ledger, vault: Vault) -> None:
    await ledger.received(exchange("e1", question="Where is my zebra?"))
    vault.destroy("C-1001")
    found = ledger.exchange("e1")
    assert found is not None
    assert (found.question, found.customer, found.digest) == ("[erased]", "C-1001", fakes.release().digest)
    await ledger.received(exchange("e2", question="A new start"))
    again = ledger.exchange("e2")
    assert again is not None
    assert again.question == "A new start"


async def test_another_records_vault_is_refused_in_words(tmp_path: Path, vault: Vault) -> None:
    url = f"sqlite:///{tmp_path / 'r.db'}"
    ledger = Ledger(connect(url), fakes.Clock(), vault)
    await ledger.received(exchange("e1"))
    ledger.close()
    (tmp_path / "other").mkdir()
    other = fakes.vault(tmp_path / "other", fakes.Clock())
    engine = connect(url)
    with pytest.raises(RecordUnavailable, match="never held"):
        Ledger(engine, fakes.Clock(), other)
    engine.dispose()
    other.close()
