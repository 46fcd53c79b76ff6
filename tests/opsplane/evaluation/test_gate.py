from collections.abc import Sequence
from typing import Any

import pytest

from opsplane.evaluation import comparison, gate
from opsplane.evaluation.gate import Decision, Demand, Line, Verdict
from opsplane.evaluation.report import Report
from opsplane.evaluation.scoring import Better, How
from opsplane.policy import Gate, load
from tests import reports
from tests.reports import measure, report

Values = Sequence[float | None]


def demands(name: str = "facts", **threshold: Any) -> Gate:
    return Gate.model_validate({"measures": {name: threshold}})


def decided(new: Report, asked: Gate, old: Report | None = None, *, votes: bool = True) -> Decision:
    return gate.decide(new, asked, votes=votes, against=comparison.compare(old, new) if old else None)


def line(values: Values, before: Values | None = None, **threshold: Any) -> Line:
    found = decided(report(values), demands(**threshold), report(before) if before else None)
    return found.lines[0]


def lost(cases: int, of: int = 100) -> Values:
    return [0.0] * cases + [1.0] * (of - cases)


@pytest.mark.parametrize(("wrong", "verdict"), [(10, "passed"), (11, "failed")])
def test_the_mean_must_reach_the_least(wrong: int, verdict: str) -> None:
    assert line(lost(wrong), least=0.9).verdict == verdict


@pytest.mark.parametrize(("most", "verdict"), [(300, "passed"), (299, "failed")])
def test_the_mean_may_not_exceed_the_most(most: float, verdict: str) -> None:
    known = [measure("cost", better=Better.LOWER, unit="micros")]
    found = decided(report([200, 400] * 20, "cost", measures=known), demands("cost", most=most))
    assert found.verdict == verdict


def test_the_cases_that_broke_it_are_named_worst_first() -> None:
    found = line([0.5, 0.0, *[1.0] * 20, None], least=1)
    assert (found.verdict, found.broke) == (Verdict.FAILED, ("c001", "c000", "c022"))
    assert found.reason == "0.932 where at least 1 is wanted"


def test_what_three_decimals_would_hide_is_told() -> None:
    assert line([0.9499] * 20, least=0.95).reason == "0.9499 where at least 0.95 is wanted"


def test_a_case_that_nobody_scored_neither_passes_nor_fails() -> None:
    assert line([*[1.0] * 20, None], least=1).verdict is Verdict.INCONCLUSIVE
    assert line([*lost(10), None], least=0.7).verdict is Verdict.PASSED
    assert line([*lost(40), None], least=0.7).verdict is Verdict.FAILED


def test_many_unscored_cases_are_too_many_where_no_worst_is_known() -> None:
    known = [measure("cost", better=Better.LOWER, unit="micros")]
    values: Values = [*[200.0] * 30, None, None]
    found = decided(report(values, "cost", measures=known), demands("cost", most=300))
    assert found.lines[0].reason == "2 of 32 cases are unscored: too many"


def test_a_measure_nobody_scored_or_on_too_few_cases_is_inconclusive() -> None:
    assert line([None] * 30, least=0).reason == "scored on 0 cases only; at least 20 are needed"
    assert line([1.0] * 19, least=0).verdict is Verdict.INCONCLUSIVE
    assert line([1.0] * 20, least=0).verdict is Verdict.PASSED
    missing = decided(report([1.0] * 20), demands("colour", least=0.5)).lines[0]
    assert (missing.verdict, missing.reason) == (Verdict.INCONCLUSIVE, "it was not measured")


def test_a_planted_loss_fails() -> None:
    found = line(lost(12), lost(0), margin=0.05)
    assert (found.verdict, found.found) == (Verdict.FAILED, -0.12)
    assert found.broke == tuple(f"c{number:03}" for number in range(12))


def test_a_loss_within_the_margin_passes() -> None:
    assert line(lost(2, of=300), lost(0, of=300), margin=0.05).verdict is Verdict.PASSED
    assert line(lost(5), lost(5), margin=0.0).verdict is Verdict.PASSED


def test_noise_is_neither_a_pass_nor_a_failure() -> None:
    new, old = [0.0, 1.0] * 20, [1.0, 0.0] * 20
    found = line([*new, 0.0, 0.0], [*old, 1.0, 1.0], margin=0.03)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "it may have lost more than 0.03, or may not" in found.reason


def test_a_small_but_certain_loss_that_may_exceed_the_margin_is_inconclusive() -> None:
    assert line(lost(4), lost(0), margin=0.05).verdict is Verdict.INCONCLUSIVE


def test_more_is_a_loss_where_lower_is_better() -> None:
    known = [measure("cost", better=Better.LOWER, unit="micros")]
    cheap, dear = (report([value] * 30, "cost", measures=known) for value in (300, 400))
    asked = demands("cost", margin=50)
    assert decided(dear, asked, cheap).verdict is Verdict.FAILED
    assert decided(cheap, asked, dear).verdict is Verdict.PASSED


def test_a_margin_needs_a_comparison() -> None:
    assert "no report of the release that serves" in line([1.0] * 30, margin=0.1).reason
    assert line([1.0] * 19, [1.0] * 19, margin=0.1).reason.startswith("compared on 19 cases only")
    old = report([1.0] * 30, measures=[measure(digest="facts-0")])
    assert "different versions" in decided(report([1.0] * 30), demands(margin=0.1), old).reason
    old = report([1.0] * 29, asked=30)
    assert "1 cases were answered by one" in decided(report([1.0] * 30), demands(margin=0.1), old).reason


def test_a_release_that_says_nothing_any_more_does_not_pass_by_it() -> None:
    found = line([*[None] * 5, *[1.0] * 60], [1.0] * 65, margin=0.05)
    assert (found.verdict, found.reason[:44]) == (Verdict.INCONCLUSIVE, "5 cases have a number of the release that se")
    assert line([*[None] * 3, *[1.0] * 62], [1.0] * 65, margin=0.05).verdict is Verdict.PASSED


@pytest.mark.parametrize("how", [How.MODEL, How.EMBEDDED])
@pytest.mark.parametrize("demand", ["least", "margin"])
def test_a_judge_without_a_vote_decides_nothing(how: How, demand: str) -> None:
    judged = report([1.0] * 30, "judge", measures=[measure("judge", how=how)], judge="rubric@1")
    threshold: dict[str, Any] = {demand: 0.1}
    asked = demands("judge", **threshold)
    found = decided(judged, asked, judged, votes=False).lines[0]
    assert (found.verdict, found.reason) == (
        Verdict.INCONCLUSIVE,
        "the judge rubric@1 has no vote: calibrate it",
    )
    assert decided(judged, asked, judged, votes=True).passed


@pytest.mark.parametrize("name", ["faithfulness", "context_recall"])
def test_whatever_a_language_model_judged_needs_a_vote(name: str) -> None:
    read = report([1.0] * 30, name, measures=[measure(name, how=How.MODEL)], judge="rubric@1")
    found = decided(read, demands(name, least=0.1), votes=False)
    assert (found.verdict, found.lines[0].reason[:15]) == (Verdict.INCONCLUSIVE, "the judge rubri")
    assert decided(read, demands(name, least=0.1)).passed
    by_rule = report([1.0] * 30, name, measures=[measure(name, how=How.EMBEDDED)])
    assert decided(by_rule, demands(name, least=0.1), votes=False).passed


def test_perplexity_is_no_judgement() -> None:
    told = report([2.0] * 30, "perplexity", measures=[measure("perplexity", how=How.MODEL, unit="none")])
    assert decided(told, demands("perplexity", most=3), votes=False).passed


def test_a_rule_needs_no_vote() -> None:
    assert decided(report([1.0] * 30), demands(least=0.5), votes=False).passed


def test_an_interrupted_run_is_inconclusive_whatever_it_shows() -> None:
    found = decided(report([0.0] * 30, asked=40), demands(least=0.5))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason.startswith("only 30 of 40 cases were answered")
    assert found.lines[0].found == 0


def test_another_dataset_than_the_policy_asks_for_decides_nothing() -> None:
    found = decided(report([1.0] * 30, dataset="easy"), demands(least=0.5))
    assert found.reason == "the policy asks for the dataset golden, and this is easy"


def test_no_demands_are_no_pass() -> None:
    assert decided(report([1.0] * 30), Gate()).verdict is Verdict.INCONCLUSIVE


def test_one_missed_demand_fails_and_one_open_one_holds() -> None:
    asked = Gate.model_validate({"measures": {"facts": {"least": 0.9}, "colour": {"least": 0.9}}})
    assert decided(report(lost(50)), asked).verdict is Verdict.FAILED
    assert decided(report(lost(0)), asked).verdict is Verdict.INCONCLUSIVE


def test_a_comparison_of_another_report_is_refused() -> None:
    against = comparison.compare(report([1.0]), report([0.0]))
    with pytest.raises(ValueError, match="not of this report"):
        gate.decide(report([1.0]), demands(least=0.5), votes=True, against=against)


def test_equal_reports_give_equal_decisions() -> None:
    made: list[Any] = [decided(report(lost(3)), demands(least=0.9, margin=0.1), report(lost(2))) for _ in "ab"]
    assert made[0].content == made[1].content
    assert made[0].digest == made[1].digest != decided(report(lost(3)), demands(least=0.8)).digest


def test_the_policys_own_gate_passes_what_serves_and_fails_a_worse_one() -> None:
    asked, good, bad = load().gate, reports.run(), reports.run(worse=8)
    assert decided(good, asked, good).passed
    found = decided(bad, asked, good)
    assert {(one.measure, one.demand) for one in found.lines if one.verdict is Verdict.FAILED} >= {
        ("facts", Demand.MARGIN),
        ("declines", Demand.LEAST),
    }
