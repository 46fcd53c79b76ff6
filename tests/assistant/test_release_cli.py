"""Releases from a terminal: the same functions, files in and out."""

import hashlib
import json
from pathlib import Path

import pytest

from assistant import bootstrap, shell
from assistant.settings import Settings
from opsplane import registry
from opsplane.plane import Plane
from tests.assistant.commandline import Run, Told, runner

RELEASES = Path(registry.__file__).parents[1] / "assistant" / "releases"
HERON = registry.load(RELEASES / "heron-6.yaml")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command over a record whose stable release is heron-6."""
    monkeypatch.setenv("OPSPLANE_DATA", str(tmp_path))
    monkeypatch.setattr(shell.out, "width", 300)
    with bootstrap.record(Settings(data=tmp_path)) as (ledger, _):
        Plane(ledger).configure({"heron-6": HERON}, "heron-6")

    plainly = runner(monkeypatch, capsys)

    def invoke(*arguments: str) -> Told:
        told = plainly(*arguments)
        return told._replace(err=" ".join(told.err.split()))

    return invoke


@pytest.mark.parametrize("command", ["", *("list", "show", "diff", "register", "export", "import")])
def test_everything_has_help(run: Run, command: str) -> None:
    told = run("release", *command.split(), "--help")
    assert told.code == 0
    assert "Usage:" in told.out


def test_releases_are_registered_from_the_folder_listed_shown_and_compared(run: Run) -> None:
    assert "is on the record" in run("release", "register", "heron-7").out
    listed = run("release", "list").out
    assert "heron-6" in listed
    assert "heron-7" in listed
    assert HERON.digest in run("release", "show").out
    assert "style.sentences" in run("release", "diff", "heron-7").out
    told = json.loads(run("release", "diff", "heron-7", "heron-6", "--json").out)
    assert [change["field"] for change in told["texts"]] == ["prompt.system"]


def test_a_file_anywhere_is_registered(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "my release.yaml"
    file.write_text((RELEASES / "heron-6.yaml").read_text().replace("id: heron-6", "id: crane-1"))
    assert "crane-1" in run("release", "register", str(file)).out
    assert "crane-1" in run("release", "list").out


def test_an_export_is_the_very_bytes_and_can_be_imported_elsewhere(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "heron-6.json"
    assert HERON.digest in run("release", "export", "heron-6", str(file)).out
    assert hashlib.sha256(file.read_bytes()).hexdigest() == HERON.digest
    elsewhere = ("--data", str(tmp_path / "elsewhere"))
    told = run("release", "import", str(file), "--digest", HERON.digest, *elsewhere)
    assert (told.code, "is on the record" in told.out) == (0, True), told
    assert "heron-6" in run("release", "list", *elsewhere).out
    assert "registered already" in run("release", "import", str(file)).out


def test_an_export_overwrites_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "taken.json").write_text("mine")
    told = run("release", "export", "heron-6", str(tmp_path / "taken.json"))
    assert (told.code, "cannot be written: File exists" in told.err) == (2, True)
    assert (tmp_path / "taken.json").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("show", "herno-1"), "Did you mean heron-6"),
        (("register", "heron-9"), "There is no release file 'heron-9'. Did you mean heron-"),
        (("register", "nowhere/heron-9.yaml"), "cannot be read: No such file or directory"),
        (("import", "nowhere.json"), "cannot be read: No such file or directory"),
        (("export", "heron-9", "x.json"), "There is no release 'heron-9'"),
        (("diff", "heron-6", "nope"), "Known releases: heron-6"),
        (("list", "--as", "customer"), "needs the role operator or approver"),
        (("register", "heron-7", "--as", "reviewer"), "needs the role operator or approver"),
    ],
)
def test_what_cannot_be_done_is_told_in_words(run: Run, arguments: tuple[str, ...], told: str) -> None:
    ended = run("release", *arguments)
    assert (ended.code, told in ended.err) == (2, True), ended
    assert "Traceback" not in ended.err


def test_a_changed_export_is_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "heron-6.json"
    run("release", "export", "heron-6", str(file))
    file.write_bytes(file.read_bytes().replace(b"Assistant team", b"Somebody elses"))
    assert "they were changed" in run("release", "import", str(file), "--digest", HERON.digest[:12]).err
    assert "is used by heron-6@" in run("release", "import", str(file)).err
