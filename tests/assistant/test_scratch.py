"""Folders of evaluations go, whatever ends their process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.scratch import scratch
from opsplane.errors import RecordUnavailable

HOLDER = """
import sys
from pathlib import Path
from assistant.scratch import scratch
with scratch(Path(sys.argv[1])) as folder:
    (folder / "keys.db").write_text("secret")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_its_owners_alone_and_goes_at_the_end(tmp_path: Path) -> None:
    with scratch(tmp_path / "evaluations" / "apart") as folder:
        (folder / "record.db").write_text("")
        assert [one.stat().st_mode & 0o777 for one in (folder, folder.parent)] == [0o700, 0o700]
    assert not folder.exists()


def test_the_folder_of_a_process_that_was_killed_is_swept_and_not_that_of_one_that_lives(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        left = Path(other.stdout.readline().strip())
        with scratch(tmp_path):
            assert (left / "keys.db").exists()
        os.kill(other.pid, signal.SIGKILL)
    assert (left / "keys.db").exists()
    with scratch(tmp_path):
        assert not left.exists()


def test_two_of_one_process_leave_each_other_alone(tmp_path: Path) -> None:
    with scratch(tmp_path) as one, scratch(tmp_path) as other:
        assert one != other
        with scratch(tmp_path):
            assert one.exists()
            assert other.exists()


def test_what_was_never_finished_is_swept_and_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere, base = tmp_path / "elsewhere", tmp_path / "apart"
    (elsewhere / "mine").mkdir(parents=True)
    (base / "half").mkdir(parents=True)
    (base / "link").symlink_to(elsewhere)
    with scratch(base):
        assert not (base / "half").exists()
        assert (elsewhere / "mine").exists()


def test_where_no_folder_can_be_made_people_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordUnavailable, match="No folder for an evaluation"), scratch(tmp_path / "file"):
        pass
