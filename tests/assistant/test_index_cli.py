"""`opsplane index`, over a small library and a few golden questions."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from knowledge.catalogue import Catalogue
from tests import library
from tests.assistant import shelves
from tests.assistant.commandline import Run, runner
from tests.assistant.shelves import SPEC


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shelves.stocked(tmp_path_factory.mktemp("shelves"))


@pytest.fixture
def data(tmp_path: Path, stocked: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copytree(stocked, folder / "library")
    (folder / "models").symlink_to(library.MODELS)
    monkeypatch.setenv("OPSPLANE_DATA", str(folder))
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data: Path) -> Run:
    return runner(monkeypatch, capsys)


def test_an_index_is_built_beside_the_others_and_named_for_a_release(run: Run, data: Path) -> None:
    told = run("index", "build", "--max-tokens", "64", "--min-tokens", "0")
    assert told.code == 0
    assert "retrieval:\n  index: all-MiniLM-L6-v2-uint8-64-" in told.out
    with closing(Catalogue(data / "library" / "catalogue.db")) as catalogue:
        assert len(catalogue.indexes()) == 2
    again = run("index", "build", "--max-tokens", "64", "--min-tokens", "0")
    assert "is there already, and holds the documents that serve" in again.out


def test_an_index_that_was_given_up_is_built_again(run: Run, data: Path) -> None:
    run("index", "build", "--max-tokens", "64")
    with closing(Catalogue(data / "library" / "catalogue.db")) as catalogue:
        (name,) = catalogue.indexes().keys() - {SPEC.id}
        catalogue.retire(name, shelves.NOON)
        assert run("index", "build", "--again", name).code == 0
        assert name in catalogue.indexes()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--max-tokens", "3"), "--max-tokens: Input should be greater than or equal to 64"),
        (("--embedding", "gpt"), "There is no embedding model 'gpt'; there are all-MiniLM-L6-v2-uint8"),
        (("--of", "gone"), "There is no index 'gone'"),
        (("--as", "customer"), "This needs the role operator"),
    ],
)
def test_what_cannot_be_built_is_told_in_words(run: Run, arguments: tuple[str, ...], told: str) -> None:
    found = run("index", "build", *arguments)
    assert found.code == 2
    assert told in found.err.replace("\n", " ")


def test_indexes_are_listed_shown_and_collected(run: Run) -> None:
    assert SPEC.id[:20] in run("index", "list").out.replace("\n", "")
    assert "g00002-" in run("index", "show", SPEC.id).out
    assert "stays" in run("index", "collect", "--dry-run").out


def test_why_is_told_as_json(run: Run) -> None:
    read = run("index", "why", "What is the overdraft fee?", "--index", SPEC.id, "--json", "--as-of", "2026-11-20")
    # a record without a release cannot say how to search
    assert read.code == 2
    assert "No release has been promoted yet" in read.err


def test_a_sound_library_holds(run: Run) -> None:
    found = run("index", "verify", "--json", "--sample", "3")
    assert found.code == 0
    told = json.loads(found.out)
    assert told["left_over"] == []
    assert [(one["sound"], one["sampled"], len(one["audit"])) for one in told["indexes"]] == [(True, 3, 5)]
    assert "waivers@1" in run("index", "verify", "--audit").out


def test_what_does_not_hold_ends_with_one_and_is_mended(run: Run, data: Path) -> None:
    with closing(sqlite3.connect(data / "library" / "catalogue.db")) as connection:
        connection.execute("DELETE FROM chunks WHERE id LIKE 'fees@2%'")
        connection.commit()
    found = run("index", "verify")
    assert found.code == 1
    assert "passages are not in the catalogue" in found.out
    mended = run("index", "verify", "--mend")
    assert mended.code == 0
    assert "It was mended" in mended.out


def test_an_earlier_state_is_restored_with_a_yes(run: Run) -> None:
    asked = run("index", "restore", SPEC.id, "g1", "--reason", "case 4711")
    assert asked.code == 2
    assert "say --yes where nobody can be asked back" in asked.err
    done = run("index", "restore", SPEC.id, "g1", "--reason", "case 4711", "--yes")
    assert done.code == 0
    assert "answers from g00001-" in done.out.replace("\n", " ")


def test_an_index_is_not_compared_with_itself(run: Run) -> None:
    found = run("index", "evaluate", SPEC.id)
    assert found.code == 2
    assert "cannot be compared with itself" in found.err.replace("\n", " ")


def test_an_empty_library_says_what_to_do(run: Run, data: Path) -> None:
    shutil.rmtree(data / "library")
    assert "There is none yet" in run("index", "list").out
    assert "opsplane ingest <folder> makes the first" in run("index", "build").err.replace("\n", " ")
