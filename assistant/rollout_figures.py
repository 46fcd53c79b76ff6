"""The numbers of a rollout for people: a table of its metrics, the e-values' paths as a plot, every point as a file."""

import csv
import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from assistant.charts import COLOURS, GREY, GRID, LAYOUT
from assistant.panels import table
from opsplane.rollouts.closing import e_value
from opsplane.rollouts.evidence import Look, Summary
from opsplane.rollouts.metrics import WORDS
from opsplane.rollouts.plan import Plan
from opsplane.sheet import harmless

_HEADINGS = ("Metric", "Stable → candidate", "Difference", "e-value", "May be worse by")
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def metrics(looks: Sequence[Look], plan: Plan, step: int) -> str:
    """Each metric of one candidate at this step of the plan, in points."""
    rows = [
        (
            WORDS[one.measure.metric],
            f"{points(one.stable.mean)} → {points(one.tried.mean)}",
            difference(one.difference, one.interval),
            f"{number(e_value(one.log_e))} of {number(e_value(one.threshold))}",
            _worst(one, plan, step),
        )
        for one in looks
    ]
    return table(_HEADINGS, rows)


def _worst(one: Look, plan: Plan, step: int) -> str:
    worst = "not known yet" if one.low is None else points(one.worst)
    customers = f"{one.stable.customers:,} and {one.tried.customers:,} customers"
    return f"{worst}; {points(plan.borne(one.measure, step))} is borne ({customers})"


def figure(summary: Summary, names: Sequence[str]) -> dict[str, Any] | None:
    """A Plotly figure as plain JSON: the path of each e-value on a log axis, dashed the threshold; None without any.

    `names` are the candidates', which stand with the metrics where there are several.
    """
    drawn = [one for one in summary.looks if one.path]
    if not drawn:
        return None
    traces = [
        _trace(
            _name(one, names),
            [(point.exposures, e_value(point.log_e)) for point in one.path],
            {"color": COLOURS[place % len(COLOURS)], "width": 2},
        )
        for place, one in enumerate(drawn)
    ]
    ends = [point.exposures for one in drawn for point in (one.path[0], one.path[-1])]
    threshold = e_value(drawn[0].threshold)
    dashed = {"color": GREY, "width": 2, "dash": "dash"}
    traces.append(_trace("certain harm", [(min(ends), threshold), (max(ends), threshold)], dashed))
    return {"data": traces, "layout": _LAYOUT, "config": {"displayModeBar": False}}


_LAYOUT: dict[str, Any] = {
    **LAYOUT,
    "xaxis": {"title": {"text": "exchanges of both sides"}, **GRID},
    "yaxis": {"title": {"text": "e-value"}, "type": "log", "exponentformat": "power", **GRID},
}


def _trace(name: str, points_: Sequence[tuple[int, float]], line: dict[str, Any]) -> dict[str, Any]:
    xs, ys = [x for x, _ in points_], [y for _, y in points_]
    return {"type": "scatter", "mode": "lines", "name": name, "x": xs, "y": ys, "line": line}


def _name(one: Look, names: Sequence[str]) -> str:
    words = WORDS[one.measure.metric]
    return words if len(names) == 1 else f"{names[one.candidate - 1]}: {words}"


def as_csv(summary: Summary, names: Sequence[str]) -> bytes:
    """Every point of every path as CSV (UTF-8, with a byte order mark for spreadsheets)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("candidate", "metric", "exchanges", "log_e", "log_threshold", "difference", "low", "high"))
    for one in summary.looks:
        fixed = harmless(names[one.candidate - 1]), one.measure.metric.value
        for point in one.path:  # numbers may begin with a minus sign: a spreadsheet reads them as numbers
            numbers = point.log_e, one.threshold, point.difference, point.low, point.high
            writer.writerow((*fixed, point.exposures, *(f"{value:.6f}" for value in numbers)))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def points(share: float | None) -> str:
    """A share in hundredths."""
    return "—" if share is None else f"{share * 100:.1f}"


def difference(middle: float | None, interval: tuple[float, float] | None) -> str:
    """A difference in points with its confidence sequence, as far as there is one."""
    if middle is None:
        return "—"
    told = f"{middle * 100:+.1f}"
    return f"{told} ({interval[0] * 100:+.1f} to {interval[1] * 100:+.1f})" if interval else told


def number(value: float) -> str:
    """An e-value as people read it."""
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}" if value < 1e6 else f"{value:.0e}"


def lasting(time: timedelta) -> str:
    """A length of time in its two largest units."""
    seconds, parts = int(time.total_seconds()), []
    for unit, name in _UNITS:
        count, seconds = divmod(seconds, unit)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "none"
