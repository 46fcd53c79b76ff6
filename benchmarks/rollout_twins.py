"""The product's tests over many simulated rollouts at once, and how far they are from the product's own classes."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.rollout_methods import LOOK, Bools, Floats, World
from opsplane.rollouts.arm import SequentialTest
from opsplane.rollouts.betting import CASH, DROPS, HAZARD, WEIGHTS
from opsplane.rollouts.clustered import ALIKE, DELAY, FIRST, LATE
from opsplane.rollouts.ratio import WEIGHT
from opsplane.rollouts.sequences import log_phi

Places = NDArray[np.int64]
NEVER = 10**9
"""No restart."""
_LOG_PHI = np.vectorize(log_phi, otypes=[float])
_BETS = DROPS[:, None]


def furthest(test: SequentialTest, world: World, run: int, log_e: Floats) -> float:
    """The largest difference between a twin's log e-values of one run and those of the class, at every look."""
    largest = 0.0
    for row in range(len(world.share)):
        candidate, value = bool(world.candidate[row, run]), float(world.value[row, run])
        test.add(str(world.customer[row, run]), candidate, float(world.share[row]), value)
        if (row + 1) % LOOK == 0:
            largest = max(largest, abs(test.log_e - float(log_e[row // LOOK, run])))
    return largest


def _first_met(world: World) -> Bools:
    first = np.zeros_like(world.candidate)
    for run, customers in enumerate(world.customer.T):
        first[np.unique(customers, return_index=True)[1], run] = True
    return first


def betting(world: World, restart: int = 500) -> Floats:
    """`BettingTest`: the log e-value at every look of every run."""
    rows, runs = world.candidate.shape
    counted = _first_met(world)
    prior = np.concatenate([[CASH], (1 - CASH) * WEIGHTS])[:, None]
    logs, change = np.repeat(np.log(prior), runs, axis=1), np.ones((len(DROPS), runs))
    count, total, found = np.zeros(runs), np.full(runs, 5.0), []
    for row in range(rows):
        share, value, met = world.share[row], world.value[row], counted[row]
        expected = total / (10 + count)
        bad = 1 - expected
        payoff = met * (expected - value) * np.where(world.candidate[row], 1 / share, -1 / (1 - share))
        most = 0.95 / np.maximum(bad / share, expected / (1 - share))
        change *= 1 + np.minimum(most, _BETS * (share * (1 - share) / (bad * expected))) * payoff
        count += met
        total += met * value
        divided = met & (count % restart == 0)
        if divided.any() or (row + 1) % LOOK == 0:
            logs[1:] += np.log(change)
            change[:] = 1
            capital = np.logaddexp.reduce(logs, axis=0)
            anew = np.logaddexp(logs + np.log1p(-HAZARD), capital + np.log(HAZARD * prior))
            logs = np.where(divided, anew, logs)
        if (row + 1) % LOOK == 0:
            found.append(capital)
    return np.array(found)


class _Copy:
    """The bets of all runs since one moment; a run's customers lie one row of `runs` after the other."""

    def __init__(self, customers: int, runs: int, weight: float) -> None:
        self.weight = weight
        self._score, self._floor, self._count = np.zeros((3, customers * runs))
        self._sides = np.zeros((2, customers * runs), bool)
        self._counts = np.zeros((2, runs))
        self._logs, self._change = np.zeros((len(DROPS), runs)), np.ones((len(DROPS), runs))
        self._runs = np.arange(runs)

    def add(self, place: Places, side: Places, score: Floats, floor: Floats) -> None:
        """One exposure in every run."""
        before, low, count = self._score[place], self._floor[place], self._count[place]
        old = self._factor(before, low, count)
        self._change *= self._factor(before + score, low + floor, count + 1) / old
        self._score[place], self._floor[place], self._count[place] = before + score, low + floor, count + 1
        self._counts[side, self._runs] += ~self._sides[side, place]
        self._sides[side, place] = True

    @staticmethod
    def _factor(score: Floats, floor: Floats, count: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return np.asarray(1 + np.minimum(_BETS / (1 + ALIKE * (count - 1)), 0.9 / floor) * score)

    def ready(self, fewest: int) -> Bools:
        return np.asarray((self._counts[1] >= fewest) & (self._counts[0] >= 2))

    def log_e(self) -> Floats:
        """The log of weight times e-value."""
        self._logs += np.log(self._change)
        self._change[:] = 1
        return np.asarray(np.log(self.weight) + np.logaddexp.reduce(self._logs + np.log(WEIGHTS)[:, None], axis=0))


def _exposures(world: World) -> Iterator[tuple[int, Places, Floats, Floats, Floats]]:
    """Row, place of the customers, A−ρ, what was expected, and value, of one exposure in every run."""
    rows, runs = world.candidate.shape
    column, total = np.arange(runs), np.full(runs, 5.0)
    for row in range(rows):
        value = world.value[row].astype(np.float64)
        place = world.customer[row].astype(np.int64) * runs + column
        yield row, place, world.candidate[row] - world.share[row], total / (10 + row), value
        total += value


def clustered(world: World, restart: int = 500, fewest: int = 20, until: float = np.inf) -> Floats:
    """`ClusteredTest`: the log e-value at every look, until every run's has reached `until`."""
    runs = world.candidate.shape[1]
    first, late, restarts = _Copy(world.customers, runs, FIRST), dict[int, _Copy](), 0
    idle, over, found = np.zeros(runs), np.zeros(runs, bool), []
    for row, place, lean, expected, value in _exposures(world):
        share, side, variance = world.share[row], (lean > 0).astype(np.int64), expected * (1 - expected)
        score = lean * (expected - value) / variance
        floor = np.maximum((1 - share) * (1 - expected), share * expected) / variance
        for copy in (first, *late.values()):
            copy.add(place, side, score, floor)
        if (row + 1) % restart == 0:
            restarts += 1
            slot = restarts & -restarts
            if slot in late:
                idle += np.where(late[slot].ready(fewest), 0, late[slot].weight)
            late[slot] = _Copy(world.customers, runs, LATE * DELAY / ((restarts + DELAY - 1) * (restarts + DELAY)))
        if (row + 1) % LOOK == 0:
            unstarted = 1 - FIRST - LATE + LATE * DELAY / (restarts + DELAY)
            found.append(_together(first, list(late.values()), idle + unstarted, fewest))
            over |= found[-1] >= until
            if over.all():
                break
    return np.array(found)


def _together(first: _Copy, late: list[_Copy], waiting: Floats, fewest: int) -> Floats:
    parts, some = [], first.ready(fewest)
    for copy in (first, *late):
        ready = copy.ready(fewest)
        some = some | ready
        parts.append(np.where(ready, copy.log_e(), -np.inf))
        if copy is not first:
            waiting = waiting + np.where(ready, 0, copy.weight)
    return np.where(some, np.logaddexp.reduce([np.log(waiting), *parts], axis=0), 0.0)


def normal(world: World, tau: float = 0.05, fewest: int = 20) -> Floats:
    """The clustered score's one-sided normal mixture instead of bets: the log e-value at every look."""
    runs = world.candidate.shape[1]
    customers_g, customers_w = np.zeros((2, world.customers * runs))
    g, w, gg, gw, ww, met = np.zeros((6, runs))
    on, met_on, found = np.zeros(world.customers * runs, bool), np.zeros(runs), []
    for row, place, lean, expected, value in _exposures(world):
        push, weight = lean * (value - expected), lean * lean
        before_g, before_w = customers_g[place], customers_w[place]
        customers_g[place], customers_w[place] = before_g + push, before_w + weight
        met += before_w == 0
        met_on += (lean > 0) & ~on[place]
        on[place] |= lean > 0
        g, w = g + push, w + weight
        gg, ww = gg + push * (2 * before_g + push), ww + weight * (2 * before_w + weight)
        gw = gw + push * (before_w + weight) + before_g * weight
        if (row + 1) % LOOK == 0:
            difference = g / w
            variance = (gg - 2 * difference * gw + difference**2 * ww) / w**2 * met / (met - 1)
            wide = variance + tau**2
            log_e = np.log(variance / wide) / 2 + (tau * difference) ** 2 / (2 * variance * wide) + np.log(2)
            log_e += _LOG_PHI(-difference * tau / np.sqrt(variance * wide))
            found.append(np.where(met_on >= fewest, log_e, 0.0))
    return np.array(found)


def ratio(world: World) -> Floats:
    """`RatioTest` over every exchange as if it were a new customer: the log e-value at every look."""
    runs = world.candidate.shape[1]
    seen, total, found = np.zeros(runs), np.zeros(runs), []
    for row, (share, candidate) in enumerate(zip(world.share, world.candidate, strict=True)):
        expected = world.share[:row].sum()
        on = (WEIGHT * share + seen) / (WEIGHT * share + expected)
        off = (WEIGHT * (1 - share) + row - seen) / (WEIGHT * (1 - share) + row - expected)
        total += np.log(np.where(candidate, on, off) / (share * on + (1 - share) * off))
        seen += candidate
        if (row + 1) % LOOK == 0:
            found.append(total.copy())
    return np.array(found)
