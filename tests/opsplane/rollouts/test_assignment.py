"""Which side of a rollout a customer is on: the same for good, and moved back by no growing share."""

from statistics import correlation

from hypothesis import given
from hypothesis import strategies as st

from opsplane.rollouts import assignment
from opsplane.rollouts.assignment import WHOLE, arm, within

CUSTOMERS = [f"C-{number}" for number in range(20_000)]
SHARES = st.integers(0, WHOLE)


@given(st.text(max_size=20), st.text(max_size=20), SHARES, SHARES)
def test_whoever_is_within_a_share_is_within_every_larger_one(salt: str, customer: str, one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert within(salt, customer, large) or not within(salt, customer, small)


@given(st.text(max_size=20), st.text(max_size=20))
def test_nobody_is_within_nothing_and_everybody_within_the_whole(salt: str, customer: str) -> None:
    assert not within(salt, customer, 0)
    assert within(salt, customer, WHOLE)


def test_a_share_of_the_customers_is_within() -> None:
    for share in (100, 500, 2_500, 5_000):
        found = sum(within("salt", one, share) for one in CUSTOMERS)
        assert abs(found / len(CUSTOMERS) - share / WHOLE) < 0.01


def test_another_salt_draws_anew() -> None:
    one, other = ([within(salt, customer, 5_000) for customer in CUSTOMERS] for salt in ("one", "other"))
    assert abs(correlation(one, other)) < 0.03


def test_arms_are_equal_and_have_nothing_to_do_with_the_share() -> None:
    inside = [customer for customer in CUSTOMERS if within("salt", customer, 5_000)]
    counts = [sum(arm("salt", one, 3) == number for one in inside) for number in range(3)]
    assert all(abs(count - len(inside) / 3) < len(inside) * 0.03 for count in counts)


def test_a_customers_number_is_pinned() -> None:
    assert assignment.point("salt", "C-1001") == 4_534_903_584_490_697_047  # the beginning of sha256("salt\nC-1001")
