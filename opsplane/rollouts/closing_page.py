"""The closing report for people: one HTML page that needs nothing else, no script, no font, no network."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape

from opsplane.difference import FieldChange, Kind, Run
from opsplane.rollouts import chart
from opsplane.rollouts import plan as plans
from opsplane.rollouts.chart import Axes, Series
from opsplane.rollouts.closing import Agreement, Candidate, Closing, Compared, digest, e_value
from opsplane.rollouts.plan import Plan, percent

_METRICS = (
    *("Metric", "Is a", "Stable", "Candidate", "Exchanges", "Customers"),
    *("Difference", "Harm not excluded", "Harm borne", "e-value"),
)
_TOLD = (
    "<p>In points: hundredths of a rate, or of the cap. The difference goes by customers and by the share of the "
    "customers at the time, so that it is not always that of the two means; behind it stands its confidence sequence, "
    "which holds at every look at once. From its threshold on an e-value makes a harm beyond what is borne certain. "
    "Dashed in the pictures are that threshold, and the harm that is borne.</p>\n"
)
_LINES = 6
"""At most so many lines in one picture: more names do not fit beside each other."""


def as_html(closing: Closing) -> str:
    """The whole page; everything in it is in the JSON file too, whose SHA-256 it names."""
    title = escape(f"Rollout {closing.rollout}: {', '.join(one.release for one in closing.candidates)}")
    parts = [
        f"{_TOP}<title>{title}</title>\n{_HEAD}</head>\n<body>\n<h1>{title}</h1>\n",
        _result(closing),
        _facts(_summary(closing)),
        *(_metrics(closing, one) for one in closing.candidates),
        _split(closing),
        _agreements(closing.agreements),
        _story(closing),
        _verdicts(closing),
        *(_changes(closing, one) for one in closing.candidates),
        _plan(closing.plan, closing.plan_digest),
        _origin(closing),
        "</body>\n</html>\n",
    ]
    return "".join(parts)


def _result(closing: Closing) -> str:
    end = closing.end
    if not end.over:
        head = f"Still in progress ({end.status.value}): this is how it stood at {_time(closing.at)} UTC."
    elif end.cause:
        head = f"Aborted ({end.cause.replace('_', ' ')}): {closing.stable} went on to serve every customer."
    else:
        head = f"{end.status.value.capitalize()}" + (f": {end.winner}." if end.winner else ": no winner was named.")
    lines = [end.finding, f"Verdict {end.verdict}: {end.reason}"]
    if end.zero:
        lines.append(f"Zero tolerance: {end.zero}, in exchange {end.zero_exchange}.")
    if closing.losers:
        lines.append(f"Not chosen: {', '.join(closing.losers)}.")
    rest = "".join(f"<p>{escape(line)}</p>\n" for line in lines if line)
    return f'<p class="result">{escape(head)}</p>\n{rest}'


def _summary(closing: Closing) -> Iterator[tuple[str, str]]:
    yield "Kind", closing.kind.value
    yield "Stable release", f"{closing.stable}, SHA-256 {closing.stable_digest}"
    for one in closing.candidates:
        name = "Candidate" if len(closing.candidates) == 1 else f"Candidate {one.number}"
        yield name, f"{one.release}, SHA-256 {one.digest}: {one.fate}"
    yield "Plan", f"{closing.plan.id}, SHA-256 {closing.plan_digest}"
    yield "Started", f"{_time(closing.started)} UTC"
    yield "Ended", f"{_time(closing.end.at)} UTC" if closing.end.at else "not yet"
    yield "Deadline", f"{_time(closing.deadline)} UTC"
    yield "Salt of the split", closing.salt


def _metrics(closing: Closing, one: Candidate) -> str:
    found = [each for each in closing.metrics if each.candidate == one.number]
    rows = [
        (
            escape(each.words),
            "guardrail" if each.guardrail else "quality",
            _points(each.stable.mean),
            _points(each.tried.mean),
            f"{each.stable.exposures:,} / {each.tried.exposures:,}",
            f"{each.stable.customers:,} / {each.tried.customers:,}",
            _interval(each),
            _points(each.worst),
            _points(each.measure.harm),
            f"{e_value(each.log_e):,.2f} of {e_value(each.log_threshold):,.0f}",
        )
        for each in found
    ]
    drawn = [each for each in found if each.path]
    paths = [_e_values(drawn[start : start + _LINES]) for start in range(0, len(drawn), _LINES)]
    pictures = "".join(f"<figure>{picture}</figure>\n" for picture in [*paths, *map(_differences, drawn)])
    return f"<h2>Metrics of {escape(one.release)}</h2>\n{_TOLD}{_table(_METRICS, rows)}{pictures}"


def _e_values(found: Sequence[Compared]) -> str:
    series = [
        Series(each.measure.metric.value, [(point.exposures, e_value(point.log_e)) for point in each.path])
        for each in found
    ]
    threshold = e_value(found[0].log_threshold)
    axes = Axes("exchanges of both sides", "e-value", log=True)
    return chart.lines("e-values of a harm beyond what is borne", series, axes, threshold)


def _differences(one: Compared) -> str:
    series = [
        Series("difference", [(point.exposures, point.difference * 100) for point in one.path]),
        Series("not above", [(point.exposures, point.high * 100) for point in one.path]),
        Series("not below", [(point.exposures, point.low * 100) for point in one.path]),
    ]
    return chart.lines(
        f"{one.words}: difference in points", series, Axes("exchanges of both sides", "points"), -one.measure.harm * 100
    )


def _split(closing: Closing) -> str:
    split = closing.split
    cells = zip(split.arms, split.exposures, split.customers, strict=True)
    rows = [(escape(arm), f"{exposures:,}", f"{customers:,}") for arm, exposures, customers in cells]
    e, limit = (e_value(one) for one in (split.log_e, split.log_threshold))
    told = f"e = {e:,.2f} that customers are not split as they should be; from {limit:,.0f} on that is certain."
    if closing.kind is plans.Kind.SHADOW:
        told = "Every question was answered on both sides, so that there is no split to check."
    return f"<h2>Split of customers</h2>\n{_table(('Side', 'Exchanges', 'Customers'), rows)}<p>{told}</p>\n"


def _agreements(found: Sequence[Agreement]) -> str:
    rows = [
        (
            escape(one.request),
            escape(one.action.replace("-", " ")),
            f"{escape(one.maker)}, {_time(one.made)}: {escape(one.reason)}",
            f"{escape(one.decision)} by {escape(one.decider)}, {_time(one.decided)} {escape(one.answer)}",
            "<br>".join(escape(f"{name.replace('_', ' ')}: {value}") for name, value in one.details.items() if value),
            f"<code>{escape(one.digest)}</code>",
        )
        for one in found
    ]
    headings = ("Request", "Asks to", "By (UTC)", "Decision (UTC)", "Bound to", "SHA-256")
    return f"<h2>Approvals</h2>\n{_table(headings, rows)}"


def _story(closing: Closing) -> str:
    rows = [
        tuple(escape(cell) for cell in (_time(one.at), one.what, f"{one.by} ({one.role})", one.reason))
        for one in closing.story
    ]
    return f"<h2>What happened</h2>\n{_table(('Time (UTC)', 'What', 'Who', 'Why'), rows)}"


def _verdicts(closing: Closing) -> str:
    rows = [
        (
            _time(one.at),
            str(one.step + 1),
            escape(one.verdict),
            escape(one.reason),
            f"{one.exposures:,}",
            str(one.looked_at),
            str(one.entry),
        )
        for one in closing.verdicts
    ]
    headings = ("Time (UTC)", "Step", "Verdict", "Why", "Exchanges", "Looked at up to entry", "Entry")
    return f"<h2>Changes of verdict</h2>\n{_table(headings, rows)}"


def _changes(closing: Closing, one: Candidate) -> str:
    head = f"<h2>What {escape(one.release)} changes</h2>\n"
    if not one.readable:
        return f"{head}<p>This version of the product does not read one of the two releases.</p>\n"
    texts = "".join(
        f'<h3>{escape(change.field)}</h3>\n<p class="text">{_runs(change.runs)}</p>\n' for change in one.texts
    )
    rules = [
        (escape(change.rule), escape(change.pack), change.kind.value, "<br>".join(map(_went, change.fields)))
        for change in one.rules
    ]
    told = f"<p>Against {escape(closing.stable)}.</p>\n{texts}"
    if rules:
        told += f"<h3>Compliance rules</h3>\n{_table(('Rule', 'Pack', 'Is', 'Details'), rules)}"
    return f"{head}{told}{_table(('Field', 'Before', 'After'), [_field(each) for each in one.fields])}"


def _runs(runs: Sequence[Run]) -> str:
    tags = {Kind.ADDED: "ins", Kind.REMOVED: "del"}
    pieces = ((tags.get(run.kind), escape(run.text)) for run in runs)
    return "".join(f"<{tag}>{text}</{tag}>" if tag else text for tag, text in pieces)


def _field(change: FieldChange) -> tuple[str, str, str]:
    before, after = ("—" if side is None else escape(side) for side in (change.before, change.after))
    return escape(change.field), before, after


def _went(change: FieldChange) -> str:
    name, before, after = _field(change)
    return f"{name}: {before} → {after}"


def _plan(plan: Plan, sha256: str) -> str:
    steps = [
        (
            str(number + 1),
            percent(step.parts),
            str(step.hold),
            str(step.customers),
            str(step.exchanges),
            "yes" if step.approval else "no",
        )
        for number, step in enumerate(plan.steps)
    ]
    measures = [
        (
            each.metric.value,
            "guardrail" if each in plan.guardrails else "quality",
            _points(each.harm),
            str(each.cap or "—"),
            "yes" if each.needed else "no",
        )
        for each in plan.measures
    ]
    return "".join(
        [
            f"<h2>Plan {escape(plan.id)}</h2>\n<p>{escape(plan.note)}</p>\n",
            "<h3>Steps</h3>\n",
            _table(("Step", "Share", "Held", "Customers at least", "Exchanges at least", "Left by hand"), steps),
            "<h3>Metrics, as they were laid down before it began</h3>\n",
            _table(("Metric", "Is a", "Harm borne (points)", "Cap", "Needed"), measures),
            f"<p>False alarms over the whole rollout: at most {plan.alpha:.2%}. ",
            f"The plan's very bytes, SHA-256 <code>{sha256}</code>:</p>\n<pre>{escape(plan.canonical())}</pre>\n",
        ]
    )


def _origin(closing: Closing) -> str:
    return (
        "<h2>Where this comes from</h2>\n<p>Made from the record alone; whoever makes it again gets the same bytes. "
        "The JSON file beside this page holds everything in it and every point of every line.</p>\n"
    ) + _facts(
        [
            ("Record", closing.ledger),
            ("Looked at up to entry", f"{closing.seq}; the newest in it happened at {closing.at.isoformat()}"),
            ("SHA-256 of the JSON file", digest(closing)),
        ]
    )


def _interval(one: Compared) -> str:
    if one.difference is None:
        return "—"
    told = f"{one.difference * 100:+.1f}"
    return f"{told} ({one.interval[0] * 100:+.1f} to {one.interval[1] * 100:+.1f})" if one.interval else told


def _points(share: float | None) -> str:
    return "—" if share is None else f"{share * 100:.1f}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _facts(facts: Iterator[tuple[str, str]] | Sequence[tuple[str, str]]) -> str:
    rows = "".join(f"<tr><th>{escape(label)}</th><td>{escape(text)}</td></tr>\n" for label, text in facts)
    return f'<table class="facts">\n{rows}</table>\n'


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose cells are HTML already."""
    if not rows:
        return "<p>None.</p>\n"
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in rows)
    table = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>"
    return f'<div class="wide">{table}</div>\n'


_TOP = '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
_HEAD = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; overflow-wrap: anywhere; } h2 { margin-top: 2.5rem; overflow-wrap: anywhere; }
.result { font-size: 1.15rem; font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #ddd; }
.facts td, code, .text { overflow-wrap: anywhere; }
.facts th { width: 28%; font-weight: 600; }
.wide { overflow-x: auto; } .wide td { min-width: 3.5rem; }
.text { white-space: pre-wrap; } del { color: #9b1c1c; } ins { color: #166534; font-weight: 600; }
figure { margin: 1rem 0; break-inside: avoid; } svg { max-width: 100%; height: auto; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; } code { font-size: .85em; }
@media print { body { max-width: none; margin: 0; } .wide { overflow: visible; } }
</style>
"""
