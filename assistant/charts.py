"""Plotly figures as plain JSON: what suits a light and a dark page, and the same in characters for a terminal."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log10
from typing import Any

GREY = "#64748b"  # can be read on white and on black
GRID = {"gridcolor": "rgba(100,116,139,0.25)", "zerolinecolor": "rgba(100,116,139,0.5)"}
COLOURS = ("#2563eb", "#d97706", "#7c3aed", "#059669", "#db2777", "#0891b2", "#b45309", "#4f46e5")
LAYOUT: dict[str, Any] = {
    "height": 380,
    "margin": {"l": 60, "r": 60, "t": 20, "b": 40},
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"color": GREY},
    "legend": {"orientation": "h", "y": -0.2, "traceorder": "normal"},
}
"""What every figure's layout begins with."""

NEWEST = 31
"""Bars that a terminal shows."""
_BAR, _WIDTH, _HEIGHT = 40, 60, 12  # characters
_FILLS = "█▓▒░#+"
_MARKS = "●○■□▲△◆◇"
_DASHED = "╌"


def in_text(figure: Mapping[str, Any]) -> str:
    """A figure for a terminal: its bars, or where it has none its lines."""
    bars = [trace for trace in figure["data"] if trace["type"] == "bar"]
    return _bars(bars) if bars else _lines(figure)


def _bars(bars: Sequence[Mapping[str, Any]]) -> str:
    """A line for each of the newest days, a filling for each purpose."""
    fills = dict(zip((trace["name"] for trace in bars), _FILLS, strict=False))
    days = bars[0]["x"][-NEWEST:]
    sums = [sum(trace["y"][-NEWEST:][n] for trace in bars) for n in range(len(days))]
    most = max(sums) or 1.0
    lines = []
    for n, day in enumerate(days):
        drawn, so_far = "", 0.0
        for trace in bars:
            so_far += trace["y"][-NEWEST:][n]
            drawn += fills[trace["name"]] * (round(so_far / most * _BAR) - len(drawn))
        lines.append(f"{day}  {drawn:<{_BAR}}  ${sums[n]:,.2f}")
    return "\n".join([*lines, "  ".join(f"{fill} {name}" for name, fill in fills.items())])


def _lines(figure: Mapping[str, Any]) -> str:
    """Lines over numbers, each with a mark of its own; dashed ones lie behind the others."""
    log = figure.get("layout", {}).get("yaxis", {}).get("type") == "log"
    found = [(trace, _points(trace, log=log)) for trace in figure["data"]]
    found = [(trace, points) for trace, points in found if points]
    if not found:
        return ""
    xs, ys = zip(*(point for _, points in found for point in points), strict=True)
    rows = [[" "] * _WIDTH for _ in range(_HEIGHT)]
    marks = iter(_MARKS * (1 + len(found) // len(_MARKS)))
    named = [(_DASHED if _dashed(trace) else next(marks), trace["name"], points) for trace, points in found]
    for mark, _, points in sorted(named, key=lambda one: one[0] != _DASHED):
        placed = [
            (_place(x, min(xs), max(xs), _WIDTH), _place(y, min(ys), max(ys), _HEIGHT, middle=0.5)) for x, y in points
        ]
        _draw(rows, placed, mark)
    labels = {_place(y, min(ys), max(ys), _HEIGHT, middle=0.5): y for y in (min(ys), max(ys))}
    lines = [
        f"{_label(labels[number], log=log) if number in labels else '':>9} │{''.join(row)}".rstrip()
        for number, row in reversed([*enumerate(rows)])
    ]
    ends = f"{min(xs):<{_WIDTH // 2},.0f}{max(xs):>{_WIDTH // 2},.0f}"
    legend = "  ".join(f"{mark} {name}" for mark, name, _ in named)
    return "\n".join([*lines, f"{'':>9} └{'─' * _WIDTH}", f"{'':>11}{ends}", legend])


def _dashed(trace: Mapping[str, Any]) -> bool:
    return bool(trace.get("line", {}).get("dash") == "dash")


def _points(trace: Mapping[str, Any], *, log: bool) -> list[tuple[float, float]]:
    """The points that can be drawn, y on the axis' scale."""
    pairs = [(x, y) for x, y in zip(trace["x"], trace["y"], strict=True) if isinstance(x, int | float)]
    return [(float(x), log10(y) if log else float(y)) for x, y in pairs if y > 0 or not log]


def _place(value: float, low: float, high: float, cells: int, middle: float = 0.0) -> int:
    """The cell of a value; where there is but one value, at this part of the way."""
    return round((cells - 1) * ((value - low) / (high - low) if high > low else middle))


def _draw(rows: list[list[str]], placed: Sequence[tuple[int, int]], mark: str) -> None:
    """Join places by a line, one mark a column."""
    for (x, y), (to, up) in pairwise([*placed, placed[-1]]):
        for column in range(x, to + 1):
            rows[round(y + (up - y) * (column - x) / (to - x)) if to > x else y][column] = mark


def _label(value: float, *, log: bool) -> str:
    return f"{10**value if log else value:,.3g}"
