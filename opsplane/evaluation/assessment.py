"""A run with all that is said of it: what it was asked, what it was held against, and what the gate decided."""

import json
from dataclasses import dataclass
from functools import cached_property

from opsplane.evaluation.comparison import Comparison
from opsplane.evaluation.contest import Contest
from opsplane.evaluation.dataset import Case, Dataset
from opsplane.evaluation.gate import Decision
from opsplane.evaluation.report import Report, Row


@dataclass(frozen=True)
class Assessment:
    """What reports for people are made of. `baseline` is the run that `comparison` holds the report
    against, and `contest` what a judge of pairs says of the answers that differ."""

    report: Report
    dataset: Dataset | None = None
    baseline: Report | None = None
    comparison: Comparison | None = None
    decision: Decision | None = None
    contest: Contest | None = None

    @cached_property
    def asked(self) -> dict[str, Case]:
        """The cases by name; empty without the dataset."""
        return {case.id: case for case in self.dataset.cases} if self.dataset else {}

    @cached_property
    def before(self) -> dict[str, Row]:
        """The rows of the baseline by case; empty without one."""
        return {row.case: row for row in self.baseline.rows} if self.baseline else {}

    @cached_property
    def unlike(self) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        """Names of the cases won, lost, and answered in other words, against the baseline."""
        found = self.comparison
        if found is None:
            return frozenset(), frozenset(), frozenset()
        return frozenset(found.passes.won), frozenset(found.passes.lost), frozenset(found.changed)

    def timings(self) -> bytes:
        """What a clock measured, as JSON: no second run gives the same, so that it stands apart from the report."""
        told = {
            "report": self.report.digest,
            "means": [mean.model_dump(mode="json") for mean in self.report.clocked],
            "cases": {row.case: {one.scorer: one.value for one in row.clocked} for row in self.report.rows},
        }
        return json.dumps(told, indent=1).encode()
