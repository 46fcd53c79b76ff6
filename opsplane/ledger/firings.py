"""What guardrails found, counted over the record: by release and code, with the newest exchanges as examples."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import func, select

from opsplane.events import FindingMarked
from opsplane.ledger.tables import EXCHANGE

EXAMPLES = 3
"""So many exchanges are named for each code."""


class Record(Protocol):
    """What is counted: the ledger."""

    def read(self, statement: Any) -> Sequence[Any]:
        """Run one query; raise `RecordUnavailable` where the database does not answer."""
        ...


@dataclass(frozen=True)
class Firing:
    """One code under one release: in how many of its exchanges it was found, the newest of them, and the marks."""

    release: str
    code: str
    exchanges: int
    of: int  # exchanges of the release in this time
    newest: tuple[str, ...]
    right: int = 0
    wrong: int = 0


@dataclass
class _Tally:
    exchanges: int = 0
    numbers: list[int] = field(default_factory=list)


def count(
    record: Record, since: int | None, until: int | None, release: str, marks: Iterable[FindingMarked]
) -> list[Firing]:
    """Every code of every release between two moments (microseconds, the latter exclusive), most frequent first."""
    groups = record.read(_groups(since, until, release))
    totals: Counter[str] = Counter()
    tallies: defaultdict[tuple[str, str], _Tally] = defaultdict(_Tally)
    for row in groups:
        totals[row.release] += row.exchanges
        for code in row.codes.split():
            tally = tallies[row.release, code]
            tally.exchanges += row.exchanges
            tally.numbers.append(row.newest)
    given, names = _given(marks), _names(record, tallies.values())
    found = []
    for (name, code), tally in tallies.items():
        newest = tuple(names[number] for number in sorted(tally.numbers, reverse=True)[:EXAMPLES] if number in names)
        right, wrong = (given[code, verdict] for verdict in ("right", "wrong"))
        found.append(Firing(name, code, tally.exchanges, totals[name], newest, right, wrong))
    return sorted(found, key=lambda one: (one.release, -one.exchanges, one.code))


def latest(marks: Iterable[tuple[str, FindingMarked]]) -> list[FindingMarked]:
    """Each reviewer's last word on each finding, from (reviewer, mark) in order."""
    kept: dict[tuple[str, str, str], FindingMarked] = {}
    for reviewer, mark in marks:
        kept[reviewer, mark.exchange, mark.code] = mark
    return list(kept.values())


def _given(marks: Iterable[FindingMarked]) -> Counter[tuple[str, str]]:
    return Counter((mark.code, mark.verdict) for mark in marks)


def _groups(since: int | None, until: int | None, release: str) -> Any:
    """Exchanges that ended alike, counted by the database: there are few different sets of codes."""
    counted = func.count().label("exchanges")
    wanted = select(EXCHANGE.c.release, EXCHANGE.c.codes, counted, func.max(EXCHANGE.c.number).label("newest"))
    if since is not None:
        wanted = wanted.where(EXCHANGE.c.at >= since)
    if until is not None:
        wanted = wanted.where(EXCHANGE.c.at < until)
    if release:
        wanted = wanted.where(EXCHANGE.c.release == release)
    return wanted.group_by(EXCHANGE.c.release, EXCHANGE.c.codes)


def _names(record: Record, tallies: Iterable[_Tally]) -> Mapping[int, str]:
    """The ids of the newest exchanges, by number."""
    numbers = {number for tally in tallies for number in sorted(tally.numbers, reverse=True)[:EXAMPLES]}
    if not numbers:
        return {}
    rows = record.read(select(EXCHANGE.c.number, EXCHANGE.c.id).where(EXCHANGE.c.number.in_(sorted(numbers))))
    return {row.number: row.id for row in rows}
