"""How others watch a rollout, and published values that say that what is written here is what they do."""

from dataclasses import dataclass
from math import erfc, log, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
LOOK = 50
"""Exchanges from one look to the next."""
_NORMAL = NormalDist()


@dataclass(frozen=True)
class World:
    """Many simulated rollouts: one row per exchange, one column per rollout. `customers` is how many there are."""

    share: Floats
    customer: NDArray[np.int32]
    candidate: Bools
    value: Bools
    customers: int

    def counts(self) -> tuple[Floats, Floats, Floats, Floats]:
        """At every look: exchanges and passes of the candidate, exchanges and passes of stable."""
        on, off = self.candidate, ~self.candidate
        return _looks(on), _looks(on & self.value), _looks(off), _looks(off & self.value)


def _looks(marks: Bools) -> Floats:
    rows, columns = marks.shape
    return np.asarray(marks.reshape(rows // LOOK, LOOK, columns).sum(axis=1).cumsum(axis=0), np.float64)


def independent(runs: int, rows: int, drop: float, seed: int, start: int = 0) -> World:
    """One exchange per customer, canary 10 %, 90 % pass; from exchange `start` on the candidate is worse by `drop`."""
    chance = np.random.default_rng(seed)
    candidate = chance.random((rows, runs)) < 0.1
    broken = candidate & (np.arange(rows)[:, None] >= start)
    value = chance.random((rows, runs)) < 0.9 - drop * broken
    customer = np.broadcast_to(np.arange(rows, dtype=np.int32)[:, None], (rows, runs))
    return World(np.full(rows, 0.1), customer, candidate, value, rows)


@dataclass(frozen=True)
class Sticky:
    """A world of customers who come back, stay on their side and resemble themselves (intraclass correlation `icc`)."""

    icc: float
    share: Floats
    baseline: tuple[float, float] = (0.9, 0.9)
    customers: int = 2_000

    def simulate(self, runs: int, drop: float, seed: int, start: int = 0) -> World:
        """Customers are active to exponentially distributed degrees; a hash decides who is on the candidate.

        Two exchanges of a customer are correlated by `icc` and pass with the same probability as anybody's: with
        probability √icc an exchange takes its luck from the customer, else afresh.
        """
        chance = np.random.default_rng(seed)
        rows, column = len(self.share), np.arange(runs)
        activity = chance.standard_exponential((self.customers, runs)).cumsum(axis=0)
        customer = np.empty((rows, runs), np.int32)
        for run in column:
            customer[:, run] = np.searchsorted(activity[:, run], chance.random(rows) * activity[-1, run])
        place, luck = chance.random((2, self.customers, runs))
        candidate = place[customer, column] < self.share[:, None]
        own = chance.random((rows, runs)) < sqrt(self.icc)
        drawn = np.where(own, luck[customer, column], chance.random((rows, runs)))
        broken = candidate & (np.arange(rows)[:, None] >= start)
        value = drawn < np.linspace(*self.baseline, rows)[:, None] - drop * broken
        return World(self.share, customer, candidate, value, self.customers)


def at_alarm(world: World, hits: Bools) -> Floats:
    """Candidate exchanges up to each run's first alarm; infinite where there is none. `hits` may end early."""
    first, ever = hits.argmax(axis=0), hits.any(axis=0)
    return np.where(ever, _looks(world.candidate)[first, np.arange(hits.shape[1])], np.inf)


def pooled_z(world: World, bound: float | Floats = 1.6449) -> Bools:
    """A one-sided z-test of pooled exchanges at every look, as if it were the only one."""
    count1, sum1, count0, sum0 = world.counts()
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = (sum1 + sum0) / (count1 + count0)
        z = (sum0 / count0 - sum1 / count1) / np.sqrt(rate * (1 - rate) * (1 / count1 + 1 / count0))
    return np.asarray(np.nan_to_num(z, nan=0.0) >= bound)


def threshold(world: World, limit: int, consecutive: bool) -> Floats:
    """Candidate exchanges until a metric threshold aborts (the analysis of Argo Rollouts): at least 85 % of every 50.

    It aborts once more than `limit` measurements failed, or `limit` in a row where `consecutive`.
    """
    found = np.full(world.candidate.shape[1], np.inf)
    for run in range(len(found)):
        passes = world.value[world.candidate[:, run], run]
        failed = passes[: len(passes) // 50 * 50].reshape(-1, 50).mean(axis=1) < 0.85
        row = total = 0
        for number, one in enumerate(failed, 1):
            row, total = (row + 1 if one else 0), total + int(one)
            if (row >= limit) if consecutive else (total > limit):
                found[run] = number * 50
                break
    return found


def growthbook(world: World, alpha: float = 0.05, tuning: int = 5_000) -> Bools:
    """GrowthBook's one-sided sequential interval lies below 0 (its documentation, "Sequential Testing"; default 5,000).

    Half width s·√(2(nρ²+1)/(nρ²) · log(1 + √(nρ²+1)/(2α))), s the standard error and n all exchanges.
    """
    count1, sum1, count0, sum0 = world.counts()
    wide = -2 * log(2 * alpha)
    rho2 = (wide + log(1 + wide)) / tuning
    with np.errstate(invalid="ignore", divide="ignore"):
        rate1, rate0 = sum1 / count1, sum0 / count0
        error2 = rate1 * (1 - rate1) / (count1 - 1) + rate0 * (1 - rate0) / (count0 - 1)
        n = (count1 + count0) * rho2
        half = np.sqrt(error2 * 2 * (n + 1) / n * np.log1p(np.sqrt(n + 1) / (2 * alpha)))
        return np.asarray((rate1 - rate0 + half < 0) & (error2 > 0) & (count1 > 1))


def planned(world: World, kind: str, looks: int = 20) -> Bools:
    """Group-sequential: so many looks, planned beforehand at equal distances, and none in between."""
    total = len(world.share) // LOOK
    bounds = np.full((total, 1), np.inf)
    bounds[total // looks - 1 :: total // looks, 0] = spending(kind, looks, 0.05)
    return pooled_z(world, bounds)


def spending(kind: str, looks: int, alpha: float, *, both_sides: bool = False) -> Floats:
    """Bounds for z at equally spaced looks (Lan and DeMets, Biometrika 70, 1983), `kind` "obrien-fleming" or "pocock".

    Spent by the time t are 2 − 2Φ(z(α/2)/√t), or α log(1 + (e−1)t). Each bound is found by integrating the density
    of the score over where no look before it stopped (Armitage, McPherson and Rowe, 1969). `alpha` is that of one side.
    """
    bounds: list[float] = []
    grid, density, step, before = np.zeros(1), np.ones(1), sqrt(1 / looks), 0.0
    points, weights = np.polynomial.legendre.leggauss(300)
    for look in range(1, looks + 1):
        time = look / looks
        if kind == "pocock":
            spent = alpha * log(1 + (np.e - 1) * time)
        else:
            spent = erfc(_NORMAL.inv_cdf(1 - alpha / 2) / sqrt(2 * time))
        top = _top(grid, density, step, spent - before)
        bounds.append(top / sqrt(time))
        bottom = -top if both_sides else -8 * sqrt(time)
        score = bottom + (points + 1) / 2 * (top - bottom)
        kernel = np.exp(-0.5 * ((score[:, None] - grid) / step) ** 2) / (step * sqrt(2 * np.pi))
        density = (kernel @ density) * weights * (top - bottom) / 2
        grid, before = score, spent
    return np.array(bounds)


def _top(grid: Floats, density: Floats, step: float, wanted: float) -> float:
    """The score that is exceeded after the next step with the probability `wanted`."""
    low, high = 0.0, 10.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if density @ _upper((middle - grid) / step) > wanted else (low, middle)
    return high


_upper = np.vectorize(lambda x: erfc(x / sqrt(2)) / 2, otypes=[float])


def chi_square(observed: tuple[int, int], shares: tuple[float, float]) -> float:
    """The p value of the classic sample-ratio test of two arms, one degree of freedom."""
    total = sum(observed)
    off = (observed[0] - total * shares[0]) ** 2
    return erfc(sqrt(off / (total * shares[0] * shares[1]) / 2))


def logistic_moment(power: int) -> float:
    """E[(2/(1+exp(−Z)))^power] for a standard normal Z, by Gauss-Hermite quadrature."""
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    return float(weights @ (2 / (1 + np.exp(-points))) ** power / sqrt(2 * np.pi))
