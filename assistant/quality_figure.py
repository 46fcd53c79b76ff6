"""Live quality drawn over time: scores with their intervals above, times below, changes of release as upright lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from assistant.charts import COLOURS, GREY, GRID, LAYOUT
from opsplane.quality.cell import Cell
from opsplane.quality.changes import RELEASES, Change
from opsplane.quality.gauges import Gauge

_SCORES = {
    Gauge.THUMBS: "thumbs up",
    Gauge.REVIEW: "reviewers' score",
    Gauge.GROUNDED: "nothing withheld as ungrounded",
    Gauge.ANSWERED: "not abstained",
}
"""The gauges that are drawn beside the judges', all so that higher is better."""
_QUANTILES = ((0.5, "half are answered in", "dot"), (0.95, "95 % are answered in", "solid"))
_HOUR = timedelta(hours=1)
_TICKS, _FEW = 7, 2.5
_MARKS = 12
"""The newest changes of release that are drawn."""


@dataclass(frozen=True)
class Drawing:
    """What is drawn: cells by group (no name where there is but one) and moment, and what changed meanwhile.

    A cell is `width` long, and drawn in its middle, so that what changed in it is left of the next.
    """

    cells: Mapping[tuple[str, datetime], Cell]
    width: timedelta
    since: datetime
    until: datetime
    changes: Sequence[Change]
    voters: frozenset[str]

    def middle(self, at: datetime) -> datetime:
        """The middle of the cell that begins then, as far as there is one yet."""
        return at + (min(at + self.width, max(self.until, at)) - at) / 2


def leading(whole: Cell, voters: frozenset[str]) -> str:
    """The series that stands for quality: a judge with a vote, else one that scored most, else what was withheld."""
    judges = [series for series in whole.sums if series.startswith(f"{Gauge.JUDGE}:")]
    ranked = sorted(judges, key=lambda one: (one.partition(":")[2] in voters, whole.sums[one].number))
    return ranked[-1] if ranked else Gauge.GROUNDED.value


def figure(drawing: Drawing) -> dict[str, Any]:
    """A Plotly figure as plain JSON. Moments are hours before the end, named by their days, so that a terminal can draw
    the scores too; the times have an axis of their own, which it passes over."""
    groups = _groups(drawing)
    traces = _by_group(drawing, groups) if len(groups) > 1 or "" not in groups else _by_score(drawing, groups[""])
    traces += _times(drawing)
    marks = [one for one in drawing.changes if one.kind in RELEASES][-_MARKS:]
    layout = {
        **LAYOUT,
        "height": 460,
        "margin": {"l": 60, "r": 20, "t": 30, "b": 40},
        "xaxis": {**_axis(drawing), "anchor": "y"},
        "yaxis": {"title": {"text": "points"}, "domain": [0.42, 1.0], **GRID},
        "xaxis2": {
            "type": "date",
            "range": [_text(drawing.since), _text(drawing.until)],
            "anchor": "y2",
            **GRID,
            "showticklabels": False,
        },
        "yaxis2": {"title": {"text": "ms"}, "domain": [0.0, 0.3], "rangemode": "tozero", **GRID},
        "shapes": [_line(one, drawing) for one in marks],
        "annotations": [_note(one, drawing) for one in marks],
    }
    return {"data": traces, "layout": layout, "config": {"displayModeBar": False}}


def _groups(drawing: Drawing) -> dict[str, dict[datetime, Cell]]:
    """The largest groups, as many as there are colours, each with its cells in order of time."""
    found: dict[str, dict[datetime, Cell]] = {}
    for (name, at), cell in sorted(drawing.cells.items(), key=lambda one: one[0][1]):
        found.setdefault(name, {})[at] = cell
    largest = sorted(found, key=lambda name: -sum(cell.exchanges for cell in found[name].values()))
    return {name: found[name] for name in largest[: len(COLOURS)]}


def _by_group(drawing: Drawing, groups: Mapping[str, Mapping[datetime, Cell]]) -> list[dict[str, Any]]:
    whole = Cell()
    for cell in drawing.cells.values():
        whole.plus(cell)
    main = leading(whole, drawing.voters)
    found = (
        _trace(drawing, name, main, cells, colour)
        for (name, cells), colour in zip(groups.items(), COLOURS, strict=False)
    )
    return [one for one in found if one["x"]]


def _by_score(drawing: Drawing, cells: Mapping[datetime, Cell]) -> list[dict[str, Any]]:
    judges = sorted({one for cell in cells.values() for one in cell.sums if one.startswith(f"{Gauge.JUDGE}:")})
    named = {series: _judge(series, drawing.voters) for series in judges} | _SCORES
    found = (
        _trace(drawing, name, series, cells, colour)
        for (series, name), colour in zip(named.items(), COLOURS, strict=False)
    )
    return [one for one in found if one["x"]]


def _judge(series: str, voters: frozenset[str]) -> str:
    name = series.partition(":")[2]
    return f"judge's score ({name}{'' if name in voters else ', no vote'})"


def _trace(drawing: Drawing, name: str, series: str, cells: Mapping[datetime, Cell], colour: str) -> dict[str, Any]:
    """A line with the 95 % interval of every point."""
    met = [(at, cell.sums[series]) for at, cell in cells.items() if series in cell.sums]
    means = [100 * values.mean for _, values in met]
    ends = [values.interval() for _, values in met]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [_hours(drawing.middle(at), drawing) for at, _ in met],
        "y": [round(one, 2) for one in means],
        "text": [f"{at:%Y-%m-%d %H:%M}, {values.number:,} values" for at, values in met],
        "hovertemplate": "%{y:.1f}<br>%{text}<extra>%{fullData.name}</extra>",
        "line": {"color": colour, "width": 2},
        "marker": {"size": 5},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [round(100 * high - mean, 2) for (_, high), mean in zip(ends, means, strict=True)],
            "arrayminus": [round(mean - 100 * low, 2) for (low, _), mean in zip(ends, means, strict=True)],
            "thickness": 1,
            "width": 0,
            "color": colour,
        },
    }


def _times(drawing: Drawing) -> list[dict[str, Any]]:
    """How long answers took, whatever their group."""
    merged: dict[datetime, Cell] = {}
    for (_, at), cell in sorted(drawing.cells.items(), key=lambda one: one[0][1]):
        merged.setdefault(at, Cell()).plus(cell)
    timed = {at: cell.whole for at, cell in merged.items() if cell.whole.number}
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": [_text(drawing.middle(at)) for at in timed],
            "y": [round(times.quantile(share)) for times in timed.values()],
            "xaxis": "x2",
            "yaxis": "y2",
            "line": {"color": GREY, "width": 2, "dash": dash},
        }
        for share, name, dash in _QUANTILES
        if timed
    ]


def _axis(drawing: Drawing) -> dict[str, Any]:
    """Hours before the end, called by the bank's days, or by its hours where there are few days."""
    days = (drawing.until - drawing.since) / timedelta(days=1)
    step = timedelta(hours=6) if days <= _FEW else timedelta(days=max(1, round(days / _TICKS)))
    at, places = drawing.since.replace(hour=0, minute=0, second=0, microsecond=0), []
    while at <= drawing.until:
        places += [at] if at >= drawing.since else []
        at += step
    return {
        "range": [_hours(drawing.since, drawing), 0],
        "tickmode": "array",
        "tickvals": [_hours(one, drawing) for one in places],
        "ticktext": [f"{one:%H:%M}" if one.hour else f"{one:%d %b}" for one in places],
        **GRID,
    }


def _line(change: Change, drawing: Drawing) -> dict[str, Any]:
    at = _hours(change.at, drawing)
    line = {"color": GREY, "width": 1, "dash": "dash"}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1, "line": line}


def _note(change: Change, drawing: Drawing) -> dict[str, Any]:
    return {
        "xref": "x",
        "yref": "paper",
        "x": _hours(change.at, drawing),
        "y": 1.0,
        "yanchor": "bottom",
        "text": change.name.partition("@")[0],
        "showarrow": False,
        "font": {"size": 10, "color": GREY},
        "hovertext": change.words,
    }


def _hours(at: datetime, drawing: Drawing) -> float:
    return round((at - drawing.until) / _HOUR, 2)


def _text(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")
