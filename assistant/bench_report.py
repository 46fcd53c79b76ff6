"""What a benchmark of retrieval found: measures with their intervals, what a search takes, the run as TREC has it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from assistant.panels import plain, table
from assistant.trials import JudgedSet
from knowledge.judged import MEASURES, Mean, Ranking, mean
from knowledge.rank import SearchPlan
from knowledge.spec import IndexSpec

_STEP = 1e-6
_NO_BLANKS = str.maketrans({" ": "%20", "\t": "%09", "\n": "%0A", "\r": "%0D"})


@dataclass(frozen=True)
class Bench:
    """Rankings of all questions of a set, and how they came about."""

    judged: JudgedSet
    spec: IndexSpec
    plan: SearchPlan
    rankings: Sequence[Ranking]

    @cached_property
    def measures(self) -> Mapping[str, Mean]:
        """Each measure's mean."""
        return {name: mean([measure(one) for one in self.rankings]) for name, measure in MEASURES.items()}

    @cached_property
    def latency(self) -> Mapping[str, tuple[float, float]]:
        """Median and 99th percentile of a search in milliseconds, the question's embedding included."""
        cpu, clock = [one.cpu for one in self.rankings], [one.clock for one in self.rankings]
        return {"cpu": _percentiles(cpu), "clock": _percentiles(clock)}

    def as_json(self) -> dict[str, Any]:
        """Everything but the single rankings."""
        return {
            "corpus": {"name": self.judged.title, "documents": len(self.judged.documents)},
            "digest": self.judged.digest,
            "questions": len(self.rankings),
            "index": self.spec.id,
            "chunking": self.spec.chunking.model_dump(),
            "plan": self.plan.model_dump(mode="json"),
            "measures": {name: asdict(one) for name, one in self.measures.items()},
            "latency_ms": {name: {"p50": low, "p99": high} for name, (low, high) in self.latency.items()},
            "notes": list(self.judged.notes),
        }

    def markdown(self) -> str:
        """For a terminal."""
        rows = [(name, f"{one.value:.3f}", f"{one.low:.3f} to {one.high:.3f}") for name, one in self.measures.items()]
        (cpu, cpu99), (clock, clock99) = self.latency["cpu"], self.latency["clock"]
        plan = json.dumps(self.plan.model_dump(mode="json", exclude={"passages"}))
        parts = [
            f"## {len(self.rankings):,} questions over {len(self.judged.documents):,} documents of "
            f"{plain(self.judged.title)}",
            table(("Measure", "Mean", "95 % interval"), rows),
            f"A search, the question's embedding included: {cpu:.1f} ms of processor time (median), {cpu99:.1f} ms "
            f"(p99); {clock:.1f} and {clock99:.1f} ms by the clock.",
            f"Index {plain(self.spec.id)}; plan {plain(plan)}.",
        ]
        notes = "\n".join(f"- {plain(note)}." for note in self.judged.notes)
        return "\n\n".join([*parts, *([notes] if notes else [])])

    def run(self) -> str:
        """The rankings as TREC writes them: question, Q0, document, rank, score, name of the run."""
        lines = []
        for ranking in self.rankings:
            scores: dict[str, float] = {}
            for name, score in ranking.passages:
                scores.setdefault(name, score)
            question, above = ranking.question.id.translate(_NO_BLANKS), float("inf")
            for rank, (name, score) in enumerate(scores.items(), 1):
                above = min(score, above - _STEP)  # whoever reads a run sorts it by its scores
                lines.append(f"{question} Q0 {name.translate(_NO_BLANKS)} {rank} {above:.6f} opsplane\n")
        return "".join(lines)


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    low, high = np.percentile(np.array(values), [50, 99])
    return round(float(low), 2), round(float(high), 2)
