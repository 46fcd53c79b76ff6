"""Routing: how long a choice takes, and its frontier on golden questions; run with `python -m benchmarks.routing`.

    python -m benchmarks.routing [--dataset golden] [--cases 0] [--release heron-cloud] [--together 2]

A release for Google Cloud answers every question once on Flash and once on Pro, through the real turn, the real clients
and the local server: tokens are those that it counts, prices those of the table. The server's Pro says two sentences
more than its Flash and knows no more, so the figures tell what a policy costs and that it loses nothing, and not what
a real Pro would gain. Printed are the table of `opsplane routing frontier` and the time of one choice.
"""

import argparse
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from assistant import routing_measuring, routing_report, workshop
from assistant.routing_measuring import Measured, Order
from assistant.routing_report import Told
from assistant.settings import Settings
from benchmarks.guardrails import ROOT
from opsplane import registry, routing
from opsplane.evaluation import dataset
from opsplane.evaluation.dataset import Dataset
from opsplane.evaluation.frontier import Goal, explore
from opsplane.evaluation.kept import Kept
from opsplane.release import Release, Routing
from tests.vertex.server import serving
from tests.vertex.services import VERBS

ROUNDS = 50
EVERY = Routing(
    pro_from_turns=6,
    pro_from_passages=7,
    pro_below_margin=0.0,
    pro_below_cosine=0.0,
    pro_intents=("loans",),
    pro_from_words=99,
    pro_from_documents=9,
)
"""A policy in which every rule is looked at and few hold."""


def main() -> None:
    """Print the frontier, then how long a choice takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="golden")
    parser.add_argument("--cases", type=int, default=0, help="0: all")
    parser.add_argument("--release", default="heron-cloud")
    parser.add_argument("--together", type=int, default=2)
    chosen = parser.parse_args()
    asked = dataset.load(ROOT / "tests" / chosen.dataset).model_copy(update={"name": chosen.dataset})
    if chosen.cases:
        asked = asked.model_copy(update={"cases": asked.cases[: chosen.cases]})
    release = registry.load_all(ROOT / "deploy" / "releases")[chosen.release]
    measured = _measured(release, asked, chosen.together)
    models = release.models.flash.name, release.models.pro.name
    frontier = explore(measured.trials, release.routing, Goal())
    names = (release.id, release.digest, *models, asked.name, asked.digest, routing_measuring.PASSED)
    print(routing_report.as_markdown(Told(frontier, measured, *names)))
    print(f"\n{_choosing(measured)}")


def _measured(release: Release, asked: Dataset, together: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="opsplane-routing-") as folder, serving(VERBS) as cloud:
        settings = Settings(
            data=Path(folder), google_project=cloud.project, google_endpoint=cloud.url, google_credentials="none"
        )
        with workshop.opened(settings, lambda *_: None) as shop, Kept(None) as known:
            return routing_measuring.measure(shop, release, asked, Order(together=together), known)


def _choosing(measured: Measured) -> str:
    """The median of rounds over every question that came to routing."""
    known = [one.questions[-1] for one in measured.trials if one.questions]
    times = []
    for _ in range(ROUNDS):
        begun = perf_counter()
        for one in known:
            routing.needs_pro(one, EVERY)
        times.append((perf_counter() - begun) / len(known))
    return f"One choice with every rule on takes {median(times) * 1e6:.1f} µs (median of {ROUNDS} rounds)."


if __name__ == "__main__":
    main()
