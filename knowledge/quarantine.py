"""Files of risky kinds are read in a process of their own: one that hangs, swells or dies takes nothing with it."""

import atexit
import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from knowledge.document import Section
from knowledge.reading import SAVE_AGAIN, Reading, Unfit

LOG = logging.getLogger(__name__)
SECONDS = 30.0
MEGABYTES = 2_048
_FILES = 200
"""A worker that has read so many files gives its place to a fresh one, in case a file left something behind."""
_LARGEST_ANSWER = 200_000_000
_WORKERS = 2
SLOW = "took longer than"
"""How the reason begins where a file may well be read another time, on a machine that is less busy."""


class Quarantine:
    """Worker processes, started at the first file and used again; at most `workers` files are read at once."""

    def __init__(self, seconds: float = SECONDS, megabytes: int = MEGABYTES, workers: int = _WORKERS) -> None:
        self.seconds = seconds
        self.megabytes = megabytes
        self.started = 0
        self._places = threading.BoundedSemaphore(workers)
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()
        atexit.register(self.close)

    def read(self, kind: str, data: bytes) -> Reading:
        """Have a file read that is of a kind named in `knowledge.sandbox`.

        Raises `Unfit` for what cannot be read, in the time and the memory that there are.
        """
        with self._places:
            answer = self._asked(kind, data, self._taken())
            if answer is None:  # it may have died before, while it waited
                answer = self._asked(kind, data, self._started())
        if answer is None:
            raise Unfit(f"damaged: it brought down the process that read it; {SAVE_AGAIN}")
        return _reading(answer)

    def _asked(self, kind: str, data: bytes, worker: "_Worker") -> dict[str, Any] | None:
        """A worker's answer, None from one that died; a worker that is still good waits for the next file."""
        try:
            answer = worker.ask(kind, data, self.seconds)
        except BaseException:
            worker.stop()
            raise
        if answer is not None and worker.files < _FILES and worker.sound():
            with self._lock:
                self._idle.append(worker)
        else:
            worker.stop()
        return answer

    def waiting(self) -> list[int]:
        """The process ids of the workers that wait for a file."""
        with self._lock:
            return [worker.process.pid for worker in self._idle]

    def close(self) -> None:
        """End the workers that wait; the next file starts one again."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.stop()

    def _taken(self) -> "_Worker":
        """A worker that waits, or a new one; after a fork the parent's are not ours."""
        while True:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is None:
                return self._started()
            if worker.owner == os.getpid() and worker.sound():
                return worker
            if worker.owner == os.getpid():
                worker.stop()

    def _started(self) -> "_Worker":
        with self._lock:
            self.started += 1
        return _Worker(self.megabytes, self.seconds)


class _Worker:
    """One process, which answers one question after another through its pipes."""

    def __init__(self, megabytes: int, seconds: float) -> None:
        self.owner = os.getpid()
        self.files = 0
        # Nothing of our environment but where the modules lie: a hostile file finds no secrets there.
        kept = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
        path = os.pathsep.join(place or str(Path.cwd()) for place in sys.path)
        command = [sys.executable, "-P", "-m", "knowledge.sandbox", str(megabytes), str(seconds)]
        self.process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**kept, "PYTHONPATH": path, "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        )

    def ask(self, kind: str, data: bytes, seconds: float) -> dict[str, Any] | None:
        """The worker's answer, None where it dies. Raises `Unfit` where it is late."""
        late = threading.Event()

        def end() -> None:
            late.set()
            self.process.kill()

        self.files += 1
        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        answer: dict[str, Any] | None = None
        try:
            answer = self._exchange(kind, data)
        except Unfit:
            raise
        except (OSError, ValueError) as error:
            LOG.info("A process that read a file ended: %s", error)
        finally:
            timer.cancel()
            timer.join()
        if answer is None and late.is_set():
            raise Unfit(f"{SLOW} {seconds:g} seconds to read")
        return answer

    def _exchange(self, kind: str, data: bytes) -> dict[str, Any] | None:
        """Lengths and contents, to and fro. The answer is JSON, since a worker that a file has taken over may lie."""
        if self.process.stdin is None or self.process.stdout is None:
            return None
        head = json.dumps({"kind": kind, "size": len(data)}).encode()
        self.process.stdin.write(head + b"\n" + data)
        self.process.stdin.flush()
        size = self.process.stdout.readline(32).strip()
        if not size.isdigit():
            return None
        if int(size) > _LARGEST_ANSWER:
            raise Unfit(f"holds more text than can be kept ({int(size):,} bytes)")
        answer = json.loads(self.process.stdout.read(int(size)))
        return answer if isinstance(answer, dict) else None

    def sound(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End the process, if it still runs, and its pipes."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    LOG.debug("A pipe to a dead worker did not close cleanly.")
        self.process.wait()


def _reading(answer: dict[str, Any]) -> Reading:
    """What a worker answered, believed only in its types."""
    if "unfit" in answer:
        raise Unfit(str(answer["unfit"]))
    if "damaged" in answer:
        LOG.warning("A file could not be parsed.\n%s", answer.get("trace", ""))
        raise Unfit(f"damaged ({answer['damaged']}): {SAVE_AGAIN}")
    try:
        return Reading(
            [Section.model_validate(section) for section in answer["sections"]],
            {str(name): value for name, value in dict(answer["fields"]).items() if isinstance(value, str)},
            [str(note) for note in answer["notes"]],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Unfit("damaged: it confused the process that read it") from error


QUARANTINE = Quarantine()
"""The workers of this process."""
