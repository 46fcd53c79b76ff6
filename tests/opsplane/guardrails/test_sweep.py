"""The trade-off of a threshold on labelled rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsplane.guardrails.sweep import Scored, auroc, choose, curve, wilson

ROWS = [Scored(0.9, True), Scored(0.8, True), Scored(0.7, False), Scored(0.4, True), Scored(0.2, False)]
TURNED = [Scored(1 - row.score, row.bad) for row in ROWS]
SCORED = st.lists(st.builds(Scored, st.integers(0, 10).map(lambda n: n / 10), st.booleans()), min_size=1)


def test_without_any_good_blocked_the_mildest_threshold_that_catches_most_is_chosen() -> None:
    chosen = choose(curve(ROWS, below=False), 0.0)
    assert chosen
    assert (chosen.threshold, chosen.bad, chosen.good) == (0.8, 2, 0)


def test_more_is_caught_where_more_good_may_be_blocked() -> None:
    chosen = choose(curve(ROWS, below=False), 0.5)
    assert chosen
    assert (chosen.threshold, chosen.bad, chosen.good) == (0.4, 3, 1)


def test_a_check_that_blocks_below_its_threshold_is_the_mirror_image() -> None:
    chosen = choose(curve(TURNED, below=True), 0.0)
    assert chosen
    assert (chosen.bad, chosen.good) == (2, 0)
    assert 0.2 < chosen.threshold <= 0.3
    assert auroc(TURNED, below=True) == pytest.approx(auroc(ROWS, below=False))


def test_where_nothing_can_be_caught_nothing_is_chosen() -> None:
    assert choose(curve([Scored(0.9, False), Scored(0.1, True)], below=False), 0.0) is None


@given(SCORED, st.booleans(), st.floats(0, 1))
def test_any_threshold_blocks_what_the_check_itself_would(rows: list[Scored], below: bool, threshold: float) -> None:
    blocked = [row for row in rows if (row.score < threshold if below else row.score >= threshold)]
    found = curve(rows, below=below).at(threshold)
    if below and any(row.score < threshold < row.score + 1e-4 for row in rows):
        return  # closer than thresholds are written
    assert found.bad == sum(row.bad for row in blocked)
    assert found.good == sum(not row.bad for row in blocked)


@given(SCORED)
def test_the_auroc_counts_pairs(rows: list[Scored]) -> None:
    pairs = [(bad.score, good.score) for bad in rows for good in rows if bad.bad and not good.bad]
    found = auroc(rows, below=False)
    if not pairs:
        assert found is None
        return
    assert found == pytest.approx(sum((b > g) + (b == g) / 2 for b, g in pairs) / len(pairs))


def test_the_interval_of_a_share() -> None:
    low, high = wilson(9, 10)  # 0.5958 to 0.9821 by the published formula
    assert (round(low, 4), round(high, 4)) == (0.5958, 0.9821)
    assert wilson(0, 0) == (0.0, 1.0)
