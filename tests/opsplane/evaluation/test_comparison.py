from datetime import date
from typing import Any

import pytest

from opsplane.errors import InvalidRequest
from opsplane.evaluation import comparison
from opsplane.evaluation.report import Answer, Said
from opsplane.evaluation.scoring import Better
from opsplane.exchange import Outcome
from tests import reports
from tests.reports import measure, report, row

COST = measure("cost", better=Better.LOWER, unit="micros")


def test_cases_won_and_lost_are_named_and_tested() -> None:
    found = comparison.compare(report([1, 1, 0, 0]), report([1, 0, 1, 0])).passes
    assert (found.won, found.lost, found.old, found.new) == (("c002",), ("c001",), 2, 2)
    assert (found.test.both, found.test.neither, found.test.difference, found.test.exact) == (1, 1, 0, 1)


def test_a_measure_goes_by_case() -> None:
    found = comparison.compare(report([0.2, 0.8] * 20), report([0.3, 0.9] * 20)).change("facts")
    assert found is not None
    assert (found.found.difference, found.found.low, found.found.high) == (0.1, 0.1, 0.1)
    assert found.loss == (-0.1, -0.1, -0.1)


def test_less_is_a_win_where_lower_is_better() -> None:
    old, new = (report([value] * 20, "cost", measures=[COST]) for value in (5, 7))
    found = comparison.compare(old, new).change("cost")
    assert found is not None
    assert (len(found.found.won), len(found.found.lost), found.loss) == (0, 20, (2, 2, 2))


def test_cases_with_a_number_on_one_side_alone_are_counted_and_left_out() -> None:
    found = comparison.compare(report([1, 1, None, 0.5]), report([1, None, 1, 0.5])).change("facts")
    assert found is not None
    assert (found.found.questions, found.found.difference, found.only_old, found.only_new) == (2, 0, 1, 1)


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ({"dataset_digest": "e" * 64}, "were not asked the same: golden eeeeeeeeeeee and golden dddddddddddd"),
        ({"as_of": date(2026, 11, 22)}, "as on 2026-11-22, the other as on 2026-11-23"),
        ({"judge": "rubric@1"}, "judged by rubric@1, the other by nobody"),
    ],
)
def test_runs_that_were_not_asked_the_same_are_not_compared(head: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        comparison.compare(report([1], **head), report([1]))


def test_runs_without_a_common_case_are_not_compared() -> None:
    old, new = (reports.of([row(number)], [measure()], asked=2) for number in (0, 1))
    with pytest.raises(InvalidRequest, match="no case in common"):
        comparison.compare(old, new)


def test_cases_that_one_run_did_not_come_to_are_named() -> None:
    assert comparison.compare(report([1, 1], asked=3), report([1, 1, 1])).missing == ("c002",)


def test_a_measure_of_another_version_is_left_out_with_the_reason() -> None:
    old = report([1], measures=[measure(digest="facts-0"), measure("old_one")])
    found = comparison.compare(old, report([1], measures=[measure(), measure("new_one")]))
    assert "different versions" in found.why_left("facts")
    assert found.why_left("old_one") == "only heron-8 was measured in it"
    assert found.why_left("new_one") == "heron-8 was not measured in it"
    assert found.change("facts") is None


def test_a_measure_without_a_number_on_both_sides_is_left_out() -> None:
    assert "no case has a number" in comparison.compare(report([None]), report([1])).why_left("facts")


def test_answers_in_other_words_with_other_marks_or_of_another_outcome_are_named() -> None:
    answers = [
        Answer(outcome=Outcome.ANSWERED, question="?", sentences=(Said(text="Yes."),)),
        Answer(outcome=Outcome.ANSWERED, question="?", sentences=(Said(text="Yes.", cites=(1,)),)),
        Answer(outcome=Outcome.ABSTAINED, question="?", sentences=(Said(text="Yes."),)),
        Answer(outcome=Outcome.ANSWERED, question="?", sentences=(Said(text="Yes."),), cost_micros=9),
    ]
    old = reports.of([row(number, answer=answers[0]) for number in range(4)], [measure()])
    new = reports.of([row(number, answer=answer) for number, answer in enumerate(answers)], [measure()])
    assert comparison.compare(old, new).changed == ("c001", "c002")


def test_equal_runs_give_equal_bytes_whatever_the_clock_says() -> None:
    slow = reports.LATENCY.model_copy(update={"name": "facts"})
    one, other = (report([value] * 3, measures=[slow]) for value in (1, 2))
    found = [comparison.compare(report([1] * 3, measures=[slow]), new) for new in (one, one, other)]
    assert found[0].content == found[1].content
    assert [len(each.clocked) for each in found] == [1, 1, 1]
    assert b"clocked" not in found[2].content
