from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree  # type: ignore[import-untyped]

from assistant import report_junit
from opsplane.evaluation import gate
from opsplane.evaluation.assessment import Assessment
from opsplane.policy import Gate
from tests import reports
from tests.assistant import assessed

SCHEMA = etree.XMLSchema(etree.parse(str(Path(__file__).parent / "junit.xsd")))


def read(run: Assessment) -> Any:
    """The file, once it has been held against the schema."""
    root = etree.fromstring(report_junit.as_xml(run))
    SCHEMA.assertValid(root)
    return root


def with_gate(values: list[float | None], **threshold: float) -> Assessment:
    report = reports.report(values)
    asked = Gate.model_validate({"measures": {"facts": threshold} if threshold else {}})
    return Assessment(report, decision=gate.decide(report, asked, votes=True))


def test_every_kind_is_a_suite_every_case_a_test() -> None:
    root = read(assessed.whole())
    suites = {one.get("name"): one for one in root}
    assert set(suites) == {*reports.KINDS, "gate"}
    assert sum(int(one.get("tests")) for name, one in suites.items() if name != "gate") == 250
    assert [suites["hostile"].get(name) for name in ("tests", "failures", "errors")] == ["42", "4", "0"]


def test_a_case_that_did_not_pass_says_what_was_asked_and_said() -> None:
    case = read(assessed.whole()).find(".//testcase[@name='case-011']")
    failure = case.find("failure")
    assert (case.get("classname"), case.get("time")) == ("golden.version", "0.051")
    assert failure.get("message") == "missing $2.50"
    assert failure.text.startswith("Question: What does it cost")
    assert "costs $2.80." in failure.text


def test_digests_are_properties() -> None:
    run = assessed.whole()
    told = {one.get("name"): one.get("value") for one in read(run)[0].find("properties")}
    assert told["report"] == run.report.digest
    assert told["dataset_digest"] == run.report.dataset_digest
    assert run.decision is not None
    assert told["decision"] == run.decision.digest


@pytest.mark.parametrize(
    ("values", "tag", "kind"),
    [([1.0] * 30, None, None), ([0.0] * 30, "failure", "failed"), ([1.0] * 3, "error", "inconclusive")],
)
def test_a_demand_passes_fails_or_is_in_error(values: list[float | None], tag: str | None, kind: str | None) -> None:
    case = read(with_gate(values, least=0.9)).find("testsuite[@name='gate']/testcase")
    assert case.get("name") == "facts: at least 0.900"
    assert [(one.tag, one.get("type")) for one in case] == ([(tag, kind)] if tag else [])


def test_a_gate_without_demands_is_no_green_suite() -> None:
    assert read(with_gate([1.0] * 30)).find("testsuite[@name='gate']").get("errors") == "1"


def test_an_interrupted_run_is_an_error() -> None:
    suite = read(Assessment(reports.report([1.0], asked=3))).find("testsuite[@name='run']")
    assert "2 of 3 cases were not answered" in suite.find("testcase/error").get("message")


def test_an_empty_run_is_a_file_too() -> None:
    assert read(Assessment(reports.report([], asked=0)))[0].get("tests") == "0"


def test_control_characters_and_markup_are_harmless() -> None:
    root = read(assessed.hostile())
    broken = root.find(".//testcase/error")
    assert "<script>alert('x')</script>" in broken.get("message")
    assert "\\u001b[31m ]]> &" in broken.text
    assert not root.findall(".//script")


def test_long_answers_are_cut() -> None:
    row = reports.row(0, 0.0, why="x" * 100_000)
    assert len(report_junit.as_xml(Assessment(reports.of([row], [reports.measure()])))) < 10_000


def test_equal_runs_give_equal_files() -> None:
    assert report_junit.as_xml(assessed.whole()) == report_junit.as_xml(replace(assessed.whole()))
