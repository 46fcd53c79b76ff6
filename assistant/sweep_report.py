"""What a sweep found: a table, a picture, and the thresholds as a fragment of a release."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from typing import Any

import yaml
from rich.markdown import Markdown

from assistant.charts import COLOURS, LAYOUT
from assistant.panels import table
from assistant.tally import of
from opsplane.guardrails import measure, sweep
from opsplane.guardrails.sweep import Curve, Point, Scored
from opsplane.rollouts import chart
from opsplane.rollouts.chart import Axes, Series

_SHARES = (0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1)
"""Shares of good rows that are blocked, at which the table shows what is caught."""


@dataclass(frozen=True)
class Report:
    """One check on labelled rows: `most` is the share of good ones that may be blocked, `now` today's threshold."""

    check: str
    rows: Sequence[Scored]
    most: float
    now: float | None = None

    @cached_property
    def curve(self) -> Curve:
        """The trade-off."""
        return sweep.curve(self.rows, below=self.check in measure.BELOW)

    @property
    def both(self) -> bool:
        """Whether there is anything to be traded off: rows of either kind."""
        return bool(self.curve.bad and self.curve.good)

    @cached_property
    def chosen(self) -> Point | None:
        """The point for a release; None where no threshold does, or chance alone may explain what it blocks."""
        best = sweep.choose(self.curve, self.most) if self.both else None
        return best if best and sweep.tells_apart(self.curve, best) else None

    @cached_property
    def auroc(self) -> float | None:
        """The area under the curve; None where one kind of row is missing."""
        return sweep.auroc(self.rows, below=self.check in measure.BELOW)

    def as_json(self) -> dict[str, Any]:
        """Everything, every point of the curve included, shares with their 95 % intervals."""
        return {
            "check": self.check,
            "bad": self.curve.bad,
            "good": self.curve.good,
            "auroc": self.auroc,
            "below": self.curve.below,
            "now": self._point(self.curve.at(self.now)) if self.now is not None else None,
            "chosen": self._point(self.chosen) if self.chosen else None,
            "points": [self._point(one) for one in self.curve.points],
        }

    def _point(self, one: Point) -> dict[str, Any]:
        bad, good = (sweep.wilson(*pair) for pair in ((one.bad, self.curve.bad), (one.good, self.curve.good)))
        return asdict(one) | {"bad_interval": list(bad), "good_interval": list(good)}

    def figure(self) -> dict[str, Any] | None:
        """The trade-off as a Plotly figure; None where one kind of row is missing."""
        if not self.both:
            return None
        line = {"type": "scatter", "mode": "lines", "name": self.check, "line": {"color": COLOURS[0]}}
        xs, ys = zip(*_shares(self.curve), strict=True)
        axes = {"xaxis": {"title": "good blocked, %"}, "yaxis": {"title": "bad blocked, %"}}
        return {"data": [line | {"x": list(xs), "y": list(ys)}], "layout": LAYOUT | axes}


def markdown(one: Report, name: str) -> Markdown:
    """What is caught for how much good that is blocked, now and with the threshold that was chosen."""
    curve = one.curve
    area = f", AUROC {one.auroc:.3f}" if one.auroc is not None else ""
    parts = [f"### {one.check} on {_shown(name)}: {curve.bad:,} bad and {curve.good:,} good rows{area}"]
    if one.both:
        side = "below" if curve.below else "from it on"
        parts.append(
            table(("Good blocked, at most", f"Threshold (blocks {side})", "Bad blocked", "Good"), _table(curve))
        )
    if one.now is None:
        parts.append("The release does not use this check.")
    else:
        parts.append(f"**Now**, at {one.now:.4g}: {_blocked(curve.at(one.now), curve)}.")
    return Markdown("\n\n".join([*parts, f"**Chosen** for at most {one.most:.1%} of the good: {_chosen(one)}."]))


def fragment(reports: Sequence[Report], name: str, on: date) -> str:
    """The thresholds as YAML to be put into a release, with the evidence as comments."""
    lines = [
        f"# From opsplane guardrails sweep on {_shown(name)}, {on.isoformat()}. Intervals are 95 % (Wilson).",
        "# These lines go under `guardrails:` of a release of a new id, in place of those of the same name.",
        *(f"# {one.check}: {_chosen(one)}." for one in reports),
    ]
    chosen = {measure.FIELDS.get(one.check, one.check): one.chosen.threshold for one in reports if one.chosen}
    return "\n".join([*lines, yaml.safe_dump({"guardrails": chosen}, sort_keys=False)])


def plot(reports: Sequence[Report], name: str) -> str:
    """The trade-off of every check in one SVG."""
    series = [Series(one.check, _shares(one.curve)) for one in reports if one.both]
    title = f"Bad and good that is blocked, {_shown(name)}"
    return chart.lines(title, series, Axes("good blocked, %", "bad blocked, %"))


def _table(curve: Curve) -> list[tuple[str, str, str, str]]:
    rows: list[tuple[str, str, str, str]] = []
    for share in _SHARES:
        best = sweep.choose(curve, share)
        if best and (not rows or rows[-1][1] != f"{best.threshold:.4g}"):
            rows.append((f"{share:.1%}", f"{best.threshold:.4g}", of(best.bad, curve.bad), of(best.good, curve.good)))
    return rows


def _shares(curve: Curve) -> list[tuple[float, float]]:
    points = [(0.0, 0.0), *((100 * one.good / curve.good, 100 * one.bad / curve.bad) for one in curve.points)]
    return [*points, (100.0, 100.0)]


def _chosen(one: Report) -> str:
    if not one.both:
        kind = "bad" if one.curve.bad else "good"
        return f"nothing, since every row is {kind}: there is nothing to trade off"
    if one.chosen is None:
        return "nothing, since no threshold blocks more of the bad than of the good beyond chance"
    return f"{one.chosen.threshold:.4g}, which blocks {_blocked(one.chosen, one.curve)}"


def _blocked(point: Point, curve: Curve) -> str:
    parts = [f"{of(hits, rows)} {kind}" for hits, rows, kind in _kinds(point, curve) if rows]
    return " and ".join(parts)


def _kinds(point: Point, curve: Curve) -> tuple[tuple[int, int, str], ...]:
    return (point.bad, curve.bad, "bad"), (point.good, curve.good, "good")


def _shown(name: str) -> str:
    """A file's name on one line, without what XML cannot hold."""
    return "".join(char if char.isprintable() else "?" for char in name)
