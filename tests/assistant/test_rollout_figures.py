"""The numbers of a rollout as a table, a plot and a file."""

import csv
import io
import json
from datetime import timedelta
from math import log

import pytest

from assistant.charts import in_text
from assistant.rollout_figures import as_csv, difference, figure, lasting, metrics, number, points
from opsplane.rollouts.arm import Arm
from opsplane.rollouts.evidence import Look, Point, Summary
from tests import fakes

PLAN = fakes.plan()
PATH = (Point(10, 0.0, -0.02, -0.5, 0.4), Point(20, 900.0, -0.1, -0.3, 0.1))


def look(candidate: int = 1, **changes: object) -> Look:
    told: dict[str, object] = {
        "measure": PLAN.guardrails[0],
        "candidate": candidate,
        "stable": Arm(1200, 900, 0.93),
        "tried": Arm(130, 90, 0.83),
        "difference": -0.1,
        "interval": (-0.3, 0.1),
        "low": -0.25,
        "log_e": log(4.5),
        "threshold": log(20),
        "path": PATH,
    }
    return Look(**told | changes)  # type: ignore[arg-type]  # fields by name


def summary(*looks: Look) -> Summary:
    return Summary(looks, (1200, 130), (900, 90), 0.0, "", "", 7)


def test_a_metric_is_told_with_both_arms_its_difference_and_its_e_value() -> None:
    row = metrics([look()], PLAN, 0).replace("\\", "").splitlines()[2]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == [
        "answered",
        "93.0 → 83.0",
        "-10.0 (-30.0 to +10.0)",
        "4.50 of 20",
        "25.0; 20.0 is borne (900 and 90 customers)",
    ]


def test_what_is_borne_shrinks_from_step_to_step() -> None:
    told = [metrics([look()], PLAN, step).replace("\\", "") for step in range(3)]
    assert [one.split("; ")[1].split(" is borne")[0] for one in told] == ["20.0", "10.0", "10.0"]


def test_a_metric_that_nothing_is_known_of_says_so() -> None:
    nothing = look(
        stable=Arm(0, 0, None), tried=Arm(0, 0, None), difference=None, interval=None, low=None, log_e=0.0, path=()
    )
    assert "| — → — | — | 1.00 of 20 | not known yet; 20.0 is borne (0 and 0 customers) |" in metrics(
        [nothing], PLAN, 0
    ).replace("\\", "")


def test_the_figure_is_plain_json_on_a_log_axis_with_a_dashed_threshold() -> None:
    found = figure(summary(look()), ["test-2@abc"])
    assert found is not None
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    path, dashed = found["data"]
    assert (path["name"], path["x"], path["y"][0]) == ("answered", [10, 20], 1.0)
    assert (dashed["line"]["dash"], dashed["x"], dashed["y"][0]) == ("dash", [10, 20], pytest.approx(20))
    assert found["layout"]["yaxis"]["type"] == "log"
    assert "● answered  ╌ certain harm" in in_text(found)


def test_lines_of_several_candidates_name_them() -> None:
    found = figure(summary(look(1), look(2)), ["test-2@abc", "test-3@def"])
    assert found is not None
    names = [trace["name"] for trace in found["data"]]
    assert names == ["test-2@abc: answered", "test-3@def: answered", "certain harm"]


def test_without_a_point_there_is_no_figure() -> None:
    assert figure(summary(look(path=())), ["test-2"]) is None


def test_the_file_holds_every_point_as_numbers() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(summary(look()), ["=test"]).decode("utf-8-sig"))))
    assert [row["exchanges"] for row in rows] == ["10", "20"]
    assert (rows[1]["log_e"], rows[1]["low"]) == ("900.000000", "-0.300000")
    assert {row["candidate"] for row in rows} == {"'=test"}


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "none"), (40, "40 s"), (720, "12 min"), (12_000, "3 h 20 min"), (180_000, "2 d 2 h")]
)
def test_times_are_told_in_their_largest_units(seconds: int, told: str) -> None:
    assert lasting(timedelta(seconds=seconds)) == told


def test_numbers_are_told_as_people_read_them() -> None:
    assert [number(value) for value in (0.5, 12.3, 1e13)] == ["0.50", "12", "1e+13"]
    assert (points(0.125), difference(0.01, None), difference(None, None)) == ("12.5", "+1.0", "—")
