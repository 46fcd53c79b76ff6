"""One hour's exchanges on one topic under one release, added up: counts, sums, quantiles and distinct customers."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from math import ceil, exp, log, sqrt

import numpy as np

Z95 = 1.959964
_GROWTH = log(1.04)
_LARGEST = 1_000
_REGISTERS = 1_024
_BIAS = 0.7213 / (1 + 1.079 / _REGISTERS)


@dataclass(slots=True)
class Sum:
    """Values in [0, 1]: how many, their sum and the sum of their squares."""

    number: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """One value."""
        self.number += 1
        self.total += value
        self.squares += value * value

    def plus(self, other: "Sum") -> None:
        """All values of another sum."""
        self.number += other.number
        self.total += other.total
        self.squares += other.squares

    @property
    def mean(self) -> float:
        """Their mean; there must be one."""
        return self.total / self.number

    def interval(self) -> tuple[float, float]:
        """A 95 % interval of the mean for this stretch of time alone.

        Wilson's (JASA 22, 1927), with the values' own variance in place of m(1−m), which for shares is the same.
        """
        z, n, mean = Z95 * Z95, self.number, self.mean
        # as if z more values had come in, half of them 0 and half 1: that is Wilson's middle and width
        variance = max(0.0, self.squares / n - mean * mean)
        middle = (mean + z / (2 * n)) / (1 + z / n)
        half = sqrt(variance * z / n + z * z / (4 * n * n)) / (1 + z / n)
        return max(0.0, middle - half), min(1.0, middle + half)


class Sketch:
    """Amounts by powers of 1.04, so that every quantile is within 2 %.

    Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch", VLDB 12 (2019).
    """

    __slots__ = ("counts", "number")

    def __init__(self) -> None:
        self.number = 0
        self.counts: dict[int, int] = {}

    def add(self, amount: float) -> None:
        """One amount; below 1 all are alike."""
        place = min(_LARGEST, ceil(log(amount) / _GROWTH)) if amount > 1 else 0
        self.counts[place] = self.counts.get(place, 0) + 1
        self.number += 1

    def plus(self, other: "Sketch") -> None:
        """All amounts of another sketch."""
        self.number += other.number
        for place, count in other.counts.items():
            self.counts[place] = self.counts.get(place, 0) + count

    def quantile(self, share: float) -> float:
        """The amount that this share of all does not exceed; 0 where there are none."""
        return self._at(share * self.number)

    def interval(self, share: float) -> tuple[float, float]:
        """A 95 % interval of the quantile, by the ranks that a binomial count would reach."""
        half = Z95 * sqrt(self.number * share * (1 - share))
        return self._at(share * self.number - half), self._at(share * self.number + half)

    def _at(self, rank: float) -> float:
        so_far = 0
        for place in sorted(self.counts):
            so_far += self.counts[place]
            if so_far >= rank:
                return exp((place - 0.5) * _GROWTH) if place else 0.0
        return exp((max(self.counts) - 0.5) * _GROWTH) if self.counts else 0.0


class Distinct:
    """How many different customers there were, within about 3 %, in a kilobyte.

    Flajolet, Fusy, Gandouet and Meunier, "HyperLogLog", AofA 2007, with linear counting for small numbers.
    """

    __slots__ = ("_registers",)

    def __init__(self) -> None:
        self._registers = bytearray(_REGISTERS)

    def add(self, name: str) -> None:
        """One customer, met before or not."""
        drawn = int.from_bytes(blake2b(name.encode(), digest_size=8).digest())
        place, rest = drawn % _REGISTERS, drawn // _REGISTERS
        rank = 55 - rest.bit_length()  # leading zeros of 54 bits, and one
        if rank > self._registers[place]:
            self._registers[place] = rank

    def plus(self, other: "Distinct") -> None:
        """All customers of another count."""
        mine = np.frombuffer(self._registers, np.uint8)
        np.maximum(mine, np.frombuffer(other._registers, np.uint8), out=mine)

    @property
    def number(self) -> int:
        """The estimate."""
        ranks = np.frombuffer(self._registers, np.uint8).astype(float)
        empty = int((ranks == 0).sum())
        if empty:
            linear = _REGISTERS * log(_REGISTERS / empty)
            if linear <= 2.5 * _REGISTERS:
                return round(linear)
        return round(_BIAS * _REGISTERS**2 / float((2.0**-ranks).sum()))


@dataclass(slots=True)
class Cell:
    """What is known of some exchanges without their words. `sums` are by series, sketches in ms and micro-dollars."""

    exchanges: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    micros: int = 0
    sums: dict[str, Sum] = field(default_factory=dict)
    first: Sketch = field(default_factory=Sketch)
    whole: Sketch = field(default_factory=Sketch)
    customers: Distinct = field(default_factory=Distinct)

    def add(self, series: str, value: float) -> None:
        """One value of one series."""
        found = self.sums.get(series)
        if found is None:
            found = self.sums[series] = Sum()
        found.add(value)

    def plus(self, other: "Cell") -> None:
        """All that another cell holds."""
        self.exchanges += other.exchanges
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.micros += other.micros
        for series, values in other.sums.items():
            self.sums.setdefault(series, Sum()).plus(values)
        self.first.plus(other.first)
        self.whole.plus(other.whole)
        self.customers.plus(other.customers)


def together(cells: Iterable[Cell]) -> Cell:
    """One cell of several."""
    whole = Cell()
    for cell in cells:
        whole.plus(cell)
    return whole
