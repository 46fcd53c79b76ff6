"""The exchanges of the newest weeks, taken in entry by entry from the record and added up by hour, topic and release.

What is drawn goes by the hour of the exchange; what is tested by the hour in which the record had it, since a test may
know nothing earlier. In a test a customer counts once an hour, with the mean of what was read off the exchanges in it,
so that a few who ask all day do not pass for many.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from opsplane.ledger.store import Public
from opsplane.quality import gauges
from opsplane.quality.bets import placed
from opsplane.quality.cell import Cell
from opsplane.quality.gauges import Gauge
from opsplane.quality.mix import MOST
from opsplane.sampling import UNTOLD, Stratum

KINDS = ("question_answered", "feedback_given", "exchange_reviewed", "exchange_scored")
KNOWN = 200_000
"""The newest exchanges for which a late score counts."""
JUDGES = 3
"""Judges that are followed at a time; one that was silent for long makes room for a new one."""
SILENT = 24
"""Hours without a score after which a judge may be forgotten."""
_RIGHT = {"right": 1.0, "wrong": 0.0}
_HALF = 50


class Place(NamedTuple):
    """Where an exchange is added up: its hour since 1970 (UTC), its release's digest and its topic."""

    hour: int
    release: str
    topic: str


@dataclass(slots=True)
class _Known:
    place: Place
    customer: str
    scored: tuple[str, ...] = ()


@dataclass
class Ended:
    """An hour of the record that has ended: counts by level for each series, and customers by number of the topic."""

    hour: int
    series: dict[str, dict[int, int]] = field(default_factory=dict)
    topics: dict[int, int] = field(default_factory=dict)


class Traffic:
    """Cells of the newest `hours` hours; `topics` are their names by number, `hour` the one that has not ended."""

    def __init__(self, hours: int) -> None:
        self._hours = hours
        self.cells: dict[Place, Cell] = {}
        self.topics: dict[str, int] = {}
        self.judges: OrderedDict[str, int] = OrderedDict()  # each with a number below `JUDGES`
        self._heard: dict[str, int] = {}
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self.hour = 0
        self._open: dict[str, dict[str, list[float]]] = {}  # by series and customer: how many values, their sum
        self._asked: dict[str, int] = {}
        self._oldest = 0

    def take(self, entry: Public) -> Iterator[Ended]:
        """Take one entry in; yields the hour that ended before it, if one did."""
        yield from self.until(hour_of(entry.at))
        told = entry.payload
        match entry.kind:
            case "question_answered":
                self._answered(told["exchange"])
            case "feedback_given" if told["value"] is not None:
                self._late(told["exchange"], Gauge.THUMBS, float(told["value"]))
            case "exchange_reviewed":
                score = told.get("score")
                value = _RIGHT.get(told["verdict"]) if score is None else score / 100
                if value is not None:
                    self._late(told["exchange"], Gauge.REVIEW, value)
            case "exchange_scored" if Stratum.read(told.get("stratum", "")).plain:
                self._scored(told)

    def until(self, hour: int) -> Iterator[Ended]:
        """Go on to this hour; yields what was gathered until then where that is another hour."""
        if hour <= self.hour:
            return
        ended = self._ended()
        self._open, self._asked, self.hour = {}, {}, hour
        self._forget(hour - self._hours)
        if ended.hour:
            yield ended

    def _ended(self) -> Ended:
        ended = Ended(self.hour, topics=dict(Counter(self._asked.values())))
        for series, customers in self._open.items():
            ended.series[series] = dict(Counter(placed(total / number) for number, total in customers.values()))
        return ended

    def _forget(self, before: int) -> None:
        if before > self._oldest:
            self._oldest = before
            self.cells = {place: cell for place, cell in self.cells.items() if place.hour >= before}

    def _answered(self, told: Mapping[str, Any]) -> None:
        at, topic = datetime.fromisoformat(told["at"]), told.get("topic") or UNTOLD
        place = Place(min(hour_of(at), self.hour), told["digest"], self._topic(topic))
        cell, customer = self._cell(place), told["customer"]
        cell.exchanges += 1
        cell.input_tokens += told["usage"]["input"]
        cell.output_tokens += told["usage"]["output"]
        cell.micros += told["cost_micros"]
        cell.customers.add(customer)
        known = _Known(place, customer)
        for gauge, value in gauges.read(told):
            self._count(known, cell, gauge, value)
            if gauge is Gauge.FAST:
                cell.whole.add(told["total_ms"])
            elif gauge is Gauge.PROMPT:
                cell.first.add(told["first_sentence_ms"])
        if topic != UNTOLD:
            self._asked.setdefault(customer, self.topics[place.topic])
        self._known[told["id"]] = known
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)

    def _topic(self, name: str) -> str:
        """The topic's name; those beyond what can be told apart go by that of the last."""
        if name != UNTOLD and name not in self.topics:
            if len(self.topics) == MOST:
                return next(reversed(self.topics))
            self.topics[name] = len(self.topics)
        return name

    def _cell(self, place: Place) -> Cell:
        found = self.cells.get(place)
        if found is None:
            found = self.cells[place] = Cell()
        return found

    def _scored(self, told: Mapping[str, Any]) -> None:
        scorer = told["scorer"]
        if not self._follows(scorer):
            return
        self._late(told["exchange"], f"{Gauge.JUDGE}:{scorer}", told["score"] / 100)
        faithful = told.get("measures", {}).get("faithfulness")
        if faithful is not None:
            self._late(told["exchange"], f"{Gauge.FAITHFUL}:{scorer}", float(faithful >= _HALF))

    def _follows(self, judge: str) -> bool:
        """Whether a judge's scores are taken in; where there is no room, none gives way that scored lately."""
        if judge not in self.judges:
            number = len(self.judges)
            if number == JUDGES:
                oldest = next(iter(self.judges))
                if self._heard[oldest] > self.hour - SILENT:
                    return False
                number = self.judges.pop(oldest)
                del self._heard[oldest]
            self.judges[judge] = number
        self.judges.move_to_end(judge)
        self._heard[judge] = self.hour
        return True

    def _late(self, exchange: str, series: str, value: float) -> None:
        """A score that came after the answer; the first of its kind counts."""
        known = self._known.get(exchange)
        if known and series not in known.scored:
            known.scored = (*known.scored, series)
            old = known.place.hour < self._oldest  # its cell is forgotten
            self._count(known, Cell() if old else self._cell(known.place), series, value)

    def _count(self, known: _Known, cell: Cell, series: str, value: float) -> None:
        cell.add(series, value)
        opened = self._open.setdefault(series, {})
        found = opened.get(known.customer)
        if found is None:
            opened[known.customer] = [1, value]
        else:
            found[0] += 1
            found[1] += value


def hour_of(at: datetime) -> int:
    """The UTC hour since 1970 that a moment lies in."""
    return int(at.timestamp()) // 3600


def begin_of(hour: int) -> datetime:
    """When an hour begins."""
    return datetime.fromtimestamp(hour * 3600, UTC)
