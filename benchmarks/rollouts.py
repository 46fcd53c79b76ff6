"""Simulated rollouts: how often a harmless candidate is stopped, and how much a broken one costs until it is.

    python -m benchmarks.rollouts [--simulations 400] [--seed 1] [--plot rollouts.svg]

Each rollout lasts 20,000 exchanges with a look every 50 and may give one false alarm in twenty, over all looks. Costs
are medians of the exchanges that the candidate answered until the alarm; in brackets, how many times what the
information in the data would allow (log 20 by the Kullback-Leibler divergence of the two arms from their mixture).
Our tests run as vectorised twins; the first lines say how far these are from the product's classes.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from math import inf, log
from pathlib import Path

import numpy as np

from assistant.panels import table
from benchmarks import rollout_methods as others
from benchmarks import rollout_twins as twins
from benchmarks.rollout_methods import LOOK, Bools, Floats, Sticky, World
from opsplane.rollouts.arm import SequentialTest
from opsplane.rollouts.betting import BettingTest
from opsplane.rollouts.chart import Axes, Series, lines
from opsplane.rollouts.clustered import ClusteredTest

ROWS = 20_000
ALARM = log(20)
DROPS = (0.05, 0.10, 0.20)
RAMP = np.repeat([0.01, 0.05, 0.25, 0.50], ROWS // 4)
DRIFT = (0.93, 0.87)
ALIKE = (0.02, 0.05, 0.10)
LATE = 5_000
_ROOM = 4_000_000  # customers of all runs that are simulated at a time, for the memory's sake


@dataclass(frozen=True)
class Method:
    """One way to watch a rollout: what it is called, and the candidate's exchanges until it stops each of many."""

    name: str
    stops: Callable[[World], Floats]


def _hits(name: str, hits: Callable[[World], Bools]) -> Method:
    return Method(name, lambda world: others.at_alarm(world, hits(world)))


BETTING = _hits("**betting on exchanges**", lambda world: twins.betting(world) >= ALARM)
CLUSTERED = _hits("**betting on customers**", lambda world: _in_chunks(world) >= ALARM)
NORMAL = _hits("normal mixture over the clustered score", lambda world: twins.normal(world) >= ALARM)
PEEKING = _hits("z-test at every look", others.pooled_z)
GROWTHBOOK = _hits("GrowthBook's one-sided sequential interval", others.growthbook)
INDEPENDENT = (
    PEEKING,
    Method("threshold 85 % of 50, once", lambda world: others.threshold(world, 0, consecutive=False)),
    Method("threshold 85 % of 50, three in a row", lambda world: others.threshold(world, 3, consecutive=True)),
    GROWTHBOOK,
    _hits("20 planned looks, O'Brien-Fleming-type", lambda world: others.planned(world, "obrien-fleming")),
    _hits("20 planned looks, Pocock-type", lambda world: others.planned(world, "pocock")),
    BETTING,
    CLUSTERED,
)
HARD = (PEEKING, GROWTHBOOK, NORMAL, CLUSTERED)


def _in_chunks(world: World) -> Floats:
    runs = world.candidate.shape[1]
    found, chunk = [], _ROOM // world.customers
    for begin in range(0, runs, chunk):
        part = slice(begin, begin + chunk)
        values = world.customer[:, part], world.candidate[:, part], world.value[:, part]
        log_e = twins.clustered(World(world.share, *values, world.customers), until=ALARM)
        found.append(np.pad(log_e, ((0, ROWS // LOOK - len(log_e)), (0, 0)), constant_values=-inf))
    return np.concatenate(found, axis=1)


def bound(passes: float, drop: float, share: float) -> float:
    """The candidate's exchanges that log 20 of information takes."""
    mean = passes - share * drop
    on, off = _divergence(passes - drop, mean), _divergence(passes, mean)
    return ALARM / (on + off * (1 - share) / share)


def _divergence(p: float, q: float) -> float:
    return p * log(p / q) + (1 - p) * log((1 - p) / (1 - q))


def _cost(stops: Floats, least: float) -> str:
    middle = float(np.median(stops))
    return "not found by half" if middle == inf else f"{middle:.0f} ({middle / least:.2f})"


def _false(stops: Floats) -> str:
    return f"{np.isfinite(stops).mean():.1%}"


def independent(runs: int, seed: int) -> list[tuple[str, ...]]:
    """One exchange per customer, canary 10 %, 90 % pass."""
    least = {drop: bound(0.9, drop, 0.1) for drop in DROPS}
    rows = {one.name: [one.name] for one in INDEPENDENT}
    for drop in (0.0, *DROPS):
        world = others.independent(runs, ROWS, drop, seed + round(100 * drop))
        for one in INDEPENDENT:
            stops = one.stops(world)
            rows[one.name].append(_cost(stops, least[drop]) if drop else _false(stops))
    first = ("information bound", "", *(f"{least[drop]:.0f}" for drop in DROPS))
    return [first, *(tuple(row) for row in rows.values())]


def hard(runs: int, seed: int) -> list[tuple[str, ...]]:
    """Sticky customers, a share that grows and a baseline that falls, all at once."""
    rows = {one.name: [one.name] for one in HARD}
    for drop in (0.0, 0.10, 0.05):
        for alike in ALIKE:
            world = Sticky(alike, RAMP, DRIFT).simulate(runs, drop, seed + round(1000 * alike + 100 * drop))
            for one in HARD:
                stops = one.stops(world)
                rows[one.name].append(_cost(stops, bound(0.92, drop, 0.05)) if drop else _false(stops))
    return [(name, *(" · ".join(cells[n : n + 3]) for n in (0, 3, 6))) for name, *cells in rows.values()]


def few(runs: int, seed: int) -> list[tuple[str, ...]]:
    """No effect, but 200 customers with a hundred exchanges each, half of them on the candidate, correlation .30."""
    world = Sticky(0.30, np.full(ROWS, 0.5), customers=200).simulate(runs, 0.0, seed)
    return [(one.name, _false(one.stops(world))) for one in HARD]


def late(runs: int, seed: int) -> list[tuple[str, ...]]:
    """A candidate that loses ten points after 5,000 exchanges; canary 10 %."""
    alone = others.independent(runs, ROWS, 0.1, seed, LATE)
    sticky = Sticky(0.05, np.full(ROWS, 0.1)).simulate(runs, 0.1, seed, LATE)
    return [
        ("betting on exchanges", *(_after(alone, twins.betting(alone, every)) for every in (twins.NEVER, 500))),
        ("betting on customers", *(_after(sticky, twins.clustered(sticky, every)) for every in (twins.NEVER, 500))),
    ]


def _after(world: World, log_e: Floats) -> str:
    hits = log_e >= ALARM
    early = hits[: LATE // LOOK].any(axis=0)
    cost = others.at_alarm(world, hits) - world.candidate[:LATE].sum(axis=0)
    return f"{np.median(cost[~early]):.0f}, false before {early.mean():.1%}"


def split(runs: int, seed: int) -> list[tuple[str, ...]]:
    """Customers that do not arrive in their shares: a canary of 10 % that loses one customer in five."""
    fair = others.independent(runs, ROWS, 0.0, seed)
    kept = np.random.default_rng(seed).random(fair.candidate.shape) < 0.08 / 0.98
    lossy = World(fair.share, fair.customer, kept, fair.value, fair.customers)
    tests = (("chi-square at every look", _chi_square), ("e-process", lambda world: twins.ratio(world) >= ALARM))
    return [(name, _false(others.at_alarm(fair, hit(fair))), _customers(hit(lossy))) for name, hit in tests]


def _customers(hits: Bools) -> str:
    return f"{np.median(np.where(hits.any(axis=0), (hits.argmax(axis=0) + 1) * LOOK, inf)):.0f}"


def _chi_square(world: World) -> Bools:
    count1, _, count0, _ = world.counts()
    total = count1 + count0
    return np.asarray((count1 - 0.1 * total) ** 2 / (total * 0.1 * 0.9) >= 1.96**2)


def agreement(seed: int, rows: int) -> str:
    """How far the twins are from the classes that the product uses."""
    alone = others.independent(3, rows, 0.03, seed)
    sticky = Sticky(0.05, RAMP[:: ROWS // rows], DRIFT).simulate(3, 0.03, seed)
    pairs: list[tuple[SequentialTest, World, Floats]] = [
        (BettingTest(), alone, twins.betting(alone)),
        (BettingTest(), sticky, twins.betting(sticky)),
        (ClusteredTest(), sticky, twins.clustered(sticky)),
        (ClusteredTest(restart=twins.NEVER), sticky, twins.clustered(sticky, twins.NEVER)),
    ]
    largest = max(twins.furthest(test, world, 1, log_e) for test, world, log_e in pairs)
    if largest > 1e-9:
        raise SystemExit(f"the twins are {largest:.1e} from the classes")
    return f"Twins and classes: {len(pairs)} rollouts, at no look further apart than {largest:.0e} in log e."


def plot(runs: int, seed: int) -> str:
    """How many rollouts were stopped by when, in the hard setting."""
    series = []
    for drop, what in ((0.0, "no change"), (0.1, "10 points")):
        world = Sticky(0.05, RAMP, DRIFT).simulate(runs, drop, seed)
        for name, hits in (("z", others.pooled_z(world)), ("bets", _in_chunks(world) >= ALARM)):
            stopped = 100 * np.maximum.accumulate(hits, axis=0).mean(axis=1)
            points = [((look + 1) * LOOK, float(part)) for look, part in enumerate(stopped)]
            series.append(Series(f"{name}, {what}", points))
    title = "Rollouts stopped while the share grows, the baseline falls and customers return"
    return lines(title, series, Axes("exchanges of the rollout", "% stopped"))


def main() -> None:
    """Simulate, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=400, help="rollouts in each setting")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, help="write an SVG here")
    chosen = parser.parse_args()
    runs, seed = chosen.simulations, chosen.seed
    print(agreement(seed, ROWS) + "\n")
    _print("Independent exchanges", ("", "false alarms", "5 points", "10 points", "20 points"), independent(runs, seed))
    heads: tuple[str, ...] = ("", "false alarms", "10 points", "5 points")
    _print("Sticky customers (correlation .02 · .05 · .10), ramp and drift together", heads, hard(runs, seed))
    _print("200 customers with a hundred exchanges each, correlation .30", ("", "false alarms"), few(runs, seed))
    _print("Ten points lost after 5,000 exchanges", ("", "no restarts", "every 500"), late(runs, seed))
    heads = ("", "false alarms", "customers until found")
    _print("One customer in five lost on a canary of 10 %", heads, split(runs, seed))
    if chosen.plot:
        chosen.plot.write_text(plot(runs, seed), encoding="utf-8")


def _print(title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    print(f"{title}\n\n{table(heads, rows)}\n".replace("\\", ""), flush=True)


if __name__ == "__main__":
    main()
