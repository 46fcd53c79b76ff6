"""Appends to the record against what the disk can do; run with `python -m benchmarks.appends [--rounds 24]`.

The yardstick is a file that grows by as many bytes as one entry has, with fdatasync after each. Disk and record take
turns, a quarter of a second each, so that a neighbour's load falls on both; a ratio is of one turn of the record to
the turns of the disk before and after it, and what is printed is the median over all rounds, with the quartiles. One
producer waits for each append; 32 do so at once in one event loop, as people's turns do.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from sqlalchemy import select

from assistant.panels import table
from opsplane.ledger import verifier
from opsplane.ledger.database import connect
from opsplane.ledger.tables import ENTRY
from tests.durability.harness import Server
from tests.durability.record import QUESTION, Numbered

PRODUCERS = 32
TURN = 0.25  # seconds
LINES = {1: 0.75, PRODUCERS: 10.0}


@dataclass
class Track:
    """What one way of appending came to: a ratio for each round, and the milliseconds of every append."""

    ratios: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)


class Yardstick:
    """A growing file on the record's disk."""

    def __init__(self, path: Path, size: int) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self._bytes = os.urandom(size)

    def rate(self) -> float:
        """Appends with fdatasync a second."""
        begun, done = perf_counter(), 0
        while (spent := perf_counter() - begun) < TURN:
            os.write(self._file, self._bytes)
            os.fdatasync(self._file)
            done += 1
        return done / spent


def alone(ledger: Numbered, numbers: Iterator[int], waits: list[float]) -> float:
    """Appends a second of one producer that waits for each."""
    begun, done = perf_counter(), 0
    while (before := perf_counter()) - begun < TURN:
        ledger.append(next(numbers))
        waits.append((perf_counter() - before) * 1000)
        done += 1
    return done / (perf_counter() - begun)


def together(ledger: Numbered, numbers: Iterator[int], waits: list[float]) -> float:
    """Appends a second of all producers at once."""

    async def produce(end: float) -> int:
        done = 0
        while (before := perf_counter()) < end:
            await ledger.later(next(numbers))
            waits.append((perf_counter() - before) * 1000)
            done += 1
        return done

    async def everybody(end: float) -> int:
        return sum(await asyncio.gather(*(produce(end) for _ in range(PRODUCERS))))

    begun = perf_counter()
    done = asyncio.run(everybody(begun + TURN))
    return done / (perf_counter() - begun)


def measure(url: str, folder: Path, rounds: int) -> tuple[dict[int, Track], list[float]]:
    """Tracks by number of producers, and the disk's own rates."""
    ledger, numbers = Numbered.open(connect(url), str(folder)), sentences()
    disk = Yardstick(folder / "yardstick", entry_size(ledger, numbers))
    ways = {1: alone, PRODUCERS: together}
    tracks, rates = {number: Track() for number in ways}, [disk.rate()]
    for _ in range(rounds):
        for number, way in ways.items():
            rate = way(ledger, numbers, tracks[number].waits)
            rates.append(disk.rate())
            tracks[number].rates.append(rate)
            tracks[number].ratios.append(2 * rate / (rates[-1] + rates[-2]))
    ledger.close()
    return tracks, rates


def sentences() -> Iterator[int]:
    """Numbers of sentences of answers, the commonest event: a sealed part, and no row in any read model."""
    return (number for number in count() if number % QUESTION)


def entry_size(ledger: Numbered, numbers: Iterator[int]) -> int:
    """The bytes of one entry, as they are hashed."""
    for number in islice(numbers, 500):  # warm
        ledger.append(number)
    newest = select(ENTRY).order_by(ENTRY.c.seq.desc()).limit(1)
    with ledger.engine.connect() as connection:
        row = connection.execute(newest).one()
    return len(verifier.body(*row[:-1], bytes(32)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--database", choices=["sqlite", "postgresql"])
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)  # PostgreSQL runs as somebody else
        for database in [options.database] if options.database else ["sqlite", "postgresql"]:
            server = Server(folder / "server") if database == "postgresql" else None
            url = server.database("appends") if server else f"sqlite:///{folder}/record.db"
            tracks, rates = measure(url, folder, options.rounds)
            rows += [row(database, number, track, rates) for number, track in tracks.items()]
            if server:
                server.close()
    titles = "database", "producers", "÷ fdatasync", "quartiles", "line", "appends/s", "fdatasync/s", "ack p50 / p99"
    print(table(titles, rows).replace("\\", ""))


def row(database: str, producers: int, track: Track, rates: list[float]) -> tuple[str, ...]:
    """One row of the table."""
    low, _, high = quantiles(track.ratios, n=4)
    cuts = quantiles(track.waits, n=100)
    return (
        database,
        str(producers),
        f"{median(track.ratios):.2f}",
        f"{low:.2f} to {high:.2f}",
        f"{LINES[producers]}",
        f"{median(track.rates):,.0f}",
        f"{median(rates):,.0f}",
        f"{cuts[49]:.2f} / {cuts[98]:.2f} ms",
    )


if __name__ == "__main__":
    main()
