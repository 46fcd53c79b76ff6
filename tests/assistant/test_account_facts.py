from datetime import date

from assistant import account_facts
from assistant.accounts import Account, AccountKind, Card, Hold, Transaction

DAY = date(2026, 11, 3)


def test_numbers_and_days_are_written_as_people_read_them() -> None:
    assert account_facts.dollars(123_450) == "$1,234.50"
    assert account_facts.dollars(-5) == "-$0.05"
    assert account_facts.percent(360) == "3.60%"
    assert account_facts.dated(DAY) == "November 3, 2026"
    assert account_facts.number_of(0, "loan") == "no loans"
    assert account_facts.number_of(1, "card") == "1 card"
    assert account_facts.listed(["a", "b", "c"]) == "a, b and c"


def test_a_memo_is_a_fact_of_its_own_and_loses_its_markup() -> None:
    paid = Transaction(
        account="Checking", last_four="0001", posted=DAY, cents=500, description="QuickSend", memo="<b>[hi](x)</b>"
    )
    first, second = account_facts.transaction(paid).splitlines()
    assert first == "On November 3, 2026, $5.00 came into Checking ending in 0001: QuickSend."
    assert second == 'The memo on the $5.00 of November 3, 2026 says "b hi x /b".'


def test_free_text_ends_after_eighty_characters() -> None:
    assert len(account_facts.plain("x" * 200)) == 80


def test_a_certificate_tells_when_it_matures() -> None:
    one = Account(
        id="1",
        name="12-month CD",
        kind=AccountKind.CD,
        last_four="0002",
        current_cents=100,
        available_cents=100,
        rate=400,
        matures=DAY,
    )
    assert account_facts.balance(one, DAY) == [
        "Your 12-month CD ending in 0002 has a balance of $1.00 as of November 3, 2026.",
        "Your 12-month CD ending in 0002 matures on November 3, 2026.",
        "Your 12-month CD ending in 0002 earns 4.00% APY.",
    ]


def test_a_credit_card_without_a_statement_has_no_payment_due() -> None:
    card = Card(id="1", name="Visa", last_four="0003", credit=True, status="active", limit_cents=1_000)
    assert "$10.00 of available credit" in account_facts.credit_card(card)[1]
    assert not any("due" in fact for fact in account_facts.credit_card(card))


def test_a_pending_item_and_a_hold_read_differently() -> None:
    item = Hold(account="Checking", last_four="0001", cents=100, description="Cafe", placed=DAY, pending=True)
    assert account_facts.hold(item).startswith("A pending item of $1.00 out of Checking ending in 0001")
    hold = item.model_copy(update={"pending": False, "released": DAY})
    assert account_facts.hold(hold).endswith("lasts until November 3, 2026: Cafe.")
