"""What guardrails found, as Markdown and CSV."""

from collections.abc import Sequence
from itertools import groupby

from assistant.panels import Download, Panel, cut, moment, plain, spreadsheet, table
from opsplane.events import FindingMarked
from opsplane.ledger.firings import Firing
from opsplane.marking import Example

_HEADINGS = ("Check", "Exchanges", "Share", "Marked right", "Marked wrong", "Newest")
_HOW = "`/findings <code>` shows where; `/guardrails mark <exchange> <code> right|wrong` says whether it should have."


def counts(found: Sequence[Firing], what: str) -> Panel:
    """How often each check fired, release by release."""
    heading = "### What the guardrails found"
    if not found:
        return Panel(f"{heading}\n\nNothing {plain(what)}: either nobody asked, or no check found anything.")
    body = [heading, plain(what).capitalize() + "."]
    for release, ours in groupby(found, key=lambda one: one.release):
        rows = [_row(one) for one in ours]
        body += [f"**{plain(release)}**", table(_HEADINGS, rows)]
    return Panel("\n\n".join([*body, _HOW]), _csv(found))


def examples(found: Sequence[Example], code: str) -> Panel:
    """Where a check fired, with the words, the score and the threshold."""
    if not found:
        return Panel(
            f"### {plain(code)}\n\nNo exchange has such a finding. `/guardrails` lists the codes that have some."
        )
    rows = [
        (
            one.exchange.id[:8],
            moment(one.exchange.at),
            one.exchange.release,
            one.finding.code,
            f"{one.finding.stage}: {one.finding.action.value}",
            cut(one.finding.span or "—", 160),
            _score(one),
            cut(one.exchange.question, 160),
        )
        for one in found
    ]
    headings = ("Exchange", "Time (UTC)", "Release", "Code", "Did", "About", "Score / threshold", "Question")
    return Panel(f"### {plain(code)}: the newest\n\n{table(headings, rows)}\n\n{_HOW}")


def marked(event: FindingMarked) -> Panel:
    """That a mark is on the record."""
    text = f"**{plain(event.code)}** in {event.exchange[:8]} is on the record as **{event.verdict}**."
    return Panel(f"{text} `opsplane guardrails marks` writes all marks as rows to tune thresholds by.")


def _row(one: Firing) -> tuple[str, ...]:
    share = f"{one.exchanges / one.of:.1%} of {one.of:,}"
    newest = ", ".join(name[:8] for name in one.newest)
    return one.code, f"{one.exchanges:,}", share, str(one.right), str(one.wrong), newest


def _score(one: Example) -> str:
    if one.finding.score is None:
        return "—"
    return f"{one.finding.score:.2f}" + (f" / {one.finding.threshold:.2f}" if one.finding.threshold is not None else "")


def _csv(found: Sequence[Firing]) -> Download:
    headings = ("release", "code", "exchanges", "of", "right", "wrong", "newest")
    rows = [(one.release, one.code, one.exchanges, one.of, one.right, one.wrong, " ".join(one.newest)) for one in found]
    return Download("guardrails.csv", "text/csv", spreadsheet(headings, rows))
