"""A diagnosis as Markdown: what to change first, and the cases behind it."""

from assistant.panels import cut, plain, table
from opsplane.evaluation.diagnosis import WORDS, Diagnosis
from opsplane.evaluation.report import Report

_DETAIL = 160


def as_markdown(found: Diagnosis, report: Report, cases: int) -> str:
    """Counts, advice, and of each cause at most so many cases."""
    head = f"## Why {plain(report.release)} fails on {plain(report.dataset)}"
    if not found.found:
        return f"{head}\n\nAll {found.cases} cases passed: there is nothing to mend."
    groups = found.by_cause()
    rows = [(WORDS[cause], str(len(some)), f"{len(some) / len(found.found):.0%}") for cause, some in groups.items()]
    parts = [
        head,
        f"{len(found.found)} of {found.cases} cases did not pass. Corrected answers on the record: {found.corrected}.",
        table(("Cause", "Cases", "Share"), rows),
        "**What to change, the most worthwhile first**",
        "\n".join(f"{number}. {plain(one)}" for number, one in enumerate(found.advice(), start=1)),
    ]
    for cause, some in groups.items() if cases else ():
        parts.append(f"**{WORDS[cause][0].upper()}{WORDS[cause][1:]}**")
        parts.append("\n".join(f"- {plain(one.case)}: {plain(cut(one.detail, _DETAIL))}" for one in some[:cases]))
    return "\n\n".join(parts)
