"""Two hundred turns at the same moment, with a model that takes its time, governed and ungoverned.

    python -m benchmarks.burst [--turns 200] [--rounds 3] [--first-token-ms 300] [--token-ms 20]

The model is Gemini as the local cloud speaks it, in a process of its own, over the real client: so many milliseconds
to the first token and to each further one. Ungoverned is retrieval and the same agent on the same release, without
screening, checks and record. Rounds of both alternate, so that the machine's drift falls on both; what is printed are
seconds from the question to the first sentence, over all rounds, and the process' resident memory after each of them.
"""

import argparse
import asyncio
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import quantiles
from time import monotonic, perf_counter, sleep
from uuid import uuid4

from assistant import bootstrap, conversation, ingesting, questions, settings
from assistant.bootstrap import App
from assistant.panels import table
from opsplane import budget, routing, turn
from opsplane.evaluation import dataset
from opsplane.evaluation.dataset import Case
from opsplane.evidence import Evidence, Sentence
from opsplane.exchange import Outcome, Question

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
_START = 120  # seconds
_WARM = 20  # turns at once before it counts

Turn = Callable[[App, Case], Awaitable[float]]


class Watch:
    """Notes when the first sentence came."""

    def __init__(self) -> None:
        self._begun, self.first = perf_counter(), 0.0

    async def step(self, name: str, detail: str) -> None:
        """Nothing is shown."""

    async def say(self, sentence: Sentence, evidence: Sequence[Evidence]) -> None:  # noqa: ARG002 - its time counts
        """The first sentence counts."""
        self.first = self.first or perf_counter() - self._begun


@contextmanager
def cloud(first_token: int, token: int) -> Iterator[str]:
    """The local cloud in a process of its own: its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    pace = ["--first-token-ms", str(first_token), "--token-ms", str(token)]
    command = [sys.executable, "-m", "tests.vertex", "--port", str(port), *pace]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        _await(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(20)


def _await(port: int) -> None:
    end = monotonic() + _START
    while monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            sleep(0.1)
        else:
            return
    raise SystemExit("the local cloud did not start")


def asked(app: App, case: Case) -> Question:
    """The question of a case, in a conversation of its own."""
    who = questions.person(app, case.as_)
    return Question(
        id=str(uuid4()),
        conversation=str(uuid4()),
        customer=who.customer,
        actor=who.actor,
        text=case.question,
        standalone=conversation.standalone(case.question, ()),
        at=app.clock(),
    )


async def governed(app: App, case: Case) -> float:
    """Seconds to the first sentence of a whole turn."""
    watch = Watch()
    exchange = await turn.govern(asked(app, case), app.parts, watch)
    if exchange.outcome is Outcome.FAILED:
        raise SystemExit(f"a turn failed: {exchange.error}")
    return watch.first


async def ungoverned(app: App, case: Case) -> float:
    """Seconds to the first sentence of retrieval and the agent alone."""
    begun, first = perf_counter(), 0.0
    question, release = asked(app, case), app.parts.plane.stable()
    passages = (await app.parts.retrieve(question.standalone, release)).passages
    route = routing.choose(question, passages, release, budget.decide((), {}))
    async for part in app.parts.responder.sentences(question, passages, route, release):
        if isinstance(part, Sentence):
            first = first or perf_counter() - begun
    return first or perf_counter() - begun


def patient(folder: Path) -> Path:
    """A folder with the cloud's release, whose deadline is so far off that everybody waits for the model."""
    text = (ROOT / "deploy" / "releases" / "heron-cloud.yaml").read_text(encoding="utf-8")
    for name in ("timeout_seconds", "first_token_seconds"):
        text = re.sub(rf"{name}: \d+", f"{name}: 120", text)
    releases = folder / "releases"
    releases.mkdir()
    (releases / "heron-cloud.yaml").write_text(text, encoding="utf-8")
    return releases


def resident() -> float:
    """Megabytes of this process in memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


async def measure(app: App, turns: int, rounds: int) -> list[tuple[str, str]]:
    """The table's rows."""
    cases = [one for one in dataset.load(GOLDEN).cases if one.expect == "answer" and not one.history]
    chosen = [cases[n % len(cases)] for n in range(turns)]
    seconds: dict[Turn, list[float]] = {ungoverned: [], governed: []}
    for start in range(0, len(cases), _WARM):  # documents' sentences are embedded, connections are there
        await asyncio.gather(*(governed(app, case) for case in cases[start : start + _WARM]))
    memory = [resident()]
    for _ in range(rounds):
        for kind, found in seconds.items():
            found += await asyncio.gather(*(kind(app, case) for case in chosen))
        memory.append(resident())
    whole, bare = (quantiles(seconds[kind], n=100) for kind in (governed, ungoverned))
    return [
        ("Turns at once, rounds", f"{turns}, {rounds} of each"),
        ("Governed, first sentence, p50 / p99", f"{whole[49]:.2f} / {whole[98]:.2f} s"),
        ("Ungoverned, p50 / p99", f"{bare[49]:.2f} / {bare[98]:.2f} s"),
        ("Governed ÷ ungoverned, p99", f"{whole[98] / bare[98]:.2f}"),
        ("Resident memory before, after each round", " / ".join(f"{one:.0f}" for one in memory) + " MB"),
    ]


def main() -> None:
    """Measure on the sample corpus, with a record of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=200, help="turns at the same moment")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--first-token-ms", type=int, default=300)
    parser.add_argument("--token-ms", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, cloud(given.first_token_ms, given.token_ms) as address:
        chosen = settings.from_environment(
            {}, config=ROOT / "local-cloud.yaml", data=Path(folder), google_endpoint=address, demo=False
        )
        chosen = replace(chosen, releases=patient(Path(folder)))
        ingesting.ingest_corpus(chosen, lambda *_: None)
        clock = questions.clock_on("2026-11-23", chosen.zone)
        with bootstrap.build(chosen, lambda *_: None, clock) as app:
            rows = asyncio.run(measure(app, given.turns, given.rounds))
    print(table(("Measure", "Result"), rows).replace("\\", ""))


if __name__ == "__main__":
    main()
