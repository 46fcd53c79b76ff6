import pytest

from assistant.conversation import standalone
from opsplane.exchange import Earlier


def after(text: str, *before: str) -> str:
    return standalone(text, [Earlier(question=question, answer="") for question in before])


@pytest.mark.parametrize(
    ("before", "text", "whole"),
    [
        ("What is the monthly fee for Everyday Checking?", "and for savings?", "What is the monthly fee for savings?"),
        ("What is the monthly fee for Everyday Checking?", "And Premier Checking?",
         "What is the monthly fee for Premier Checking?"),
        ("How much is a domestic wire online?", "what about in a branch?", "How much is a domestic wire in a branch?"),
        ("How much is a domestic wire online?", "and international?", "How much is a international wire online?"),
        ("What does an incoming wire cost?", "and outgoing?", "What does an outgoing wire cost?"),
        ("What is the late fee on a personal loan?", "and on an auto loan?", "What is the late fee on a auto loan?"),
        ("What's my checking balance?", "and savings?", "What's my savings balance?"),
        ("How much did I spend at Greenleaf last month?", "and this month?",
         "How much did I spend at Greenleaf this month?"),
        ("How much did I spend in October?", "what about September?", "How much did I spend in September?"),
        ("What does a replacement card cost?", "for students?", "What does a replacement card cost for students?"),
        ("How much can I send with QuickSend in a day?", "and over 30 days?",
         "How much can I send with QuickSend in a day over 30 days?"),
    ],
)  # fmt: skip
def test_a_fragment_takes_the_place_of_its_like(before: str, text: str, whole: str) -> None:
    assert after(text, before) == whole


@pytest.mark.parametrize(
    ("before", "text", "topic"),
    [
        ("What is the overdraft fee?", "how can I avoid it?", "overdraft fee"),
        ("What is the paper statement fee?", "does someone over 65 have to pay that?", "paper statement fee"),
        ("Do you offer a HELOC?", "is there an annual fee for it?", "HELOC"),
        ("What is the overdraft fee?", "why?", "overdraft fee"),
        ("What is NextDay Grace?", "how long?", "NextDay Grace"),
        ("What is a rate lock?", "how much is it then?", "rate lock"),
        ("When is my credit card payment due?", "What is the minimum I have to pay?", "my credit card payment due"),
        ("How do I dispute a card charge?", "What is the deadline?", "dispute a card charge"),
    ],
)
def test_a_question_that_points_back_gets_its_topic(before: str, text: str, topic: str) -> None:
    whole = after(text, before)
    assert topic in whole
    assert whole.lower().startswith(text.rstrip("?").lower())


@pytest.mark.parametrize(
    "text",
    [
        "What is the overdraft fee?",
        "How do I open a Student Checking account?",
        "Is there a fee for a stop payment?",
        "Is it possible to cancel a wire transfer?",
        "What is the APY on the 12-month certificate this month?",
        "Can you tell me that my deposits are insured by the FDIC?",
        "So how much does a cashier's check cost?",
        "I lost my debit card, what should I do?",
        "What's my savings balance?",
        "Do mobile deposits made after 9 p.m. count today?",
    ],
)
def test_a_whole_question_is_left_alone(text: str) -> None:
    assert after(text, "What is the monthly fee for Premier Checking?") == text


def test_without_an_earlier_question_nothing_changes() -> None:
    assert standalone("and for savings?", []) == "and for savings?"
    assert standalone("", []) == ""


def test_follow_ups_of_follow_ups_are_completed_in_turn() -> None:
    whole = after("and in a branch?", "What does a domestic wire cost online?", "and international?")
    assert whole == "What does a international wire cost in a branch?"


def test_a_new_subject_ends_the_old_one() -> None:
    assert after("and by phone?", "What is a wire fee online?", "What does a stop payment cost online?") == (
        "What does a stop payment cost by phone?"
    )


@pytest.mark.parametrize("text", ["asdkjh qwe zzz??", "qwertz", "lorem ipsum dolor", "blah blah"])
def test_mere_letters_do_not_ask_the_question_before_again(text: str) -> None:
    before = (Earlier(question="What is my checking balance?", answer="It is $80.00."),)
    assert standalone(text, before) == text
