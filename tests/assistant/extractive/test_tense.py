from datetime import date

import pytest

from assistant.extractive.tense import elsewhere

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
