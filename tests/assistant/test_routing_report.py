"""The frontier in words, as a page and as a picture."""

import json
import re
from functools import cache
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from assistant import routing_figure, routing_page, routing_report
from assistant.estimate import Estimate
from assistant.routing_figure import Scale
from assistant.routing_measuring import Measured
from assistant.routing_report import Told
from opsplane.evaluation.frontier import Frontier, Goal, Side, Trial, explore
from opsplane.release import Routing
from opsplane.routing import Signals
from tests.assistant.assessed import HOSTILE


@cache
def frontier(cases: int = 60, cost: int = 100, at_most: float | None = None) -> Frontier:
    """A third of the questions is long and wants Pro."""
    near = (("a", 0.9), ("b", 0.5))
    trials = [
        Trial(
            (Signals(words=25 if number % 3 == 0 else 5, near=near),),
            Side(float(number % 3 > 0), cost),
            Side(1.0, 10 * cost),
        )
        for number in range(cases)
    ]
    return explore(trials, Routing(pro_from_words=30, escalate="once"), Goal(at_most=at_most))


def measured(**changes: Any) -> Measured:
    data: dict[str, Any] = {"trials": (), "words": "cases passed", "judge": ""}
    return Measured(**data | dict.fromkeys(("unscored", "failed", "missing", "known", "spent_micros"), 0) | changes)


def told(found: Frontier | None = None, dataset: str = "golden", **changes: Any) -> Told:
    found = found or frontier()
    return Told(
        found, measured(**changes), "heron-7", "a" * 64, "flash-model", "pro-model", dataset, "b" * 64, "passed"
    )


def test_the_report_has_both_tiers_the_release_and_the_recommendation() -> None:
    text = routing_report.as_markdown(told()).replace("\\", "")
    assert "| always Flash | 0.667" in text
    assert "| always Pro | 1.000 (1.000 to 1.000) | 1,000 | 100.0 % | — | — |" in text
    assert "| ● from 30 words or from 4 documents, escalating | 0.667" in text
    assert "| ★ from 10 words | 1.000 (1.000 to 1.000) | 400 | 33.3 %" in text
    assert "-60 % against always Pro, +300 % against now" in text


def test_the_fragment_is_yaml_that_a_release_takes_with_its_evidence() -> None:
    fragment = routing_report.fragment(told())
    assert "# from 10 words: quality 1.00" in fragment
    chosen = frontier().chosen
    assert chosen is not None
    assert Routing.model_validate(yaml.safe_load(fragment)["routing"]) == chosen.policy


def test_a_name_with_line_breaks_stays_in_its_comment() -> None:
    fragment = routing_report.fragment(told(dataset="x\nmodels: {}"))
    assert list(yaml.safe_load(fragment)) == ["routing"]


def test_tiers_that_cost_nothing_are_said_to_and_have_no_column_of_costs() -> None:
    text = routing_report.as_markdown(told(frontier(cost=0)))
    assert "Both tiers cost nothing here" in text.replace("\\", "")
    assert "Micro" not in text
    assert "questions that Pro answers, %" in routing_page.as_html(told(frontier(cost=0)))


def test_what_is_missing_is_told() -> None:
    text = routing_report.as_markdown(told(missing=3, unscored=2, failed=1)).replace("\\", "")
    assert "3 cases were not answered" in text
    assert "2 cases have no number" in text
    assert "In 1 cases an answer broke off" in text


def test_without_a_recommendation_there_is_no_fragment() -> None:
    few = told(frontier(12))
    assert routing_report.fragment(few) == ""
    assert "too few to recommend" in routing_report.as_markdown(few)
    assert "too few to recommend" in routing_page.as_html(few)


def test_the_release_that_is_recommended_to_itself_is_told_so() -> None:
    assert "no other than the release as it is" in routing_report.advice(told(frontier(at_most=100)))


def test_the_json_has_every_setting() -> None:
    found = json.loads(json.dumps(routing_report.as_json(told())))
    assert len(found["points"]) == len(frontier().points)
    assert (found["dataset"], found["chosen"]["micros"], found["spent_micros"]) == ("golden", 400, 0)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (Estimate(8, 0), "4 cases on two tiers, 8 questions to be asked, at no cost."),
        (Estimate(8, 1_500_000), "for about $1.500000."),
        (Estimate(8, 0, ("x:y",)), "the price of x:y is not known."),
    ],
)
def test_what_it_will_cost_is_said_before(expected: Estimate, words: str) -> None:
    assert words in routing_report.before(4, expected)


def test_what_it_cost_is_said_after() -> None:
    assert routing_report.after(measured(known=8)) == "8 answers were known from before; spent nothing."
    assert "spent $0.000500" in routing_report.after(measured(spent_micros=500))


def test_the_page_needs_nothing_from_anywhere() -> None:
    page = routing_page.as_html(told())
    assert "default-src 'none'" in page
    assert not re.search(r"<script|src=|href=\"(?!#)|url\(|@import", page)


def test_nothing_on_the_page_comes_to_life() -> None:
    page = routing_page.as_html(told(dataset=HOSTILE, words=HOSTILE, judge=HOSTILE))
    assert not re.search(r"<(script|img)", page)
    assert "\x1b" not in page


def test_the_picture_is_well_formed_and_marks_what_has_a_name() -> None:
    (picture,) = re.findall(r"<svg class=\"plot\" viewBox=\"0 0 760.*?</svg>", routing_page.as_html(told()), re.DOTALL)
    names = [one.text for one in ElementTree.fromstring(picture).iter("text") if one.get("class") == "name"]
    assert names == ["always Flash", "always Pro", "as the release is", "recommended"]
    assert "cost of a question, micro-dollars" in picture


def test_without_a_question_nothing_is_drawn() -> None:
    nothing = told(frontier(0))
    assert routing_figure.as_svg(frontier(0), "cases passed") == ""
    assert "<table" not in routing_page.as_html(nothing)


@pytest.mark.parametrize("values", [[], [0.0], [3.0], [0.5, 0.5], [0.0, 1e9], [1e-7, 2e-7]])
def test_a_scale_holds_its_values_between_a_few_round_ticks(values: list[float]) -> None:
    scale = Scale.of(values, 0, 100)
    assert 2 <= len(scale.ticks) <= 12
    assert all(-1e-6 <= scale.at(value) <= 100 + 1e-6 for value in values)
