"""Facets tell values apart, and their ranges are exact."""

import pytest

from opsplane.ledger import facets
from opsplane.ledger.facets import Facet, Row, between, token

ROW = Row(
    number=1,
    at=20_000 * 86_400_000_000 + 5,
    customer="C-1001",
    actor="anna",
    outcome="answered",
    release="heron-1",
    digest="ab" * 32,
    codes=" grounding.figure pii.card ",
    tier="",
    model="",
    cost_micros=12_345,
    rating=None,
    score=None,
    reviewed=True,
)


def _places(facet: str, value: int) -> set[str]:
    row = ROW._replace(cost_micros=value, score=value)
    return {one for one in facets.of(row) if one.startswith(facet) and one[1].isdigit()}


def test_what_a_row_lacks_is_no_token() -> None:
    found = facets.of(ROW)
    assert {"o=answered", "r=heron-1", "v=1", "x=grounding.figure", "x=pii.card", "h=abababababababab"} <= set(found)
    assert not [one for one in found if one[0] in "tmgs"]


@pytest.mark.parametrize("one", ["C-1001", "c-1001", "c%2d", "ü", "a b", 'a"b', "a'b", "a*", "=", ""])
def test_tokens_are_plain_and_tell_values_apart(one: str) -> None:
    made = token(Facet.CUSTOMER, one)
    assert made.startswith("c=")
    assert set(made[2:]) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-%")
    assert [other for other in ("C-1001", "c-1001", "ü", "a b", "=", "") if token(Facet.CUSTOMER, other) == made] in (
        [one],
        [],
    )


def test_a_beginning_is_a_tokens_beginning() -> None:
    assert token(Facet.RULE, "grounding.Figure").startswith(facets.beginning(Facet.RULE, "grounding.F")[:-1])


@pytest.mark.parametrize("low", [-5, 0, 3, 9, 10, 37, 99, 100, 200])
@pytest.mark.parametrize("high", [-1, 0, 3, 10, 41, 89, 100, 10_000])
def test_a_range_holds_each_figure_in_it_once_and_no_other(low: int, high: int) -> None:
    covered = between(Facet.SCORE, low, high)
    for score in range(101):
        assert len(_places(Facet.SCORE, score) & set(covered)) == (low <= score <= high)


def test_a_round_range_is_few_tokens() -> None:
    assert between(Facet.COST, 10_000, 49_999) == ("p4=1", "p4=2", "p4=3", "p4=4")
    assert len(between(Facet.COST, 1, 10**9)) <= 9 * 10


def test_a_figure_too_large_counts_as_the_largest() -> None:
    assert _places(Facet.COST, 10**12) == _places(Facet.COST, 10**9 - 1)
    assert len(_places(Facet.COST, 10**12) & set(between(Facet.COST, 5, 10**15))) == 1
