"""What the checks made of a whole file, in a few lines."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from assistant.rows import Row
from opsplane.guardrails.measure import Measured
from opsplane.guardrails.sweep import wilson

_QUIET = frozenset({"pass", "off"})


@dataclass
class Tally:
    """Counts rows by verdict, by the checks that fired, and by label where every row has one that can be read."""

    named: Iterable[str] = ()
    verdicts: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    off: dict[str, None] = field(default_factory=dict)
    labels: Counter[tuple[bool | None, bool]] = field(default_factory=Counter)

    def add(self, row: Row, found: Measured) -> None:
        """Count one row."""
        self.verdicts[found.verdict] += 1
        self.labels[row.bad(self.named), found.verdict == "block"] += 1
        for one in found.checks:
            if one.verdict == "off":
                self.off[one.check] = None
            elif one.verdict not in _QUIET:
                self.fired[one.check] += 1

    def lines(self) -> list[str]:
        """Rows by verdict; checks by how often they fired; what was blocked of the bad and of the good."""
        told = [f"{self.verdicts.total():,} rows: {_counts(self.verdicts)}."]
        told += [f"Fired: {_counts(self.fired)}."] if self.fired else []
        told += [f"Scored, but not used by the release: {', '.join(self.off)}."] if self.off else []
        if not any(label is None for label, _ in self.labels):
            bad, good = (_share(self.labels[kind, True], self.labels[kind, False]) for kind in (True, False))
            told += [f"Blocked of the rows labelled bad {bad}; of those labelled good {good}."]
        return told


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())


def _share(blocked: int, others: int) -> str:
    return of(blocked, blocked + others) if blocked + others else "none (there are none)"


def of(hits: int, rows: int) -> str:
    """A share with its 95 % interval."""
    low, high = wilson(hits, rows)
    return f"{hits / rows:.1%} [{low:.1%}, {high:.1%}] of {rows:,}" if rows else "none"
