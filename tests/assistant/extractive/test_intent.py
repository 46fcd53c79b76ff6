from datetime import date

import pytest

from assistant.extractive.intent import read

TODAY = date(2026, 11, 23)


def tools(question: str) -> list[str]:
    return [wish.tool for wish in read(question, TODAY)[0]]


@pytest.mark.parametrize(
    ("question", "tool"),
    [
        ("What's my checking balance?", "account_balances"),
        ("How much money do I have in savings?", "account_balances"),
        ("Am I overdrawn?", "account_balances"),
        ("Which accounts do I have?", "account_balances"),
        ("When does my CD mature?", "account_balances"),
        ("How much did I spend at Greenleaf last month?", "list_transactions"),
        ("Show my last five transactions", "list_transactions"),
        ("Has my paycheck arrived?", "list_transactions"),
        ("Did the wire from T Okafor arrive?", "list_transactions"),
        ("What are the latest charges on my Visa?", "list_transactions"),
        ("Have I been charged an overdraft fee?", "list_transactions"),
        ("When does my debit card expire?", "list_cards"),
        ("Which cards do I have?", "list_cards"),
        ("How much available credit do I have on my Cash Rewards Visa?", "list_cards"),
        ("When is my credit card payment due?", "list_cards"),
        ("Do I have any holds on my account?", "list_holds"),
        ("What is still pending?", "list_holds"),
        ("When is my next loan payment due?", "list_loans"),
        ("How much do I still owe on my mortgage?", "list_loans"),
    ],
)
def test_questions_about_own_accounts_ask_for_a_tool(question: str, tool: str) -> None:
    assert tools(question) == [tool]


@pytest.mark.parametrize(
    "question",
    [
        "How do I check my balance?",
        "What is the minimum balance for Premier Checking?",
        "What happens if my account is overdrawn?",
        "How long can you hold my deposit?",
        "What is the daily purchase limit of a debit card?",
        "Can I pay my loan off early?",
        "What's the most I can borrow with a personal loan?",
        "I lost my card, what number do I call?",
        "How can I dispute a charge on my credit card?",
        "What is the overdraft fee?",
        "Does my balance earn interest if it falls below $300?",
        "How much is in his checking account?",
        "What is my wife's balance and the balance of her savings account?",
        "Is there a fee for a stop payment?",
        "What is a passkey?",
    ],
)
def test_general_questions_ask_for_none(question: str) -> None:
    assert tools(question) == []


def test_what_is_left_over_goes_to_the_documents() -> None:
    wishes, rest = read("What is my checking balance and what is the overdraft fee?", TODAY)
    assert [wish.tool for wish in wishes] == ["account_balances"]
    assert rest == "what is the overdraft fee?"


def test_two_wishes_ask_for_two_tools() -> None:
    assert tools("What is my savings balance and when is my next loan payment due?") == [
        "account_balances",
        "list_loans",
    ]


def test_without_a_wish_the_question_stays_whole() -> None:
    assert read("What is the fee? And how long does it take?", TODAY) == (
        [],
        "What is the fee? And how long does it take?",
    )
