"""What reviewers mark by: the file is read with care, and marks become a score."""

from pathlib import Path

import pytest
import yaml

from opsplane import criteria
from opsplane.errors import InvalidRelease, InvalidRequest

JUDGED = ("accuracy", "completeness", "relevance", "clarity", "compliance")


def test_the_rubric_asks_for_five_things_and_says_what_each_mark_means() -> None:
    rubric = criteria.rubric()
    assert rubric.names == JUDGED
    assert all(len(set(one.anchors)) == 5 for one in rubric.criteria)


@pytest.mark.parametrize(
    ("marks", "score"),
    [
        ({}, None),
        ({"accuracy": 1}, 0),
        ({"accuracy": 5, "clarity": 5}, 100),
        ({"accuracy": 3}, 50),
        ({"accuracy": 2, "completeness": 4, "clarity": 5}, 67),
        ({"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 2}, 3),
    ],
)
def test_marks_alone_make_a_score_of_their_mean(marks: dict[str, int], score: int | None) -> None:
    assert criteria.score(marks) == score


@pytest.mark.parametrize("mark", ["0", "6", "", "good", "4.5", "-1", "+3", " 3", "３", "55", "1e0", "9" * 9_999])
def test_what_is_no_mark_is_refused_with_what_the_ends_mean(mark: str) -> None:
    with pytest.raises(
        InvalidRequest, match=r"^accuracy=.{0,40}: a mark is a whole number from 1 \(A statement .* to 5"
    ):
        criteria.rubric().marks({"accuracy": mark})


def test_an_unknown_criterion_is_named_with_those_that_there_are() -> None:
    with pytest.raises(InvalidRequest, match=r"tone=… is no criterion\. Criteria: accuracy, completeness"):
        criteria.rubric().check({"tone": 5})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 0}, r"line \d+: version"),
        ({"criteria": []}, r"line \d+: criteria"),
        ({"judges": 1}, r"line \d+: judges"),
        ({"criteria": [{"name": "score"}]}, "/review means something else by: score"),
        ({"criteria": [{}, {}]}, "criteria named twice: tone"),
        ({"criteria": [{"anchors": ["bad", "good"]}]}, r"criteria.0.anchors"),
        ({"criteria": [{"name": "Tone of voice"}]}, r"criteria.0.name"),
    ],
)
def test_a_faulty_file_is_told_with_line_and_field(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    fine = {"name": "tone", "asks": "Is it kind?", "anchors": list("abcde")}
    told = {"version": 1, "criteria": [{}]} | changes
    told["criteria"] = [fine | one for one in told["criteria"]]  # type: ignore[attr-defined]
    path = tmp_path / "rubric.yaml"
    path.write_text(yaml.safe_dump(told))
    with pytest.raises(InvalidRelease, match=message):
        criteria.load(path)
