"""What was spent, as a panel: sums, how the month will end, where budgets stand, and a plot for page and terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from assistant import arguments as words
from assistant import cost_keeping
from assistant.charts import COLOURS, GREY, GRID, LAYOUT
from assistant.cost_keeping import Keeping
from assistant.panels import Download, Panel, dollars, plain, spreadsheet, table
from opsplane.budget import Level, Period, Scope, Standing
from opsplane.ledger import costs
from opsplane.ledger.costs import CostQuery, CostReport, CostRow, Record
from opsplane.reconcile import Match, Reconciliation
from opsplane.spend import HISTORY, Forecast, Purpose, forecast, load

SHOWN = 31
"""Rows of a table; the CSV file holds all."""
_BAR = 20  # characters


@dataclass(frozen=True)
class Costs:
    """What a panel shows: the report that was asked for, and day by day the costs of the time that is plotted."""

    query: CostQuery
    report: CostReport
    days: Mapping[date, Mapping[Purpose, int]]
    today: date
    ahead: Forecast | None  # where the month will end; None where that cannot be told of what was asked for
    keeping: Keeping | None = None  # of prompts' beginnings at a provider, where that was paid for


def parse(arguments: str) -> CostQuery:
    """`name=value` filters as a `CostQuery`; raise `InvalidRequest` that names the filter and its values."""
    return words.query(arguments, CostQuery)


def read(record: Record, query: CostQuery, zone: tzinfo, at: datetime) -> Costs:
    """Ask the record; without `since` and `until` for this month (by month: for everything).

    Where the query reaches today, the forecast is for this month under the same filters. Raises `RecordUnavailable`.
    """
    today = at.astimezone(zone).date()
    month = today.replace(day=1)
    asked = query
    if query.since is None and query.until is None and query.by is not costs.By.MONTH:
        asked = query.model_copy(update={"since": month})
    ahead = None
    if query.until is None or query.until >= today:
        back = min(month, today - timedelta(days=HISTORY))
        recent = costs.daily(record, query.model_copy(update={"since": back, "until": today}), zone)
        ahead = forecast({day: sum(parts.values()) for day, parts in recent.items()}, today)
    days = costs.daily(record, asked, zone)
    bought = any(Purpose.CACHE in parts for parts in days.values())
    keeping = cost_keeping.read(record, asked, zone, load()) if bought else None
    return Costs(asked, costs.search(record, asked, zone), days, today, ahead, keeping)


def panel(found: Costs, standings: Sequence[Standing]) -> Panel:
    """The panel; `standings` are the budgets that concern what was asked for."""
    parts = ["### Costs", _head(found)]
    if standings:
        parts += ["**Budgets**", _budgets(standings)]
    if not found.report.rows:
        return Panel("\n\n".join(parts))
    if len(_spent(found.days)) > 1 and found.query.by is not costs.By.PURPOSE:
        parts += ["**By purpose**", _purposes(found.days)]
    parts += [f"**By {found.query.by.value}**", _groups(found)]
    left_out = found.report.groups - min(SHOWN, len(found.report.rows))
    if left_out:
        beyond = "" if found.report.groups <= costs.MOST else f" The file holds the first {costs.MOST}."
        parts.append(f"{left_out} more are in the CSV file.{beyond}")
    download = Download("costs.csv", "text/csv", as_csv(found.query.by.value, found.report.rows))
    return Panel("\n\n".join(parts), download, figure(found, standings))


def _head(found: Costs) -> str:
    query, total = found.query, found.report.total
    when = f"{query.since or 'the beginning'} to {query.until or found.today}"
    names = ("customer", "release", "model", "purpose")
    filters = "".join(f", {name} {plain(str(value))}" for name in names if (value := getattr(query, name)))
    if not found.report.rows:
        return f"Nothing was booked from {when}{filters}."
    lines = [
        f"**{dollars(total.micros)}** for {total.exchanges} exchanges, {when}{filters}: "
        f"{total.input_tokens} tokens read ({total.cached_tokens} cached), {total.output_tokens} written "
        f"({total.thinking_tokens} thinking)."
    ]
    if found.ahead:
        lines.append(_ahead(found.ahead))
    if found.keeping:
        lines.append(cost_keeping.line(found.keeping))
    return "\n\n".join(lines)


def _ahead(ahead: Forecast) -> str:
    if ahead.high is None:
        spread = "from a single whole day, so it may end anywhere"
    else:
        spread = f"with 9 chances in 10 between {_cents(ahead.low)} and {_cents(ahead.high)}"
    return f"At the month's end: about **{_cents(ahead.micros)}**, {spread} ({ahead.method} of {ahead.days} days)."


def _cents(micros: int) -> str:
    """Micro-dollars in whole cents: what is judged or limited is not known more finely."""
    cents = (micros + 5_000) // 10_000
    return f"${cents // 100:,}.{cents % 100:02d}"


def _budgets(standings: Sequence[Standing]) -> str:
    rows = []
    for one in standings:
        if one.budget is not None:
            who = one.budget.customer or ("each customer" if one.budget.scope is Scope.CUSTOMER else "everybody")
            share = f"{bar(one.spent, one.limit)} {one.spent * 100 // one.limit} %"
            rows.append((one.budget.id, who, one.budget.period.value, share, _cents(one.limit), _LEVELS[one.level]))
    return table(("Budget", "Of", "Period", "Spent", "Limit", "Now"), rows)


_LEVELS = {Level.OK: "within", Level.WARN: "warning", Level.FLASH: "Flash tier only", Level.STOP: "stopped"}


def bar(part: int, whole: int) -> str:
    """How full something is, in characters; full stays full."""
    filled = min(_BAR, part * _BAR // whole)
    return "█" * filled + "░" * (_BAR - filled)


def _spent(days: Mapping[date, Mapping[Purpose, int]]) -> dict[Purpose, int]:
    """Micro-dollars of each purpose that has a booking."""
    sums: dict[Purpose, int] = {}
    for purpose in Purpose:
        found = [parts[purpose] for parts in days.values() if purpose in parts]
        if found:
            sums[purpose] = sum(found)
    return sums


def _purposes(days: Mapping[date, Mapping[Purpose, int]]) -> str:
    sums = _spent(days)
    whole = sum(sums.values())
    rows = [(one.value, dollars(cost), f"{cost * 100 / whole:.1f} %" if whole else "—") for one, cost in sums.items()]
    return table(("Purpose", "Cost", "Share"), rows)


def _groups(found: Costs) -> str:
    """The newest days or months, or the largest of anything else; what belongs to nobody is called so."""
    in_time = found.query.by in (costs.By.DAY, costs.By.MONTH)
    rows = found.report.rows[-SHOWN:] if in_time else found.report.rows[:SHOWN]
    cells = [
        (
            row.key or "(none)",
            dollars(row.micros),
            str(row.exchanges),
            *(str(tokens) for tokens in (row.input_tokens, row.cached_tokens, row.output_tokens, row.thinking_tokens)),
        )
        for row in rows
    ]
    return table(("", "Cost", "Exchanges", "Read", "of it cached", "Written", "of it thinking"), cells)


def as_csv(heading: str, rows: Sequence[CostRow]) -> bytes:
    """Groups as CSV (UTF-8, with a byte order mark for spreadsheets); no cell can start a formula."""
    names = [name for name in CostRow.__dataclass_fields__ if name != "key"]
    return spreadsheet([heading, *names], ([row.key, *(getattr(row, name) for name in names)] for row in rows))


def figure(found: Costs, standings: Sequence[Standing]) -> dict[str, Any]:
    """A Plotly figure as plain JSON: a stacked bar for each day, on a second axis the sum so far.

    Where this month is shown, the sum goes on to the forecast, and monthly budgets for everybody are lines.
    """
    days = sorted(found.days)
    dates = [day.isoformat() for day in days]
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "name": purpose.value,
            "x": dates,
            "y": [found.days[day].get(purpose, 0) / 1_000_000 for day in days],
            "width": 0.8 * _DAY,  # a single day would be a hair's breadth, on an axis of milliseconds
            "marker": {"color": _COLORS[purpose]},
        }
        for purpose in _spent(found.days)
    ]
    sums, whole = [], 0
    for day in days:
        whole += sum(found.days[day].values())
        sums.append(whole / 1_000_000)
    traces.append(_line("sum so far", dates, sums, "solid", GREY))
    layout = dict(_LAYOUT)
    if days and found.query.since == found.today.replace(day=1) and found.ahead:
        traces += _month(found.today, found.ahead, sums[-1], standings)
    elif len(days) <= _FEW:
        layout |= {"xaxis": {**_LAYOUT["xaxis"], "dtick": _DAY, "tickformat": "%b %-d, %Y"}}
    return {"data": traces, "layout": layout, "config": {"displayModeBar": False}}


_DAY = 86_400_000  # milliseconds
_FEW = 7  # days, each of which has its name below it
_DOLLARS = {"tickprefix": "$", "rangemode": "tozero", **GRID}
_LAYOUT: dict[str, Any] = {
    **LAYOUT,
    "barmode": "stack",
    "xaxis": {"type": "date", **GRID},
    "yaxis": {"title": {"text": "a day"}, **_DOLLARS},
    "yaxis2": {"title": {"text": "so far"}, "overlaying": "y", "side": "right", **_DOLLARS, "showgrid": False},
}
_COLORS = dict(zip(Purpose, COLOURS, strict=False))


def _line(name: str, dates: Sequence[str], values: Sequence[float], dash: str, color: str) -> dict[str, Any]:
    line = {"dash": dash, "color": color}
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(dates),
        "y": list(values),
        "yaxis": "y2",
        "line": line,
    }


def _month(today: date, ahead: Forecast, now: float, standings: Sequence[Standing]) -> list[dict[str, Any]]:
    first, end = today.replace(day=1).isoformat(), (Period.MONTH.after(today) - timedelta(days=1)).isoformat()
    lines = [_line("forecast", (today.isoformat(), end), (now, ahead.micros / 1_000_000), "dot", GREY)]
    for one in standings:
        if one.budget and one.budget.scope is Scope.TOTAL and one.budget.period is Period.MONTH:
            limit = one.limit / 1_000_000
            lines.append(_line(f"budget {one.budget.id}", (first, end), (limit, limit), "dash", "#dc2626"))
    return lines


def reconciled(found: Reconciliation) -> Panel:
    """A comparison with the provider's bill: the sums, and every line that does not match."""
    counts = {match: sum(line.match is match for line in found.lines) for match in Match}
    difference = found.booked - found.billed
    head = (
        f"Booked **{dollars(found.booked)}**, billed **{_signed(found.billed)}**: "
        f"{_signed(difference)} ({_share(difference, found.billed)})."
    )
    told = ", ".join(f"{count} {match.value}" for match, count in counts.items() if count) or "nothing to compare"
    parts = ["### Reconciliation", head, f"Days of models: {told}; {_percent(found.tolerance)} apart is a match."]
    if found.elsewhere or found.undated:
        parts.append(f"Left out: {found.elsewhere} lines of other services, {found.undated} lines without a day.")
    odd = [line for line in found.lines if line.match is not Match.MATCHED]
    rows = [
        (
            line.day.isoformat(),
            line.model,
            "—" if line.booked is None else dollars(line.booked),
            "—" if line.billed is None else _signed(line.billed),
            _signed(line.difference),
            _share(line.difference, line.billed or 0),
            line.match.value,
        )
        for line in odd[:_ODD]
    ]
    if rows:
        parts.append(table(("Day", "Model", "Booked", "Billed", "Difference", "", "Is"), rows))
    if len(odd) > _ODD:
        parts.append(f"{len(odd) - _ODD} more differ.")
    return Panel("\n\n".join(parts))


_ODD = 100


def _signed(micros: int) -> str:
    return f"-{dollars(-micros)}" if micros < 0 else dollars(micros)


def _share(part: int, whole: int) -> str:
    return f"{part * 100 / whole:+.2f} %" if whole else "—"


def _percent(share: Decimal) -> str:
    return f"{share * 100:.2f} %"
