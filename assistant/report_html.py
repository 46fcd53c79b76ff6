"""An evaluation for people: one HTML page that needs nothing else, no font, no network, no script but its own."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from assistant import markup, report_cases
from assistant.markup import number, signed, span, text
from assistant.report_cases import Sources, several
from assistant.report_style import POLICY, SCRIPT, STYLE
from opsplane.evaluation.assessment import Assessment
from opsplane.evaluation.comparison import Change, Comparison
from opsplane.evaluation.gate import Decision, Demand, Line, Verdict
from opsplane.evaluation.report import Mean, Report, Row
from opsplane.evaluation.scoring import Better, How

RESTS = {
    How.RULE: "counted",
    How.EMBEDDED: "embedded models",
    How.MODEL: "a language model",
    How.CLOCK: "the clock of this machine",
}
_STATES = {
    "failed": "not passed",
    "passed": "passed",
    "unscored": "something unscored",
    "withheld": "something withheld",
    "lost": "lost against before",
    "won": "won against before",
    "changed": "answered differently",
}
_LOOKS = {Verdict.PASSED: ("good", "✓"), Verdict.FAILED: ("bad", "✗"), Verdict.INCONCLUSIVE: ("open", "?")}
_GROUPS = 60
"""Kinds or tags in one table."""


def as_html(run: Assessment) -> str:
    """The whole page. Every text in it is shown as text; everything in it stands in the JSON report too."""
    report, places = run.report, report_cases.anchors(run.report.rows)
    sources = Sources()
    cases = report_cases.as_html(run, sources)
    sections = {
        "gate": ("Gate", _gate(run.decision, places) if run.decision else ""),
        "measures": ("Measures", _measures(report)),
        "comparison": ("Comparison", _comparison(run.comparison, places) if run.comparison else ""),
        "kinds": ("By kind", _groups("By kind", report, lambda row: (row.kind,))),
        "tags": ("By tag", _groups("By tag", report, lambda row: row.tags)),
        "cases": ("Cases", f"{_filter(run)}{cases}" if report.rows else "<p>No case was answered.</p>\n"),
        "sources": ("Sources", sources.as_html()),
        "origin": ("Where this comes from", _origin(run)),
    }
    shown = {name: (heading, told) for name, (heading, told) in sections.items() if told}
    links = "".join(f'<li><a href="#{name}">{heading}</a></li>' for name, (heading, _) in shown.items())
    body = "".join(
        f'<section aria-labelledby="{name}">\n<h2 id="{name}">{heading}</h2>\n{told}</section>\n'
        for name, (heading, told) in shown.items()
    )
    title = f"{text(report.release)} on {text(report.dataset)}"
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n{_result(run)}</header>\n"
        f'<nav aria-label="On this page"><ul>{links}</ul></nav>\n<main>\n{body}</main>\n'
        f"<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _result(run: Assessment) -> str:
    report, decision = run.report, run.decision
    head = f"{report.passed:,} of {len(report.rows):,} cases passed"
    if report.partial:
        head += f"; {report.asked - len(report.rows):,} of {report.asked:,} were not answered, the run was interrupted"
    told = f"<p>{head}.</p>\n"
    if decision:
        look, mark = _LOOKS[decision.verdict]
        said = f"{mark} Gate {decision.verdict.value}: {text(decision.reason)}."
        told = f'<p class="result {look}">{said}</p>\n{told}'
    return told


def _measures(report: Report) -> str:
    headings = ("Measure", "Mean", "95 % interval", "From 0 to 1", "Better", "Cases", "Unscored", "Rests on")
    return markup.table("Measures", headings, map(_mean, (*report.means, *report.clocked)))


def _mean(one: Mean) -> tuple[str, ...]:
    unit = one.measure.unit
    unscored = f'<span class="open">{one.unscored:,}</span>' if one.unscored else "0"
    return (
        text(one.measure.words),
        number(one.value, unit),
        span(one.low, one.high, unit),
        _picture(one),
        one.measure.better.value,
        f"{one.cases:,}",
        unscored,
        RESTS[one.measure.how],
    )


def _picture(one: Mean) -> str:
    """Where a share and its interval lie between 0 and 1; the numbers beside it say the same."""
    if one.measure.unit != "share" or one.value is None or one.low is None or one.high is None:
        return ""
    low, at, high = (round(5 + 110 * min(max(value, 0.0), 1.0), 1) for value in (one.low, one.value, one.high))
    return (
        '<svg class="span" viewBox="0 0 120 16" aria-hidden="true"><path class="track" d="M5 8H115"/>'
        f'<path class="band" d="M{low} 8H{high}"/><circle class="dot" cx="{at}" cy="8" r="4"/></svg>'
    )


def _gate(decision: Decision, places: dict[str, str]) -> str:
    headings = ("Measure", "Wanted", "Found", "95 % interval", "Cases", "Verdict", "Why", "Cases behind it")
    told = markup.table("Demands of the policy", headings, (_line(one, places) for one in decision.lines))
    return told or "<p>The policy demands nothing.</p>\n"


def _line(one: Line, places: dict[str, str]) -> tuple[str, ...]:
    look, mark = _LOOKS[one.verdict]
    sign = "+" if one.demand is Demand.MARGIN else ""
    found = signed(one.found, one.unit) if sign else number(one.found, one.unit)
    return (
        text(one.words),
        wanted(one),
        found,
        span(one.low, one.high, one.unit, sign),
        f"{one.cases:,}",
        f'<span class="{look}">{mark}\u00a0{one.verdict.value}</span>',
        f'<div class="why">{text(one.reason)}</div>',
        several(one.broke, places),
    )


def wanted(one: Line) -> str:
    """A demand in words."""
    told = number(one.wanted, one.unit)
    words = {Demand.LEAST: f"at least {told}", Demand.MOST: f"at most {told}", Demand.MARGIN: f"at most {told} lost"}
    return words[one.demand]


def _comparison(found: Comparison, places: dict[str, str]) -> str:
    passes = found.passes
    headings = ("Measure", "Before", "Now", "Difference", "95 % interval", "Better", "Cases", "Won", "Lost")
    listed = {"Lost": passes.lost, "Won": passes.won, "Not compared, answered once": found.missing}
    names = "".join(f"<h3>{head}</h3>\n{told}\n" for head, some in listed.items() if (told := several(some, places)))
    left = "".join(f"<li>{text(one.measure)}: {text(one.why)}</li>\n" for one in found.left)
    test = passes.test
    told = (
        f"<p>Against {text(found.old.release)}, on the same {test.cases:,} cases: {passes.old:,} passed before and "
        f"{passes.new:,} now, {test.won:,} won and {test.lost:,} lost, a difference of "
        f"{signed(test.difference, 'share')} ({span(test.low, test.high, 'share', '+')}). By McNemar’s test p = "
        f"{test.exact:.3g} exactly, {test.mid:.3g} by mid-p. {len(found.changed):,} answers are not the same.</p>\n"
    )
    told += markup.table("Measures before and now", headings, map(_change, (*found.changes, *found.clocked)))
    return told + names + (f'<h3>Measures not compared</h3>\n<ul class="said">\n{left}</ul>\n' if left else "")


def _change(one: Change) -> tuple[str, ...]:
    found, unit = one.found, one.measure.unit
    loss, least, most = one.loss
    look = "bad" if least > 0 and loss > 0 else "good" if most < 0 and loss < 0 else "soft"
    return (
        text(one.measure.words),
        number(found.old, unit),
        number(found.new, unit),
        f'<span class="{look}">{signed(found.difference, unit)}</span>',
        span(found.low, found.high, unit, "+"),
        one.measure.better.value,
        f"{found.questions:,}",
        f"{len(found.won):,}",
        f"{len(found.lost):,}",
    )


def _groups(caption: str, report: Report, group: Callable[[Row], Iterable[str]]) -> str:
    """Passed cases and the mean of each share by kind or tag."""
    rows: dict[str, list[Row]] = {}
    for row in report.rows:
        for name in group(row):
            rows.setdefault(name, []).append(row)
    measures = [mean.measure for mean in report.means if mean.measure.unit == "share"]

    def cells(name: str) -> tuple[str, ...]:
        some = rows[name]
        passed = sum(row.passed for row in some)
        means = (number(_average(some, one.name), one.unit) for one in measures)
        return text(name), f"{passed:,}\u00a0of\u00a0{len(some):,}", *means

    told = markup.table(caption, ("", "Passed", *(one.name for one in measures)), map(cells, sorted(rows)[:_GROUPS]))
    more = len(rows) - _GROUPS
    return told + (f"<p>and {more:,} more</p>\n" if more > 0 else "")


def _average(rows: Sequence[Row], name: str) -> float | None:
    scores = (row.score(name) for row in rows)
    values = [one.value for one in scores if one and one.value is not None]
    return sum(values) / len(values) if values else None


def _filter(run: Assessment) -> str:
    """What to look for among the cases; without its script it stays hidden, and every case is there."""
    rows = run.report.rows
    found = {state for row in rows for state in report_cases.states(row, run)}
    choices = {
        "state": ("Cases", [(state, words) for state, words in _STATES.items() if state in found]),
        "kind": ("Kind", [(one, one) for one in sorted({row.kind for row in rows})]),
        "tag": ("Tag", [(one, one) for one in sorted({tag for row in rows for tag in row.tags})]),
    }
    return (
        '<form id="filter" role="search" hidden>\n<label class="words">Search<input type="search" name="words" '
        'placeholder="words of a question, an answer, a score" autocomplete="off"></label>\n'
        f"{''.join(_choice(name, label, some) for name, (label, some) in choices.items())}"
        '<button type="reset">Show all</button>\n<button type="button" id="unfold">Fold or unfold</button>\n'
        '<output id="told" aria-live="polite"></output>\n</form>\n'
    )


def _choice(name: str, label: str, options: Sequence[tuple[str, str]]) -> str:
    told = "".join(f'<option value="{text(value)}">{text(words, 80)}</option>' for value, words in options)
    return f'<label>{label}<select name="{name}"><option value="">all</option>{told}</select></label>\n'


def _origin(run: Assessment) -> str:
    return (
        "<p>Intervals are 95 % percentile bootstraps over cases, and of differences over cases on both sides drawn "
        "together. Who makes this page again out of the same report gets the same bytes, but for what a clock "
        "measured.</p>\n"
    ) + markup.facts(_origins(run))


def _origins(run: Assessment) -> Iterator[tuple[str, str]]:
    report = run.report
    yield "Release", f"{text(report.release)} <code>{text(report.release_digest)}</code>"
    yield "Dataset", f"{text(report.dataset)} <code>{text(report.dataset_digest)}</code>"
    yield "Answered as on", report.as_of.isoformat()
    yield "Index", " ".join(text(one) for one in (report.index, report.generation) if one)
    yield "Judge", text(report.judge)
    yield "Cost", f"{number(report.cost_micros, 'micros')}, as if nothing had been known from before"
    yield "Report", f"<code>{report.digest}</code>"
    if run.baseline:
        yield "Compared with", f"{text(run.baseline.release)}, report <code>{run.baseline.digest}</code>"
    if run.comparison:
        yield "Comparison", f"<code>{run.comparison.digest}</code>"
    if run.decision:
        vote = "has a vote" if run.decision.votes else "has no vote"
        yield "Judge’s vote", f"{text(run.decision.judge)} {vote}" if run.decision.judge else ""
        yield "Gate", f"decision <code>{run.decision.digest}</code>, demands <code>{run.decision.policy}</code>"
    for mean in (*report.means, *report.clocked):
        yield mean.measure.name, f"better {_sense(mean)}, version <code>{text(mean.measure.digest)}</code>"


def _sense(mean: Mean) -> str:
    return "higher" if mean.measure.better is Better.HIGHER else "lower"
