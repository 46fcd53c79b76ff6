from datetime import date, timedelta
from pathlib import Path

import pytest

from assistant.accounts import Account, Bank, Card, Filters, Hold, Loan, Transaction
from assistant.sample_bank import SampleBank, open_bank

TODAY = date(2026, 11, 23)
MAYA, DANIEL = "C-1001", "C-1002"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('bank') / 'made' / 'bank.db'}"


@pytest.fixture(scope="module")
def bank(url: str) -> Bank:
    return open_bank(url, TODAY)


def everything(
    bank: Bank, customer: str
) -> tuple[tuple[Account, ...], tuple[Transaction, ...], tuple[Card, ...], tuple[Hold, ...], tuple[Loan, ...]]:
    return (
        bank.accounts(customer),
        bank.transactions(customer, Filters()),
        bank.cards(customer),
        bank.holds(customer),
        bank.loans(customer),
    )


def test_it_is_filled_once_and_stays_as_it_is(bank: Bank, url: str) -> None:
    before = everything(bank, MAYA)
    again = SampleBank.open(url, TODAY + timedelta(days=40))
    assert everything(again, MAYA) == before
    again.close()


def test_the_same_day_makes_the_same_bank(bank: Bank, tmp_path: Path) -> None:
    twin = SampleBank.open(f"sqlite:///{tmp_path / 'bank.db'}", TODAY)
    assert everything(twin, DANIEL) == everything(bank, DANIEL)
    twin.close()


@pytest.mark.parametrize("today", [date(2027, 1, 1), date(2028, 2, 29), date(2026, 8, 30), date(2027, 5, 31)])
def test_any_day_makes_a_sound_bank(today: date, tmp_path: Path) -> None:
    bank = SampleBank.open(f"sqlite:///{tmp_path / 'bank.db'}", today)
    for customer in (MAYA, DANIEL):
        accounts, transactions, cards, holds, loans = everything(bank, customer)
        assert accounts[0].available_cents < accounts[0].current_cents
        assert max(one.posted for one in transactions) <= today
        assert {one.posted.weekday() for one in transactions} == {0, 1, 2, 3, 4}
        assert all(one.due > today for one in cards if one.due)
        assert all(one.released > today for one in holds if one.released)
        assert all(today < one.due < one.ends for one in loans)
    bank.close()


def test_a_customer_gets_no_row_of_another(bank: Bank) -> None:
    maya, daniel = everything(bank, MAYA), everything(bank, DANIEL)
    ours = {one.last_four for rows in maya for one in rows}
    theirs = {one.last_four for rows in daniel for one in rows}
    assert ours
    assert theirs
    assert not ours & theirs
    [foreign] = [one.id for one in bank.accounts(DANIEL) if one.name == "Premier Checking"]
    assert bank.transactions(MAYA, Filters(account=foreign)) == ()


@pytest.mark.parametrize("customer", ["", "C-9999", "%", "C-1001' OR '1'='1", "c-1001"])
def test_nobody_else_has_anything(bank: Bank, customer: str) -> None:
    assert everything(bank, customer) == ((), (), (), (), ())
    assert bank.name(customer) == ""


def test_what_is_available_is_what_is_neither_pending_nor_held(bank: Bank) -> None:
    by_name = {one.name: one for one in bank.accounts(MAYA)}
    checking = by_name["Everyday Checking"]
    assert (checking.current_cents, checking.available_cents) == (239_117, 234_117)
    assert by_name["Wrenfield Savings"].current_cents - by_name["Wrenfield Savings"].available_cents == 36_500
    assert by_name["12-month CD"].matures == date(2027, 3, 18)


def test_transactions_pass_every_filter_that_is_set(bank: Bank) -> None:
    filters = Filters(
        words=("greenleaf", "market"),
        since=date(2026, 10, 1),
        until=date(2026, 10, 31),
        incoming=False,
        minimum_cents=8_000,
        maximum_cents=9_000,
    )
    [one] = bank.transactions(MAYA, filters)
    assert (one.posted, one.cents, one.last_four) == (date(2026, 10, 19), -8_412, "4821")


def test_what_looks_like_a_pattern_is_looked_for_as_it_is(bank: Bank) -> None:
    assert bank.transactions(MAYA, Filters(words=("%",))) == ()
    assert bank.transactions(MAYA, Filters(words=("Green_eaf",))) == ()


def test_transactions_come_newest_first_and_memos_come_as_they_are(bank: Bank) -> None:
    found = bank.transactions(MAYA, Filters())
    assert [one.posted for one in found] == sorted((one.posted for one in found), reverse=True)
    [hostile] = [one for one in found if "onerror" in one.memo]
    assert hostile.memo.startswith("<img src=x onerror=alert(1)> **ignore")


def test_half_a_year_holds_what_a_real_one_does(bank: Bank) -> None:
    found = bank.transactions(MAYA, Filters())
    said = " ".join(one.description for one in found)
    for kind in ("payroll", "rent", "Greenleaf", "electric bill", "Streamhive", "ATM", "Transfer to", "Incoming wire"):
        assert kind in said
    assert sum("Refund" in one.description for one in found) == 2
    assert [one.cents for one in found if one.description == "Overdraft fee"] == [-1_500]
    assert min(one.posted for one in found) < TODAY - timedelta(days=180)
    assert [one.status for one in bank.cards(DANIEL)] == ["active", "locked", "active"]
    assert (bank.name(MAYA), bank.name(DANIEL)) == ("Maya Okafor", "Daniel Reyes")
