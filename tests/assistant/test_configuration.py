from pathlib import Path

import pytest

from assistant import configuration, settings
from opsplane.errors import InvalidRequest

KNOWN = ("port", "google_project", "google_other_locations", "demo")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bank.yaml"


def test_nested_names_are_joined_and_lists_have_commas(file: Path) -> None:
    file.write_text("google:\n  project: p\n  other:\n    locations: [a, b]\nport: 8001\ndemo: true\n")
    assert configuration.read(file, KNOWN) == {
        "google_project": "p",
        "google_other_locations": "a,b",
        "port": "8001",
        "demo": "1",
    }


def test_an_empty_file_sets_nothing(file: Path) -> None:
    file.write_text("# nothing yet\n")
    assert configuration.read(file, KNOWN) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("google: {projekt: p}", "google.projekt: there is no such setting; did you mean google_project"),
        ("google_project: a\ngoogle: {project: b}", "google_project is set twice"),
        ("port: [1", "not YAML: line 1"),
        ("- port", "a list of names with values"),
        ("port: 1.5", "port: float is no value"),
        ("port: {a: {b: {c: {d: 1}}}}", "port.a.b.c: dict is no value"),
    ],
)
def test_what_cannot_be_used_is_told_with_file_and_place(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(InvalidRequest, match=f"bank.yaml: .*{message}"):
        configuration.read(file, KNOWN)


def test_a_file_that_is_not_there_or_not_text(file: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be read: No such file"):
        configuration.read(file, KNOWN)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidRequest, match="not YAML"):
        configuration.read(file, KNOWN)


def test_the_environment_goes_before_the_file_and_what_is_typed_before_both(file: Path) -> None:
    file.write_text("port: 8001\nhost: 0.0.0.0\nrelease: from-file\n")
    environ = {"OPSPLANE_CONFIG": str(file), "OPSPLANE_PORT": "8002", "OPSPLANE_RELEASE": "from-environment"}
    chosen = settings.from_environment(environ, release="typed")
    assert (chosen.host, chosen.port, chosen.release) == ("0.0.0.0", 8002, "typed")


def test_a_file_that_is_named_goes_before_the_one_of_the_environment(file: Path) -> None:
    file.write_text("port: 8001\n")
    chosen = settings.from_environment({"OPSPLANE_CONFIG": "elsewhere.yaml"}, config=file)
    assert chosen.port == 8001


def test_a_value_out_of_bounds_is_told_with_the_file(file: Path) -> None:
    file.write_text("port: 99999\n")
    with pytest.raises(InvalidRequest, match="port: '99999' is not a whole number"):
        settings.from_environment({}, config=file)
    file.write_text("index_store: faiss\n")
    with pytest.raises(InvalidRequest, match="index_store: 'faiss' is none of chroma, vertex"):
        settings.from_environment({}, config=file)
