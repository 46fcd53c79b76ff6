"""Watches live quality: takes the record in, tests every hour that has ended, and says what fell and after what."""

import threading
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import select

from opsplane.ledger.seal import micros
from opsplane.ledger.store import Ledger, Public
from opsplane.ledger.tables import ENTRY
from opsplane.policy import QualityWatch
from opsplane.quality import bets, changes, traffic
from opsplane.quality.alarm import MIX, Alarm
from opsplane.quality.cell import Cell
from opsplane.quality.changes import Change, Changes
from opsplane.quality.fall import Fall, Terms
from opsplane.quality.gauges import BY_JUDGE, MEANINGS, Gauge
from opsplane.quality.mix import Mix
from opsplane.quality.traffic import JUDGES, Ended, Place, Traffic, begin_of, hour_of
from opsplane.quality.watched import Story, Watched

Key = TypeVar("Key", bound=Hashable)

ABOUT = "quality_fell"
"""What the alert is about that is raised for an alarm; its subject is the alarm's series."""
_SHOWN = 0.05
BATCH = 2_000
"""Entries read at a time."""
ERRORS = len(Gauge) - len(BY_JUDGE) + len(BY_JUDGE) * JUDGES + 1
"""So many series share the policy's alpha, the mix of topics among them."""
_ALL = (*traffic.KINDS, *changes.KINDS, "alert_raised")


@dataclass(frozen=True)
class Standing:
    """One series as it stands: what is usual, the newest window, and the difference with its confidence sequence."""

    series: str
    usual: float
    newest: float
    number: int  # values in the newest window
    low: float
    high: float
    alarm: Alarm | None
    votes: bool


class Monitor:
    """Everything is derived from the record: whoever reads the same entries raises the same alarms.

    May be used from several threads at once. The first look reads four weeks of the record, which may take a while.
    """

    def __init__(self, ledger: Ledger, policy: QualityWatch) -> None:
        self.ledger = ledger
        self._policy = policy
        self._window, self._baseline = hours(policy.window), hours(policy.baseline)
        self._traffic = Traffic(self._window + self._baseline)
        self._changes = Changes()
        self._told: dict[str, datetime] = {}
        self._watched: dict[str, Watched] = {}
        self._slots: dict[tuple[Gauge, int], str] = {}
        self._seq: int | None = None
        self._origin = 0
        self._lock = threading.RLock()

    def look(self, now: datetime) -> list[Alarm]:
        """The alarms that stand and that nobody was told of, up to the newest chained entry before `now`.

        Whoever tells puts an `AlertRaised` about `ABOUT` on the record with the series as its subject. Raises
        `RecordUnavailable`.
        """
        with self._lock:
            self._gather(now)
            return [one for one in self.alarms() if not self._known(one)]

    def alarms(self) -> list[Alarm]:
        """The alarms that stand, told or not."""
        with self._lock:
            return [one.alarm for one in self._watched.values() if one.alarm]

    def standings(self) -> list[Standing]:
        """Every series of which enough is known, the mix of topics apart."""
        with self._lock:
            found = (self._standing(one) for name, one in sorted(self._watched.items()) if name != MIX)
            return [one for one in found if one]

    def table(self, key: Callable[[Place], Key | None]) -> dict[Key, Cell]:
        """The cells added up by what `key` makes of their places; those of which it makes None are left out."""
        with self._lock:
            found: dict[Key, Cell] = {}
            for place, cell in sorted(self._traffic.cells.items()):
                name = key(place)
                if name is not None:
                    found.setdefault(name, Cell()).plus(cell)
            return found

    def changes(self, since: datetime, until: datetime) -> list[Change]:
        """What changed from `since` on and before `until`."""
        with self._lock:
            return list(self._changes.between(since, until))

    def released(self, digest: str) -> str:
        """A release as people see it."""
        return self._changes.named(digest)

    def votes(self, judge: str) -> bool:
        """Whether a judge's scores count: its newest calibration says so."""
        return self._changes.votes.get(judge, False)

    @property
    def horizon(self) -> timedelta:
        """How far back figures are kept."""
        return self._policy.window + self._policy.baseline

    def _gather(self, now: datetime) -> None:
        if self._seq is None:
            self._begin(now)
        while entries := self.ledger.follow(self._seq or 0, _ALL, BATCH):
            self.take(entries)
        for ended in self._traffic.until(hour_of(now)):
            self._close(ended)

    def take(self, entries: Iterable[Public]) -> None:
        """Take entries of the record in, in their order."""
        for entry in entries:
            self._seq = entry.seq
            self._origin = self._origin or hour_of(entry.at)
            if entry.kind in traffic.KINDS:
                for ended in self._traffic.take(entry):
                    self._close(ended)
            elif entry.kind == "alert_raised":
                self._take_alert(entry)
            else:
                self._changes.take(entry)

    def _begin(self, now: datetime) -> None:
        """Windows are numbered from the record's beginning; what is too old to bear on a test is not read.

        Tests as old as the baseline is long are still alive, and each has a baseline of its own before it.
        """
        first = self.ledger.follow(0, ("ledger_opened",), 1)
        self._origin = hour_of(first[0].at) if first else 0
        begin = _before(self.ledger, now - 2 * self._policy.baseline - self._policy.window)
        seq = 0
        while entries := self.ledger.follow(seq, changes.KINDS, BATCH):
            older = [one for one in entries if one.seq <= begin]
            for entry in older:
                self._changes.take(entry)
            if len(older) < len(entries):
                break
            seq = entries[-1].seq
        self._seq = begin

    def _close(self, ended: Ended) -> None:
        """An hour has ended: every series is tested, and those of which nothing was counted grow older."""
        for name in ended.series.keys() - self._watched.keys():
            self._watch(name)
        if ended.topics and MIX not in self._watched:
            self._watched[MIX] = Watched(MIX, Mix(self._terms(1.0)))
        for name, one in self._watched.items():
            counts = ended.topics if name == MIX else ended.series.get(name, {})
            if one.close(ended.hour, counts):
                self._raise(one, ended.hour)

    def _watch(self, name: str) -> None:
        """Begin to follow a series. A new judge goes on in the place, and on the error, of one that it follows."""
        gauge, _, judge = name.partition(":")
        terms = self._terms(MEANINGS[Gauge(gauge)].bears)
        test = Fall(terms)
        if judge:
            slot = Gauge(gauge), self._traffic.judges.get(judge, 0)
            self._watched.pop(self._slots.get(slot, ""), None)
            self._slots[slot] = name
        self._watched[name] = Watched(name, test)

    def _terms(self, bears: float) -> Terms:
        return Terms(
            window=self._window,
            baseline=self._baseline,
            least=self._policy.least,
            origin=self._origin,
            alpha=self._policy.alpha / ERRORS,
            margin=bears * self._policy.harm,
        )

    def _raise(self, one: Watched, hour: int) -> None:
        story = Story(self._traffic, one)
        since = story.began(hour)
        alarm = one.alarmed(since, hour)
        change = self._changes.before(begin_of(since + 1))
        part, release = story.part(since, lambda place: place.topic), story.part(since, lambda place: place.release)
        lies = [f"about {part}"] if part else []
        lies += [f"on release {self._changes.named(release)}"] if release else []
        votes = self.votes(one.judge) if one.judge else True
        one.alarm = replace(alarm, change=change, place=" ".join(lies), detail=story.detail(), votes=votes)

    def _take_alert(self, entry: Public) -> None:
        if entry.payload["about"] == ABOUT:
            self._told[entry.payload["subject"]] = entry.at

    def _known(self, alarm: Alarm) -> bool:
        """Whether somebody was told of it, by this process or another one."""
        told = self._told.get(alarm.series)
        return told is not None and told >= alarm.since

    def _standing(self, one: Watched) -> Standing | None:
        usual, newest = one.compared(self._traffic.hour)
        if sum(usual.values()) < self._policy.least or not newest:
            return None
        before, after = bets.mean(usual), bets.mean(newest)
        low, high = bets.difference(usual, newest, _SHOWN)
        votes = self.votes(one.judge) if one.judge else True
        return Standing(one.name, before, after, sum(newest.values()), low, high, one.alarm, votes)


def hours(time: timedelta) -> int:
    """Whole hours, at least one."""
    return max(1, round(time / timedelta(hours=1)))


def _before(ledger: Ledger, at: datetime) -> int:
    """The number of the last entry before this moment, found by halving: numbers are without gaps."""
    low, high, moment = 0, ledger.last(), micros(at)
    while low < high:
        middle = (low + high + 1) // 2
        rows = ledger.read(select(ENTRY.c.at).where(ENTRY.c.seq == middle))
        if rows and rows[0].at < moment:
            low = middle
        else:
            high = middle - 1
    return low
