import json
import re

from assistant import report_text
from opsplane.evaluation.assessment import Assessment
from tests import reports
from tests.assistant import assessed


def test_verdict_measures_comparison_and_failures_are_told() -> None:
    said = report_text.as_markdown(assessed.whole(), failures=2)
    for part in (
        "**227 of 250 cases passed.**",
        "**✗ Gate failed:** facts\\: changed by",
        "| declines | at least 0\\.950 | 0\\.904 | 0\\.843 to 0\\.964 | 83 | ✗ failed |",
        "| Judge, by rubric | 0\\.945 | 0\\.920 to 0\\.971 | 167 | 3 | a language model |",
        "243 passed before and 227 now: 6 won, 22 lost",
        "Won: case\\-040, case\\-080",
        "### 23 did not pass",
        "- and 21 more, in the page and in the JSON report",
    ):
        assert part in said


def test_hostile_text_brings_no_markup_to_life() -> None:
    said = report_text.as_markdown(assessed.hostile())
    assert not re.search(r"(?<!\\)[<`\[]", said)
    assert not set("\x00\x1b\u202e") & set(said)


def test_a_bare_report_and_an_interrupted_run_are_told() -> None:
    said = report_text.as_markdown(Assessment(reports.report([1.0], asked=3)))
    assert "The run was interrupted: 2 of 3 were not answered." in said
    assert "Gate" not in said


def test_a_panel_brings_the_page_and_the_report_itself() -> None:
    run = assessed.whole()
    panel = report_text.panel(run)
    assert panel.download is not None
    assert panel.download.content.startswith(b"<!DOCTYPE html>")
    files = {one.name.partition("-")[2]: one.content for one in panel.downloads}
    name = run.report.digest[:12]
    assert files[f"{name}.json"] == run.report.content
    assert json.loads(files[f"{name}-timings.json"])["cases"]["case-003"] == {"latency": 43}
    assert set(files) >= {f"{name}-comparison.json", f"{name}-gate.json"}
