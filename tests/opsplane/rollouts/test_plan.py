"""Plans as people write them: right, and each way of writing them wrong."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from opsplane.errors import InvalidRelease, NotFound
from opsplane.rollouts import plan
from opsplane.rollouts.plan import Plan, percent
from tests import fakes

SHIPPED = Path(__file__).parents[3] / "assistant" / "plans"


def test_every_plan_that_ships_can_be_read() -> None:
    plans = plan.load_all(SHIPPED)
    assert sorted(plans) == ["experiment", "quick", "shadow", "standard"]
    assert [step.parts for step in plans["standard"].steps] == [100, 500, 2500, 5000]


@pytest.mark.parametrize("one", plan.load_all(SHIPPED).values(), ids=lambda one: one.id)
def test_the_canonical_bytes_read_back_are_the_same_plan(one: Plan) -> None:
    again = Plan.model_validate_json(one.canonical())
    assert (again, again.digest) == (one, one.digest)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": [{"share": 10}, {"share": 5}]}, "shares must grow"),
        ({"steps": [{"share": 10}, {"share": 10}]}, "shares must grow"),
        ({"steps": [{"share": 101}]}, "less than or equal to 100"),
        ({"steps": [{"share": 0}]}, "greater than 0"),
        ({"steps": [{"share": 1.234}]}, "2 decimal places"),
        ({"steps": []}, "at least 1 item"),
        ({"guardrails": []}, "at least 1 item"),
        ({"guardrails": [{"metric": "fast", "harm": 0.1}]}, "needs a cap"),
        ({"guardrails": [{"metric": "answered", "harm": 0.1, "cap": 5}]}, "takes no cap"),
        ({"guardrails": [{"metric": "thumbs", "harm": 0.1}]}, "come late"),
        ({"guardrails": [{"metric": "answered", "harm": 0}]}, "greater than 0"),
        ({"guardrails": [{"metric": "happiness", "harm": 0.1}]}, "'answered', 'completed'"),
        ({"quality": [{"metric": "answered", "harm": 0.1}]}, "named twice"),
        ({"kind": "shadow"}, "has one step"),
        ({"steps": [{"share": 10, "hold": "3 weeks"}]}, "written like 30m"),
        ({"steps": [{"share": 10, "hold": "20d"}]}, "before the hold times are over"),
        ({"approvers": ["customer"]}, "name roles of staff"),
        ({"approvers": []}, "name roles of staff"),
        ({"surprise": 1}, "Extra inputs"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        fakes.plan(**changes)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("90s", timedelta(seconds=90)), ("1h30m", timedelta(minutes=90)), ("2d", timedelta(days=2)), ("0s", timedelta())],
)
def test_durations_are_written_short(written: str, meant: timedelta) -> None:
    assert fakes.plan(steps=[{"share": 5, "hold": written}]).steps[0].hold == meant


def test_a_wrong_file_is_told_with_line_and_field(tmp_path: Path) -> None:
    (tmp_path / "down.yaml").write_text(
        "id: down\nsteps:\n  - {share: 120}\nguardrails: [{metric: answered, harm: 1}]\n"
    )
    with pytest.raises(InvalidRelease, match=r"down.yaml: line 3: steps.0.share"):
        plan.load_all(tmp_path)


def test_two_files_of_one_id_are_refused(tmp_path: Path) -> None:
    text = "id: one\nsteps: [{share: 5}]\nguardrails: [{metric: answered, harm: 0.1}]\n"
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(text)
    with pytest.raises(InvalidRelease, match="'one' is used by another file too"):
        plan.load_all(tmp_path)


def test_an_unknown_plan_is_told_with_the_known_ones() -> None:
    with pytest.raises(NotFound, match="Known plans: test"):
        plan.find(fakes.plans(), "standart")


def test_less_harm_is_borne_the_more_customers_come_next() -> None:
    standard = plan.load_all(SHIPPED)["standard"]
    borne = [standard.borne(standard.guardrails[0], step) for step in range(len(standard.steps))]
    assert borne == pytest.approx([0.4, 0.08, 0.04, 0.02])


@pytest.mark.parametrize(("parts", "words"), [(100, "1 %"), (1234, "12.34 %"), (1250, "12.5 %"), (50, "0.5 %")])
def test_shares_are_read_as_people_write_them(parts: int, words: str) -> None:
    assert percent(parts) == words
