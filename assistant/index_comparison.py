"""What came of asking the same questions on two indexes: the measures side by side, the verdict, the report."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict

from assistant.panels import plain, table
from opsplane.document_events import IndexEvaluated
from opsplane.evaluation import paired
from opsplane.evaluation.paired import Paired, Part

Rows = Mapping[str, Mapping[str, Part]]
"""By measure and question."""

_LISTED = 10


class Side(BaseModel):
    """One of the two: the index, the generation of it, and how many wrong figures or statements it led to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: str
    generation: str
    wrong: int = 0


class Comparison(BaseModel):
    """What came of it. `reasons` tell why the new index is not called as good; none where it passed.

    `rows` hold, by measure and question, what the old and the new index gave: how much of how much.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    as_of: date
    release: str
    questions: int
    margin: float
    old: Side
    new: Side
    measures: tuple[Paired, ...]
    reasons: tuple[str, ...]
    rows: Mapping[str, Mapping[str, tuple[Part, Part]]]

    @property
    def passed(self) -> bool:
        """Whether the new index did no worse."""
        return not self.reasons

    @property
    def content(self) -> bytes:
        """The report as it is kept; equal runs give equal bytes."""
        return self.model_dump_json(indent=1).encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the report."""
        return hashlib.sha256(self.content).hexdigest()

    def event(self) -> IndexEvaluated:
        """The report as it goes on the record."""
        told = [f"{one.measure} {one.old:.3f} → {one.new:.3f}" for one in self.measures]
        told.append(f"wrong figures {self.old.wrong} → {self.new.wrong}")
        return IndexEvaluated(
            index=self.new.index,
            generation=self.new.generation,
            against=self.old.index,
            dataset=self.dataset,
            report=self.digest,
            passed=self.passed,
            summary=", ".join(told),
        )


def judged(old: Rows, new: Rows, sides: Sequence[Side], margin: float, head: Mapping[str, Any]) -> Comparison:
    """The comparison of what was measured; `sides` are the old and the new one, `head` tells what was asked. Pure."""
    measured = [(name, paired.compare(name, old[name], new[name])) for name in old]
    found = [one for _, one in measured if one]
    reasons = [f"{name} could not be measured" for name, one in measured if one is None]
    reasons += paired.worse(found, margin)
    if sides[1].wrong > sides[0].wrong:
        reasons.append(f"{sides[1].wrong} wrong figures or forbidden statements instead of {sides[0].wrong}")
    return Comparison(
        margin=margin,
        old=sides[0],
        new=sides[1],
        measures=tuple(found),
        reasons=tuple(reasons),
        rows={name: {case: (old[name][case], new[name][case]) for case in old[name]} for name in old},
        **head,
    )


def as_markdown(found: Comparison) -> str:
    """An evaluation as Markdown: the measures, the verdict, the questions won and lost."""
    heads = ("Measure", "Questions", "Old", "New", "Difference", "95 % interval", "Won", "Lost")
    rows = [
        (
            one.measure,
            str(one.questions),
            f"{one.old:.3f}",
            f"{one.new:.3f}",
            f"{one.difference:+.3f}",
            f"{one.low:+.3f} to {one.high:+.3f}",
            str(len(one.won)),
            str(len(one.lost)),
        )
        for one in found.measures
    ]
    verdict = "**Passed**: no measure may have lost more than" if found.passed else "**Not passed** at a margin of"
    parts = [
        f"## {plain(found.new.index)} against {plain(found.old.index)}",
        f"{found.questions} golden questions of {found.as_of}, release {plain(found.release)}, generations "
        f"{plain(found.new.generation)} and {plain(found.old.generation)}.",
        table(heads, rows),
        f"Wrong figures or forbidden statements: {found.old.wrong} before, {found.new.wrong} now.",
        f"{verdict} {found.margin:g}.",
    ]
    parts += ["\n".join(f"- {plain(reason)}" for reason in found.reasons)] if found.reasons else []
    for one in found.measures:
        for name, cases in (("won", one.won), ("lost", one.lost)):
            if cases:
                parts.append(f"{plain(one.measure)}, {name}: {plain(several(cases, _LISTED))}.")
    return "\n\n".join(parts)


def several(names: Sequence[str], most: int) -> str:
    """The first of these names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
