"""McNemar's test comes out as published, and mirrors when old and new change places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsplane.evaluation.mcnemar import McNemar, compare, mcnemar, signs

counts = st.integers(0, 60)


def test_airways_before_and_after_are_as_fagerland_lydersen_and_laake_tell() -> None:
    """Their table of Bentur et al. (2009): 1, 1, 7, 12; Statistics in Medicine 33:2850 (2014)."""
    found = mcnemar(both=1, lost=7, won=1, neither=12)
    assert (found.exact, found.mid) == pytest.approx((0.0703, 0.0391), abs=5e-5)
    assert (found.difference, found.low, found.high) == pytest.approx((-0.286, -0.507, -0.026), abs=5e-4)


def test_responses_to_therapy_are_as_the_package_contingencytables_has_them() -> None:
    """Cavo et al. (2012): 59, 6, 16, 80, in that package's own test of Newcombe's interval."""
    found = mcnemar(both=59, lost=16, won=6, neither=80)
    assert (found.difference, found.low, found.high) == pytest.approx((-0.0621, -0.1186, -0.0046), abs=5e-5)


def test_a_difference_of_a_fifth_has_newcombes_own_interval() -> None:
    """36, 12, 2, 0, an example of Newcombe (1998): by method 10 from 0.0569 to 0.3404."""
    found = mcnemar(both=36, lost=2, won=12, neither=0)
    assert (found.difference, found.low, found.high) == pytest.approx((0.2, 0.0569, 0.3404), abs=5e-5)


def test_the_approval_of_a_minister_fell_as_agresti_tells() -> None:
    """794, 150, 86, 570: Agresti, "Categorical Data Analysis", 10.1: −0.04, from −0.06 to −0.02, by Wald's method."""
    found = mcnemar(both=794, lost=150, won=86, neither=570)
    assert found.difference == -0.04
    assert (found.low, found.high) == pytest.approx((-0.0586, -0.0214), abs=5e-4)
    assert found.exact == pytest.approx(3.716e-5, abs=1e-8)  # scipy.stats.binomtest(86, 236)


def test_many_cases_take_no_longer_and_do_not_overflow() -> None:
    exact, mid = signs(1_000_000, 1_004_000)
    assert 0 < mid < exact < 0.01
    assert signs(0, 3_000) == (0, 0)


def test_no_difference_is_no_evidence() -> None:
    assert signs(0, 0) == (1, 0.5)
    assert signs(4, 4) == pytest.approx((1, 1 - 70 / 512))


def test_cases_are_compared_by_name() -> None:
    found = compare({"a": True, "b": True, "c": False, "gone": True}, {"a": True, "b": False, "c": False, "new": True})
    assert found is not None
    assert (found.both, found.lost, found.won, found.neither, found.cases) == (1, 1, 0, 1, 3)
    assert compare({"a": True}, {"b": True}) is None


def test_no_case_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one case"):
        mcnemar(0, 0, 0, 0)


@given(counts, counts, counts, counts)
def test_it_mirrors_and_contains_what_was_seen(both: int, lost: int, won: int, neither: int) -> None:
    if both + lost + won + neither == 0:
        return
    one, other = mcnemar(both, lost, won, neither), mcnemar(both, won, lost, neither)
    assert (one.exact, one.mid) == (other.exact, other.mid)
    assert (one.difference, one.low, one.high) == pytest.approx((-other.difference, -other.high, -other.low), abs=2e-6)
    assert -1 <= one.low <= one.difference <= one.high <= 1
    assert 0 <= one.mid <= one.exact <= 1


def test_a_result_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="extra"):
        McNemar.model_validate({**mcnemar(1, 1, 1, 1).model_dump(), "extra": 1})
