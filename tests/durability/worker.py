"""A process that appends to a ledger and says over a pipe what was acknowledged, until somebody kills it.

Started once as `python -m tests.durability.worker DESCRIPTOR`, it forks a worker for each order that arrives on that
socket, so that a hundred kills do not cost a hundred imports. What a worker says, one line at a time:

    +7          the append of number 7 returned
    -7          it raised RecordUnavailable, or for the first number the opening did
    =7          a checkpoint of 7 entries was published
    !words      something else went wrong

Variants are wrong on purpose, for the checks to find: `early` acknowledges before it appends, `normal` and `lazy` do
not let SQLite and PostgreSQL wait for the disk.
"""

import ctypes
import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any, NoReturn

from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from opsplane.errors import PlaneError, RecordUnavailable
from opsplane.ledger import checkpoint
from opsplane.ledger.database import connect
from tests.durability.record import Numbered

PAUSE = 0.002  # seconds a producer waits after a refusal


@dataclass(frozen=True)
class Order:
    """What one worker is to do. Numbers count up from `first`; the shim watches the folder if `shadow` is set."""

    url: str
    folder: str
    first: int = 0
    producers: int = 1
    checkpoints: bool = False
    variant: str = ""
    shadow: str = ""
    control: str = ""

    def packet(self) -> bytes:
        """As it is sent."""
        return json.dumps(asdict(self)).encode()


def _hasty(connection: Any, _record: object) -> None:
    """Have a new connection not wait for the disk."""
    cursor = connection.cursor()
    if "sqlite" in type(connection).__module__:
        cursor.execute("PRAGMA synchronous=NORMAL")
    else:
        cursor.execute("SET synchronous_commit TO off")
        connection.commit()
    cursor.close()


def _opened(order: Order) -> Numbered:
    engine = connect(order.url)
    if order.variant in ("normal", "lazy"):
        event.listen(engine, "connect", _hasty)
        engine.dispose()  # the first connection is open already
    return Numbered.open(engine, order.folder)


def _say(pipe: int, words: str) -> None:
    os.write(pipe, words.replace("\n", " ")[:400].encode() + b"\n")


def _produce(ledger: Numbered, numbers: Iterator[int], pipe: int, *, early: bool) -> None:
    wait = threading.Event()
    for number in numbers:
        if early:
            _say(pipe, f"+{number}")
        try:
            ledger.append(number)
        except RecordUnavailable:
            _say(pipe, f"-{number}")
            wait.wait(PAUSE)
        else:
            if not early:
                _say(pipe, f"+{number}")


def _publish(ledger: Numbered, pipe: int) -> None:
    """Checkpoints, one after the other."""
    while True:
        try:
            made = checkpoint.make(ledger.ledger, ledger.notary())
        except (PlaneError, SQLAlchemyError) as error:
            logging.getLogger(__name__).info("no checkpoint: %s", error)
        else:
            _say(pipe, f"={made.size if made else 0}")


def _work(order: Order, pipe: int) -> None:
    if order.shadow:
        watch = ctypes.CDLL(None).powercut_watch  # not there unless the shim was preloaded
        paths = (order.folder, order.shadow, order.control)
        if watch(*(path.encode() for path in paths)):
            raise OSError("the shim does not watch")
    try:
        ledger = _opened(order)
    except RecordUnavailable:  # its server may be killed just then
        _say(pipe, f"-{order.first}")
        return
    numbers, early = count(order.first), order.variant == "early"
    deeds: list[Callable[[], None]] = [lambda: _produce(ledger, numbers, pipe, early=early)] * order.producers
    if order.checkpoints:
        checkpoint.introduce(ledger.ledger, ledger.notary())
        deeds.append(lambda: _publish(ledger, pipe))
    threads = [threading.Thread(target=_guarded, args=(deed, pipe)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _guarded(deed: Callable[[], None], pipe: int) -> None:
    """Nothing but `RecordUnavailable` may come out of an append: whatever does is told."""
    try:
        deed()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent judges it
        _say(pipe, f"!{type(error).__name__}: {error}")


def _live(order: Order, pipe: int) -> NoReturn:
    """A child's whole life; it never comes back into its parent's loop."""
    _guarded(lambda: _work(order, pipe), pipe)
    os._exit(0)


def main(descriptor: int) -> None:
    """Fork a worker for each order; wait for one when its number is sent."""
    logging.disable(logging.CRITICAL)  # a failing disk is the point
    with socket.socket(fileno=descriptor) as orders:
        while True:
            packet, pipes, _, _ = socket.recv_fds(orders, 1 << 16, 1)
            if not packet:
                return
            wanted = json.loads(packet)
            if isinstance(wanted, int):
                orders.send(str(os.waitpid(wanted, 0)[1]).encode())
                continue
            if (pid := os.fork()) == 0:
                orders.close()
                _live(Order(**wanted), pipes[0])
            os.close(pipes[0])
            orders.send(str(pid).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]))
