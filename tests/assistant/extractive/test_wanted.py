import pytest

from assistant.extractive.wanted import kinds


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("How much is a wire?", "It costs $25.", "It leaves the same day."),
        ("What is the APY?", "It pays 0.40% APY.", "It needs $25 to open."),
        ("How long does it take?", "It takes 1–3 business days.", "It is quick."),
        ("When is the cut-off?", "The cut-off is 4:00 p.m.", "It is late."),
        ("How many withdrawals are free?", "There are six free ones.", "They are free."),
        ("What number do I call?", "Call 1-800-555-0142.", "Call us."),
    ],
)
def test_an_answer_holds_what_the_question_asks_for(question: str, right: str, wrong: str) -> None:
    assert any(kind.holds.search(right) for kind in kinds(question))
    assert not any(kind.holds.search(wrong) for kind in kinds(question))


def test_an_open_question_asks_for_nothing_special() -> None:
    assert kinds("What is a passkey?") == ()
