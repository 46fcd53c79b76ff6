"""Exporters killed at random moments: `python -m benchmarks.export_kills [--kills 100] [--seed 7]`.

A record grows by some turns at a time; each time an exporter sends them to a BigQuery on this machine, by Google's own
client libraries over real sockets, and is killed (SIGKILL): a third of the times at any moment, a third just before a
batch is written there, a third just after it was written and before the answer. Every seventh time a write stream comes
to its end as well, or is gone. A last exporter is left alive. Then every row that the record makes must be in its table
once, and no other. The same comparison must find out an exporter that sends batches without offsets.

Leaves with an error where any of that fails.
"""

import argparse
import random
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from time import perf_counter

from assistant.bigquery import Warehouse
from assistant.bigquery_tables import TABLES
from assistant.panels import table
from assistant.settings import Settings
from opsplane.ledger.store import Ledger
from tests.assistant.exports.killing import Killing, Tally, opened, ways
from tests.assistant.exports.turns import due, there
from tests.vertex.bigquery import Local, local
from tests.vertex.cloud import PROJECT

ENDS = 7
"""With every so many kills a write stream comes to its end."""

MOST = 5
"""Tries of one kill: an exporter may have come to its own end before."""


def settings_of(server: Local, folder: Path) -> Settings:
    """A record in a folder, and a dataset of its own."""
    folder.mkdir(parents=True)
    return Settings(
        data=folder,
        google_project=PROJECT,
        google_credentials="none",
        google_endpoint=server.url,
        bigquery_write_endpoint=server.write,
        bigquery_dataset=server.dataset(),
    )


def wrong(ledger: Ledger, settings: Settings) -> tuple[dict[str, tuple[int, int, int]], bool]:
    """For each table the rows, those that are missing and those too many; whether anything is wrong."""
    found: dict[str, tuple[int, int, int]] = {}
    with closing(Warehouse(settings.cloud, settings.bigquery_dataset)) as warehouse:
        for one in TABLES:
            has, wants = there(warehouse, one), due(ledger, one)
            lost, extra = Counter(wants), Counter(has)
            lost.subtract(has)
            extra.subtract(wants)
            found[one.name] = (has.total(), (+lost).total(), (+extra).total())
    return found, any(missing or many for _, missing, many in found.values())


def killed(
    server: Local, folder: Path, kills: list[str], seed: int, *, careful: bool
) -> tuple[Tally, dict[str, tuple[int, int, int]], bool]:
    """Go through the kills with a record and a dataset of their own."""
    settings = settings_of(server, folder)
    ledger, held = opened(settings)
    with closing(held), closing(ledger):
        killing = Killing(ledger, settings, server, seed, careful=careful)
        for number, way in enumerate(kills, 1):
            for _ in range(MOST):
                if killing.kill(way, ends=careful and number % ENDS == 0):
                    break
        killing.finish()
        return killing.tally, *wrong(ledger, settings)


def main() -> None:
    """Kill, compare, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    began = perf_counter()
    with tempfile.TemporaryDirectory(prefix="opsplane-exports-") as path, local() as server:
        plan = ways(random.Random(given.seed), given.kills)
        tally, found, bad = killed(server, Path(path) / "record", plan, given.seed, careful=True)
        _, careless, noticed = killed(server, Path(path) / "control", ["kill after"] * 3, given.seed, careful=False)
    rows = [(name, *(f"{number:,}" for number in numbers)) for name, numbers in found.items()]
    print(table(("Table", "Rows", "Missing", "Twice"), rows))
    counts = ", ".join(f"{number} {way}" for way, number in tally.killed.items())
    print(f"\nKilled {sum(tally.killed.values())} times: {counts}; {tally.survived} had ended before.")
    print(f"A batch was under way after {tally.under_way} of them; {tally.ended} times a stream was to end.")
    twice = sum(many for _, _, many in careless.values())
    print(f"Without offsets {twice} rows are there twice: the comparison {'finds' if noticed else 'MISSES'} them.")
    print(f"{perf_counter() - began:.0f} s")
    raise SystemExit("Rows are missing or there twice." if bad or not noticed else 0)


if __name__ == "__main__":
    main()
