"""One series under watch: its test, the alarm that stands, and when that is over; and what the cells tell of a fall."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opsplane.quality import bets, mix
from opsplane.quality.alarm import MIX, Alarm
from opsplane.quality.bets import Counts
from opsplane.quality.fall import Fall
from opsplane.quality.mix import Mix
from opsplane.quality.past import Past
from opsplane.quality.traffic import Place, Traffic, begin_of
from opsplane.quality.turning import Point, mostly, turning

_SOME = 3
"""Topics that an alarm names."""
_CLEAR = 0.5
"""An alarm is over once the newest window is back within this part of the margin."""


class Watched:
    """A series and its test. While an alarm stands nothing is tested: what comes in is kept aside."""

    def __init__(self, name: str, test: Fall | Mix) -> None:
        self.name = name
        self.test = test
        self.alarm: Alarm | None = None
        self._aside: Past | None = None
        self._raised = 0

    @property
    def judge(self) -> str:
        """The judge that it comes from, or nothing."""
        return self.name.partition(":")[2]

    def close(self, hour: int, counts: Counts) -> bool:
        """An hour has ended; tells whether a fall has become certain, so that `alarmed` is to be called."""
        if self._aside is None:
            self.test.close(hour, counts)
            return self.test.certain
        if counts:
            self._aside.add(hour, counts)
        self._clear(hour, self._aside)
        return False

    def alarmed(self, since: int, hour: int) -> Alarm:
        """Keep apart what came since, and give the figures of the alarm that stands from here on."""
        test, terms = self.test, self.test.terms
        log_e = test.log_e
        moved = test.past.cut(since)
        self._aside, self._raised = Past(terms.baseline, moved), hour
        before, after = test.past.counts, self._aside.counts
        figures = _moved(before, after) if self.name == MIX else _fallen(before, after)
        self.alarm = Alarm(
            self.name, begin_of(hour + 1), begin_of(since), *figures, log_e=log_e, threshold=terms.threshold
        )
        return self.alarm

    def compared(self, now: int) -> tuple[Counts, Counts]:
        """What is usual, and the newest window."""
        terms, past = self.test.terms, self._aside or self.test.past
        newest = past.newest(now, terms.window, terms.least)
        if self._aside is not None:
            return self.test.past.counts, newest
        return Counter(past.counts) - newest, newest

    def sides(self) -> tuple[Counts, Counts]:
        """What was usual before the alarm that stands, and what came since."""
        return self.test.past.counts, self._aside.counts if self._aside else {}

    def _clear(self, hour: int, aside: Past) -> None:
        """Take the alarm back where the newest window is as before again, or where it has become what is usual."""
        terms = self.test.terms
        newest = aside.newest(hour + 1, terms.window, terms.least)
        enough = newest.total() >= terms.least and hour - self._raised >= 1
        if hour - self._raised >= terms.baseline:
            self.test.reset(aside)
        elif enough and self._loss(newest) <= _CLEAR * terms.margin:
            self.test.reset(self.test.past)
        else:
            return
        self.alarm = self._aside = None

    def _loss(self, newest: Counts) -> float:
        before = self.test.past.counts
        if self.name == MIX:
            return mix.distance(before, newest)
        return bets.mean(before) - bets.mean(newest)


@dataclass(frozen=True)
class Story:
    """What the cells tell of one series: when it fell, and where."""

    traffic: Traffic
    watched: Watched

    def began(self, hour: int) -> int:
        """The hour in which the fall most likely began; something is left before it."""
        test = self.watched.test
        first = test.past.hours[0][0] + 1
        loudest = test.loudest or hour
        points = self._points(None).get("", [])
        return max(first, turning(points, max(first, loudest - 2 * test.terms.window), hour))

    def part(self, since: int, of: Callable[[Place], str]) -> str:
        """The topic or the release that the fall lies in, if it lies in one; nothing for the mix."""
        if self.watched.name == MIX:
            return ""
        points = self._points(of)
        before = {name: [one for one in some if one.hour < since] for name, some in points.items()}
        return mostly(before, {name: [one for one in some if one.hour >= since] for name, some in points.items()})

    def detail(self) -> str:
        """For the mix, the topics whose shares moved most."""
        if self.watched.name != MIX:
            return ""
        before, after = (_shares(one, self.traffic.topics) for one in self.watched.sides())
        moved = sorted(before, key=lambda name: -abs(after[name] - before[name]))[:_SOME]
        return ", ".join(f"{name} {before[name]:.0%} → {after[name]:.0%}" for name in moved)

    def _points(self, of: Callable[[Place], str] | None) -> Mapping[str, list[Point]]:
        """By part, or as a whole under no name: how much was counted in each hour, hours in order."""
        name, found = self.watched.name, Counter[tuple[str, int]]()
        totals = Counter[tuple[str, int]]()
        rising = self._rising() if name == MIX else frozenset()
        for place, cell in self.traffic.cells.items():
            key = of(place) if of else "", place.hour
            if name == MIX:
                found[key] += cell.exchanges
                totals[key] += 0 if place.topic in rising else cell.exchanges
            elif name in cell.sums:
                found[key] += cell.sums[name].number
                totals[key] += cell.sums[name].total  # type: ignore[assignment]  # a Counter may hold floats
        points: dict[str, list[Point]] = {}
        for part, hour in sorted(found):
            points.setdefault(part, []).append(Point(hour, found[part, hour], totals[part, hour]))
        return points

    def _rising(self) -> frozenset[str]:
        """The topics that came up more since the test began that says most."""
        past, begun = self.watched.test.past, self.watched.test.loudest or 0
        after = past.since(begun)
        before = Counter(past.counts) - after
        if not before or not after:
            return frozenset()
        old, new = _shares(before, self.traffic.topics), _shares(after, self.traffic.topics)
        return frozenset(name for name in old if new[name] > old[name])


def _shares(counts: Counts, names: Mapping[str, int]) -> dict[str, float]:
    """The share of each topic, by name."""
    whole = max(1, sum(counts.values()))
    return {name: counts.get(number, 0) / whole for name, number in names.items()}


def _fallen(before: Counts, after: Counts) -> tuple[float, float, float, float, float]:
    """Both means, their difference, and its confidence sequence."""
    old, new = bets.mean(before), bets.mean(after)
    return (old, new, new - old, *bets.difference(before, after, _ALPHA))


def _moved(before: Counts, after: Counts) -> tuple[float, float, float, float, float]:
    """Likewise for the mix, whose distance to itself is 0."""
    moved = mix.distance(before, after)
    off = mix.deviation(sum(before.values()), _ALPHA / 2) + mix.deviation(sum(after.values()), _ALPHA / 2)
    return 1.0, 1 - moved, -moved, -min(1.0, moved + off), -max(0.0, moved - off)


_ALPHA = 0.05
