"""Datasets by name, out of a folder, and by path."""

from datetime import date
from pathlib import Path

import pytest

from assistant import datasets
from opsplane.errors import InvalidRelease, InvalidRequest, NotFound
from tests.library import ROOT

DAY = date(2026, 11, 23)
YAML = "as_of: 2026-11-23\ncases:\n- {id: %s, kind: x, question: What is it}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Sets as a folder, inside one, as one file of a folder, and as a file; with other files beside them."""
    written = {
        "golden/one.yaml": YAML % "one",
        "golden/two.yaml": YAML % "two",
        "golden/held/set.jsonl": '{"id": "three", "kind": "x", "question": "What?"}',
        "red/dataset.yaml": YAML % "four",
        "red/attacks.yaml": "override: [a, b]",
        "alone.yaml": YAML % "five",
        "other.yaml": "as_of: 2026-11-23\nreplies: []",
        "no/readme.md": "as_of:",
        ".hidden/set.yaml": YAML % "six",
    }
    for name, text in written.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_names_are_folders_and_files_that_hold_sets(folder: Path) -> None:
    assert list(datasets.names(folder)) == ["alone", "golden", "golden/held", "red"]


def test_our_own_sets_have_names() -> None:
    assert {"golden", "golden/held-out", "golden/unseen", "redteam"} <= datasets.names(ROOT / "tests").keys()


def test_a_set_bears_its_name(folder: Path) -> None:
    found = datasets.named("golden", folder)
    assert (found.name, [case.id for case in found.cases]) == ("golden", ["one", "two"])
    assert datasets.named("golden/held", folder, DAY).cases[0].id == "three"
    assert datasets.named("red", folder).cases[0].id == "four"


@pytest.mark.parametrize("name", ["goldn", "../golden", "/etc", "golden/one.yaml", "", "other", "x" * 5_000])
def test_what_is_no_name_is_told_with_the_names_there_are(folder: Path, name: str) -> None:
    with pytest.raises(NotFound, match="There are: alone, golden, golden/held, red, record"):
        datasets.named(name, folder)


def test_where_the_folder_is_is_not_told(folder: Path) -> None:
    (folder / "alone.yaml").write_text("as_of: 2026-11-23\ncases: []", encoding="utf-8")
    (folder / "golden" / "two.yaml").write_text(YAML % "one", encoding="utf-8")
    for name in ("../x", "golden", "alone"):
        with pytest.raises((NotFound, InvalidRelease)) as told:
            datasets.named(name, folder)
        assert str(folder) not in str(told.value)


def test_the_nearest_name_is_told(folder: Path) -> None:
    with pytest.raises(NotFound, match="Did you mean golden"):
        datasets.opened("goldn", folder)


def test_at_a_terminal_a_path_will_do(folder: Path) -> None:
    assert datasets.opened(str(folder / "golden" / "one.yaml"), folder).cases[0].id == "one"
    assert datasets.opened(str(folder / "red"), folder).cases[0].id == "four"
    with pytest.raises(InvalidRelease, match="no such file"):
        datasets.opened("nothing.yaml", folder)
    with pytest.raises(NotFound):
        datasets.opened("x" * 5_000, folder)


def test_the_set_of_the_record_is_not_read_without_a_reviewer(folder: Path) -> None:
    with pytest.raises(InvalidRequest, match="read by a reviewer who says why"):
        datasets.opened("record", folder)


def test_a_set_that_cannot_be_used_is_listed_with_what_is_wrong(folder: Path) -> None:
    (folder / "alone.yaml").write_text("as_of: 2026-11-23\ncases: []", encoding="utf-8")
    told = {one.name: one.problem for one in datasets.all_of(folder, DAY)}
    assert told["alone"].startswith("alone.yaml: line 2: cases: ")
    assert told["golden"] == ""


def test_a_folder_that_is_not_there_holds_none(tmp_path: Path) -> None:
    assert datasets.all_of(tmp_path / "none") == []
