from datetime import date

import pytest

from assistant.extractive.tense import Period, asked, covers, elsewhere, timeless

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "question", "verdict"),
    [
        ("Until June 30, 2026 the fee was $29.", "What is the overdraft fee?", True),
        ("Until June 30, 2026 the fee was $29.", "What was the overdraft fee before July?", False),
        ("From January 1, 2027 the fee is $10.", "What is the monthly fee?", True),
        ("From January 1, 2027 the fee is $10.", "What will the monthly fee be next year?", False),
        ("Since July 1, 2026 the fee is $15.", "What is the overdraft fee?", False),
        ("The fee is $15.", "What is the overdraft fee?", False),
        ("From February 31, 2027 on.", "What is the fee?", False),
    ],
)
def test_a_statement_about_another_time_is_known(text: str, question: str, verdict: bool) -> None:
    assert elsewhere(text, question, TODAY) is verdict


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("What was the overdraft fee in March 2026?", date(2026, 3, 1), date(2026, 3, 31)),
        ("what did the 12 month cd pay last year", date(2025, 1, 1), date(2025, 12, 31)),
        ("What will the monthly fee be next year?", date(2027, 1, 1), date(2027, 12, 31)),
        ("What was the fee before July?", date(2026, 6, 30), date(2026, 6, 30)),
        ("What was the fee in December?", date(2025, 12, 1), date(2025, 12, 31)),
        ("What will the fee be after December 2026?", date(2027, 1, 1), date(2027, 1, 1)),
    ],
)
def test_a_question_may_ask_about_another_time(question: str, first: date, last: date) -> None:
    assert asked(question, TODAY) == Period(first, last)


@pytest.mark.parametrize(
    "question",
    [
        "What is the overdraft fee?",
        "I opened a CD in 2024, what is the penalty?",
        "It was 3.85% in September. Is that still what I earn?",
        "May I deposit a check in March?",
        "What did you charge on $2000?",
        "How much can I put in this year, 2026?",
    ],
)
def test_a_question_about_today_has_no_other_time(question: str) -> None:
    assert asked(question, TODAY) is None


@pytest.mark.parametrize(
    ("text", "effective", "verdict"),
    [
        ("The fee is $15.", "2026-07-01", False),
        ("The fee is $15.", "2025-07-01", True),
        ("The fee is $15.", "", False),
        ("Until June 30, 2026 the fee was $29.", "2026-07-01", True),
        ("Since July 1, 2026 the fee is $15.", "2025-07-01", False),
        ("In 2026 the limit is $7,500.", "2026-07-01", True),
    ],
)
def test_a_statement_holds_for_the_time_it_or_its_source_is_dated(text: str, effective: str, verdict: bool) -> None:
    assert covers(text, effective, Period(date(2026, 3, 1), date(2026, 3, 31)), TODAY) is verdict


def test_months_and_years_are_taken_out() -> None:
    assert timeless("What was the fee in March 2026 online?") == "What was the fee online?"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("From January 1, 2027 the fee is $10.", True),
        ("A CD opened on November 2, 2026 earns $200.", False),
        ("The fee is $8.", False),
    ],
)
def test_only_what_is_announced_holds_for_a_time_to_come(text: str, verdict: bool) -> None:
    assert covers(text, "2026-07-01", Period(date(2027, 6, 1), date(2027, 6, 30)), TODAY) is verdict
