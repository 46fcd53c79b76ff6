"""What runs have found out already, by digest: answers and scores, in one SQLite file that any kill leaves whole."""

import sqlite3
import threading
import time
from pathlib import Path
from typing import Self

from opsplane.errors import InvalidRequest

DAYS = 60
"""What nobody asked for in so many days is forgotten."""
_TABLE = "CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, value TEXT NOT NULL, used INTEGER NOT NULL) STRICT"


class Kept:
    """Values by key. Several threads and processes may use one file at the same time; each value is written whole.

    Raises `InvalidRequest` for a file that is none of ours.
    """

    def __init__(self, path: Path | None, now: float | None = None) -> None:
        day = int((time.time() if now is None else now) // 86_400)
        self._day, self._lock = day, threading.Lock()
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # without a path nothing outlives the run
            self._file = sqlite3.connect(path or ":memory:", timeout=30, check_same_thread=False, isolation_level=None)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=NORMAL")
            self._file.execute(_TABLE)
            self._file.execute("DELETE FROM kept WHERE used < ?", (day - DAYS,))
        except sqlite3.DatabaseError as error:
            raise InvalidRequest(f"{path}: cannot be used: {error}. Delete it, and runs begin anew.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, key: str) -> str | None:
        """The value, or None; whoever asks keeps it alive."""
        with self._lock:
            found = self._file.execute("SELECT value, used FROM kept WHERE key = ?", (key,)).fetchone()
            if found and found[1] != self._day:
                self._file.execute("UPDATE kept SET used = ? WHERE key = ?", (self._day, key))
        return found[0] if found else None

    def put(self, key: str, value: str) -> None:
        """Keep a value; it is on disk, or will be within moments, and never in halves."""
        with self._lock:
            self._file.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (key, value, self._day))

    def forget(self) -> int:
        """Delete everything; how much that was."""
        with self._lock:
            return self._file.execute("DELETE FROM kept").rowcount

    def close(self) -> None:
        """Close the file."""
        self._file.close()
