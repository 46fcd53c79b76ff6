"""What observing turns costs: turns a second with traces and metrics sent to a collector, and without.

    python -m benchmarks.telemetry [--rounds 3]

Observed and unobserved turns alternate question by question in one run, so that the machine's drift falls on both; a
third of the same turns is observed with a collector that is gone. The collector is another process, on the same cores.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import process_time

from assistant import bootstrap, ingesting, questions, telemetry
from assistant.bootstrap import App
from assistant.panels import table
from assistant.settings import Settings
from benchmarks.turn import governed
from opsplane.evaluation import dataset

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
GONE = "http://127.0.0.1:9"
SECRET = b"of the benchmark"
Rows = list[tuple[str, str]]


@contextmanager
def collector() -> Iterator[str]:
    """The address of a collector in a process of its own."""
    command = [sys.executable, "-m", "tests.collector"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        yield process.stdout.readline().strip()
        process.stdin.close()


async def measure(apps: Sequence[App], rounds: int) -> Rows:
    """The table's rows; `apps` are unobserved, observed, and observed without a collector."""
    cases = [one for one in dataset.load(GOLDEN).cases if one.expect == "answer" and not one.history]
    for case in cases:  # warm: every sentence of the sample corpus is embedded once in a process's life
        await governed(apps[0], case.as_, case.question)
    walls: list[list[float]] = [[] for _ in apps]
    busy = [0.0 for _ in apps]
    for turn in range(rounds * len(cases)):
        case = cases[turn % len(cases)]
        for place in range(len(apps)):  # each is first as often as the others
            number = (turn + place) % len(apps)
            cpu = process_time()
            walls[number].append(await governed(apps[number], case.as_, case.question))
            busy[number] += process_time() - cpu
    rows: Rows = [("Turns measured", f"{len(walls[0])} of each")]
    names = ("Unobserved", "Traces and metrics to a collector", "To a collector that is gone")
    for name, wall, cpu in zip(names, walls, busy, strict=True):
        speed = 1000 * len(wall) / sum(wall)
        ratio = median(one / base for one, base in zip(wall, walls[0], strict=True))
        spent = f"{1000 * cpu / len(wall):.1f} ms CPU"
        rows.append((name, f"{speed:.1f} turns/s, {median(wall):.1f} ms p50, {spent}, ÷ unobserved {ratio:.3f}"))
    return rows


def main() -> None:
    """Measure on the sample corpus with a record of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="times every golden question is asked of each")
    rounds = parser.parse_args().rounds
    settings = Settings()
    ingesting.ingest_corpus(settings, lambda *_: None)
    clock = questions.clock_on("2026-11-23", settings.zone)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as open_parts:
        urls = {f"{name}_url": f"sqlite:///{folder}/{name}.db" for name in ("record", "keys", "chat", "bank")}
        urls["anchor"] = f"{folder}/anchor"
        own = replace(settings, **urls)  # type: ignore[arg-type]  # texts all of them
        app = open_parts.enter_context(bootstrap.build(own, lambda *_: None, clock))
        apps = [app]
        for url in (open_parts.enter_context(collector()), GONE):
            observer = open_parts.enter_context(telemetry.opened(replace(own, otlp_endpoint=url), SECRET))
            apps.append(replace(app, observer=observer))
        rows = asyncio.run(measure(apps, rounds))
    print(table(("Measure", "Result"), rows).replace("\\", ""))


if __name__ == "__main__":
    main()
