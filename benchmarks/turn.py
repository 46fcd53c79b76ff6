"""One turn with the embedded model: how long it takes, and what governing it costs beside the same turn ungoverned.

    python -m benchmarks.turn [--rounds 3]

Governed and ungoverned turns alternate question by question in one run, so that the machine's drift falls on both.
Ungoverned is retrieval and the same agent on the same release, without screening, checks and record.
"""

import argparse
import asyncio
import resource
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time
from uuid import uuid4

from assistant import bootstrap, conversation, ingesting, questions
from assistant.bootstrap import App
from assistant.panels import table
from assistant.settings import Settings
from opsplane import budget, routing
from opsplane.evaluation import dataset
from opsplane.exchange import Question, Route

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"


async def governed(app: App, name: str, text: str) -> float:
    """Milliseconds of one whole turn."""
    begun = perf_counter()
    await questions.exchange_of(app, name, str(uuid4()), text)
    return (perf_counter() - begun) * 1000


async def ungoverned(app: App, name: str, text: str) -> float:
    """Milliseconds of retrieval and the agent alone."""
    who = questions.person(app, name)
    begun = perf_counter()
    release = app.parts.plane.stable()
    question = Question(
        id="x",
        conversation="x",
        customer=who.customer,
        actor=who.actor,
        text=text,
        standalone=conversation.standalone(text, ()),
        at=app.clock(),
    )
    passages = (await app.parts.retrieve(question.standalone, release)).passages
    route: Route = routing.choose(question, passages, release, budget.decide((), {}))
    async for _ in app.parts.responder.sentences(question, passages, route, release):
        pass
    return (perf_counter() - begun) * 1000


async def measure(app: App, rounds: int) -> list[tuple[str, str]]:
    """The table's rows."""
    cases = [one for one in dataset.load(GOLDEN).cases if one.expect == "answer" and not one.history]
    for case in cases:  # warm: every sentence of the sample corpus is embedded once in a process's life
        await governed(app, case.as_, case.question)
    whole: list[float] = []
    bare: list[float] = []
    cpu = process_time()
    for _ in range(rounds):
        for case in cases:
            whole.append(await governed(app, case.as_, case.question))
            bare.append(await ungoverned(app, case.as_, case.question))
    cpu = (process_time() - cpu) / len(whole) / 2
    cuts, bare_cuts = quantiles(whole, n=100), quantiles(bare, n=100)
    ratio = median(a / b for a, b in zip(whole, bare, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        ("Turns measured", f"{len(whole)} of each"),
        ("Governed turn, p50 / p99", f"{cuts[49]:.0f} / {cuts[98]:.0f} ms"),
        ("Ungoverned, p50 / p99", f"{bare_cuts[49]:.0f} / {bare_cuts[98]:.0f} ms"),
        ("Governed ÷ ungoverned, median of pairs", f"{ratio:.2f}"),
        ("CPU a turn, mean of both", f"{cpu * 1000:.0f} ms"),
        ("Peak resident memory of this process", f"{peak:.0f} MB"),
    ]


def main() -> None:
    """Measure on the sample corpus with a record of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="times every golden question is asked")
    rounds = parser.parse_args().rounds
    settings = Settings()
    ingesting.ingest_corpus(settings, lambda *_: None)
    clock = questions.clock_on("2026-11-23", settings.zone)
    with tempfile.TemporaryDirectory() as folder:
        urls = {f"{name}_url": f"sqlite:///{folder}/{name}.db" for name in ("record", "keys", "chat", "bank")}
        urls["anchor"] = f"{folder}/anchor"
        with bootstrap.build(replace(settings, **urls), lambda *_: None, clock) as app:  # type: ignore[arg-type]
            print(table(("Measure", "Result"), asyncio.run(measure(app, rounds))).replace("\\", ""))


if __name__ == "__main__":
    main()
