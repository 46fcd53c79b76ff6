import time

import pytest

from knowledge.decompose import parts


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "Compare how long I have to dispute a card bill and a bank transfer.",
            ("how long I have to dispute a card bill", "how long I have to dispute a bank transfer"),
        ),
        (
            "How early must I hear about a change of my fees versus a drop in my savings rate?",
            (
                "How early must I hear about a change of my fees",
                "How early must I hear about a drop in my savings rate",
            ),
        ),
        (
            "What is the fee for a wire, and how long does it take?",
            ("What is the fee for a wire", "how long does it take"),
        ),
        (
            "May issuers send cards nobody asked for? What about debit cards?",
            ("May issuers send cards nobody asked for", "What about debit cards"),
        ),
        (
            "What is the difference between a hold on a cheque and a stop payment?",
            ("a hold on a cheque", "a stop payment"),
        ),
    ],
)
def test_a_question_that_asks_two_things_is_parted(question: str, expected: tuple[str, ...]) -> None:
    assert parts(question) == expected


@pytest.mark.parametrize(
    "question",
    [
        "What is the overdraft fee?",
        "Someone stole my card and I called the next day. What is the most I can lose?",
        "Can I buy and sell stocks on the same day?",
        "What are the fees and charges on a savings account?",
        "How much is a cashier's check or a money order?",
        "",
        " ? . ! ",
    ],
)
def test_an_ordinary_question_stays_whole(question: str) -> None:
    assert parts(question) == ()


def test_there_are_never_more_than_three_parts() -> None:
    assert len(parts("What is A one? " * 40)) == 3


def test_a_hostile_question_is_read_in_a_moment() -> None:
    started = time.process_time()
    for text in (
        "how a " * 100_000,
        "compare " * 100_000,
        "and what " * 100_000,
        "difference between " + "a and " * 9_999,
    ):
        parts(text)
    assert time.process_time() - started < 0.5
