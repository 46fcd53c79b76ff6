"""The golden questions, through the real turn: what the README promises is held."""

from pathlib import Path

from assistant import golden
from assistant.settings import Settings

GOLDEN = Path(__file__).parents[1] / "golden"


def test_the_golden_questions_are_answered_cited_and_declined_as_promised(settings: Settings) -> None:
    report = golden.run(GOLDEN, settings, lambda *_: None)
    assert len(report.results) >= 250
    assert report.facts.share >= 0.90
    assert report.cited.share >= 0.95
    assert report.declined.share >= 0.95
    assert report.wrong == 0
    assert all(one.passed for one in report.results if one.case.kind == "hostile")
