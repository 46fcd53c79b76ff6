"""The watch over live quality in simulated weeks: how often it is wrong, what it finds, and after how long.

    python -m benchmarks.quality_watch [--runs 200] [--seed 1] [--processes 2]

Every run is a bank of its own, looked at every hour: two weeks that become the baseline, then two more in which
nothing happens or one thing falls at a random hour. Day and night differ in everything: how much is asked, what about,
how fast and how good the answers are. The policy is the product's own. The last table puts the fall exactly at the
margin that is borne, for a single series at an error of 5 %: that is where the promise is tightest.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from math import pi, sin
from statistics import median

import numpy as np
from numpy.random import Generator

from assistant.panels import table
from opsplane.policy import QualityWatch
from opsplane.quality.alarm import MIX
from opsplane.quality.bets import LEVELS
from opsplane.quality.fall import Fall, Terms
from opsplane.quality.gauges import DECADES, MEANINGS, Gauge
from opsplane.quality.mix import Mix
from opsplane.quality.monitor import ERRORS, hours
from opsplane.quality.watched import Watched

BEGIN, END = 24 * 14, 24 * 28
JUDGED = 0.1
TOPICS = np.array([0.18, 0.17, 0.14, 0.12, 0.11, 0.08, 0.07, 0.05, 0.04, 0.03, 0.01])
SERIES = (Gauge.JUDGE, Gauge.GROUNDED, Gauge.FAST, MIX)
POLICY = QualityWatch()


@dataclass(frozen=True)
class World:
    """A bank: exchanges an hour on average, and how much is planted. `day` is how far day and night differ."""

    exchanges: int
    judge: float = 0.0  # points in [0, 1]
    withheld: float = 0.0
    slower: float = 1.0
    mix: float = 0.0  # total variation
    day: float = 1.0

    def hour(self, hour: int, fallen: float, rng: Generator) -> Mapping[str, Mapping[int, int]]:
        """What an hour shows by series; `fallen` is 1 once the fall has happened."""
        wave = self.day * sin(2 * pi * (hour % 24 - 9) / 24)
        asked = int(rng.poisson(self.exchanges * (1 + 0.7 * wave)))
        judged = int(rng.binomial(asked, JUDGED))
        shares = TOPICS * (1 + 0.15 * wave * np.where(np.arange(len(TOPICS)) % 2, 1, -1))
        moved = np.zeros(len(TOPICS))
        moved[0], moved[-2] = -self.mix * fallen, self.mix * fallen
        shares = np.clip(shares / shares.sum() + moved, 0, None)
        good = rng.binomial(asked, 1 - 0.02 - 0.003 * wave - self.withheld * fallen)
        times = 800 * (1 + 0.1 * wave) * rng.lognormal(0, 0.5, asked) * self.slower**fallen
        return {
            Gauge.JUDGE: _levels(_beta(0.78 - 0.015 * wave - self.judge * fallen, judged, rng)),
            Gauge.GROUNDED: {LEVELS: good, 0: asked - good},
            Gauge.FAST: _levels(1 - np.log10(np.maximum(times, 10) / 10) / DECADES),
            MIX: dict(enumerate(rng.multinomial(asked, shares / shares.sum()).tolist())),
        }


def _beta(mean: float, number: int, rng: Generator) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return rng.beta(4 * mean, 4 * (1 - mean), number)


def _levels(values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> dict[int, int]:
    return dict(Counter(np.rint(np.clip(values, 0, 1) * LEVELS).astype(int).tolist()))


def terms(series: str, alpha: float) -> Terms:
    """The product's own terms, at this error."""
    bears = 1.0 if series == MIX else MEANINGS[Gauge(series)].bears
    return Terms(hours(POLICY.window), hours(POLICY.baseline), POLICY.least, 0, alpha, bears * POLICY.harm)


def run(
    world: World, seed: int, *, series: tuple[str, ...] = SERIES, alpha: float = POLICY.alpha / ERRORS
) -> dict[str, int]:
    """The hours from the fall (from the baseline's end where nothing falls) to the first alarm of each series.

    An alarm before counts as one after less than no time.
    """
    rng = np.random.default_rng(seed)
    falls = int(rng.integers(BEGIN, BEGIN + 24 * 3))
    watched = {one: Watched(one, Mix(terms(one, alpha)) if one == MIX else Fall(terms(one, alpha))) for one in series}
    found: dict[str, int] = {}
    for hour in range(1, END):
        shown = world.hour(hour, float(hour >= falls), rng)
        for name, one in watched.items():
            if hour < BEGIN:
                one.test.past.add(hour, shown[name])
            elif name not in found and one.close(hour, {level: n for level, n in shown[name].items() if n}):
                found[name] = hour + 1 - falls
        if len(found) == len(series):
            break
    return found


def many(world: World, runs: int, seed: int, pool: ProcessPoolExecutor, **options: object) -> list[dict[str, int]]:
    """So many banks of the same kind."""
    one: Callable[[int], dict[str, int]] = partial(run, world, **options)  # type: ignore[arg-type]
    return list(pool.map(one, range(seed, seed + runs), chunksize=10))


def steady(runs: int, seed: int, pool: ProcessPoolExecutor) -> list[tuple[str, ...]]:
    """Nothing falls: the share of banks that were ever alarmed."""
    found = many(World(100), runs, seed, pool)
    counts = [sum(name in one for one in found) for name in SERIES]
    return [("100 an hour", *(f"{count / runs:.1%}" for count in counts), f"{_ever(found):.1%}")]


def _ever(found: list[dict[str, int]]) -> float:
    return sum(bool(one) for one in found) / len(found)


PLANTED: Mapping[str, tuple[str, Callable[[World], World]]] = {
    "judge's score −10 points": (Gauge.JUDGE, lambda world: replace(world, judge=0.10)),
    "withheld as ungrounded +5 points": (Gauge.GROUNDED, lambda world: replace(world, withheld=0.05)),
    "time × 1.5": (Gauge.FAST, lambda world: replace(world, slower=1.5)),
    "topics moved by 15 points": (MIX, lambda world: replace(world, mix=0.15)),
}


def planted(runs: int, seed: int, pool: ProcessPoolExecutor) -> list[tuple[str, ...]]:
    """One thing falls: how many banks were told within a week, after how many hours, and how many were told before."""
    rows = []
    for name, (series, change) in PLANTED.items():
        cells = [name]
        for asked in (20, 100, 300):
            found = many(change(World(asked)), runs, seed, pool, series=(series,))
            late = [one[series] for one in found if one.get(series, 0) > 0]
            within = sum(hours_ <= 24 * 7 for hours_ in late)
            cells.append(f"{within / runs:.0%}, {median(late):.0f} h" if late else "0%")
        rows.append(tuple(cells))
    return rows


def at_margin(runs: int, seed: int, pool: ProcessPoolExecutor) -> list[tuple[str, ...]]:
    """Exactly what is borne is lost, day and night alike: at most 5 % may be alarmed."""
    margins = {name: terms(name, 0.05).margin for name in SERIES}
    worlds = {
        Gauge.JUDGE: World(100, judge=margins[Gauge.JUDGE], day=0),
        Gauge.GROUNDED: World(100, withheld=margins[Gauge.GROUNDED], day=0),
        Gauge.FAST: World(100, slower=10 ** (DECADES * margins[Gauge.FAST]), day=0),
        MIX: World(100, mix=margins[MIX], day=0),
    }
    rates = [_ever(many(worlds[name], runs, seed, pool, series=(name,), alpha=0.05)) for name in SERIES]
    return [("alarmed", *(f"{rate:.1%}" for rate in rates))]


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="banks of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    names = ("judge", "withheld", "time", "topics")
    with ProcessPoolExecutor(given.processes) as pool:
        asked = given.runs, given.seed, pool
        _print("Nothing falls: banks ever alarmed in two weeks", ("", *names, "any of them"), steady(*asked))
        heads = ("", "20 an hour", "100 an hour", "300 an hour")
        asked = max(10, given.runs // 8), given.seed, pool
        _print("Told within a week, and the median of hours until then", heads, planted(*asked))
        asked = max(10, given.runs // 4), given.seed, pool
        _print("What is borne is lost, single series at 5 %", ("", *names), at_margin(*asked))
    ratio = 10 ** (DECADES * terms(Gauge.FAST, 0.05).margin)
    borne = (100 * terms(one, 0.05).margin for one in (Gauge.JUDGE, Gauge.GROUNDED, MIX))
    print(
        "Borne: {:.1f} points of the score, {:.1f} withheld, {:.1f} of the topics,".format(*borne), f"{ratio:.2f} times"
    )


def _print(title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    print(f"{title}\n\n{table(heads, rows)}\n".replace("\\", ""), flush=True)


if __name__ == "__main__":
    main()
