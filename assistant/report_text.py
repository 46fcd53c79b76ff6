"""An evaluation as Markdown, for a terminal and the chat."""

from collections.abc import Iterator, Sequence

from assistant import report_html
from assistant.index_comparison import several
from assistant.markup import number, signed, span, visible
from assistant.panels import Download, Panel, cut, dollars, plain, table
from opsplane.evaluation.assessment import Assessment
from opsplane.evaluation.comparison import Comparison
from opsplane.evaluation.contest import Contest
from opsplane.evaluation.gate import Decision, Demand, Line, Verdict
from opsplane.evaluation.report import Mean, Report, Row

_NAMES = 12
"""Cases named in a row."""
_SAID = 300
"""Characters of an answer that are shown."""
_FAILURES = 20
"""Failed cases that are told."""
_MARKS = {Verdict.PASSED: "✓", Verdict.FAILED: "✗", Verdict.INCONCLUSIVE: "?"}


def as_markdown(run: Assessment, failures: int = _FAILURES) -> str:
    """The whole report; of the cases that did not pass at most `failures` are told one by one."""
    report = run.report
    parts = [
        f"## {_shown(report.release)} on {_shown(report.dataset)}",
        _head(report),
        *(_gate(run.decision) if run.decision else ()),
        table(("Measure", "Mean", "95 % interval", "Cases", "Unscored", "Rests on"), map(_mean, _means(report))),
        *(_comparison(run.comparison) if run.comparison else ()),
        *(_contest(run.contest) if run.contest else ()),
        *_kinds(report),
        *_failed(report, failures),
        f"Report {report.digest[:12]}; release {report.release_digest[:12]}, dataset {report.dataset_digest[:12]}, "
        f"answered as on {report.as_of}; cost {plain(dollars(report.cost_micros))}.",
    ]
    return "\n\n".join(parts)


def panel(run: Assessment) -> Panel:
    """For the chat: the same, with the page, the report and what a clock measured as files."""
    name = f"report-{run.report.digest[:12]}"
    page = Download(f"{name}.html", "text/html", report_html.as_html(run).encode())
    files = [
        Download(f"{name}.json", "application/json", run.report.content),
        Download(f"{name}-timings.json", "application/json", run.timings()),
    ]
    if run.comparison:
        files.append(Download(f"{name}-comparison.json", "application/json", run.comparison.content))
    if run.decision:
        files.append(Download(f"{name}-gate.json", "application/json", run.decision.content))
    return Panel(as_markdown(run, failures=5), page, downloads=tuple(files))


def _shown(told: str, most: int = 200) -> str:
    return plain(cut(visible(told), most))


def _head(report: Report) -> str:
    told = f"**{report.passed:,} of {len(report.rows):,} cases passed.**"
    if report.partial:
        told += f" The run was interrupted: {report.asked - len(report.rows):,} of {report.asked:,} were not answered."
    return told


def _gate(decision: Decision) -> Iterator[str]:
    told = f"**{_MARKS[decision.verdict]} Gate {decision.verdict.value}:** {_shown(decision.reason, 1_000)}."
    yield told
    heads = ("Measure", "Wanted", "Found", "95 % interval", "Cases", "Verdict")
    if decision.lines:
        yield table(heads, map(_line, decision.lines))
    broke = [
        f"- {_shown(one.measure)}, {one.demand.value}: {_shown(several(one.broke, _NAMES), 2_000)}"
        for one in decision.lines
        if one.broke
    ]
    if broke:
        yield "Cases behind it:\n\n" + "\n".join(broke)


def _line(one: Line) -> Sequence[str]:
    sign = "+" if one.demand is Demand.MARGIN else ""
    return (
        one.measure,
        report_html.wanted(one),
        signed(one.found, one.unit) if sign else number(one.found, one.unit),
        span(one.low, one.high, one.unit, sign),
        f"{one.cases:,}",
        f"{_MARKS[one.verdict]} {one.verdict.value}",
    )


def _means(report: Report) -> Sequence[Mean]:
    return (*report.means, *report.clocked)


def _mean(one: Mean) -> Sequence[str]:
    measure = one.measure
    interval = span(one.low, one.high, measure.unit)
    told = number(one.value, measure.unit), interval, f"{one.cases:,}", f"{one.unscored:,}"
    return visible(measure.words), *told, report_html.RESTS[measure.how]


def _contest(found: Contest) -> Iterator[str]:
    """What a judge of pairs prefers, in both orders."""
    counts = [len(one) for one in (found.won, found.lost, found.tied, found.swayed, found.unscored)]
    asked = sum(counts) - len(found.swayed)  # which stand among the ties
    between = f" ({found.low:.0%} to {found.high:.0%})" if found.low is not None and found.high is not None else ""
    share = "—" if found.share is None else f"{found.share:.0%}{between}"
    heads = ("Answers that differ", "New preferred", "Old preferred", "Ties", "Order decided", "Unscored", "Share won")
    yield "**Preferred by the judge of pairs, each pair in both orders**"
    yield table(heads, [(str(asked), *map(str, counts), share)])
    yield f"By {_shown(found.judge)}. Whether it agrees with people: `/judge`."


def _comparison(found: Comparison) -> Iterator[str]:
    passes, test = found.passes, found.passes.test
    yield f"### Against {_shown(found.old.release)}"
    yield (
        f"On the same {test.cases:,} cases {passes.old:,} passed before and {passes.new:,} now: {test.won:,} won, "
        f"{test.lost:,} lost, {plain(signed(test.difference, 'share'))} "
        f"({plain(span(test.low, test.high, 'share', '+'))}); McNemar's test p = {test.exact:.3g} exactly, "
        f"{test.mid:.3g} by mid-p. {len(found.changed):,} answers are not the same."
    )
    heads = ("Measure", "Before", "Now", "Difference", "95 % interval", "Won", "Lost")
    rows = [
        (
            visible(one.measure.words),
            number(one.found.old, one.measure.unit),
            number(one.found.new, one.measure.unit),
            signed(one.found.difference, one.measure.unit),
            span(one.found.low, one.found.high, one.measure.unit, "+"),
            f"{len(one.found.won):,}",
            f"{len(one.found.lost):,}",
        )
        for one in (*found.changes, *found.clocked)
    ]
    yield table(heads, rows)
    named = {"Lost": passes.lost, "Won": passes.won, "Answered by one of the two only": found.missing}
    for words, names in named.items():
        if names:
            yield f"{words}: {_shown(several(names, _NAMES), 2_000)}."
    if found.left:
        yield "Not compared:\n\n" + "\n".join(f"- {_shown(one.measure)}: {_shown(one.why)}" for one in found.left)


def _kinds(report: Report) -> Iterator[str]:
    kinds = sorted({row.kind for row in report.rows})
    some = {kind: [row.passed for row in report.rows if row.kind == kind] for kind in kinds}
    if some:
        yield table(("Kind", "Passed"), ((visible(kind), f"{sum(one)} of {len(one)}") for kind, one in some.items()))


def _failed(report: Report, most: int) -> Iterator[str]:
    failed = [row for row in report.rows if not row.passed]
    if not failed:
        return
    yield f"### {len(failed):,} did not pass"
    told = [_failure(row) for row in failed[:most]]
    if len(failed) > most:
        told.append(f"- and {len(failed) - most:,} more, in the page and in the JSON report")
    yield "\n".join(told)


def _failure(row: Row) -> str:
    said = _shown(row.answer.text, _SAID) or "(nothing)"
    return f"- **{_shown(row.case)}** “{_shown(row.answer.question)}”: {_shown(row.why, _SAID)}.\n  > {said}"
