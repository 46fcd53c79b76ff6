import pytest

from opsplane.guardrails import conditions


def found(text: str) -> list[list[str]]:
    return [[condition.text for condition in clause.conditions] for clause in conditions.clauses(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Wires are free for Premier customers.", [["for Premier customers."]]),
        ("You get the money back if you report it.", [["if you report it."]]),
        ("The fee is waived unless you close the account.", [["unless you close the account."]]),
        ("Deposits count on that day before 8:00 p.m.", [["before 8:00 p.m."]]),
        ("You may withdraw up to $500.", [["up to $500."]]),
        ("The bank sends a statement every month.", [[]]),
    ],
)
def test_conditions_are_found_with_what_they_rule(text: str, wanted: list[list[str]]) -> None:
    assert found(text) == wanted


def test_a_condition_at_the_head_rules_the_whole_sentence() -> None:
    assert found("If you report it, you get the money back, and we send a card.") == [["If you report it"]] * 2


def test_a_condition_ends_at_the_semicolon() -> None:
    assert found("If you report it, you get the money back; we send a card.") == [["If you report it"], []]


def test_a_condition_before_the_subject_needs_no_comma() -> None:
    assert found("After 60 days you may close the account.") == [["After 60 days"]]


def test_an_aside_has_no_condition_for_the_rest() -> None:
    assert found("The owner may charge, which the screen shows before you confirm.") == [[], []]


def test_each_of_several_conditions_may_suffice() -> None:
    clause = conditions.clauses("No fee is charged when you are under 18, or when you keep $300.")[0]
    assert [condition.choice for condition in clause.conditions] == [False, True]
