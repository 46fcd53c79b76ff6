"""A folder for one evaluation: gone when it ends, and swept by the next one where the process was killed.

Each folder holds a lock that the operating system takes back when its process dies, whatever kills it: a number of a
process would not tell, since every container begins to count at 1.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from opsplane.errors import RecordUnavailable

_WAIT = 30.0  # seconds until whoever sweeps, or makes a folder, is done
_LOCK = "held.lock"


@contextmanager
def scratch(base: Path) -> Iterator[Path]:
    """A folder in `base` that only this user may read. Those there that no living process holds are removed first.

    Raises `RecordUnavailable` where none can be made.
    """
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        base.chmod(0o700)
        with _locked(base / ".lock", _WAIT):
            sweep(base)
            folder = Path(tempfile.mkdtemp(dir=base))
            held = _lock(folder / _LOCK, 0)
    except (OSError, sqlite3.DatabaseError) as error:
        raise RecordUnavailable(f"No folder for an evaluation can be made in {base}: {error}") from error
    try:
        yield folder
    finally:
        held.close()
        shutil.rmtree(folder, ignore_errors=True)  # what an open file keeps here, the next one sweeps


def sweep(base: Path) -> int:
    """Remove the folders in `base` that nobody holds, and say how many; whoever calls it keeps others from making any.

    A link is left alone, and so is a folder that cannot be removed.
    """
    dead = [one for one in base.iterdir() if one.is_dir() and not one.is_symlink() and not _alive(one)]
    for one in dead:
        shutil.rmtree(one, ignore_errors=True)
    return len(dead)


def _alive(folder: Path) -> bool:
    """Whether a process holds it; a folder without a lock was never finished."""
    if not (folder / _LOCK).is_file():
        return False
    try:
        with _locked(folder / _LOCK, 0):
            return False
    except sqlite3.DatabaseError as error:
        return "locked" in str(error)


@contextmanager
def _locked(path: Path, wait: float) -> Iterator[None]:
    with closing(_lock(path, wait)):
        yield


def _lock(path: Path, wait: float) -> sqlite3.Connection:
    """A connection that holds its file alone until it is closed, in whichever thread that is."""
    lock = sqlite3.connect(path, timeout=wait, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError:
        lock.close()
        raise
    return lock
