"""Scripted judges held against simulated people: which lose their vote, over what, and after how many labels.

    python -m benchmarks.judges [--seeds 200] [--answers 300]

Every world has answers of five grades, a third of them scored by two reviewers who are one grade off in two cases of
five, lengths that go with quality (correlation .3), and 60 pairs that the judge sees in both orders. The floors are the
policy's. Shares are over seeds, with Wilson's 95 % interval.
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from math import sqrt

import numpy as np

from assistant.panels import table
from opsplane.evaluation import agreement
from opsplane.evaluation.calibration import SLACK, Calibration, Fault, Label, Preference, calibrate
from opsplane.evaluation.drift import Exchangeable
from opsplane.evaluation.estimate import Estimate, Floats
from opsplane.evaluation.pairwise import Word
from opsplane.guardrails.sweep import wilson
from opsplane.policy import Judges

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
GRADES = np.array([0, 0.25, 0.5, 0.75, 1])
OFTEN = (0.1, 0.15, 0.2, 0.3, 0.25)
PAIRS = 60
NOISE = 0.12
"""The standard deviation of an honest judge's score around the answer's quality."""
CLOSE = 0.1
"""Two answers that seem nearer to each other than this are a tie to a judge."""
PEEK = 20
"""Labels that each half must have before a t-test is read."""
SIZES = (40, 80, 160, 320)
"""Labels that a judge may have."""
GUESSES = (0.6, 0.45, 0.35, 0.25, 0.1)
"""The parts of their scores that judges of different worth guess."""
FIRST = 10_000
"""The first seed: settings were chosen on lower ones."""


@dataclass(frozen=True)
class World:
    """Answers in the order of their labels: quality, people's scores, lengths in standard deviations; and pairs."""

    quality: Floats
    people: Floats  # (answers, 2); NaN where no second reviewer looked
    length: Floats
    pairs: Floats  # (pairs, 2) qualities

    @classmethod
    def drawn(cls, answers: int, draw: np.random.Generator) -> "World":
        """A world."""
        quality = draw.choice(GRADES, answers, p=OFTEN)
        seen = quality[:, None] + 0.25 * draw.choice([-1, 0, 0, 0, 1], (answers, 2))
        people = np.clip(seen, 0, 1)
        people[draw.random(answers) < 2 / 3, 1] = np.nan
        worth = (quality - quality.mean()) / quality.std()
        length = 0.3 * worth + sqrt(1 - 0.3**2) * draw.normal(size=answers)
        return cls(quality, people, length, draw.choice(GRADES, (PAIRS, 2), p=OFTEN))


Scores = Callable[[World, np.random.Generator], Floats]
Row = tuple[str, ...]


@dataclass(frozen=True)
class Judge:
    """A scripted judge: how it scores, and what it adds to whatever stands first."""

    name: str
    scores: Scores
    first: float = 0.0
    changes: float | None = None  # the part of the labels after which it changes


def honest(world: World, draw: np.random.Generator) -> Floats:
    """Quality with a little noise."""
    return np.asarray(world.quality + draw.normal(0, NOISE, len(world.quality)))


def long(weight: float) -> Scores:
    """So much more for each standard deviation of length."""
    return lambda world, draw: honest(world, draw) + weight * world.length


def guessing(share: float) -> Scores:
    """A random score in so many cases."""
    return lambda world, draw: _mixed(world, draw, np.full(len(world.quality), share))


def growing(begin: float, end: float, most: float) -> Scores:
    """Guesses more and more, from none at one part of the labels to this share at another."""
    return lambda world, draw: _mixed(world, draw, most * _since(world, begin, end))


def milder(begin: float, end: float, most: float) -> Scores:
    """Gives more and more than an answer is worth."""
    return lambda world, draw: honest(world, draw) + most * _since(world, begin, end)


def always(value: float) -> Scores:
    """The same score for everything."""
    return lambda world, _: np.full(len(world.quality), value)


def _mixed(world: World, draw: np.random.Generator, share: Floats) -> Floats:
    count = len(world.quality)
    return np.where(draw.random(count) < share, draw.random(count), honest(world, draw))


def _since(world: World, begin: float, end: float) -> Floats:
    """0 up to one part of the labels, 1 from the other on, and evenly in between."""
    place = np.arange(len(world.quality)) / len(world.quality)
    return np.asarray(np.clip((place - begin) / max(end - begin, 1e-9), 0, 1))


JUDGES = (
    Judge("honest", honest),
    Judge("always the first", honest, first=9),
    Judge("leans to the first (a grade)", honest, first=0.25),
    Judge("always the last", honest, first=-9),
    Judge("likes length (.2 a standard deviation)", long(0.2)),
    Judge("likes length (.1)", long(0.1)),
    Judge("guesses half the time", guessing(0.5)),
    Judge("everything is right", always(1.0)),
    Judge("suddenly guesses half", growing(0.4, 0.4, 0.5), changes=0.4),
    Judge("slowly comes to guess half", growing(0.2, 1, 0.5), changes=0.2),
    Judge("suddenly milder (.2)", milder(0.4, 0.4, 0.2), changes=0.4),
    Judge("slowly milder (.2)", milder(0.2, 1, 0.2), changes=0.2),
)


def calibrated(judge: Judge, answers: int, seed: int) -> Calibration:
    """One judge in one world; all judges of a seed meet the same answers and people."""
    world = World.drawn(answers, np.random.default_rng([seed, 1]))
    draw = np.random.default_rng([seed, 2])
    scores = np.round(np.clip(judge.scores(world, draw), 0, 1), 2)
    labels = [
        Label(
            exchange=f"e{number}",
            at=BEGAN + timedelta(hours=number),
            reviewer=f"r{(number + place) % 5}",
            person=person,
            judge=float(scores[number]),
            length=round(400 * float(np.exp(0.5 * world.length[number]))),
        )
        for number, both in enumerate(world.people)
        for place, person in enumerate(both.tolist())
        if person == person
    ]
    pairs = [preferred(judge, one.tolist(), draw, number) for number, one in enumerate(world.pairs)]
    return calibrate(judge.name, labels, pairs, Judges(), BEGAN + timedelta(hours=answers))


def preferred(judge: Judge, pair: Sequence[float], draw: np.random.Generator, number: int) -> Preference:
    """The judge's words on two answers in both orders, each time with fresh noise."""
    gains = [pair[0] - pair[1] + sign * judge.first + draw.normal(0, NOISE) for sign in (1, -1)]
    forward, backward = (_word(gain) for gain in gains)
    return Preference(exchange=f"p{number}", forward=forward, backward=backward)


def _word(gain: float) -> Word:
    return "tie" if abs(gain) < CLOSE else ("first" if gain > 0 else "second")


def verdict(place: int, seeds: int, answers: int) -> Row:
    """What a judge loses its vote over."""
    judge = JUDGES[place]
    found = [calibrated(judge, answers, seed) for seed in range(FIRST, FIRST + seeds)]
    lost = [share([fault in one.faults for one in found]) for fault in Fault if fault is not Fault.LABELS]
    typical = np.median([one.agreement.value or 0 for one in found])
    return (judge.name, f"{typical:.2f}", *lost, share([not one.votes for one in found]))


def order(place: int, seeds: int) -> Row:
    """Pairs whose better answer stands first or last by chance: what a judge says in one order, and in both."""
    judge = JUDGES[place]
    once, wrong, ties, pairs = 0, 0, 0, 0
    for seed in range(FIRST, FIRST + seeds):
        world, draw = World.drawn(10, np.random.default_rng([seed, 1])), np.random.default_rng([seed, 2])
        apart = [one for one in world.pairs.tolist() if one[0] != one[1]]
        for number, pair in enumerate(apart):
            said, worse = preferred(judge, pair, draw, number), "second" if pair[0] > pair[1] else "first"
            once += said.forward == worse
            wrong += said.forward == said.backward == worse
            ties += said.forward != said.backward
        pairs += len(apart)
    return judge.name, f"{once / pairs:.1%}", f"{wrong / pairs:.1%}", f"{ties / pairs:.1%}"


def looked(place: int, seeds: int, answers: int) -> Row:
    """Drift found while labels arrive: by the test that may be read at every label, and by a t-test read as often."""
    judge = JUDGES[place]
    errors = [_errors(judge, answers, seed) for seed in range(FIRST, FIRST + seeds)]
    begin = answers if judge.changes is None else round(judge.changes * answers)
    cells = [cell for test in (found_at, peeked_at) for cell in _found([test(one) for one in errors], begin)]
    return (judge.name, *cells)


def _found(hits: Sequence[float], begin: int) -> tuple[str, str, str]:
    """Alarms before anything changed; of the others the share that found the change, and the median of their delays."""
    late = [hit - begin for hit in hits if hit >= begin]
    found = [delay for delay in late if np.isfinite(delay)]
    if not found:
        return share([hit < begin for hit in hits]), "—", "—"
    return share([hit < begin for hit in hits]), share([np.isfinite(one) for one in late]), f"{np.median(found):.0f}"


def _errors(judge: Judge, answers: int, seed: int) -> Floats:
    world = World.drawn(answers, np.random.default_rng([seed, 1]))
    scores = np.round(np.clip(judge.scores(world, np.random.default_rng([seed, 2])), 0, 1), 2)
    return np.asarray(scores - world.people[:, 0])


def found_at(errors: Floats) -> float:
    """The label at which drift was found, or infinity."""
    level = np.log(2 / Judges().alpha)
    return min(_reached(np.abs(errors), level, both=False), _reached(errors, level, both=True))


def _reached(values: Floats, level: float, *, both: bool) -> float:
    test = Exchangeable(both=both)
    for number, value in enumerate(values.tolist()):
        test.add(round(value, 9))
        if test.log_e >= level:
            return number
    return np.inf


def peeked_at(errors: Floats) -> float:
    """The label at which a one-sided t-test of the sizes of errors, first half against second, first reaches 0.01."""
    sums = np.cumsum([[0, *np.abs(errors)], [0, *errors**2]], axis=1)
    number = np.arange(2 * PEEK, len(errors) + 1)
    half = number // 2
    middles, spreads = [], []
    for begin, end in ((np.zeros_like(half), half), (half, number)):
        count = end - begin
        middle = (sums[0, end] - sums[0, begin]) / count
        spread = (sums[1, end] - sums[1, begin] - count * middle**2) / (count - 1)
        middles.append(middle)
        spreads.append(spread / count)
    hits = middles[1] - middles[0] >= 2.326 * np.sqrt(spreads[0] + spreads[1])
    return float(number[hits.argmax()] - 1) if hits.any() else np.inf


def kept(part: float, seeds: int) -> Row:
    """How often a judge that guesses so often keeps its vote: by the agreement's value alone, and by its interval too.

    The last of three numbers is how often the interval covers the truth, which is the agreement over 20,000 answers.
    """
    truth, floor = _alpha(guessing(part), 20_000, 0).value or 0, Judges().agreement
    cells = []
    for answers in SIZES:
        found = [_alpha(guessing(part), answers, seed) for seed in range(FIRST, FIRST + seeds)]
        alone = np.mean([(one.value or 0) >= floor for one in found])
        both = np.mean([(one.value or 0) >= floor and (one.low or 0) >= floor - SLACK for one in found])
        covers = np.mean([(one.low or 0) <= truth <= (one.high or 0) for one in found])
        cells.append(f"{alone:.0%} · {both:.0%} · {covers:.0%}")
    return (f"{truth:.2f}", *cells)


def _alpha(scores: Scores, answers: int, seed: int) -> Estimate:
    world = World.drawn(answers, np.random.default_rng([seed, 1]))
    given = np.round(np.clip(scores(world, np.random.default_rng([seed, 2])), 0, 1), 2)
    return agreement.alpha(list(zip(given.tolist(), np.nanmean(world.people, axis=1).tolist(), strict=True)))


def share(flags: Sequence[bool]) -> str:
    """A share with its 95 % interval."""
    low, high = wilson(sum(flags), len(flags))
    return f"{np.mean(flags):.0%} ({low:.0%}–{high:.0%})"


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--answers", type=int, default=300)
    chosen = parser.parse_args()
    with ProcessPoolExecutor() as pool:
        seeds, answers = repeat(chosen.seeds), chosen.answers
        heads = ("judge", "its agreement", *(one.value for one in Fault if one is not Fault.LABELS), "no vote")
        rows = pool.map(verdict, range(len(JUDGES)), seeds, repeat(answers))
        _print(f"Votes lost, and over what ({answers} labelled answers)", heads, rows)
        heads = ("judge", "worse one preferred, one order", "both orders", "tie by the rule")
        _print("Pairs of unequal answers", heads, pool.map(order, range(4), seeds))
        heads = ("judge", "false alarms", "found", "labels until then", "t-test: false alarms", "found", "labels")
        places = [place for place, one in enumerate(JUDGES) if not place or one.changes is not None]
        title = f"Drift, read after each of {2 * answers} labels: bets on ranks, and a t-test"
        _print(title, heads, pool.map(looked, places, seeds, repeat(2 * answers)))
        heads = ("agreement in truth", *(f"{count} labels" for count in SIZES))
        title = f"Keeps its vote, floor {Judges().agreement}: by the value · by the interval too · interval covers"
        _print(title, heads, pool.map(kept, GUESSES, seeds))


def _print(title: str, heads: Sequence[str], rows: Iterable[Row]) -> None:
    print(f"{title}\n\n{table(heads, rows)}\n".replace("\\", ""), flush=True)


if __name__ == "__main__":
    main()
