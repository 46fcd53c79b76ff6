from pathlib import Path

import pytest

from opsplane import criteria
from opsplane.errors import InvalidRelease
from opsplane.evaluation import rubric
from opsplane.evaluation.rubric import FOLDER, Rubric


def text(name: str = "answer") -> str:
    return (FOLDER / f"{name}.yaml").read_text()


def broken(folder: Path, old: str, new: str, name: str = "answer") -> str:
    file = folder / "mine.yaml"
    file.write_text(text(name).replace(old, new))
    with pytest.raises(InvalidRelease) as told:
        rubric.load(file)
    return str(told.value)


def test_there_is_a_rubric_of_either_kind() -> None:
    assert {one.kind for one in rubric.load_all().values()} == {"pointwise", "pairwise"}


def test_every_criterion_tells_what_each_grade_means() -> None:
    one = rubric.load_all()["answer"]
    system, _ = one.written("abc")
    assert all(anchor in system for criterion in one.criteria for anchor in criterion.anchors)


def test_people_and_judges_mark_by_the_same_names() -> None:
    names = {one.name for one in rubric.load_all()["answer"].criteria}
    assert names == set(criteria.load().names)


def test_a_folder_of_ones_own_is_read(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(text().replace("id: answer", "id: mine"))
    assert list(rubric.load_all(tmp_path)) == ["mine"]


def test_any_word_changes_the_digest(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(text().replace("Length is no merit.", "Length is a merit."))
    assert rubric.load(tmp_path / "mine.yaml").digest != rubric.load_all()["answer"].digest


def test_a_missing_anchor_is_told_with_its_file(tmp_path: Path) -> None:
    told = broken(tmp_path, "      - It keeps to the rules.\n", "")
    assert told.startswith("mine.yaml: line ")
    assert "compliance: 5 anchors are expected" in told


def test_a_pairwise_rubric_shows_both_answers(tmp_path: Path) -> None:
    assert "second must be shown" in broken(tmp_path, "name: second,", "name: outcome,", "preference")


def test_a_rubric_names_the_check_word(tmp_path: Path) -> None:
    assert "it must name $check and $form" in broken(tmp_path, "the word $check", "a word")


def test_a_stray_dollar_is_told(tmp_path: Path) -> None:
    assert "write $$" in broken(tmp_path, "Grade the answer now.", "Grade for $ 5.")


def test_a_criterion_twice_is_told(tmp_path: Path) -> None:
    assert "a name stands there twice" in broken(tmp_path, "name: clarity", "name: accuracy")


def test_a_dollar_sign_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(text().replace("Grade the answer now.", "A fee of $$5."))
    one: Rubric = rubric.load(tmp_path / "mine.yaml")
    assert "A fee of $5." in one.written("abc")[1]
