import pytest

from opsplane.guardrails import amounts, reading, statement

SOURCE = (
    "The wire fee is $25 online and $30 in a branch. A stop payment costs $15. The monthly fee of Everyday Checking is "
    "$8 a month. The late fee is 5% of the payment."
)


def wrong(text: str) -> list[str]:
    claim = statement.read(text)
    return [conflict.span for conflict in amounts.judge(claim, [claim], [reading.read(SOURCE)])[1]]


@pytest.mark.parametrize(
    "text",
    [
        "A wire in a branch costs $5 more than online.",
        "A stop payment and an online wire cost $40 together.",
        "Two stop payments cost $30.",
        "Four stop payments of $15 add up to $60.",
        "Everyday Checking costs $96 a year in monthly fees.",
        "A wire in a branch costs twice as much as a stop payment.",
        "On a payment of $200 the late fee is $10.",
        "The online wire fee is about 83% of the branch fee.",
    ],
)
def test_what_was_worked_out_rightly_needs_no_source(text: str) -> None:
    assert wrong(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "A wire in a branch costs $6 more than online.",
        "A stop payment and an online wire cost $45 together.",
        "Two stop payments cost $35.",
        "Four stop payments of $15 add up to $65.",
        "Everyday Checking costs $90 a year in monthly fees.",
        "A wire online costs twice as much as a stop payment.",
        "On a payment of $200 the late fee is $12.",
    ],
)
def test_what_was_worked_out_wrongly_is_refused(text: str) -> None:
    assert len(wrong(text)) == 1


def test_more_figures_than_can_be_checked_are_refused() -> None:
    assert wrong(" ".join(f"${number} and" for number in range(100, 150))) != []
