import pytest

from assistant.extractive.lexicon import terms
from assistant.extractive.opposites import clash


@pytest.mark.parametrize(
    ("question", "statement", "verdict"),
    [
        ("What does an incoming wire cost?", "The outgoing wire fee is $25.", True),
        ("What does an incoming wire cost?", "The incoming wire fee is $0.", False),
        ("What do wires cost?", "The outgoing wire fee is $25.", False),
        ("What does an incoming wire cost?", "Incoming is free, outgoing costs $25.", False),
        ("Fee of a credit card?", "The debit card fee is $1.", True),
        ("Rate on checking?", "Wrenfield Savings pays 0.40%.", True),
        ("Deposit a check into savings?", "A savings account takes checks.", False),
    ],
)
def test_a_statement_that_names_only_the_other_side_clashes(question: str, statement: str, verdict: bool) -> None:
    assert clash(frozenset(terms(question)), frozenset(terms(statement))) is verdict
