import re
from datetime import date
from pathlib import Path

import pytest

from assistant import index_comparison, index_evaluation
from assistant.index_comparison import Comparison, Rows, Side, judged
from assistant.settings import Settings
from knowledge import embedding
from knowledge.building import build
from knowledge.chunk import Chunking
from knowledge.encoders import family
from knowledge.ingest import Options
from opsplane.errors import InvalidRequest, NotFound
from tests import library
from tests.assistant import shelves
from tests.assistant.shelves import SPEC

SMALL = SPEC.model_copy(update={"chunking": Chunking(max_tokens=64, min_tokens=0)})
RELEASES = Path(index_evaluation.__file__).parent / "releases"
GOLDEN = """
as_of: 2026-11-23
cases:
  - {id: fee, kind: fees, question: "What is the overdraft fee?", facts: ["$15"], documents: [fees]}
  - {id: cards, kind: cards, question: "What does the travel card cost abroad?", documents: [cards]}
  - {id: cookies, kind: hostile, question: "How do I bake cookies?", expect: decline}
"""
HEAD = {"dataset": "golden", "as_of": date(2026, 11, 23), "release": "heron", "questions": 30}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two indexes of a small library, and a release that searches the first."""
    folder = tmp_path_factory.mktemp("evaluated")
    stocked = shelves.stocked(folder)
    build(stocked, SPEC.id, SMALL, family(embedding.load(library.MODELS)), Options(at=shelves.NOON))
    (folder / "models").symlink_to(library.MODELS)
    (folder / "golden.yaml").write_text(GOLDEN)
    (folder / "releases").mkdir()
    name = Settings().release
    text = (RELEASES / f"{name}.yaml").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^  index: .*$", f"  index: {SPEC.id}", text)
    (folder / "releases" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return Settings(data=folder, releases=folder / "releases", demo=True)


def run(settings: Settings, new: str, old: str) -> Comparison:
    return index_evaluation.run(settings.data / "golden.yaml", new, old, settings, 0.03, lambda *_: None)


def rows(*values: float) -> Rows:
    return {"recall@5": {f"q{number}": (value, 1.0) for number, value in enumerate(values)}}


def compared(old: Rows, new: Rows, wrong: tuple[int, int] = (0, 0)) -> Comparison:
    sides = [Side(index=name, generation="g", wrong=count) for name, count in zip(("old", "new"), wrong, strict=True)]
    return judged(old, new, sides, 0.03, HEAD)


def test_both_indexes_are_measured_on_the_same_questions_through_the_turn(settings: Settings) -> None:
    found = run(settings, SMALL.id, SPEC.id)
    assert [found.old.index, found.new.index] == [SPEC.id, SMALL.id]
    assert {one.measure: (one.old, one.new) for one in found.measures}["recall@5"] == (1, 1)
    assert {name: len(one) for name, one in found.rows.items()}["right answers"] == 3
    assert found.rows["recall@5"]["cookies"][0] == (0.0, 0.0)
    assert "recall@5 was measured on 2 questions only; at least 20 are needed" in found.reasons
    event = found.event()
    assert (event.index, event.against, event.report) == (SMALL.id, SPEC.id, found.digest)
    assert "recall@5 1.000 → 1.000" in event.summary


def test_an_index_that_is_not_there_or_the_same_is_told(settings: Settings) -> None:
    with pytest.raises(InvalidRequest, match="cannot be compared with itself"):
        run(settings, SPEC.id, SPEC.id)
    with pytest.raises(NotFound, match="There is no index 'gone'"):
        run(settings, "gone", SPEC.id)


def test_an_equal_index_passes_and_the_report_is_the_same_each_time() -> None:
    found = compared(rows(*[0.5, 1] * 15), rows(*[0.5, 1] * 15))
    assert found.passed
    assert found.digest == compared(rows(*[0.5, 1] * 15), rows(*[0.5, 1] * 15)).digest
    assert Comparison.model_validate_json(found.content) == found
    assert "**Passed**" in index_comparison.as_markdown(found)


def test_a_worse_index_does_not_pass_and_the_lost_questions_are_named() -> None:
    found = compared(rows(*[1] * 30), rows(*[1] * 25, *[0] * 5))
    assert not found.passed
    told = index_comparison.as_markdown(found).replace("\\", "")
    assert "recall@5, lost: q25, q26, q27, q28, q29." in told
    assert "may have lost more than 0.03" in told


def test_one_more_wrong_figure_is_enough_not_to_pass() -> None:
    found = compared(rows(*[1] * 30), rows(*[1] * 30), wrong=(1, 2))
    assert found.reasons == ("2 wrong figures or forbidden statements instead of 1",)


def test_what_could_not_be_measured_did_not_pass() -> None:
    nothing = {"recall@5": {"q": (0.0, 0.0)}}
    assert compared(nothing, nothing).reasons == ("recall@5 could not be measured",)


def test_long_lists_are_cut() -> None:
    assert index_comparison.several(["a", "b", "c"], 2) == "a, b and 1 more"
