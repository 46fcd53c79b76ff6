"""What an ingestion did or would do, as Markdown: for the terminal and for the chat."""

from collections.abc import Iterable, Sequence

from assistant.panels import Panel, plain, table
from knowledge.report import Disagreement, Fate, IndexReport, IngestReport

SHOWN = 20
"""So many lines of each list are shown; the rest is counted."""

_FATES = {
    Fate.SERVED: "answers come from it now",
    Fate.UNCHANGED: "unchanged",
    Fate.STAGED: "waits for a second person",
    Fate.BUILT: "built beside: a release has to name it",
    Fate.FROZEN: "left as it is: too much would change",
    Fate.PLANNED: "would be made",
}


def panel(report: IngestReport) -> Panel:
    """The report, document by document where something changed or was left out."""
    if not report.indexes:
        return Panel("\n\n".join(["**No document could be read.** What was served before goes on.", *_lists(report)]))
    title = "### What an ingestion would do" if report.dry_run else "### Documents"
    counts = [
        (name, f"{len(getattr(report, name)):,}")
        for name in ("added", "changed", "unchanged", "removed", "duplicates", "refused")
    ]
    parts = [title, table(("Documents", "Count"), counts), _indexes(report.indexes, dry=report.dry_run)]
    if frozen := [one for one in report.indexes if one.fate is Fate.FROZEN]:
        parts.append(_too_much(frozen))
    return Panel("\n\n".join([*parts, *_lists(report)]))


def _indexes(reports: Sequence[IndexReport], *, dry: bool) -> str:
    rows = [
        (one.index, one.generation or "—", _FATES[one.fate], f"{one.chunks:,}", f"{one.windows:,}", f"{one.embedded:,}")
        for one in reports
    ]
    embedded = "to be embedded" if dry else "embedded anew"
    return table(("Index", "Generation", "What became of it", "Passages", "Windows", embedded), rows)


def _too_much(frozen: Sequence[IndexReport]) -> str:
    share = max(one.share for one in frozen)
    return (
        f"**{share:.0%} of the windows would change at once**, so answers go on as they were, and the new documents "
        "are in an index beside. `opsplane index evaluate` compares the two, and a release that names the new one "
        "rolls it out. `opsplane ingest --at-once` takes the change as it is."
    )


def _lists(report: IngestReport) -> list[str]:
    lists = [
        ("Added", [plain(one) for one in report.added]),
        ("Changed", [plain(one) for one in report.changed]),
        ("Removed", [plain(one) for one in report.removed]),
        ("Left out", [f"{plain(one.name)}: {plain(one.reason)}" for one in report.refused]),
        (
            "Duplicates",
            [f"{plain(one.name)}: {plain(one.reason)}; kept {plain(one.kept)}" for one in report.duplicates],
        ),
        ("Noted", [f"{plain(one.name)}: {plain(one.text)}" for one in report.notes]),
        ("They disagree", [_disagreement(one) for one in report.disagreements]),
    ]
    return [_listed(name, lines) for name, lines in lists if lines]


def _disagreement(one: Disagreement) -> str:
    owners = f" (to be settled by {plain(', '.join(one.owners))})" if one.owners else ""
    left, right = f"{plain(one.left)} says {plain(one.left_says)}", f"{plain(one.right)} says {plain(one.right_says)}"
    return f"{plain(one.label)}, {one.since}: {left}; {right}{owners}"


def _listed(name: str, lines: Iterable[str]) -> str:
    every = list(lines)
    more = [f"- … and {len(every) - SHOWN:,} more"] if len(every) > SHOWN else []
    return f"**{name}**\n\n" + "\n".join([*(f"- {line}" for line in every[:SHOWN]), *more])
