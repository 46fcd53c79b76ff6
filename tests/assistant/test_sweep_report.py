"""What a sweep found, as a table, a picture and a fragment that a release file takes."""

import io
import re
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from rich.console import Console

from assistant import sweep_report
from assistant.sweep_report import Report
from opsplane import registry
from opsplane.guardrails.sweep import Scored

RELEASE = Path(__file__).parents[2] / "assistant" / "releases" / "heron-6.yaml"
DAY = date(2026, 11, 23)
APART = [*(Scored((140 + n) / 200, True) for n in range(50)), *(Scored(n / 200, False) for n in range(50))]
TURNED = [Scored(1 - row.score, row.bad) for row in APART]
ALIKE = [Scored(n / 50, bad) for n in range(50) for bad in (True, False)]
GOOD = [row for row in APART if not row.bad]


def shown(report: Report) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(sweep_report.markdown(report, "set.jsonl"))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_fragment_makes_a_release_with_the_new_thresholds(tmp_path: Path) -> None:
    reports = [Report("injection", APART, 0.01, 0.6), Report("toxicity", APART, 0.01)]
    text = sweep_report.fragment(reports, "set\n.jsonl", DAY)
    assert yaml.safe_load(text) == {"guardrails": {"injection": 0.7, "toxicity": 0.7}}
    lines = text[text.index("guardrails:\n") + len("guardrails:\n") :]
    file = tmp_path / "new.yaml"
    old = re.sub(r"^  (?:injection|toxicity): [0-9.]+\n", "", RELEASE.read_text(), flags=re.MULTILINE)
    file.write_text(old.replace("guardrails:\n", f"guardrails:\n{lines}"))
    rails = registry.load(file).guardrails
    assert (rails.injection, rails.toxicity, rails.scope) == (0.7, 0.7, 0.5)


def test_the_evidence_stands_in_the_fragment_as_comments() -> None:
    text = sweep_report.fragment([Report("injection", APART, 0.01, 0.6)], "set.jsonl", DAY)
    assert "# injection: 0.7, which blocks 100.0% [92.9%, 100.0%] of 50 bad and 0.0% [0.0%, 7.1%] of 50 good." in text


@pytest.mark.parametrize(
    ("rows", "told"), [(ALIKE, "beyond chance"), (GOOD, "every row is good"), (APART[:50], "every row is bad")]
)
def test_what_a_set_cannot_tell_is_not_written(rows: list[Scored], told: str) -> None:
    report = Report("injection", rows, 0.05, 0.6)
    assert report.chosen is None
    text = sweep_report.fragment([report], "set.jsonl", DAY)
    assert yaml.safe_load(text) == {"guardrails": {}}
    assert told in text
    assert told in shown(report)


def test_a_threshold_is_written_under_the_name_that_releases_give_it() -> None:
    text = sweep_report.fragment([Report("grounding", TURNED, 0.01, 0.5)], "set.jsonl", DAY)
    assert yaml.safe_load(text).keys() == {"guardrails"}
    assert yaml.safe_load(text)["guardrails"].keys() == {"support"}


def test_the_table_tells_what_is_blocked_now_and_at_which_price() -> None:
    text = shown(Report("injection", APART, 0.01, 0.9))
    assert "AUROC 1.000" in text
    assert "at 0.9: 20.0% [11.2%, 33.0%] of 50 bad and 0.0% [0.0%, 7.1%] of 50 good" in text
    assert "does not use this check" in shown(Report("injection", APART, 0.01))


def test_the_picture_is_xml_whatever_the_file_is_called() -> None:
    reports = [Report("injection", APART, 0.01), Report("grounding", GOOD, 0.01)]
    root = ElementTree.fromstring(sweep_report.plot(reports, "<&\x01\udcff>.jsonl"))
    assert [one.tag.rpartition("}")[2] for one in root.iter() if one.tag.endswith("polyline")] == ["polyline"]


def test_every_point_has_its_interval() -> None:
    told = Report("injection", APART, 0.01, 0.6).as_json()
    assert told["chosen"]["threshold"] == 0.7
    assert told["now"] == {
        "threshold": 0.6,
        "bad": 50,
        "good": 0,
        "bad_interval": pytest.approx([0.9286, 1], abs=1e-4),
        "good_interval": pytest.approx([0, 0.0714], abs=1e-4),
    }
    assert len(told["points"]) == 100
    assert Report("injection", GOOD, 0.01).figure() is None
