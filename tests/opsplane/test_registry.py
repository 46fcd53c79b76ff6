"""Release files: whole or refused, with file, line and field."""

from pathlib import Path

import pytest

from opsplane import registry
from opsplane.errors import InvalidRelease

RELEASES = Path(registry.__file__).parents[1] / "assistant" / "releases"


def _copy(folder: Path, *changes: tuple[str, str], name: str = "heron-6.yaml") -> Path:
    text = (RELEASES / "heron-6.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / name).write_text(text)
    return folder


def test_every_release_of_the_product_can_be_read() -> None:
    releases = registry.load_all(RELEASES)
    assert "heron-6" in releases
    assert all(one.guardrails.rules and one.guardrails.scope_exemplars for one in releases.values())
    assert len({one.digest for one in releases.values()}) == len(releases)


def test_an_unknown_field_is_named_with_file_and_line(tmp_path: Path) -> None:
    folder = _copy(tmp_path, ("  passages: 6", "  passages: 6\n  passage_count: 7"))
    with pytest.raises(InvalidRelease, match=r"heron-6\.yaml: line \d+: retrieval\.passage_count: Extra inputs"):
        registry.load_all(folder)


def test_a_wrong_value_is_named_with_its_line(tmp_path: Path) -> None:
    folder = _copy(tmp_path, ("dense_weight: 0.7", "dense_weight: 5"))
    line = next(
        number
        for number, text in enumerate((folder / "heron-6.yaml").read_text().splitlines(), start=1)
        if "dense_weight" in text
    )
    with pytest.raises(InvalidRelease, match=rf"line {line}: retrieval\.dense_weight"):
        registry.load_all(folder)


def test_a_field_written_twice_is_refused(tmp_path: Path) -> None:
    folder = _copy(tmp_path, ("  injection: 0.6", "  injection: 0.6\n  injection: 0.9"))
    with pytest.raises(InvalidRelease, match="'injection' is written twice"):
        registry.load_all(folder)


def test_yaml_that_does_not_parse_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "torn.yaml").write_text("id: torn\nprompt: {system: [unclosed\n")
    with pytest.raises(InvalidRelease, match=r"torn\.yaml: line \d+"):
        registry.load_all(tmp_path)


def test_every_broken_file_is_named_not_just_the_first(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("id: [")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "c.yaml").write_text("just a sentence")
    with pytest.raises(InvalidRelease, match=r"(?s)a\.yaml.*b\.yaml.*c\.yaml"):
        registry.load_all(tmp_path)


def test_two_files_may_not_use_one_id(tmp_path: Path) -> None:
    _copy(tmp_path)
    _copy(tmp_path, name="other.yaml")
    with pytest.raises(InvalidRelease, match="used by another file"):
        registry.load_all(tmp_path)


def test_an_unknown_pack_is_refused_and_the_known_ones_are_named(tmp_path: Path) -> None:
    folder = _copy(tmp_path, ("packs: [retail-us,", "packs: [../../secrets,"))
    with pytest.raises(InvalidRelease, match=r"there is no pack '\.\./\.\./secrets'.*retail-us"):
        registry.load_all(folder)


def test_rules_may_not_be_written_into_a_release(tmp_path: Path) -> None:
    rule = "{id: a.b, title: t, because: b, reads: answer, patterns: [x], fires: [x], passes: [y]}"
    pack = f"  rules: [{{id: mine, version: '1', rules: [{rule}]}}]"
    folder = _copy(tmp_path, ("  exemplars: scope-retail-us", f"  exemplars: scope-retail-us\n{pack}"))
    with pytest.raises(InvalidRelease, match="name packs"):
        registry.load_all(folder)


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidRelease, match="no release file"):
        registry.load_all(tmp_path)
