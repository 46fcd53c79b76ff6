"""Bounds that hold at every look at once, out of normal and beta mixtures.

Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of
Statistics 49 (2021): the two-sided and the one-sided normal mixture, and the beta-binomial mixture.
"""

from collections.abc import Callable
from math import erfc, lgamma, log, log1p, pi, sqrt

_TAIL = -30.0
"""Below it `erfc` nears its underflow, and five terms of the asymptotic series are exact to 1e-11."""


def log_phi(x: float) -> float:
    """The logarithm of the standard normal distribution function, for every finite x."""
    if x > 0:
        return log1p(-erfc(x / sqrt(2)) / 2)
    if x > _TAIL:
        return log(erfc(-x / sqrt(2)) / 2)
    y = 1 / (x * x)
    return -x * x / 2 - log(-x * sqrt(2 * pi)) + log1p(y * (-1 + y * (3 + y * (-15 + y * 105))))


def one_sided(score: float, variance: float, rho: float) -> float:
    """The log e-value that a sum's drift is above 0, by a half-normal mixture of precision `rho` over the drift.

    `score` is the sum, `variance` its accumulated variance: log 2 + ½log(ρ/(v+ρ)) + s²/(2(v+ρ)) + log Φ(s/√(v+ρ)).
    """
    total = variance + rho
    return log(2) + log(rho / total) / 2 + score * score / (2 * total) + log_phi(score / sqrt(total))


def two_sided(variance: float, rho: float, alpha: float) -> float:
    """The bound that a sum without drift ever leaves with probability `alpha` at most: √((v+ρ) log((v+ρ)/(ρα²)))."""
    total = variance + rho
    return sqrt(total * (log(total / rho) - 2 * log(alpha)))


def bernoulli(successes: float, trials: int, alpha: float, peak: int = 100) -> tuple[float, float]:
    """A confidence sequence for one arm's rate, or for the mean of values in [0, 1]; for independent trials.

    Each rate p is tested by a beta mixture with mean p over the likelihood ratio, B(κp+s, κ(1−p)+n−s) /
    (B(κp, κ(1−p)) p^s (1−p)^(n−s)), and is out once that reaches 1/alpha. κ makes it narrowest around `peak` trials.
    """
    if not trials:
        return 0.0, 1.0
    failures, mean = trials - successes, successes / trials
    wide = -2 * log(0.05)
    kappa = peak / (wide + log1p(wide)) - 1

    def refuted(p: float) -> bool:
        mixture = _log_beta(kappa * p + successes, kappa * (1 - p) + failures) - _log_beta(kappa * p, kappa * (1 - p))
        return mixture - successes * log(p) - failures * log1p(-p) >= -log(alpha)

    low = crossing(lambda p: not refuted(p), 0.0, mean) if successes else 0.0
    high = crossing(refuted, mean, 1.0) if failures else 1.0
    return low, high


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def crossing(reached: Callable[[float], bool], low: float, high: float) -> float:
    """Where between `low` and `high` something begins to hold that holds from there on, by halving; else `high`."""
    for _ in range(40):
        middle = (low + high) / 2
        if reached(middle):
            high = middle
        else:
            low = middle
    return high
