"""The process in which files of risky kinds are read: little memory, no network, no writing, no programs.

Started by `knowledge.quarantine`. A question is a line of JSON (`kind`, `size`) and so many bytes; an answer is a line
with a length and so many bytes of JSON.
"""

import contextlib
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from knowledge.reading import SAVE_AGAIN, Reading, Unfit

READERS = {
    "pdf": ("knowledge.portable", "pdf"),
    "docx": ("knowledge.word", "read"),
    "xlsx": ("knowledge.sheet", "xlsx"),
    "html": ("knowledge.webpage", "page"),
}
"""Module and function of each kind; imported when the first file of the kind comes."""
_FORBIDDEN = (
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.remove",
    "os.rename",
    "shutil.rmtree",
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def main(megabytes: int, seconds: float) -> None:
    """Answer questions until the asker goes away."""
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints must not look like an answer
    _bound_memory(megabytes)
    sys.addaudithook(_refuse)
    while head := questions.readline():
        asked = json.loads(head)
        data = questions.read(asked["size"])
        _bound_time(seconds)
        answer, sound = _answer(asked["kind"], data)
        packed = json.dumps(answer).encode()
        answers.write(b"%d\n" % len(packed) + packed)
        answers.flush()
        if not sound:
            return


def _answer(kind: str, data: bytes) -> tuple[dict[str, Any], bool]:
    """The answer to one question, and whether this process is fit for the next."""
    try:
        return _told(_reader(kind)(data)), True
    except Unfit as error:
        return {"unfit": str(error)}, True
    except SyntaxError:  # what both XML parsers raise
        return {"unfit": f"damaged: its XML cannot be read; {SAVE_AGAIN}"}, True
    except MemoryError:
        return {"unfit": "needs more memory to read than it may have"}, False
    except Exception as error:  # noqa: BLE001  # the asker logs it
        return {"damaged": type(error).__name__, "trace": traceback.format_exc()[-4000:]}, True


def _reader(kind: str) -> Callable[[bytes], Reading]:
    module, name = READERS[kind]
    reader: Callable[[bytes], Reading] = getattr(importlib.import_module(module), name)
    return reader


def _told(reading: Reading) -> dict[str, Any]:
    return {
        "sections": [section.model_dump() for section in reading.sections],
        "fields": reading.fields,
        "notes": list(reading.notes),
    }


def _bound_memory(megabytes: int) -> None:
    """Address space, core files; where the system has no such limits there are none."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415  # not on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 1_000_000, megabytes * 1_000_000))


def _bound_time(seconds: float) -> None:
    """So much processor time for the next file, in case nobody is left to end a process that hangs."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415  # not on Windows

        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + 2 * seconds) + 1, hard))


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    """Reading a file needs no network, no programs and writes nothing; whatever asks for that is stopped."""
    if event in _FORBIDDEN:
        raise PermissionError(f"{event} while reading a file")
    if event == "open" and (set(args[1] or "") & set("wax+") or args[2] & _WRITES):
        raise PermissionError("writing while reading a file")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
