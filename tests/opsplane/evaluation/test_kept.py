"""What runs have found out already."""

import sqlite3
from pathlib import Path

import pytest

from opsplane.errors import InvalidRequest
from opsplane.evaluation.kept import DAYS, Kept

DAY = 86_400.0


def test_a_value_is_there_for_the_next_run(tmp_path: Path) -> None:
    with Kept(tmp_path / "kept.db") as first:
        first.put("a", "1")
    with Kept(tmp_path / "kept.db") as second:
        assert (second.get("a"), second.get("b")) == ("1", None)


def test_two_runs_may_use_one_file_at_the_same_time(tmp_path: Path) -> None:
    with Kept(tmp_path / "kept.db") as one, Kept(tmp_path / "kept.db") as other:
        one.put("a", "1")
        other.put("b", "2")
        assert (other.get("a"), one.get("b")) == ("1", "2")


def test_what_nobody_asked_for_is_forgotten_and_what_is_used_stays(tmp_path: Path) -> None:
    with Kept(tmp_path / "kept.db", now=0) as then:
        then.put("used", "1")
        then.put("unused", "2")
    with Kept(tmp_path / "kept.db", now=DAY * (DAYS - 1)) as later:
        assert later.get("used") == "1"
    with Kept(tmp_path / "kept.db", now=DAY * (DAYS + 1)) as now:
        assert (now.get("used"), now.get("unused")) == ("1", None)


def test_everything_can_be_forgotten(tmp_path: Path) -> None:
    with Kept(tmp_path / "kept.db") as one:
        one.put("a", "1")
        assert (one.forget(), one.get("a")) == (1, None)


def test_a_file_that_is_none_of_ours_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "kept.db").write_bytes(b"something else entirely, and long enough to be looked at" * 100)
    with pytest.raises(InvalidRequest, match="Delete it"):
        Kept(tmp_path / "kept.db")


def test_without_a_file_nothing_outlives_the_run() -> None:
    with Kept(None) as one:
        one.put("a", "1")
        assert one.get("a") == "1"
    with pytest.raises(sqlite3.ProgrammingError):
        one.get("a")
