import pytest

from assistant.extractive.ranges import fit


@pytest.mark.parametrize(
    ("question", "statement", "verdict"),
    [
        ("penalty on a 60 month CD", "Over 36 months: 365 days' interest.", 1),
        ("penalty on a 5-year CD", "For terms up to 12 months it is 90 days' interest.", -1),
        ("penalty on a 24-month CD", "Terms of 13 to 36 months lose 180 days.", 1),
        ("What does $20,000 earn?", "$10,000–$49,999.99 — APY: 2.75%", 1),
        ("What does $20,000 earn?", "$50,000 and more — APY: 3.25%", -1),
        ("What does $20,000 earn?", "below $10,000 — APY: 1.50%", -1),
        ("What does it earn?", "below $10,000 — APY: 1.50%", 0),
        ("What does $20,000 earn?", "The fee is $12.", 0),
        ("for 60 months", "over $500,000 it is 0.70%", 0),
    ],
)
def test_a_figure_is_held_against_the_ranges_of_a_statement(question: str, statement: str, verdict: int) -> None:
    assert fit(question, statement) == verdict
