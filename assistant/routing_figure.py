"""The frontier of routing drawn: quality over cost, one mark for each setting, as SVG that takes the page's colours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from assistant.markup import text
from opsplane.evaluation.frontier import Frontier, Point

WIDTH, HEIGHT = 760, 430
LEFT, RIGHT, TOP, BOTTOM = 66, 24, 24, 56
STYLE = """
.wide > svg.plot { display: block; width: 100%; min-width: 36rem; max-width: 60rem; height: auto; }
svg.plot text { font: 12px system-ui, sans-serif; }
.plot text { fill: var(--ink); } .plot .unit { fill: var(--soft); } .plot .grid { stroke: var(--line); }
.plot .axis { stroke: var(--soft); } .plot .any { fill: var(--soft); opacity: .45; } .plot .best { fill: var(--link); }
.plot .way { fill: none; stroke: var(--link); stroke-width: 2; } .plot .bar { stroke-width: 1.5; opacity: .8; }
.plot .flash { fill: var(--open); stroke: var(--open); } .plot .pro { fill: var(--bad); stroke: var(--bad); }
.plot .present { fill: var(--ink); stroke: var(--ink); } .plot .chosen { fill: var(--good); stroke: var(--good); }
.plot .chosen.bar, .plot .present.bar, .plot .flash.bar, .plot .pro.bar { fill: none; }
.plot .name { font-weight: 600; stroke: var(--ground); stroke-width: 4; paint-order: stroke; stroke-linejoin: round; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.3rem; list-style: none; padding: 0; font-size: .88rem; }
.legend li { display: flex; align-items: center; gap: .4rem; } .legend svg { width: 1.1rem; height: 1.1rem; }
"""
_MARKS = {
    "any": '<circle cx="{x}" cy="{y}" r="2.6" class="any">{title}</circle>',
    "best": '<circle cx="{x}" cy="{y}" r="4" class="best">{title}</circle>',
    "flash": '<path d="M{x} {y}m-6-6h12v12h-12z" class="flash">{title}</path>',
    "pro": '<path d="M{x} {y}m0-8l8 14h-16z" class="pro">{title}</path>',
    "present": '<path d="M{x} {y}m0-8l8 8l-8 8l-8-8z" class="present">{title}</path>',
    "chosen": '<path d="M{x} {y}m0-10l3 6.6 7 .8-5.2 4.9 1.4 7.1-6.2-3.6-6.2 3.6 1.4-7.1-5.2-4.9 7-.8z" class="chosen">'
    "{title}</path>",
}
_LEGEND = {
    "flash": "always Flash",
    "pro": "always Pro",
    "present": "as the release is",
    "chosen": "recommended",
    "best": "on the frontier",
    "any": "other settings",
}


@dataclass(frozen=True)
class Scale:
    """Places on an axis from `low` to `high` pixels; `ticks` are round values, of which the ends hold all values."""

    ticks: tuple[float, ...]
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float], low: float, high: float) -> "Scale":
        """A scale that holds these values."""
        least, most = min(values, default=0.0), max(values, default=1.0)
        step = _step((most - least) or abs(most) or 1.0)
        first, last = floor(least / step + 1e-9), ceil(most / step - 1e-9)
        return cls(tuple(round(n * step, 12) for n in range(first, max(last, first + 1) + 1)), low, high)

    def at(self, value: float) -> float:
        """The pixel of a value."""
        return self.low + (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0]) * (self.high - self.low)


def _step(span: float) -> float:
    """1, 2 or 5 times a power of ten, so that four to ten steps make up the span."""
    power: float = 10.0 ** floor(log10(span / 4))
    return next(step * power for step in (5, 2, 1) if step * power <= span / 4 * (1 + 1e-9))


def as_svg(found: Frontier, words: str) -> str:
    """The plot; `words` are the quality's. Without a question there is nothing to draw."""
    if not found.cases:
        return ""
    named = _named(found)
    drawn = [*found.points, *(one for _, one in named)]
    across = Scale.of([0.0, *(_cost(one, found) for one in drawn)], LEFT, WIDTH - RIGHT)
    ends = [end for _, one in named for end in (one.quality.low, one.quality.high) if end is not None]
    up = Scale.of([*(one.quality.value or 0.0 for one in drawn), *ends], HEIGHT - BOTTOM, TOP)
    unit = "questions that Pro answers, %" if found.free else "cost of a question, micro-dollars"
    title = f"{words[:1].upper()}{words[1:]} over the {unit}"
    return "\n".join(
        [
            '<div class="wide" role="region" aria-label="Plot" tabindex="0">',
            f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{text(title)}; the table below '
            'has the same numbers">',
            *_grid(across, up, unit, f"quality: {words}"),
            *_settings(found, across, up),
            *_intervals(found, named, across, up),
            *_names(found, named, across, up),
            "</svg></div>",
            _legend(found),
        ]
    )


def _named(found: Frontier) -> list[tuple[str, Point]]:
    named = [("flash", found.flash), ("pro", found.pro), ("present", found.present)]
    return [*named, ("chosen", found.chosen)] if found.chosen else named


def _cost(one: Point, found: Frontier) -> float:
    return one.share * 100 if found.free else one.micros


def _grid(across: Scale, up: Scale, unit: str, words: str) -> Iterator[str]:
    for value in up.ticks:
        y = round(up.at(value), 1)
        yield f'<path class="grid" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
    bottom = HEIGHT - BOTTOM
    for value in across.ticks:
        x = round(across.at(value), 1)
        yield f'<path class="axis" d="M{x} {bottom}v5"/>'
        yield f'<text x="{x}" y="{bottom + 19}" text-anchor="middle">{value:,g}</text>'
    yield f'<path class="axis" d="M{LEFT} {bottom}H{WIDTH - RIGHT}"/>'
    middle, centre = (LEFT + WIDTH - RIGHT) / 2, (TOP + bottom) / 2
    yield f'<text class="unit" x="{middle:g}" y="{HEIGHT - 12}" text-anchor="middle">{text(unit)}</text>'
    turned = f'transform="rotate(-90 18 {centre:g})"'
    yield f'<text class="unit" x="18" y="{centre:g}" text-anchor="middle" {turned}>{text(words, 60)}</text>'


def _settings(found: Frontier, across: Scale, up: Scale) -> Iterator[str]:
    """Every setting, those on the frontier joined by a line."""
    for one in found.points:
        if not one.optimal:
            yield _mark("any", one, found, across, up)
    places = dict.fromkeys(_place(one, found, across, up) for one in found.optimal)
    yield f'<polyline class="way" points="{" ".join(f"{x},{y}" for x, y in places)}"/>'
    for one in found.optimal:
        yield _mark("best", one, found, across, up)


def _intervals(found: Frontier, named: Sequence[tuple[str, Point]], across: Scale, up: Scale) -> Iterator[str]:
    """The 95 % intervals of what has a name; settings that lie on one another are drawn side by side."""
    for kind, one in named:
        x, _ = _place(one, found, across, up)
        if one.quality.low is not None and one.quality.high is not None:
            low, high = round(up.at(one.quality.low), 1), round(up.at(one.quality.high), 1)
            yield f'<path class="bar {kind}" d="M{x - 4} {low}h8M{x} {low}V{high}M{x - 4} {high}h8"/>'
    for kind, one in named:
        yield _mark(kind, one, found, across, up)


def _names(found: Frontier, named: Sequence[tuple[str, Point]], across: Scale, up: Scale) -> Iterator[str]:
    """A name beside each mark, where it hides no other mark and no other name, as far as there is such a place."""
    marks = [_around(*_place(one, found, across, up), 10) for _, one in named]
    taken: list[_Box] = []
    for (kind, one), own in zip(named, marks, strict=True):
        x, y = _place(one, found, across, up)
        long = 8.5 * len(_LEGEND[kind])
        places = [(_Box(x + 14 if right else x - 14 - long, y + down, long, 14), right) for right, down in _BESIDE]
        others = [*taken, *(mark for mark in marks if mark != own)]
        box, right = min(places, key=lambda place: sum(map(place[0].shared, others)) + 1e3 * place[0].outside)
        taken.append(box)
        side = f'x="{x + 14:.1f}"' if right else f'x="{x - 14:.1f}" text-anchor="end"'
        yield f'<text class="name" {side} y="{box.y + 11:.1f}">{_LEGEND[kind]}</text>'


_BESIDE = tuple((right, down) for down in (-7, 12, -26, 30, -44) for right in (True, False))
"""Whether a name stands to the right of its mark, and how many pixels lower, best first."""


@dataclass(frozen=True)
class _Box:
    """A rectangle in pixels: its upper left corner, how wide and how high."""

    x: float
    y: float
    wide: float
    high: float

    def shared(self, other: "_Box") -> float:
        """The area of both."""
        across = min(self.x + self.wide, other.x + other.wide) - max(self.x, other.x)
        down = min(self.y + self.high, other.y + other.high) - max(self.y, other.y)
        return max(across, 0) * max(down, 0)

    @property
    def outside(self) -> float:
        """How far it stands out of the axes."""
        return max(
            0, LEFT - self.x, self.x + self.wide - WIDTH + 4, TOP - 12 - self.y, self.y + self.high - HEIGHT + BOTTOM
        )


def _around(x: float, y: float, far: float) -> _Box:
    return _Box(x - far, y - far, 2 * far, 2 * far)


def _mark(kind: str, one: Point, found: Frontier, across: Scale, up: Scale) -> str:
    x, y = _place(one, found, across, up)
    cost = "" if found.free else f", {one.micros:,.0f} micro-dollars a question"
    told = f"{one.name}: quality {one.quality}{cost}, {one.share * 100:.1f} % on Pro"
    return _MARKS[kind].format(x=x, y=y, title=f"<title>{text(told)}</title>")


def _place(one: Point, found: Frontier, across: Scale, up: Scale) -> tuple[float, float]:
    return round(across.at(_cost(one, found)), 1), round(up.at(one.quality.value or 0.0), 1)


def _legend(found: Frontier) -> str:
    kinds = [kind for kind in _LEGEND if kind != "chosen" or found.chosen]
    marks = {kind: _MARKS[kind].format(x=12, y=12, title="") for kind in kinds}
    items = "".join(
        f'<li><svg class="plot" viewBox="0 0 24 24" aria-hidden="true">{marks[kind]}</svg>{_LEGEND[kind]}</li>'
        for kind in kinds
    )
    return f'<ul class="legend">{items}<li>Bars are 95 % intervals.</li></ul>'
