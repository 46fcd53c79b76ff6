"""What survives: run with `python -m benchmarks.durability [--deaths 100] [--seed 7]`.

A worker acknowledges appends over a pipe and is killed at random times, or its power is cut: a preloaded library knows
what was synced, and nothing else (but for stray sectors) is left. Each death is followed by a check of everything that
was acknowledged since the beginning: there once, sequence, chain, tree, published checkpoints, sealed words, read
model. One, 8 and 32 producers take turns, each with and without signed checkpoints being made all the while. Ledgers
that cheat must be caught. Leaves with an error where anything was lost, or a cheat was not caught.
"""

import argparse
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from assistant.panels import table
from tests.durability import harness
from tests.durability.harness import Disk, Nursery, Server, Trial
from tests.durability.worker import Order

ENOUGH = 10_000  # acknowledged appends of each line
MOST = 250  # acknowledgements before a death
CROWDS = ((1, False), (8, True), (32, False), (1, True), (8, False), (32, True))
SERVER_DEATHS = 20


class Bench:
    """Everything a trial needs, in one scratch folder."""

    def __init__(self, scratch: Path, seed: int) -> None:
        self._scratch, self._seed, self._count = scratch, seed, 0
        self.nursery = Nursery(harness.build(scratch))
        self.server = Server(scratch / "server")

    def trial(self, database: str, *, power: bool = False, **changes: object) -> Trial:
        """A new ledger."""
        self._count += 1
        folder = self._scratch / f"trial{self._count}" / "data"
        folder.mkdir(parents=True)
        sqlite = database == "sqlite"
        url = f"sqlite:///{folder}/record.db" if sqlite else self.server.database(f"trial{self._count}")
        trial = Trial(self.nursery, Order(url, str(folder)), random.Random(self._seed)).with_order(**changes)
        return trial.with_disk(Disk(folder, folder.parent)) if power else trial

    def close(self) -> None:
        """Stop what runs."""
        self.nursery.__exit__(None, None, None)
        self.server.close()


def survives(name: str, trial: Trial, deaths: int, enough: int) -> Iterator[tuple[str, ...]]:
    """One line: so many deaths and acknowledged appends, and what was lost."""
    begun = perf_counter()
    wrong: list[str] = []
    while not wrong and (trial.deaths < deaths or len(trial.acknowledged) < enough):
        producers, checkpoints = CROWDS[trial.deaths % len(CROWDS)]
        trial.order = trial.with_order(producers=producers, checkpoints=checkpoints).order
        wrong = trial.once(MOST)
    yield (
        name,
        f"{trial.deaths}",
        f"{len(trial.acknowledged):,}",
        f"{len(trial.published):,}",
        "; ".join(wrong) or "0 lost",
        f"{trial.recovery * 1000:,.0f} ms",
        f"{perf_counter() - begun:.0f} s",
    )


def caught(name: str, trial: Trial) -> Iterator[tuple[str, ...]]:
    """One line: after how many deaths a ledger that cheats was found out."""
    begun = perf_counter()
    wrong: list[str] = []
    while not wrong and trial.deaths < 10:
        wrong = trial.once()
    lost = "; ".join(word for word in wrong if "lost" in word)
    verdict = f"caught: {lost}" if lost else "NOT CAUGHT"
    yield name, f"{trial.deaths}", f"{len(trial.acknowledged):,}", "", verdict, "", f"{perf_counter() - begun:.0f} s"


def lines(bench: Bench, deaths: int) -> Iterator[tuple[str, ...]]:
    """All of them, as they are measured."""
    enough = ENOUGH * deaths // 100
    killed = bench.trial("postgresql").with_server(bench.server)
    yield from survives("SQLite, process killed", bench.trial("sqlite"), deaths, enough)
    yield from survives("SQLite, power cut", bench.trial("sqlite", power=True), deaths, enough)
    yield from survives("PostgreSQL, process killed", bench.trial("postgresql"), deaths, enough)
    yield from survives("PostgreSQL, server and process killed", killed, min(deaths, SERVER_DEATHS), 0)
    yield from caught("acknowledged before the commit", bench.trial("sqlite", variant="early", producers=8))
    yield from caught("SQLite synchronous=NORMAL, power cut", bench.trial("sqlite", power=True, variant="normal"))
    lazy = bench.trial("postgresql", variant="lazy", producers=4).with_server(bench.server)
    yield from caught("PostgreSQL synchronous_commit=off, server killed", lazy)


def main() -> None:
    """Print the table; leave with an error where a line is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deaths", type=int, default=100, help="of each line")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="opsplane-") as scratch:
        Path(scratch).chmod(0o755)  # PostgreSQL runs as somebody else
        bench = Bench(Path(scratch), options.seed)
        rows = list(lines(bench, options.deaths))
        bench.close()
    titles = "line", "deaths", "acknowledged", "checkpoints", "found", "longest recovery", "took"
    print(table(titles, rows).replace("\\", ""))
    if any(not row[4].startswith(("0 lost", "caught")) for row in rows):
        raise SystemExit("a line was not kept")


if __name__ == "__main__":
    main()
