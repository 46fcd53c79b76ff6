"""Lines over time as one self-contained SVG: no script, no font, no address to fetch anything from."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 72, 48
COLOURS = ("#0b5fa5", "#c2410c", "#15803d", "#7e22ce", "#b91c1c", "#0e7490", "#854d0e", "#475569")
"""Each has a contrast of 4.5 or more on white."""


@dataclass(frozen=True)
class Series:
    """One line: its name and its points in the order in which they are joined."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axes:
    """What is written beside the picture; `log` draws y on a logarithmic scale, where only y above 0 can be drawn."""

    x: str
    y: str
    log: bool = False


def lines(title: str, series: Sequence[Series], axes: Axes, threshold: float | None = None) -> str:
    """Draw up to eight series, and the threshold as a dashed line across."""
    drawn = [[(x, y) for x, y in one.points if (1e-300 < y < 1e300 if axes.log else isfinite(y))] for one in series]
    xs = [x for points in drawn for x, _ in points]
    ys = [y for points in drawn for _, y in points] + ([] if threshold is None else [threshold])
    across, up = _Scale(xs, LEFT, WIDTH - RIGHT, log=False), _Scale(ys, HEIGHT - BOTTOM, TOP, log=axes.log)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' font-family="sans-serif" font-size="12" fill="#1f2937"><title>{escape(title)}</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 18, title, 'font-size="14" font-weight="bold"'),
        *_ticks(across, up),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, axes.x, 'text-anchor="middle"'),
        _text(16, HEIGHT / 2, axes.y, f'text-anchor="middle" transform="rotate(-90 16 {HEIGHT / 2:g})"'),
    ]
    if threshold is not None:
        y = up.at(threshold)
        parts.append(_line(LEFT, y, WIDTH - RIGHT, y, 'class="threshold" stroke="#1f2937" stroke-dasharray="6 4"'))
    for number, (one, points) in enumerate(zip(series, drawn, strict=True)):
        colour = COLOURS[number % len(COLOURS)]
        x, y = LEFT + number % 4 * (WIDTH - LEFT - RIGHT) / 4, 36 + 16 * (number // 4)
        places = " ".join(f"{across.at(x):.1f},{up.at(y):.1f}" for x, y in points)
        parts.append(f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [_line(x, y, x + 18, y, f'stroke="{colour}" stroke-width="3"'), _text(x + 24, y + 4, one.name)]
    return "\n".join([*parts, "</svg>\n"])


class _Scale:
    """Places on an axis from `low` to `high` pixels, with round values beside it."""

    def __init__(self, values: Sequence[float], low: float, high: float, *, log: bool) -> None:
        self._low, self._high, self._log = low, high, log
        smallest, largest = min(values, default=1.0), max(values, default=1.0)
        if log:
            first, last = floor(log10(smallest)), ceil(log10(largest))
            last = max(last, first + 1)
            step = ceil((last - first) / 8)
            self.ticks = [10.0**power for power in range(first, last + 1, step)]
            self._first, self._last = float(first), float(last)
            return
        step_size = _round_step((largest - smallest) or 1.0)
        begin, end = floor(smallest / step_size), max(ceil(largest / step_size), floor(smallest / step_size) + 1)
        self.ticks = [number * step_size for number in range(begin, end + 1)]
        self._first, self._last = self.ticks[0], self.ticks[-1]

    def at(self, value: float) -> float:
        """The pixel of a value."""
        place = log10(value) if self._log else value
        return self._low + (place - self._first) / (self._last - self._first) * (self._high - self._low)


def _round_step(span: float) -> float:
    """1, 2 or 5 times a power of ten, so that four to ten steps make up the span."""
    power: float = 10.0 ** floor(log10(span / 4))
    return next(step * power for step in (5, 2, 1) if step * power <= span / 4)


def _ticks(across: _Scale, up: _Scale) -> list[str]:
    parts = []
    for value in up.ticks:
        y = up.at(value)
        parts.append(_line(LEFT, y, WIDTH - RIGHT, y, 'stroke="#e5e7eb"'))
        parts.append(_text(LEFT - 6, y + 4, f"{value:g}", 'text-anchor="end"'))
    for value in across.ticks:
        x = across.at(value)
        parts.append(_line(x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 5, 'stroke="#1f2937"'))
        parts.append(_text(x, HEIGHT - BOTTOM + 18, f"{value:g}", 'text-anchor="middle"'))
    parts.append(_line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, 'stroke="#1f2937"'))
    return parts


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'


def _text(x: float, y: float, text: str, style: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{" " if style else ""}{style}>{escape(text)}</text>'
