"""How far two or more people, or a person and a judge, say the same beyond chance. Pure.

Cohen's kappa is for two raters and categories, Krippendorff's alpha for any number of raters with gaps and for
numbers too, Spearman's correlation for order alone, without regard to how mild or strict a rater is.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from enum import StrEnum
from functools import cached_property
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from opsplane.evaluation.estimate import Estimate, Floats, Ranking, bootstrapped, correlations, estimate
from opsplane.guardrails.sweep import Z, wilson


class Weights(StrEnum):
    """How much of an agreement two categories are that are not the same."""

    NONE = "none"
    LINEAR = "linear"
    QUADRATIC = "quadratic"

    def matrix(self, size: int) -> Floats:
        """The weights of agreement for so many ordered categories: 1 on the diagonal, 0 in the far corners."""
        apart = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) / max(1, size - 1)
        match self:
            case Weights.NONE:
                return np.eye(size)
            case Weights.LINEAR:
                return np.asarray(1 - apart)
            case Weights.QUADRATIC:
                return np.asarray(1 - apart**2)


class Level(StrEnum):
    """What a difference between two values means."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"


def raw(first: Sequence[Hashable], second: Sequence[Hashable]) -> Estimate:
    """The share of units on which both say the same, with Wilson's interval; chance is not taken off."""
    equal = sum(one == other for one, other in zip(first, second, strict=True))
    return estimate(len(first), equal / len(first) if first else np.nan, wilson(equal, len(first)))


def table(first: Sequence[Hashable], second: Sequence[Hashable], categories: Sequence[Hashable]) -> Floats:
    """How often the first rater said the row's category and the second the column's; `KeyError` for any other."""
    place = {category: number for number, category in enumerate(categories)}
    counts = np.zeros((len(place), len(place)))
    for one, other in zip(first, second, strict=True):
        counts[place[one], place[other]] += 1
    return counts


def kappa(counts: ArrayLike, weights: Weights | ArrayLike = Weights.NONE) -> Estimate:
    """Cohen's kappa of a square table of counts; undefined where chance alone would agree always.

    Cohen, "A coefficient of agreement for nominal scales" (Educational and Psychological Measurement 20, 1960), and
    weighted (Psychological Bulletin 70, 1968). The interval is normal with the standard error of Fleiss, Cohen and
    Everitt (Psychological Bulletin 72, 1969, formula 13). It has no width where all agree: look at the number too.
    `weights` may be a matrix of weights of agreement.
    """
    found = np.asarray(counts, np.float64)
    number = round(float(found.sum()))
    if not number:
        return Estimate(number=0)
    same = weights.matrix(len(found)) if isinstance(weights, Weights) else np.asarray(weights, np.float64)
    share = found / found.sum()
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    observed, chance = float((same * share).sum()), float(rows @ same @ columns)
    if chance >= 1 - 1e-12:
        return Estimate(number=number)
    expected = np.add.outer(same @ columns, rows @ same)
    terms = share * (same * (1 - chance) - expected * (1 - observed)) ** 2
    spread = float(terms.sum()) - (observed * chance - 2 * chance + observed) ** 2
    error = sqrt(max(0.0, spread) / number) / (1 - chance) ** 2
    value = (observed - chance) / (1 - chance)
    return estimate(number, value, (max(-1.0, value - Z * error), min(1.0, value + Z * error)))


def alpha(units: Sequence[Sequence[float | None]], level: Level = Level.INTERVAL, seed: int = 0) -> Estimate:
    """Krippendorff's alpha over units, each with the values that its raters gave; None is a value that is missing.

    Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011). Units with fewer than two values do not count.
    The interval is the percentile bootstrap over units, which covers as it should where resampling disagreements alone
    does not (Zapf, Castell, Morawietz and Karch, BMC Medical Research Methodology 16:93, 2016). Undefined where there
    is only one value in all, and for a single unit: its disagreement is all there is, so that nothing is told by it.
    """
    values = [[float(one) for one in unit if one is not None] for unit in units]
    values = [unit for unit in values if len(unit) > 1]
    if len(values) < 2:
        return Estimate(number=len(values))
    disagreement = _Disagreement(values, level)
    return bootstrapped(len(values), disagreement.size, disagreement.alpha, seed)


def spearman(first: ArrayLike, second: ArrayLike, seed: int = 0) -> Estimate:
    """Spearman's rank correlation, ties at mid-rank, with a bootstrap interval; undefined where one side is constant.

    Spearman, "The proof and measurement of association between two things" (American Journal of Psychology 15, 1904).
    """
    one, other = Ranking(first), Ranking(second)

    def statistic(drawn: Floats) -> Floats:
        return np.asarray(correlations([one.ranks(drawn), other.ranks(drawn)], drawn)[0, 1])

    return bootstrapped(len(one.place), len(one.place), statistic, seed)


class _Disagreement:
    """Observed and expected disagreement of ragged units under any weights, by the sums of ordered pairs.

    An ordinal difference is one of mid-ranks: between categories c and k it is the number of values from c to k less
    half of those in c and k. So every level needs sums only, and no matrix of values against values.
    """

    def __init__(self, values: Sequence[Sequence[float]], level: Level) -> None:
        self._level = level
        self._values = values
        flat = np.array([one for unit in values for one in unit])
        self._flat = flat - flat.mean()  # for the sums' sake; differences stay the same
        self._sizes = np.array([len(unit) for unit in values], np.int64)
        self._starts = np.concatenate([[0], np.cumsum(self._sizes)[:-1]])
        self._ranking = Ranking(flat)

    @property
    def size(self) -> int:
        """All values."""
        return len(self._flat)

    def alpha(self, weights: Floats) -> Floats:
        """1 − observed/expected, for weights of shape (resamples, units)."""
        match self._level:
            case Level.NOMINAL:
                observed, expected = self._nominal(weights)
            case Level.ORDINAL:
                observed, expected = self._ordinal(weights)
            case Level.INTERVAL:
                observed, expected = self._interval(weights)
        found = np.full(len(weights), np.nan)
        np.divide((weights @ self._sizes - 1) * observed, expected, out=found, where=expected > 1e-12)
        return 1 - found

    def _nominal(self, weights: Floats) -> tuple[Floats, Floats]:
        counts = self._ranking.counts(np.repeat(weights, self._sizes, axis=1))
        return weights @ self._unequal, (weights @ self._sizes) ** 2 - (counts**2).sum(axis=1)

    @cached_property
    def _unequal(self) -> Floats:
        """For each unit its ordered pairs of unequal values, over its values less one."""
        equal = np.array([sum(count**2 for count in Counter(unit).values()) for unit in self._values])
        return np.asarray((self._sizes**2 - equal) / (self._sizes - 1))

    def _ordinal(self, weights: Floats) -> tuple[Floats, Floats]:
        each = np.repeat(weights, self._sizes, axis=1)
        total = weights @ self._sizes
        ranks = self._ranking.ranks(each) - total[:, None] / 2
        return (weights * self._within(ranks)).sum(axis=1), 2 * total * (each * ranks**2).sum(axis=1)

    def _interval(self, weights: Floats) -> tuple[Floats, Floats]:
        total = weights @ self._sizes
        return weights @ self._apart, 2 * (total * (weights @ self._squares) - (weights @ self._sums) ** 2)

    @cached_property
    def _apart(self) -> Floats:
        return np.asarray(self._within(self._flat[None])[0])

    @cached_property
    def _sums(self) -> Floats:
        return np.asarray(np.add.reduceat(self._flat, self._starts))

    @cached_property
    def _squares(self) -> Floats:
        return np.asarray(np.add.reduceat(self._flat**2, self._starts))

    def _within(self, scores: Floats) -> Floats:
        """The sum of squared differences of all ordered pairs in a unit, over its values less one."""
        middle = np.add.reduceat(scores, self._starts, axis=1) / self._sizes
        apart = (scores - np.repeat(middle, self._sizes, axis=1)) ** 2
        return np.asarray(2 * self._sizes * np.add.reduceat(apart, self._starts, axis=1) / (self._sizes - 1))
