"""Evaluations in the chat: what one came to, and which reports there are."""

from collections.abc import Sequence

from assistant import report_text
from assistant.evaluator import Made
from assistant.panels import Panel, cut, dollars, plain, table
from opsplane.control_events import ReleaseEvaluated
from opsplane.state import State

NEWEST = 30
"""Reports that are listed."""
_SUMMARY = 160


def made(one: Made) -> Panel:
    """The report, and what making it cost."""
    panel = report_text.panel(one.assessment)
    spent = f"{dollars(one.spent_micros)} spent" if one.spent_micros else "nothing spent"
    told = f"{one.known:,} answers were known from before; {plain(spent)}. It is on the record."
    again = f"`/report {one.assessment.report.digest[:12]}` shows it again."
    return Panel(f"{panel.text}\n\n{told} {again}", panel.download, downloads=panel.downloads)


def listed(reports: Sequence[ReleaseEvaluated], state: State) -> Panel:
    """The newest reports of every release."""
    if not reports:
        return Panel("### Reports\n\nNothing was evaluated yet: `/evaluate` runs the golden set on what serves.")
    rows = [
        (state.short(one.digest), one.dataset, one.report[:12], _verdict(one), cut(one.summary, _SUMMARY))
        for one in reversed(reports[-NEWEST:])
    ]
    more = f" The newest {NEWEST} of {len(reports):,}." if len(reports) > NEWEST else ""
    head = f"### Reports\n\n`/report <digest>` opens one.{more}"
    return Panel(f"{head}\n\n{table(('Release', 'Dataset', 'Report', 'Gate', 'Summary'), rows)}")


def _verdict(one: ReleaseEvaluated) -> str:
    return "passed" if one.passed else "not passed"
