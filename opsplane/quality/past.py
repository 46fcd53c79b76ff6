"""What was usual: counts over the newest hours, as a whole and by hour of the day (UTC)."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence

DAY = 24
Hour = tuple[int, Mapping[int, int]]
"""A UTC hour since 1970 and what was counted in it: by level of a gauge, or by number of a topic."""


class Past:
    """The newest `hours` hours in which something was counted, oldest first."""

    def __init__(self, hours: int, kept: Iterable[Hour] = ()) -> None:
        self._hours = hours
        self._kept: deque[Hour] = deque()
        self._counts: Counter[int] = Counter()
        self._daily = [Counter[int]() for _ in range(DAY)]
        for hour, counts in kept:
            self.add(hour, counts)

    def add(self, hour: int, counts: Mapping[int, int]) -> None:
        """One more hour; what is too old by then is forgotten."""
        self.forget(hour)
        self._kept.append((hour, dict(counts)))
        self._counts.update(counts)
        self._daily[hour % DAY].update(counts)

    def forget(self, now: int) -> None:
        """Let go of what is too old."""
        while self._kept and self._kept[0][0] < now - self._hours:
            self._drop(self._kept.popleft())

    def cut(self, since: int) -> list[Hour]:
        """Take out the hours from `since` on, oldest first."""
        taken: list[Hour] = []
        while self._kept and self._kept[-1][0] >= since:
            taken.append(self._kept.pop())
            self._drop(taken[-1])
        return taken[::-1]

    @property
    def counts(self) -> Mapping[int, int]:
        """How often each was counted in all hours."""
        return self._counts

    def since(self, hour: int) -> Counter[int]:
        """How often each was counted from this hour on."""
        some: Counter[int] = Counter()
        for kept, counts in reversed(self._kept):
            if kept < hour:
                break
            some.update(counts)
        return some

    @property
    def number(self) -> int:
        """How much was counted."""
        return self._counts.total()

    @property
    def daily(self) -> Sequence[Mapping[int, int]]:
        """How often each was counted at each hour of the day; it may hold zeros."""
        return self._daily

    @property
    def hours(self) -> Sequence[Hour]:
        """The hours, oldest first."""
        return self._kept

    def newest(self, now: int, window: int, least: int) -> Counter[int]:
        """The counts of the newest window before `now`, widened until there are `least` or nothing is left."""
        while True:
            some = self.since(now - window)
            if some.total() >= least or not self._kept or self._kept[0][0] >= now - window:
                return some
            window *= 2

    def _drop(self, hour: Hour) -> None:
        self._daily[hour[0] % DAY].subtract(hour[1])
        self._counts.subtract(hour[1])
        for one in hour[1]:
            if not self._counts[one]:
                del self._counts[one]
