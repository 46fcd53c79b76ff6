"""Whether a run shows what policy demands of a release: one verdict for each demand, and one for the release. Pure.

How a demand is decided:

- `least` and `most` are held against the mean over the set's cases. The set itself is what must be answered, so that
  no interval is asked for; it stands beside the number. A case that could not be scored counts as the worst before a
  demand is met and as the best before it is missed: who is silent neither passes nor fails.
- `margin` is held against the interval of the difference, paired by case, to the release that serves. Met: even the
  unfavourable end lost no more than the margin. Missed: it lost more than the margin, and the whole interval lies on
  the side of a loss, so that chance alone is not blamed on the release. Anything else is inconclusive: a loss beyond
  the margin is then neither shown nor ruled out.
- Too few cases, many without a number that had one before, a measure that is not there, a run that was interrupted:
  inconclusive.
- Whatever a language model read and judged is the judge's word, be it the rubric or RAGAS, and so is what the embedded
  judge gave: inconclusive while the judge of the run has no vote. Perplexity is no judgement: the model only gives the
  probabilities of words, so that it needs none.

A release passes where every demand is met, and fails where one is missed.
"""

import hashlib
from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property

from pydantic import BaseModel, ConfigDict

from opsplane.evaluation.comparison import Change, Comparison
from opsplane.evaluation.paired import FEWEST
from opsplane.evaluation.report import Mean, Report
from opsplane.evaluation.scoring import Better, How, Measure
from opsplane.policy import Gate

_EXACT = 1e-9
"""Means are rounded to six decimals; so much less is the same number."""
_CALCULATED = "perplexity"
"""What a language model gives without judging anything."""
_SILENT = 0.05
"""The share of cases without a number up to which a difference is believed, and a mean whose unit knows no worst."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Verdict(StrEnum):
    """What is said of a demand, and of a release."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


class Demand(StrEnum):
    """What is demanded of a measure."""

    LEAST = "least"
    MOST = "most"
    MARGIN = "margin"


class Line(_Value):
    """One demand. `found` is the mean, or for a margin the paired difference (new less old), with its interval.

    `reason` says in words why it came to this; `broke` names the cases behind it, worst first, where it was not met.
    """

    measure: str
    words: str
    demand: Demand
    wanted: float
    unit: str = "share"
    found: float | None = None
    low: float | None = None
    high: float | None = None
    cases: int = 0
    verdict: Verdict
    reason: str
    broke: tuple[str, ...] = ()


class Decision(_Value):
    """What the gate says of a release, under the digests of all that it rests on."""

    release: str
    release_digest: str
    report: str
    dataset: str
    dataset_digest: str
    against: str = ""
    against_report: str = ""
    judge: str = ""
    votes: bool
    policy: str  # SHA-256 of the gate's demands
    verdict: Verdict
    reason: str
    lines: tuple[Line, ...] = ()

    @cached_property
    def content(self) -> bytes:
        """The decision as it is kept."""
        return self.model_dump_json(indent=1).encode()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `content`."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def passed(self) -> bool:
        """Whether the release may go on."""
        return self.verdict is Verdict.PASSED


def decide(report: Report, gate: Gate, *, votes: bool, against: Comparison | None = None) -> Decision:
    """Hold a report against the demands; `against` compares it with what serves, and `votes` is of the judge in it.

    Raise `ValueError` for a comparison of another report.
    """
    if against and against.new.report != report.digest:
        raise ValueError("the comparison is not of this report")
    lines = tuple(_lines(report, gate, against, votes=votes))
    whole = _unfit(report, gate) or ("" if lines else "the policy demands nothing of an evaluation")
    if whole:
        lines = tuple(_open(line, whole) for line in lines)
    verdict = Verdict.INCONCLUSIVE if whole else _together(lines)
    return Decision(
        release=report.release,
        release_digest=report.release_digest,
        report=report.digest,
        dataset=report.dataset,
        dataset_digest=report.dataset_digest,
        against=against.old.release if against else "",
        against_report=against.old.report if against else "",
        judge=report.judge,
        votes=votes,
        policy=hashlib.sha256(gate.model_dump_json().encode()).hexdigest(),
        verdict=verdict,
        reason=whole or _told(lines),
        lines=lines,
    )


def _together(lines: tuple[Line, ...]) -> Verdict:
    found = {line.verdict for line in lines}
    return next((one for one in (Verdict.FAILED, Verdict.INCONCLUSIVE) if one in found), Verdict.PASSED)


def _told(lines: tuple[Line, ...]) -> str:
    wrong = [line for line in lines if line.verdict is _together(lines)]
    if _together(lines) is Verdict.PASSED:
        return f"all {len(lines)} demands are met"
    return "; ".join(f"{line.measure}: {line.reason}" for line in wrong)


def _unfit(report: Report, gate: Gate) -> str:
    if report.partial:
        return f"only {len(report.rows)} of {report.asked} cases were answered: let the run come to its end"
    if report.dataset != gate.dataset:
        return f"the policy asks for the dataset {gate.dataset}, and this is {report.dataset}"
    return ""


def _open(line: Line, why: str) -> Line:
    return line.model_copy(update={"verdict": Verdict.INCONCLUSIVE, "reason": why})


def _lines(report: Report, gate: Gate, against: Comparison | None, *, votes: bool) -> Iterator[Line]:
    measures = {one.name: one for one in report.measures}
    for name, threshold in gate.measures.items():
        measure = measures.get(name)
        for demand in Demand:
            wanted = getattr(threshold, demand.value)
            if wanted is None:
                continue
            if measure is None:
                line = Line(
                    measure=name,
                    words=name,
                    demand=demand,
                    wanted=wanted,
                    verdict=Verdict.INCONCLUSIVE,
                    reason="it was not measured",
                )
            elif demand is Demand.MARGIN:
                line = _margin(measure, wanted, against, report)
            else:
                line = _reached(measure, demand, wanted, report)
            yield _open(line, _mute(report)) if measure and _by_judge(measure) and not votes else line


def _by_judge(measure: Measure) -> bool:
    """Whether a number is a judge's word: what a language model judged, or the embedded judge."""
    if measure.how is How.MODEL:
        return measure.name != _CALCULATED
    return measure.how is How.EMBEDDED and (measure.name == "judge" or measure.name.startswith("judge_"))


def _mute(report: Report) -> str:
    return f"the judge {report.judge} has no vote: calibrate it" if report.judge else "no judge with a vote was in it"


def _reached(measure: Measure, demand: Demand, wanted: float, report: Report) -> Line:
    """Hold the mean over the cases against a bound."""
    mean = report.mean(measure.name)
    scored = mean.cases - mean.unscored if mean else 0
    verdict, reason = _bounded(mean, scored, demand, wanted) if mean else (Verdict.INCONCLUSIVE, "nobody scored it")
    return Line(
        measure=measure.name,
        words=measure.words,
        demand=demand,
        wanted=wanted,
        unit=measure.unit,
        found=mean.value if mean else None,
        low=mean.low if mean else None,
        high=mean.high if mean else None,
        cases=scored,
        verdict=verdict,
        reason=reason,
        broke=() if verdict is Verdict.PASSED else _short(report, measure.name, demand, wanted),
    )


def _bounded(mean: Mean, scored: int, demand: Demand, wanted: float) -> tuple[Verdict, str]:
    if mean.value is None or scored < FEWEST:
        return Verdict.INCONCLUSIVE, f"scored on {scored} cases only; at least {FEWEST} are needed"
    sign = 1 if demand is Demand.LEAST else -1
    worst, best = sorted(_extremes(mean, scored), key=lambda one: one * sign)
    near = abs(mean.value - wanted) < 0.0005  # three decimals would hide on which side it lies
    shown = f"{mean.value:.6g}" if near else _number(mean.value)
    told = f"{shown} where at {demand.value} {wanted:g} is wanted"
    if (best - wanted) * sign < -_EXACT:
        return Verdict.FAILED, told
    if (worst - wanted) * sign < -_EXACT:
        return Verdict.INCONCLUSIVE, f"{told}, and {mean.unscored} of {mean.cases} cases are unscored: too many"
    if mean.measure.unit != "share" and mean.unscored > _SILENT * mean.cases:
        return Verdict.INCONCLUSIVE, f"{mean.unscored} of {mean.cases} cases are unscored: too many"
    return Verdict.PASSED, told


def _extremes(mean: Mean, scored: int) -> tuple[float, float]:
    """The mean if every unscored case had scored nothing, and if every one had scored all; shares only."""
    value = mean.value or 0.0
    if mean.measure.unit != "share" or not mean.unscored:
        return value, value
    return value * scored / mean.cases, (value * scored + mean.unscored) / mean.cases


def _short(report: Report, name: str, demand: Demand, wanted: float) -> tuple[str, ...]:
    """The cases on the wrong side of the bound, worst first, and then those that nobody scored."""
    sign = 1 if demand is Demand.LEAST else -1
    scores = [(row.case, score.value) for row in report.rows if (score := row.score(name))]
    wrong = [(value * sign, case) for case, value in scores if value is not None and (value - wanted) * sign < -_EXACT]
    return (*(case for _, case in sorted(wrong)), *(case for case, value in scores if value is None))


def _margin(measure: Measure, wanted: float, against: Comparison | None, report: Report) -> Line:
    """Hold the paired difference against the margin."""
    change = against.change(measure.name) if against else None
    verdict, reason = _lost(measure.name, wanted, against)
    found = change.found if change else None
    return Line(
        measure=measure.name,
        words=measure.words,
        demand=Demand.MARGIN,
        wanted=wanted,
        unit=measure.unit,
        found=found.difference if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        cases=found.questions if found else 0,
        verdict=verdict,
        reason=reason,
        broke=_worst(change, report) if change and verdict is not Verdict.PASSED else (),
    )


def _lost(name: str, wanted: float, against: Comparison | None) -> tuple[Verdict, str]:
    if against is None:
        return Verdict.INCONCLUSIVE, "there is no report of the release that serves to compare with"
    if against.missing:
        return Verdict.INCONCLUSIVE, f"{len(against.missing)} cases were answered by one of the two releases only"
    change = against.change(name)
    if change is None:
        return Verdict.INCONCLUSIVE, against.why_left(name)
    if thin := _thin(change):
        return Verdict.INCONCLUSIVE, thin
    loss, least, most = change.loss
    sign = 1 if change.measure.better is Better.LOWER else -1
    low, high = change.found.low, change.found.high
    told = f"changed by {_number(loss * sign, '+')} ({_number(low, '+')} to {_number(high, '+')})"
    if most <= wanted + _EXACT:
        return Verdict.PASSED, f"{told}: it lost no more than {wanted:g}"
    if least > _EXACT and loss > wanted + _EXACT:
        return Verdict.FAILED, f"{told}: it lost more than {wanted:g}"
    return Verdict.INCONCLUSIVE, f"{told}: it may have lost more than {wanted:g}, or may not"


def _number(value: float, sign: str = "") -> str:
    """Three decimals, or whole numbers where they are large; no sign where nothing differs."""
    places = 3 if abs(value) < 100 else 0
    value = round(value, places) or 0.0
    return f"{value:{sign if value else ''},.{places}f}"


def _thin(change: Change) -> str:
    """Why too few cases were compared; empty where they are enough."""
    cases = change.found.questions
    if cases < FEWEST:
        return f"compared on {cases} cases only; at least {FEWEST} are needed"
    if change.only_old > _SILENT * (cases + change.only_old):
        return f"{change.only_old} cases have a number of the release that serves, and none of this one: too many"
    return ""


def _worst(change: Change, report: Report) -> tuple[str, ...]:
    """The cases lost, worst first by what the new answer got."""
    sign = -1 if change.measure.better is Better.LOWER else 1
    rows = {row.case: row.score(change.measure.name) for row in report.rows}

    def rank(case: str) -> tuple[float, str]:
        score = rows.get(case)
        return (score.value * sign if score and score.value is not None else 0.0), case

    return tuple(sorted(change.found.lost, key=rank))
