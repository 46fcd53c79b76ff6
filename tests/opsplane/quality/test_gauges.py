"""What is read off an exchange."""

from typing import Any

import pytest

from opsplane.quality.gauges import MEANINGS, Gauge, amount, level, read, shown
from tests.opsplane.quality.made import START, WITHHELD, told


def gauges(**changes: Any) -> dict[Gauge, float]:
    return dict(read(told("e1", START, **changes)))


def test_a_good_answer_is_good_in_everything() -> None:
    found = gauges()
    assert {found[one] for one in (Gauge.GROUNDED, Gauge.ANSWERED, Gauge.WELCOME, Gauge.SAFE, Gauge.COMPLETED)} == {1.0}


@pytest.mark.parametrize(
    ("changes", "gauge"),
    [
        ({"outcome": "abstained"}, Gauge.ANSWERED),
        ({"outcome": "declined", "code": "scope.off_topic"}, Gauge.WELCOME),
        ({"outcome": "failed"}, Gauge.COMPLETED),
        ({"findings": [WITHHELD]}, Gauge.GROUNDED),
        ({"findings": [{"code": "compliance.promise", "action": "withhold", "stage": "answer"}]}, Gauge.SAFE),
        ({"findings": [{"code": "injection.override", "action": "decline", "stage": "question"}]}, Gauge.UNATTACKED),
    ],
)
def test_what_went_wrong_is_seen_by_one_gauge(changes: dict[str, Any], gauge: Gauge) -> None:
    found = gauges(**changes)
    assert [one for one, value in found.items() if value == 0] == [gauge]


@pytest.mark.parametrize("code", ["killswitch.on", "budget.stop"])
def test_what_operators_brought_about_is_no_decline(code: str) -> None:
    assert Gauge.WELCOME not in gauges(outcome="declined", code=code)


def test_an_attack_that_is_declined_is_no_overeager_decline() -> None:
    finding = {"code": "injection.override", "action": "decline", "stage": "question"}
    assert Gauge.WELCOME not in gauges(outcome="declined", code=finding["code"], findings=[finding])


@pytest.mark.parametrize("outcome", ["stopped", "received"])
def test_a_turn_that_the_customer_left_says_nothing(outcome: str) -> None:
    assert gauges(outcome=outcome) == {}


@pytest.mark.parametrize("ms", [10, 400, 99_000])
def test_a_time_comes_back_from_its_level(ms: int) -> None:
    assert amount(level(ms, 10), 10) == pytest.approx(ms)


@pytest.mark.parametrize(("ms", "value"), [(0, 1.0), (10, 1.0), (100_000, 0.0), (10**9, 0.0)])
def test_times_beyond_the_scale_stay_at_its_ends(ms: int, value: float) -> None:
    assert level(ms, 10) == value


def test_people_read_shares_of_what_must_not_happen() -> None:
    assert shown(Gauge.GROUNDED, 0.98) == pytest.approx(2)
    assert shown(Gauge.JUDGE, 0.98) == pytest.approx(98)
    assert set(MEANINGS) == set(Gauge)
