"""Documents, what is withdrawn or would change, and requests about them as Markdown, tables and files."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo

from assistant import ingest_panel
from assistant.document_changes import Changes
from assistant.holdings import Holding, Holdings, Standing
from assistant.intents import PATIENCE
from assistant.panels import Download, Panel, cut, moment, plain, spreadsheet, table
from assistant.release_panels import marked
from knowledge.conflicts import Conflict, Side
from knowledge.document import UNDATED, Document
from knowledge.report import IngestReport
from opsplane.approval import Request
from opsplane.document_events import DocumentsServed
from opsplane.intent import Intent
from opsplane.requests import Action

SHOWN = 25
"""Rows of a table; the whole list goes with it as a file."""
_TITLE = 60
_QUOTE = 200
_NAMED = 10  # documents that are named in one line
_ORDER = (Standing.IN_FORCE, Standing.WITHDRAWN, Standing.WAITS, Standing.ENDED, Standing.LONG_OVER)
_HEADINGS = ("Document", "Title", "Kind", "For", "In force", "Owner", "Passages")
_FIELDS = (
    "standing",
    "id",
    "version",
    "title",
    "kind",
    "audience",
    "effective_from",
    "effective_to",
    "owner",
    "source",
    "passages",
    "withdrawn_since",
    "withdrawn_by",
    "reason",
)


def listed(found: Holdings, word: str, at: date | None, zone: tzinfo) -> Panel:
    """What a generation holds; `at` is the day whose generation was asked for, `zone` whose days are told."""
    counts = ", ".join(f"{len(found.standing(one)):,} {one.value}" for one in _ORDER if found.standing(one))
    since = datetime.fromtimestamp(found.service.since, UTC).astimezone(zone)
    what = f"what was served on {at}" if at else "what is served now"
    lines = [
        f"### Documents on {found.on}",
        f"By {what}: generation {plain(found.service.generation)} of index {plain(found.index)}, since "
        f"{since:%Y-%m-%d %H:%M} ({plain(found.service.why or 'no reason given')}).",
    ]
    if found.others:
        names = ", ".join(plain(one.generation) for one in found.others[-_NAMED:])
        lines.append(f"Earlier on that day answers came from {names}. The table is of the last.")
    matching = f" with {plain(word[:80])!r}" if word else ""
    if not found.rows:
        return Panel("\n\n".join([*lines, f"There is no document{matching}. /documents alone lists all."]))
    lines.append(f"**{len(found.rows):,} document{'' if len(found.rows) == 1 else 's'}{matching}:** {counts}.")
    for standing in _ORDER[:-1]:
        lines += _section(standing, found.standing(standing))
    if not found.standing(Standing.IN_FORCE):
        lines.insert(3, "**None of them is in force on that day.**")
    name = f"documents-{found.on}{f'-at-{at}' if at else ''}.csv"
    return Panel("\n\n".join(lines), Download(name, "text/csv", spreadsheet(_FIELDS, map(_cells, found.rows))))


def proposed(wanted: Intent, *, terminal: bool) -> Panel:
    """What will be done; in a chat also how to say yes."""
    return Panel(
        "\n\n".join([f"### {wanted.command.capitalize()}", plain(wanted.words), *_sure(wanted, terminal=terminal)])
    )


def done(wanted: Intent) -> Panel:
    """That it is done."""
    document = plain(str(getattr(wanted.deed, "document", "")))
    if wanted.command == "withdraw":
        return Panel(
            f"### Withdrawn\n\nNobody is answered from **{document}** any more. It stays in the library; "
            f"`/documents` lists it, and `/reinstate` asks for it to be used again."
        )
    return Panel(f"### Reinstated\n\nCustomers are answered from **{document}** again, where it is in force.")


def asked(one: Request, action: Action) -> Panel:
    """A request that waits for a second person."""
    who = " or ".join(role.value for role in action.who(one))
    until = f" It lapses on {moment(one.until)} UTC." if one.until else ""
    return Panel(
        f"### Request {plain(one.id)}\n\nYou ask to {plain(f'{action.words} {one.subject}')}. "
        f"Until it is agreed to nothing changes for customers.\n\n"
        f"A second person ({plain(who)}, but not {plain(one.maker.id)}) decides: `/approve {one.id}` or "
        f'`/reject {one.id} reason="…"`.{until}'
    )


def staged(one: Request, action: Action, report: IngestReport, changes: Changes) -> Panel:
    """What was staged, and the request that waits."""
    return Panel("\n\n".join([preview(report, changes).text, asked(one, action).text]))


def preview(report: IngestReport | None, changes: Changes) -> Panel:
    """What publishing would change for customers; the report is missing where its file is gone."""
    parts = [f"### What would change: {plain(changes.summary)}"]
    for title, some in (("Added", changes.added), ("Changed", changes.changed), ("Removed", changes.removed)):
        if some:
            parts.append(f"**{title}**\n\n{_documents(some)}")
    if changes.edits:
        parts.append("~~What went~~ and **what came**, word by word:")
        parts += [
            f"{plain(one.name)}{f' against {plain(one.other)}' if one.other != one.name else ''}"
            f"{f', {plain(cut(one.section, _QUOTE))}' if one.section else ''}: {marked(one.runs)}"
            for one in changes.edits
        ]
    if changes.uncompared:
        parts.append(f"{changes.uncompared:,} further sections differ and are not shown here.")
    if changes.conflicts:
        parts.append("**They would disagree with documents in force**\n\n" + _conflicts(changes.conflicts[:SHOWN]))
    if report:
        embedded = ", ".join(f"{one.share:.1%} of {plain(one.index)}" for one in report.indexes)
        parts.append(f"Windows that change: {embedded}; {report.embedded:,} were embedded anew.")
        parts += _left_out(report)
    return Panel("\n\n".join(parts))


def unchanged(report: IngestReport) -> Panel:
    """That nothing waits, because nothing would change."""
    told = _left_out(report)
    return Panel("\n\n".join(["### Nothing would change", "So nothing waits for a second person.", *told]))


def looked(report: IngestReport, wanted: Intent, *, terminal: bool) -> Panel:
    """What the sources hold by now."""
    parts = [ingest_panel.panel(report).text, plain(wanted.words), *_sure(wanted, terminal=terminal)]
    return Panel("\n\n".join(parts))


def agreeing(wanted: Intent, before: Panel | None, *, terminal: bool) -> Panel:
    """What a second person's yes would do."""
    parts = ["### Approve", plain(wanted.words), *([before.text] if before else []), *_sure(wanted, terminal=terminal)]
    return Panel("\n\n".join(parts))


def approved(one: Request, served: Sequence[DocumentsServed]) -> Panel:
    """A request that was approved and carried out."""
    head = f"### Request {plain(one.id)} approved"
    if not served:
        return Panel(f"{head}\n\nCustomers are answered from {plain(one.subject)} again, where it is in force.")
    rows = [(each.index, each.before, each.generation, f"{each.documents:,}") for each in served]
    return Panel(
        f"{head}\n\nPublished {plain(one.subject)}. Answers come from them from the next turn on, in every process.\n\n"
        + table(("Index", "Before", "Now", "Documents"), rows)
    )


def waiting(names: Sequence[str]) -> Panel:
    """Files that wait for /ingest."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return Panel(
        f"### {len(names)} files wait here\n\n{plain(', '.join(names[:_NAMED]))}{more}. Nothing has changed yet.\n\n"
        '`/ingest reason="…"` shows what they would change and asks a second person; `/ingest cancel` lets go of them.'
    )


def conflicting(found: Sequence[Conflict], on: date, count: int) -> Panel:
    """Documents in force on a day that disagree."""
    title = f"### Conflicts on {on}"
    if not found:
        return Panel(f"{title}\n\nNo two of the {count:,} documents in force disagree, as far as figures tell.")
    more = f"\n\n{len(found) - SHOWN:,} more are in the file." if len(found) > SHOWN else ""
    text = f"{title}\n\n{len(found):,} among {count:,} documents in force:\n\n{_conflicts(found[:SHOWN])}{more}"
    fields = ("about", "for", "document", "owner", "says", "quote", "other", "other_owner", "other_says", "other_quote")
    rows = [(one.label, one.audience, *_side_cells(one.first), *_side_cells(one.second)) for one in found]
    return Panel(text, Download(f"conflicts-{on}.csv", "text/csv", spreadsheet(fields, rows)))


def _sure(wanted: Intent, *, terminal: bool) -> list[str]:
    parts = [f"Why: {plain(wanted.deed.reason)}"] if wanted.deed.reason else []
    if not terminal:
        minutes = int(PATIENCE.total_seconds() // 60)
        parts.append(f"Answer **yes** within {minutes} minutes to go on; anything else leaves everything as it is.")
    return parts


def _section(standing: Standing, rows: Sequence[Holding]) -> list[str]:
    if not rows:
        return []
    more = [f"{len(rows) - SHOWN:,} more are in the file; `/documents word` shows fewer."] if len(rows) > SHOWN else []
    told = table(_HEADINGS, [_row(one) for one in rows[:SHOWN]])
    title = standing.value.capitalize()
    if standing is Standing.WITHDRAWN:
        told = table(
            (*_HEADINGS[:2], "Since (UTC)", "By", "Why"),
            [
                (one.document.name, cut(one.document.title, _TITLE), moment(held.at), held.by.id, held.reason)
                for one in rows[:SHOWN]
                if (held := one.withheld)
            ],
        )
    return [f"**{title}**\n\n{told}", *more]


def _row(one: Holding) -> tuple[str, ...]:
    document = one.document
    owner, title = document.owner or "—", cut(document.title, _TITLE)
    return document.name, title, document.kind, document.audience, _period(document), owner, f"{one.passages:,}"


def _period(one: Document) -> str:
    begin = "" if one.effective_from == UNDATED else f"since {one.effective_from}"
    end = f"until {one.effective_to}" if one.effective_to else ""
    return " ".join(part for part in (begin, end) if part) or "—"


def _cells(one: Holding) -> tuple[object, ...]:
    document, held = one.document, one.withheld
    begin = "" if document.effective_from == UNDATED else document.effective_from
    stopped = (moment(held.at), held.by.id, held.reason) if held else ("", "", "")
    said = document.title, document.kind.value, document.audience, begin, document.effective_to or ""
    return (
        one.standing.value,
        document.id,
        document.version,
        *said,
        document.owner,
        document.source,
        one.passages,
        *stopped,
    )


def _left_out(report: IngestReport) -> list[str]:
    """Files that are not in it, and what was noted of those that are."""
    lists = (
        ("Left out", [f"{plain(one.name)}: {plain(one.reason)}" for one in report.refused]),
        (
            "Duplicates",
            [f"{plain(one.name)}: {plain(one.reason)}; kept {plain(one.kept)}" for one in report.duplicates],
        ),
        ("Noted", [f"{plain(one.name)}: {plain(one.text)}" for one in report.notes]),
    )
    told = []
    for name, lines in lists:
        more = [f"- … and {len(lines) - SHOWN:,} more"] if len(lines) > SHOWN else []
        told += ["\n".join([f"**{name}**\n", *(f"- {line}" for line in lines[:SHOWN]), *more])] if lines else []
    return told


def _documents(some: Sequence[Document]) -> str:
    more = [f"- … and {len(some) - SHOWN:,} more"] if len(some) > SHOWN else []
    lines = [
        f"- {plain(one.name)}: {plain(cut(one.title, _TITLE))}, {plain(one.kind)}, for {plain(one.audience)}, "
        f"{plain(_period(one))}"
        for one in some[:SHOWN]
    ]
    return "\n".join([*lines, *more])


def _conflicts(found: Sequence[Conflict]) -> str:
    rows = [
        (one.label, *(f"{side.document}: {cut(side.quote, _QUOTE)}" for side in _sides(one)), _owners(one))
        for one in found
    ]
    return table(("About", "Newer", "Older", "Owners"), rows)


def _sides(one: Conflict) -> tuple[Side, Side]:
    return one.first, one.second


def _owners(one: Conflict) -> str:
    return ", ".join(dict.fromkeys(side.owner for side in _sides(one) if side.owner)) or "nobody is named"


def _side_cells(side: Side) -> tuple[str, ...]:
    return side.document, side.owner, side.value, side.quote
