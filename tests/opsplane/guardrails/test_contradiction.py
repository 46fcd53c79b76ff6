import pytest

from opsplane.guardrails import contradiction, statement

WIRE = "A domestic wire costs $25 online and $30 in a branch when it is sent before 4:00 p.m."


def codes(claim: str, source: str) -> set[str]:
    mine, theirs = statement.read(claim), statement.read(source)
    near = contradiction.nearness(mine, theirs)
    return {conflict.code.removeprefix("grounding.") for conflict in contradiction.compare(mine, mine, theirs, near)}


@pytest.mark.parametrize(
    ("claim", "source", "code"),
    [
        ("The card is not accepted abroad.", "The card is accepted abroad.", "negation"),
        ("The card is rejected abroad.", "The card is accepted abroad.", "negation"),
        ("Gifts are required by the bank.", "Gifts are optional at the bank.", "negation"),
        ("Wires are not free.", "Wires are free.", "negation"),
        ("The fee is refunded after closing.", "The fee is refunded before closing.", "negation"),
        ("You may send at least $500 a day.", "You may send at most $500 a day.", "condition"),
        ("You may send $500 a month by phone.", "You may send $500 a day by phone.", "condition"),
        ("The bank always answers letters.", "The bank usually answers letters.", "condition"),
        ("Every Monday the branch opens late.", "Every Friday the branch opens late.", "condition"),
        ("The card costs $15 a year.", "The card costs $12 a year.", "figure"),
        ("The bank in Dover sends letters.", "The bank in Perth sends letters.", "name"),
    ],
)
def test_one_change_turns_the_meaning(claim: str, source: str, code: str) -> None:
    assert code in codes(claim, source)


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("The card is not rejected abroad.", "The card is accepted abroad."),
        ("The money is available after Tuesday.", "The money is not available until Tuesday."),
        ("We do not charge a wire fee.", "There is no wire fee."),
        ("You must not pay if the balance is at least $300.", "You must pay unless the balance is at least $300."),
        ("We do not keep any copies.", "We keep no copies."),
    ],
)
def test_two_changes_bring_it_back(claim: str, source: str) -> None:
    assert codes(claim, source) == set()


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        ("A domestic wire costs $30 online and $25 in a branch when it is sent before 4:00 p.m.", "figure"),
        ("A domestic wire costs $25 when it is sent before 4:00 p.m.", "condition"),
        ("A domestic wire costs $25 online.", "condition"),
    ],
)
def test_what_a_sentence_tells_apart_stays_apart(claim: str, code: str) -> None:
    assert code in codes(claim, WIRE)


def test_an_opposite_counts_as_near() -> None:
    near = contradiction.nearness(statement.read("It is allowed here."), statement.read("It is prohibited here."))
    assert near.forward == 1.0
