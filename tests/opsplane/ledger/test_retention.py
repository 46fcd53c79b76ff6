"""Keys and words that are destroyed, and those that are not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from opsplane.access import SERVICE, Actor, Role
from opsplane.events import CommandRun, PersonAdded
from opsplane.evidence import Sentence
from opsplane.exchange import Outcome
from opsplane.ledger import retention, verifier
from opsplane.ledger.database import connect
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import ENTRY, EXCHANGE
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

WORDS = "Quetzalcoatlus"


async def talk(ledger: Ledger, identity: str = "e1", customer: str = "C-1001") -> None:
    said = (Sentence(text=f"About {WORDS}: the fee is $15."),)
    one = exchange(identity, customer=customer, question=WORDS, standalone=WORDS, at=ledger.clock())
    await ledger.received(one)
    await ledger.answered(one.model_copy(update={"sentences": said, "outcome": Outcome.ANSWERED}))


def unbroken(ledger: Ledger) -> bool:
    """Whether every entry's hash follows from the one before."""
    previous = bytes(32)
    for row in ledger.read(select(ENTRY).order_by(ENTRY.c.seq)):
        *fields, found = row
        previous = verifier.entry_hash(*fields, previous)
        if previous != bytes(found):
            return False
    return True


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (datetime(2033, 11, 30, 23, 59, tzinfo=UTC), "2026-11"),
        (datetime(2033, 12, 1, tzinfo=UTC), "2026-12"),
        (datetime(2032, 2, 29, tzinfo=UTC), "2025-02"),
    ],
)
def test_a_month_is_over_when_its_last_day_is_past_the_retention(now: datetime, before: str) -> None:
    assert retention.months_before(now, 7) == before


async def test_after_destruction_and_sweep_words_are_gone_and_the_chain_stands(ledger: Ledger) -> None:
    await talk(ledger)
    keys = retention.destroyed(ledger, ["C-1001"])
    retention.sweep(ledger, keys)
    found = ledger.exchange("e1")
    assert found is not None
    assert (found.question, found.outcome) == ("[erased]", Outcome.ANSWERED)
    (row,) = ledger.read(select(EXCHANGE.c.id, EXCHANGE.c.key, EXCHANGE.c.sealed))
    assert (row.key, bytes(row.sealed)) == (keys[0], b"")
    assert ledger.contents([row])["e1"].question == "[erased]"
    assert unbroken(ledger)


async def test_the_sweep_leaves_others_alone(ledger: Ledger) -> None:
    await talk(ledger)
    await talk(ledger, "e2", "C-1002")
    retention.sweep(ledger, retention.destroyed(ledger, ["C-1001"]))
    rows = ledger.read(select(EXCHANGE.c.id, EXCHANGE.c.key, EXCHANGE.c.sealed))
    assert ledger.contents(rows)["e2"].question == WORDS


async def test_what_was_sealed_with_the_keys_is_counted(ledger: Ledger) -> None:
    await talk(ledger)
    await talk(ledger, "e2", "C-1002")
    await ledger.append(CommandRun(command="help", arguments=""), fakes.CUSTOMER)
    keys = [key.id for key in retention.living(ledger, ["C-1001"])]
    assert retention.concerned(ledger, keys, "2026-11", "2026-12") == retention.concerned(ledger, keys)
    assert retention.concerned(ledger, keys, "2026-12").entries == 0
    assert retention.concerned(ledger, keys) == retention.Concerned(entries=2, exchanges=1)
    assert retention.concerned(ledger, []) == retention.Concerned(0, 0)


async def test_only_months_before_are_destroyed(ledger: Ledger, clock: fakes.Clock) -> None:
    await talk(ledger)
    clock.at += timedelta(days=30)
    await talk(ledger, "e2")
    old, young = (key.id for key in ledger.vault.keys_of("C-1001"))
    assert [key.id for key in retention.living(ledger, ["C-1001"], "2026-12")] == [old]
    assert retention.destroyed(ledger, ["C-1001"], "2026-12") == [old]
    assert [key.id for key in retention.living(ledger, ["C-1001"])] == [young]


async def test_a_customers_subjects_are_those_who_sign_in_for_it(ledger: Ledger) -> None:
    await talk(ledger)
    await ledger.append(PersonAdded(name="spouse", role="customer", customer="C-1001"), SERVICE)
    await ledger.append(PersonAdded(name="daniel", role="customer", customer="C-1002"), SERVICE)
    assert retention.subjects(ledger, "C-1001") == ["C-1001", "@customer", "@spouse"]


async def test_staff_who_tried_something_for_a_customer_are_not_the_customer(ledger: Ledger) -> None:
    await ledger.received(exchange("e1", actor=Actor(id="operator", role=Role.OPERATOR)))
    assert retention.subjects(ledger, "C-1001") == ["C-1001"]


async def test_customers_are_known_by_their_turns_their_keys_or_their_people(ledger: Ledger) -> None:
    await talk(ledger)
    await ledger.append(PersonAdded(name="daniel", role="customer", customer="C-1002"), SERVICE)
    assert [retention.known(ledger, one) for one in ("C-1001", "C-1002", "C-1003", "")] == [True, True, False, False]


async def test_held_customers_are_told_and_left_out_with_their_people(ledger: Ledger, clock: fakes.Clock) -> None:
    await talk(ledger)
    await ledger.append(CommandRun(command="help", arguments="x"), fakes.CUSTOMER)
    await talk(ledger, "e2", "C-1002")
    late = clock.at.replace(year=2034)
    found = retention.due(ledger, late, 7, ["C-1001"])
    assert (found.before, found.customers, found.held) == ("2027-11", ("C-1002",), ("C-1001",))
    assert retention.due(ledger, clock.at, 7, []).customers == ()


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
async def test_no_file_holds_the_key_or_the_words_afterwards(ledger: Ledger, tmp_path: Path) -> None:
    await talk(ledger)
    with connect(f"sqlite:///{tmp_path / 'keys.db'}").connect() as vault:
        query = "SELECT wrapped FROM vault_key WHERE customer = ?"
        wrapped, secret = (vault.exec_driver_sql(query, (one,)).scalar_one() for one in ("C-1001", ""))
    rows = select(EXCHANGE.c.sealed).where(EXCHANGE.c.id == "e1")
    sealed: bytes = ledger.read(rows)[0].sealed

    def found(what: bytes) -> bool:
        return any(what in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())

    assert found(wrapped)
    assert found(sealed)
    retention.sweep(ledger, retention.destroyed(ledger, ["C-1001"]))
    retention.purge(ledger)
    assert not found(wrapped)
    assert not found(sealed)
    assert not found(WORDS.encode())
    assert not found(WORDS.lower().encode())
    assert found(secret)  # looking does find what is there
