"""An evaluation as JUnit XML, which every build server reads: a suite for each kind of case, and one for the gate."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring  # it only writes here: nothing is parsed

from assistant.index_comparison import several
from assistant.markup import visible
from assistant.report_html import wanted
from opsplane.evaluation.assessment import Assessment
from opsplane.evaluation.gate import Line, Verdict
from opsplane.evaluation.report import Row
from opsplane.exchange import Outcome

_SAID = 4_000
"""Characters of a message."""
_NAMES = 40
_LATENCY = "latency"
"""The measure that a case's time is taken from, in milliseconds."""


def as_xml(run: Assessment) -> bytes:
    """The report, in UTF-8.

    It fits both schemas that are about, Ant's and Jenkins'. Failed is a case that did not pass and a demand that was
    missed; in error is a case whose turn broke and a demand that could not be decided.
    """
    report = run.report
    root = Element("testsuites")
    for kind in sorted({row.kind for row in report.rows}):
        rows = [row for row in report.rows if row.kind == kind]
        suite = _suite(root, run, kind)
        _filled(suite, [_case(row, f"{report.dataset}.{kind}") for row in rows], sum(map(_seconds, rows)))
    if report.partial:
        suite = _suite(root, run, "run")
        told = f"{report.asked - len(report.rows)} of {report.asked} cases were not answered: the run was interrupted"
        _filled(suite, [_ended("complete", f"{report.dataset}.run", 0.0, ("error", "interrupted", told, ""))], 0.0)
    if run.decision:
        suite = _suite(root, run, "gate")
        lines = run.decision.lines
        cases = [_demand(line, f"{report.dataset}.gate") for line in lines] or [_undemanded(run.decision.reason)]
        _filled(suite, cases, 0.0)
    if len(root) == 0:
        _filled(_suite(root, run, "none"), [], 0.0)
    written: bytes = tostring(root, "utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + written + b"\n"


def _suite(root: Element, run: Assessment, name: str) -> Element:
    report = run.report
    suite = SubElement(
        root,
        "testsuite",
        package=_clean(report.dataset),
        id=str(len(root)),
        name=_clean(name),
        timestamp=f"{report.as_of}T00:00:00",  # the day that the answers are true on: runs give equal files
        hostname="localhost",
    )
    told = {
        "release": report.release,
        "release_digest": report.release_digest,
        "dataset": report.dataset,
        "dataset_digest": report.dataset_digest,
        "index": report.index,
        "generation": report.generation,
        "judge": report.judge,
        "report": report.digest,
        "cost_micros": str(report.cost_micros),
        "comparison": run.comparison.digest if run.comparison else "",
        "against": run.comparison.old.release if run.comparison else "",
        "decision": run.decision.digest if run.decision else "",
    }
    properties = SubElement(suite, "properties")
    for key, value in told.items():
        if value:
            SubElement(properties, "property", name=key, value=_clean(value))
    return suite


def _filled(suite: Element, cases: Sequence[Element], seconds: float) -> None:
    """Put cases into a suite and count them."""
    suite.extend(cases)
    counts = {"failures": "failure", "errors": "error"}
    suite.set("tests", str(len(cases)))
    for attribute, tag in counts.items():
        suite.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", f"{seconds:.3f}")
    SubElement(suite, "system-out")
    SubElement(suite, "system-err")


Ending = tuple[str, str, str, str]
"""Tag, type, message and text of what went wrong."""


def _ended(name: str, group: str, seconds: float, ending: Ending | None) -> Element:
    case = Element("testcase", name=_clean(name), classname=_clean(group), time=f"{seconds:.3f}")
    if ending:
        tag, kind, message, text = ending
        SubElement(case, tag, type=kind, message=_clean(message)).text = _clean(text)
    return case


def _case(row: Row, group: str) -> Element:
    broke = row.answer.outcome is Outcome.FAILED
    said = row.answer.text or "(nothing)"
    told = f"Question: {row.answer.question}\nAnswer ({row.answer.outcome.value}): {said}"
    ending = ("error" if broke else "failure", row.answer.outcome.value, row.why or row.answer.error, told)
    return _ended(row.case, group, _seconds(row), None if row.passed else ending)


def _demand(line: Line, group: str) -> Element:
    name = f"{line.measure}: {wanted(line)}"
    if line.verdict is Verdict.PASSED:
        return _ended(name, group, 0.0, None)
    tag = "failure" if line.verdict is Verdict.FAILED else "error"
    named = several(line.broke, _NAMES)
    return _ended(name, group, 0.0, (tag, line.verdict.value, line.reason, f"Cases: {named}" if named else ""))


def _undemanded(why: str) -> Element:
    return _ended("demands", "gate", 0.0, ("error", Verdict.INCONCLUSIVE.value, why, ""))


def _seconds(row: Row) -> float:
    score = row.score(_LATENCY)
    return score.value / 1_000 if score and score.value and score.value > 0 else 0.0


def _clean(text: str) -> str:
    return visible(text if len(text) <= _SAID else f"{text[:_SAID]} …")
