"""Files that cannot be read say where, whatever is wrong with them."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from opsplane import yamlfile
from opsplane.errors import InvalidRelease


class Thing(BaseModel):
    """A value for these tests."""

    id: str
    parts: list[str] = []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id: a\nid: b\n", "line 2: the field 'id' is written twice"),
        ("? [a, b]\n: c\n", "line 1: a field's name must be a word"),
        ("id: 2026-13-45\n", "a value cannot be read: month must be in 1..12"),
        ("id: " + "[" * 2_000, "nested too deeply"),
        ("id: a\n---\nid: b\n", "but found another document"),
        ("id: a\nparts: [x, 3]\n", r"line 2: parts\.1: Input should be a valid string"),
        ("", "a mapping of fields is expected"),
        ("id: \x00", "special characters are not allowed"),
    ],
)
def test_a_malformed_file_is_refused_with_its_place(text: str, told: str) -> None:
    with pytest.raises(InvalidRelease, match=rf"thing\.yaml: .*{told}"):
        yamlfile.parse(text, Thing, name="thing.yaml")


def test_a_place_in_a_file_has_a_line(tmp_path: Path) -> None:
    path = tmp_path / "thing.yaml"
    path.write_text("id: a\nparts:\n  - x\n  - y\n")
    assert yamlfile.line(path, ("parts", 1)) == 4
    assert yamlfile.line(path, ("nothing",)) == 1
