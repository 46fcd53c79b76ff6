"""Checkpoints outside the database: only added to, and readable after any crash."""

from pathlib import Path

import pytest

from opsplane.errors import RecordUnavailable
from opsplane.ledger.anchor import Anchor, Anchored

ONE, TWO = Anchored("opsplane/x\n1\nroot\n\n— x sig\n"), Anchored("second\n", "c3RhbXA=")


def test_what_is_added_is_read_back_in_order(tmp_path: Path) -> None:
    anchor = Anchor(tmp_path / "far" / "away")
    anchor.add("abc", ONE)
    anchor.add("abc", TWO)
    assert anchor.checkpoints("abc") == ([ONE, TWO], [])
    assert anchor.ledgers() == ["abc"]


def test_a_torn_line_is_told_and_the_next_one_stands_by_itself(tmp_path: Path) -> None:
    anchor = Anchor(tmp_path)
    anchor.add("abc", ONE)
    with anchor.checkpoints_file("abc").open("ab") as file:
        file.write(b'{"note": "cut of')
    anchor.add("abc", TWO)
    found, warnings = anchor.checkpoints("abc")
    assert found == [ONE, TWO]
    assert warnings == ["line 2 of the anchor cannot be read"]


def test_a_key_is_kept_once(tmp_path: Path) -> None:
    anchor = Anchor(tmp_path)
    for key in ("k1", "k2", "k1"):
        anchor.add_key("abc", key)
    assert anchor.keys("abc") == ["k1", "k2"]


def test_an_unknown_ledger_has_nothing(tmp_path: Path) -> None:
    assert Anchor(tmp_path / "nowhere").checkpoints("abc") == ([], [])
    assert Anchor(tmp_path / "nowhere").keys("abc") == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordUnavailable, match="cannot be written"):
        Anchor(tmp_path / "file").add("abc", ONE)
