"""What operators are told when a gauge fell or the mix of topics moved: what, since when, by how much, after what."""

from dataclasses import dataclass
from datetime import datetime

from opsplane.quality.changes import NEAR, Change
from opsplane.quality.gauges import MEANINGS, Gauge, Scale, amount, gauge_of, shown

MIX = "topics"
"""The series of the topics' shares."""


@dataclass(frozen=True)
class Alarm:
    """One alarm. Values are in [0, 1] and higher is better; for the mix `difference` is the distance, negated.

    `at` is when it became certain, `since` the hour in which it most likely began. The interval is a 95 % confidence
    sequence: it holds at every hour, but takes `since` for granted. `log_e` has reached `threshold`. `place` is the
    topic or release that most of it lies in; `votes` tells whether the judge's scores count.
    """

    series: str
    at: datetime
    since: datetime
    before: float
    after: float
    difference: float
    low: float
    high: float
    log_e: float
    threshold: float
    change: Change | None = None
    place: str = ""
    detail: str = ""
    votes: bool = True

    @property
    def text(self) -> str:
        """One sentence for operators."""
        when = f"since {self.since:%Y-%m-%d %H:%M} UTC"
        place = f", most of it {self.place}" if self.place else ""
        return f"{self._what()} {when}{place}{self._vote()}; {self._blame()}."

    def _what(self) -> str:
        if self.series == MIX:
            moved, least, most = (f"{-100 * one:.1f}" for one in (self.difference, self.high, self.low))
            return f"What customers ask about moved by {moved} points ({least} to {most}; {self.detail})"
        gauge = gauge_of(self.series)
        meaning = MEANINGS[gauge]
        before, after = (told(gauge, one) for one in (self.before, self.after))
        if meaning.scale in (Scale.TIME, Scale.MONEY):
            times, fewest, largest = (f"{amount(1 + one, 1):.2f}" for one in (self.difference, self.high, self.low))
            return f"The {meaning.words} rose from {before} to {after} ({times} times; {fewest} to {largest})"
        points, least, most = (f"{-100 * one:.1f}" for one in (self.difference, self.high, self.low))
        moved = f"from {before} to {after} ({points} points; {least} to {most})"
        if meaning.scale is Scale.SHARE:
            return f"{meaning.words.capitalize()} rose {moved}"
        name = self.series.partition(":")[2]
        words = f"{meaning.words} ({name})" if name else meaning.words
        return f"{'The ' if gauge is not Gauge.THUMBS else ''}{words} fell {moved}".replace("thumbs", "Thumbs", 1)

    def _vote(self) -> str:
        return "" if self.votes else " (this judge has no vote: its agreement with people is not known or too low)"

    def _blame(self) -> str:
        if self.change is None:
            return f"no release, index, model or setting changed in the {NEAR.days * 24} hours before"
        return f"just before, at {self.change.at:%Y-%m-%d %H:%M} UTC, {self.change.words}"


def told(gauge: Gauge, value: float) -> str:
    """A gauge's value as people read it, with its unit."""
    number = shown(gauge, value)
    match MEANINGS[gauge].scale:
        case Scale.SCORE:
            return f"{number:.1f}"
        case Scale.SHARE:
            return f"{number:.1f} %"
        case Scale.TIME:
            return f"{number:,.0f} ms"
        case Scale.MONEY:
            return f"${number / 1_000_000:.6f}"
