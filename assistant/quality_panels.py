"""Live quality as a panel: what fell, what is usual, tables by topic and time, a file with every figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from assistant import arguments as words
from assistant import quality_figure
from assistant.panels import Download, Panel, dollars, moment, plain, spreadsheet, table
from opsplane.errors import InvalidRequest
from opsplane.quality.alarm import told
from opsplane.quality.cell import Cell, Sum, together
from opsplane.quality.changes import Change
from opsplane.quality.gauges import MEANINGS, Gauge, Scale, amount, gauge_of, shown
from opsplane.quality.monitor import Monitor, Standing
from opsplane.quality.traffic import Place, begin_of

SHOWN = 31
"""Rows of a table; the CSV file holds all."""
_CHANGES = 12
_HOURLY = timedelta(days=2)
"""A stretch of at most so long is drawn by hours."""


class By(StrEnum):
    """What figures are grouped by."""

    TOPIC = "topic"
    RELEASE = "release"
    HOUR = "hour"
    DAY = "day"


class Query(BaseModel):
    """What was asked for: days in the bank's time zone, both inclusive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: date | None = None
    until: date | None = None
    topic: str = ""
    by: By | None = None


@dataclass(frozen=True)
class Quality:
    """What a panel shows. `groups` are by what was asked, `drawn` by group and moment, both oldest or largest first."""

    query: Query
    since: datetime
    until: datetime
    by: By
    whole: Cell
    groups: Mapping[str, Cell]
    topics: Mapping[str, Cell]
    drawn: Mapping[tuple[str, datetime], Cell]
    standings: Sequence[Standing]
    alarms: Sequence[str]
    changes: Sequence[Change]
    voters: frozenset[str]
    horizon: timedelta
    width: timedelta  # of what is drawn
    cut: bool  # whether more was asked for than is kept


def parse(arguments: str) -> Query:
    """`name=value` filters as a `Query`; raise `InvalidRequest` that names the filter and its values."""
    return words.query(arguments, Query)


def read(monitor: Monitor, query: Query, zone: tzinfo, at: datetime) -> Quality:
    """Ask the watch; without `since` for a week. Raises `InvalidRequest` for a topic that nobody asked about."""
    first, until = _bounds(query, zone, at)
    kept = at - monitor.horizon
    since = max(first, kept)
    known = monitor.table(lambda place: place.topic)
    if query.topic and query.topic not in known:
        raise InvalidRequest(f"topic={query.topic[:40]}: nobody asked about that. Topics: {', '.join(sorted(known))}")
    hourly = query.by is By.HOUR or (query.by is not By.DAY and until - since <= _HOURLY)
    by = query.by or (By.HOUR if hourly else By.DAY)

    def inside(place: Place) -> bool:
        return since <= begin_of(place.hour) < until and query.topic in ("", place.topic)

    def bucket(place: Place) -> datetime:
        local = begin_of(place.hour).astimezone(zone)
        return local if hourly else local.replace(hour=0)

    def group(place: Place) -> str:
        match by:
            case By.TOPIC:
                return place.topic
            case By.RELEASE:
                return monitor.released(place.release)
        return ""

    drawn = monitor.table(lambda place: (group(place), bucket(place)) if inside(place) else None)
    topics = monitor.table(lambda place: place.topic if inside(place) else None)
    judges = {series.partition(":")[2] for cell in topics.values() for series in cell.sums if ":" in series}
    return Quality(
        query=query,
        since=since.astimezone(zone),
        until=min(until, at).astimezone(zone),
        by=by,
        whole=together(topics.values()),
        groups=_grouped(drawn, "%Y-%m-%d %H:00" if hourly else "%Y-%m-%d"),
        topics=_largest(topics),
        drawn=drawn,
        standings=monitor.standings(),
        alarms=[one.text for one in monitor.alarms()],
        changes=monitor.changes(since, until),
        voters=frozenset(judge for judge in judges if monitor.votes(judge)),
        horizon=monitor.horizon,
        width=timedelta(hours=1) if hourly else timedelta(days=1),
        cut=query.since is not None and first < kept - timedelta(hours=1),
    )


def _grouped(drawn: Mapping[tuple[str, datetime], Cell], form: str) -> dict[str, Cell]:
    """The groups, largest first; where there is but the one without a name, moments in their order."""
    if {name for name, _ in drawn} <= {""}:
        return {at.strftime(form): cell for (_, at), cell in sorted(drawn.items())}
    names = {name for name, _ in drawn}
    return _largest({name: together(cell for (one, _), cell in drawn.items() if one == name) for name in names})


def panel(found: Quality) -> Panel:
    """The panel."""
    parts = ["### Quality", _alarms(found), _head(found)]
    if found.standings and not found.query.topic:
        parts += ["**Now, against what was usual**", _standings(found.standings)]
    if not found.whole.exchanges:
        return Panel("\n\n".join(parts))
    newest = list(found.groups)[-SHOWN:] if found.by in (By.HOUR, By.DAY) else list(found.groups)[:SHOWN]
    parts += [f"**By {found.by.value}**", _table(found, {name: found.groups[name] for name in newest})]
    if len(found.groups) > len(newest):
        parts.append(f"{len(found.groups) - len(newest)} more are in the CSV file.")
    if found.by is not By.TOPIC and not found.query.topic:
        parts += ["**By topic**", _table(found, found.topics)]
    if found.changes:
        parts += ["**What changed**", _changed(found.changes)]
    download = Download("quality.csv", "text/csv", as_csv(found.by.value, found.groups))
    drawing = quality_figure.Drawing(found.drawn, found.width, found.since, found.until, found.changes, found.voters)
    return Panel("\n\n".join(parts), download, quality_figure.figure(drawing))


def _bounds(query: Query, zone: tzinfo, at: datetime) -> tuple[datetime, datetime]:
    today = at.astimezone(zone).date()
    last = min(query.until or today, today)
    first = min(query.since or last - timedelta(days=6), last)
    begin = datetime(first.year, first.month, first.day, tzinfo=zone)
    return begin, datetime(last.year, last.month, last.day, tzinfo=zone) + timedelta(days=1)


def _largest(groups: Mapping[str, Cell]) -> dict[str, Cell]:
    return dict(sorted(groups.items(), key=lambda one: (-one[1].exchanges, one[0])))


def _alarms(found: Quality) -> str:
    if found.alarms:
        return "\n\n".join(f"**Fell:** {plain(one)}" for one in found.alarms)
    if not found.standings:
        return "Too little was answered yet to say what is usual."
    return "Nothing fell by more than is borne."


def _head(found: Quality) -> str:
    whole, when = found.whole, f"{found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M}"
    about = f" about {plain(found.query.topic)}" if found.query.topic else ""
    kept = ""
    if found.cut:
        days = found.horizon // timedelta(days=1)
        kept = f" Figures are kept for {days} days; /audit and /cost look back further."
    if not whole.exchanges:
        return f"Nothing was asked{about} from {when} ({found.since.tzname()}).{kept}"
    return (
        f"**{whole.exchanges:,} exchanges** of about {whole.customers.number:,} customers{about}, {when} "
        f"({found.since.tzname()}): {dollars(whole.micros)}, {whole.input_tokens:,} tokens read, "
        f"{whole.output_tokens:,} written.{kept}"
    )


def _standings(standings: Sequence[Standing]) -> str:
    rows = []
    for one in standings:
        gauge = gauge_of(one.series)
        name = series_name(one.series) + ("" if one.votes else " (no vote)")
        now = f"{told(gauge, one.newest)} of {one.number:,}"
        rows.append((name, told(gauge, one.usual), now, _difference(gauge, one), _state(one)))
    return table(("Measure", "Usual", "Newest", "Difference", "State"), rows)


def _difference(gauge: Gauge, one: Standing) -> str:
    """By how much it is more or less, with its confidence sequence, as people read the gauge."""
    middle = one.newest - one.usual
    if MEANINGS[gauge].scale in (Scale.TIME, Scale.MONEY):
        times, least, most = (amount(1 + value, 1) for value in (middle, one.high, one.low))
        return f"{times:.2f} times ({least:.2f} to {most:.2f})"
    if MEANINGS[gauge].scale is Scale.SHARE:
        return f"{-100 * middle:+.1f} points ({-100 * one.high:+.1f} to {-100 * one.low:+.1f})"
    return f"{100 * middle:+.1f} points ({100 * one.low:+.1f} to {100 * one.high:+.1f})"


def _state(one: Standing) -> str:
    if one.alarm:
        return f"fell, since {one.alarm.since:%Y-%m-%d %H:%M} UTC"
    return "better" if one.low > 0 else "as usual"


def series_name(series: str) -> str:
    """A series as people read it."""
    judge = series.partition(":")[2]
    return f"{MEANINGS[gauge_of(series)].words} ({judge})" if judge else MEANINGS[gauge_of(series)].words


def _table(found: Quality, groups: Mapping[str, Cell]) -> str:
    main = quality_figure.leading(found.whole, found.voters)
    judged = "Judge" if main.startswith(f"{Gauge.JUDGE}:") else ""
    heads = ("", "Exchanges", "Customers", *((judged,) if judged else ()), "Thumbs up", "Withheld", "Abstained")
    rows = []
    for name, cell in groups.items():
        series = (*((main,) if judged else ()), Gauge.THUMBS, Gauge.GROUNDED, Gauge.ANSWERED)
        shares = (_mean(one, cell.sums.get(one)) for one in series)
        each = dollars(cell.micros // max(1, cell.exchanges))
        rows.append((name, f"{cell.exchanges:,}", f"{cell.customers.number:,}", *shares, *_times(cell), each))
    return table((*heads, "First sentence", "Whole answer", "Cost each"), rows)


def _mean(series: str, values: Sum | None) -> str:
    if values is None:
        return "—"
    gauge = gauge_of(series)
    low, high = sorted(shown(gauge, end) for end in values.interval())
    return f"{told(gauge, values.mean)} ({low:.0f} to {high:.0f})"


def _times(cell: Cell) -> tuple[str, str]:
    """Median, 95th and 99th percentile in milliseconds."""
    kinds = (cell.first, cell.whole)
    first, whole = (" · ".join(f"{kind.quantile(one):,.0f}" for one in (0.5, 0.95, 0.99)) for kind in kinds)
    return (f"{first} ms" if cell.first.number else "—"), (f"{whole} ms" if cell.whole.number else "—")


def _changed(changes: Sequence[Change]) -> str:
    rows = [(moment(one.at), one.words) for one in changes[-_CHANGES:]]
    more = len(changes) - len(rows)
    told_ = table(("Time (UTC)", "What"), rows)
    return f"{told_}\n\n{more} earlier changes are left out." if more else told_


def as_csv(heading: str, groups: Mapping[str, Cell]) -> bytes:
    """Every figure of every group as CSV, means with their 95 % intervals in the unit that people read."""
    names = sorted({series for cell in groups.values() for series in cell.sums})
    heads = [heading, "exchanges", "customers", "input_tokens", "output_tokens", "micros"]
    heads += [f"{kind}_ms_p{share}" for kind in ("first", "whole") for share in (50, 95, 99)]
    heads += [f"{name}{part}" for name in names for part in ("", "_low", "_high", "_number")]
    return spreadsheet(heads, (_row(key, cell, names) for key, cell in groups.items()))


def _row(key: str, cell: Cell, names: Sequence[str]) -> list[object]:
    row: list[object] = [key, cell.exchanges, cell.customers.number, cell.input_tokens, cell.output_tokens, cell.micros]
    row += [round(kind.quantile(share)) for kind in (cell.first, cell.whole) for share in (0.5, 0.95, 0.99)]
    for name in names:
        values = cell.sums.get(name)
        if values is None:
            row += ["", "", "", 0]
            continue
        low, high = sorted(shown(gauge_of(name), end) for end in values.interval())
        row += [*(f"{one:.3f}" for one in (shown(gauge_of(name), values.mean), low, high)), values.number]
    return row
