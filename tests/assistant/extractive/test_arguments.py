from datetime import date
from typing import Any

import pytest

from assistant.extractive.arguments import read

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("What did I spend at Greenleaf Market last month",
         {"contains": "Greenleaf Market", "since": "2026-10-01", "until": "2026-10-31", "direction": "out"}),
        ("Show my last five transactions", {"limit": 5}),
        ("Show my deposits since October 1", {"since": "2026-10-01", "direction": "in"}),
        ("my purchases over $100 in checking", {"account": "checking", "direction": "out", "minimum": "100"}),
        ("my transactions between $1,000 and $2,500.50", {"minimum": "1000", "maximum": "2500.50"}),
        ("charges under $5 on the account ending in 4821",
         {"account": "4821", "direction": "out", "maximum": "5"}),
        ("When did my last paycheck come in", {"contains": "payroll", "direction": "in", "limit": 1}),
        ("Who sent me money by QuickSend in November",
         {"contains": "QuickSend", "since": "2026-11-01", "until": "2026-11-30", "direction": "in"}),
        ("How much is my Streamhive subscription", {"contains": "Streamhive", "limit": 1}),
        ("What did I pay for 'corner fork'", {"contains": "corner fork", "direction": "out"}),
        ("what did i spend at starbucks this week",
         {"contains": "starbucks", "since": "2026-11-23", "until": "2026-11-23", "direction": "out"}),
        ("How much cash did I take out of ATMs in October",
         {"contains": "ATM", "since": "2026-10-01", "until": "2026-10-31", "direction": "out"}),
        ("how much did groceries cost me last month",
         {"contains": "groceries", "since": "2026-10-01", "until": "2026-10-31", "direction": "out"}),
        ("what was my last electric bill", {"contains": "electric", "direction": "out", "limit": 1}),
        ("when did i last pay rent", {"contains": "rent", "direction": "out", "limit": 1}),
        ("did my november rent go through",
         {"contains": "rent", "since": "2026-11-01", "until": "2026-11-30", "direction": "out"}),
        ("did the wire arrive", {"contains": "wire"}),
        ("did Hearthwood refund me", {"contains": "Hearthwood", "direction": "in"}),
        ("what did netflix charge me", {"contains": "netflix", "direction": "out"}),
        ("when did i get paid last", {"contains": "payroll", "direction": "in", "limit": 1}),
        ("what did my employer pay me in october",
         {"contains": "payroll", "since": "2026-10-01", "until": "2026-10-31", "direction": "in"}),
        ("how much do i spend on eating out", {"contains": "eating out", "direction": "out"}),
        ("what did i pay for internet", {"contains": "internet", "direction": "out"}),
        ("biggest purchase this month",
         {"since": "2026-11-01", "until": "2026-11-23", "direction": "out", "limit": 1, "order": "largest"}),
        ("what subscriptions am i paying for", {"contains": "subscription", "direction": "out"}),
    ],
)  # fmt: skip
def test_transactions_are_narrowed_down_by_the_words(clause: str, expected: dict[str, Any]) -> None:
    assert read("list_transactions", clause, TODAY) == expected


def test_other_tools_take_an_account_or_nothing() -> None:
    assert read("account_balances", "What is my savings balance", TODAY) == {"account": "savings"}
    assert read("account_balances", "What are my balances", TODAY) == {}
    assert read("account_balances", "how much is in checking and savings", TODAY) == {}
    assert read("list_cards", "Is my debit card locked", TODAY) == {}
