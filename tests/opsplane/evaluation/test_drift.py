from datetime import datetime, timedelta
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsplane.evaluation.drift import Drift, Exchangeable, drift
from opsplane.evaluation.estimate import Floats
from tests.fakes import NOON


def dated(errors: Floats) -> list[tuple[datetime, float]]:
    return [(NOON + timedelta(hours=number), float(error)) for number, error in enumerate(errors)]


def noise(labels: int, seed: int, spread: float = 0.1) -> Floats:
    return np.round(np.random.default_rng(seed).normal(0, spread, labels), 2)


def highest(values: Floats, *, both: bool = True) -> float:
    test, most = Exchangeable(both=both), 0.0
    for value in values:
        test.add(float(value))
        most = max(most, test.log_e)
    return most


def test_false_alarms_over_all_looks_are_fewer_than_allowed() -> None:
    alarms = sum(highest(noise(150, seed)) >= log(20) for seed in range(120))
    assert alarms <= 6  # 5 % of 120


def test_the_capital_does_not_grow_in_the_mean() -> None:
    tests = [Exchangeable(both=True, seed=seed) for seed in range(2_000)]
    for number, test in enumerate(tests):
        for value in noise(8, number):
            test.add(float(value))
    assert np.mean([np.exp(test.log_e) for test in tests]) == pytest.approx(1, abs=0.05)


def test_errors_that_suddenly_grow_are_found_with_the_day() -> None:
    errors = dated(np.concatenate([noise(100, 1), noise(100, 2, spread=0.4)]))
    found = drift(errors, 0.01)
    assert (found.found, found.what) == (True, "errors")
    assert found.since is not None
    assert abs(found.since - errors[100][0]) < timedelta(hours=15)
    assert found.before == pytest.approx(0.08, abs=0.02)
    assert found.now == pytest.approx(0.32, abs=0.05)


@pytest.mark.parametrize(("shift", "what"), [(0.15, "milder"), (-0.15, "stricter")])
def test_a_judge_that_moves_to_one_side_is_found(shift: float, what: str) -> None:
    errors = np.concatenate([noise(80, 3), noise(80, 4) + shift])
    assert drift(dated(errors), 0.01).what == what


def test_a_slow_change_is_found_too() -> None:
    errors = noise(400, 5) + np.linspace(0, 0.25, 400)
    assert drift(dated(errors), 0.01).what == "milder"


def test_a_judge_that_is_right_or_wrong_may_be_followed() -> None:
    draw = np.random.default_rng(6)
    wrong = (draw.random(300) < np.repeat([0.05, 0.5], 150)) * draw.choice([-1.0, 1.0], 300)
    assert drift(dated(wrong), 0.01).what == "errors"


def test_what_was_found_stays_found_when_the_judge_recovers() -> None:
    broken = dated(np.concatenate([noise(80, 1), noise(80, 2, spread=0.4), noise(400, 3)]))
    early, late = drift(broken[:160], 0.01), drift(broken, 0.01)
    assert early.since == late.since
    assert late.found


def test_labels_that_come_later_change_nothing_before() -> None:
    values = noise(60, 8)
    whole, part = Exchangeable(both=True), Exchangeable(both=True)
    seen = []
    for value in values:
        whole.add(float(value))
        seen.append(whole.log_e)
    for value in values[:30]:
        part.add(float(value))
    assert part.log_e == seen[29]


def test_no_label_and_one_label_tell_nothing() -> None:
    assert drift([], 0.01) == Drift(labels=0)
    assert not drift(dated(np.array([0.3])), 0.01).found


def test_errors_that_are_all_the_same_are_no_drift() -> None:
    assert not drift(dated(np.zeros(300)), 0.01).found


@given(st.lists(st.integers(-5, 5), max_size=40), st.integers(1, 5))
def test_only_ranks_count(values: list[int], factor: int) -> None:
    plain, scaled = Exchangeable(both=True), Exchangeable(both=True)
    for value in values:
        plain.add(value)
        scaled.add(factor * value + 3)
    assert plain.log_e == scaled.log_e
