"""Indexes as Markdown and tables: all of them, one with its history, why a question found what it found."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from assistant.index_collection import Collected
from assistant.index_comparison import several
from assistant.index_facts import Facts, moment
from assistant.intents import PATIENCE
from assistant.panels import Download, Panel, cut, plain, table
from assistant.panels import moment as told
from knowledge.change import Change
from knowledge.collecting import Freed
from knowledge.history import Step
from knowledge.reconcile import Audited, Verified
from knowledge.trace import Candidate, Trace
from opsplane.document_events import IndexEvaluated
from opsplane.indexes import Restore, Standing

LISTED = 12
"""Documents that are named where more of them changed."""
_TEXT, _PROBLEMS = 90, 30
_CANDIDATES, _BARRED = 12, 8  # rows that are shown of each
_FATES = {
    ("kept", True): "stays",
    ("kept", False): "stays",
    ("retired", True): "given up, files deleted",
    ("retired", False): "would be given up",
    ("dropped", True): "rows deleted",
    ("dropped", False): "rows would be deleted",
}


def listed(rows: Sequence[Facts], size: int) -> Panel:
    """Every index in a table, and what becomes of each."""
    if not rows:
        return Panel("### Indexes\n\nThere is none yet: `opsplane ingest <folder>` makes the first.")
    heads = ("Index", "Documents", "Passages", "Serves")
    parts = [
        f"### {len(rows)} {'index' if len(rows) == 1 else 'indexes'}, {megabytes(size)} on disk with what they share",
        table(heads, [_row(one) for one in rows]),
        "\n".join(f"- **{plain(one.built.id)}**: {plain(_told(one))}" for one in rows),
        "`/index <id>` tells what one served; `opsplane index build` makes another beside them.",
    ]
    return Panel("\n\n".join(parts))


def one(facts: Facts, steps: Sequence[Step], reports: Sequence[IndexEvaluated], held: str) -> Panel:
    """One index: how it is made, who names it, what it served, how it was evaluated."""
    spec = facts.built.spec
    chunking = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in spec.chunking.model_dump().items())
    rows = [
        ("Embedding model", spec.embedding),
        ("Chunking", chunking),
        ("Edition of the corpus", str(spec.edition)),
        ("Built", f"{told(moment(facts.built.made))} UTC"),
        ("Holds", f"{facts.documents:,} documents, {facts.passages:,} passages, {facts.windows:,} windows"),
        ("On disk", megabytes(facts.size)),
        ("Releases", "; ".join(facts.releases) or "none names it"),
        ("What becomes of it", standing(facts.standing)),
    ]
    parts = [f"### Index {plain(facts.built.id)}", table(("", ""), rows)]
    if held:
        parts.append(
            f"Somebody went back to {plain(facts.service.generation if facts.service else '')}; without that "
            f"{plain(held)} would serve. It ends with the next ingestion that brings something new."
        )
    parts.append("**What it served**" if steps else "It has served nothing yet.")
    if steps:
        heads = ("Generation", "From (UTC)", "Until (UTC)", "Why", "Documents", "What changed")
        parts.append(table(heads, [_step(step) for step in steps]))
        parts.append(f'`/index {facts.built.id} restore <generation> reason="…"` lets an earlier one serve again.')
    parts.append("**Evaluations**" if reports else "It was not evaluated yet: `opsplane index evaluate` does that.")
    if reports:
        heads = ("Against", "On", "Generation", "Passed", "What came of it", "Report")
        parts.append(table(heads, [_report(report) for report in reversed(reports)]))
    return Panel("\n\n".join(parts))


def restoring(deed: Restore, change: Change, *, terminal: bool) -> Panel:
    """What going back would do; in a chat also how to say yes."""
    parts = [
        f"### Index {plain(deed.index)}",
        f"Answers come from **{plain(deed.generation)}** again instead of {plain(deed.before)}, from the next turn on.",
        f"Documents that this changes: {plain(changed(change))}.",
        "It stays so until the next ingestion that brings something new. What was withdrawn stays withdrawn.",
        f"Why: {plain(deed.reason)}",
    ]
    if not terminal:
        minutes = int(PATIENCE.total_seconds() // 60)
        parts.append(f"Answer **yes** within {minutes} minutes to go on; anything else leaves everything as it is.")
    return Panel("\n\n".join(parts))


def restored(deed: Restore) -> Panel:
    """That it was done."""
    return Panel(
        f"### Done\n\nThe index {plain(deed.index)} answers from {plain(deed.generation)} again, in every process. "
        f'`/index {deed.index} restore {deed.before} reason="…"` takes that back.'
    )


def why(trace: Trace) -> Panel:
    """Every candidate of a question, and what would have matched and may not be read."""
    head = [f"### Why: {plain(cut(trace.query, 200))}"]
    if not trace.generation:
        return Panel(f"{head[0]}\n\nThe index {plain(trace.index or '(none)')} has served nothing yet.")
    head.append(
        f"Searched in {plain(trace.index)}, generation {plain(trace.generation)}, among what customers may read on "
        f"{trace.on}."
    )
    names = list(dict.fromkeys(name for one in (*trace.candidates, *trace.barred) for name in one.scores))
    shown = [one for number, one in enumerate(trace.candidates) if number < _CANDIDATES or one.used]
    if shown:
        heads = ("Rank", "Document", "Section", *(name.capitalize() for name in names), "Why")
        head.append(table(heads, [_candidate(one, names) for one in shown]))
    else:
        head.append("Nothing that may be read matches.")
    weakest = min((one.scores["fused"] for one in trace.candidates if one.used), default=0.0)
    barred = [one for one in trace.barred if one.scores["fused"] >= weakest]
    if barred:
        heads = ("Document", "Section", *(name.capitalize() for name in names), "Why not", "Says")
        head.append("**Scores as high, and is not answered from:**")
        head.append(table(heads, [_barred(one, names) for one in barred[:_BARRED]]))
    else:
        head.append("Nothing that may not be read scores as high: no future, past, withdrawn or internal document.")
    if len(shown) < len(trace.candidates) or len(barred) < len(trace.barred) or len(barred) > _BARRED:
        head.append("The file has every candidate.")
    content = trace.model_dump_json(indent=1).encode()
    return Panel("\n\n".join(head), Download("why.json", "application/json", content))


def collected(found: Sequence[Collected]) -> str:
    """What a collection did, or would do, and why the rest stays."""
    if not found:
        return "There is no index yet."
    rows = []
    for one in found:
        freed = one.freed
        went = [f"{count:,} {name}" for name, count in _counts(freed) if count]
        told_ = f"{megabytes(freed.size)}{', ' if went else ''}{', '.join(went)}" if one.fate != "kept" else "—"
        rows.append((one.standing.index.id, _FATES[one.fate, one.done], told_, standing(one.standing)))
    return table(("Index", "What", "Freed", "Why"), rows)


def verified(found: Sequence[Verified], *, audit: bool) -> str:
    """What was looked at, each problem, and with `audit` every source file."""
    parts = []
    for one in found:
        state = "holds" if one.sound else f"has {len(one.problems)} problems"
        parts.append(
            f"**{plain(one.index)}** {state}: generation {plain(one.generation or 'none')}, {len(one.audit):,} "
            f"documents, {one.passages:,} passages, {one.windows:,} windows; {one.sampled} passages embedded anew."
            f"{' It was mended.' if one.mended else ''}"
        )
        if one.problems:
            parts.append("\n".join(f"- {plain(problem)}" for problem in one.problems[:_PROBLEMS]))
        if len(one.problems) > _PROBLEMS:
            parts.append(f"and {len(one.problems) - _PROBLEMS} more.")
        if audit:
            heads = ("Document", "Source", "Characters", "Passages", "Windows", "Vectors", "Words lost", "Notes")
            parts.append(table(heads, [_audited(file) for file in one.audit]))
    return "\n\n".join(parts) or "There is no index yet."


def standing(one: Standing) -> str:
    """What becomes of an index, in a sentence."""
    if one.index.retired:
        return (
            f"Given up on {one.index.retired:%Y-%m-%d}; its files are gone, and what the record says of it stays "
            f"until {one.droppable:%Y-%m-%d}."
        )
    if not one.needs:
        return "Nothing needs it: it is given up with the next collection."
    until = f" It may be given up from {one.until:%Y-%m-%d} on." if one.until else ""
    return f"Stays because {'; '.join(need.why for need in one.needs[:3])}.{until}"


def changed(change: Change) -> str:
    """Documents that differ, the first of each kind by name."""
    kinds = (("added", change.added), ("changed", change.changed), ("removed", change.removed))
    return "; ".join(f"{len(names)} {kind}: {several(names, LISTED)}" for kind, names in kinds if names) or "none"


def megabytes(size: int) -> str:
    """Bytes as people read them."""
    return f"{size / 1_000_000:,.1f} MB"


def _audited(one: Audited) -> Sequence[str]:
    counts = (f"{count:,}" for count in (one.characters, one.passages, one.windows, one.vectors))
    return (one.document, one.source, *counts, f"{one.lost:.1%}", "; ".join(one.notes))


def _counts(freed: Freed) -> Iterator[tuple[str, int]]:
    for name in ("generations", "chunks", "vectors", "documents"):
        yield name, getattr(freed, name)


def _row(one: Facts) -> Sequence[str]:
    serves = one.service.generation if one.service else "nothing yet"
    return one.built.id, f"{one.documents:,}", f"{one.passages:,}", serves


def _told(one: Facts) -> str:
    chunking, service = one.built.spec.chunking, one.service
    since = f"serves since {told(moment(service.since))} UTC" if service else "has not served yet"
    named = f"Named by {', '.join(one.releases)}." if one.releases else "No release names it."
    return (
        f"{one.built.spec.embedding}, cut at {chunking.min_tokens}–{chunking.max_tokens} word pieces, edition "
        f"{one.built.spec.edition}, {one.windows:,} windows, {megabytes(one.size)}; {since}. Evaluated: "
        f"{one.evaluation}. {named} {standing(one.standing)}"
    )


def _step(step: Step) -> Sequence[str]:
    until = moment(step.until) if step.until is not None else None
    ends = told(until) if until else "serves now"
    since: datetime = moment(step.service.since)
    return step.service.generation, told(since), ends, step.service.why, f"{step.documents:,}", changed(step.change)


def _report(report: IndexEvaluated) -> Sequence[str]:
    passed = "yes" if report.passed else "no"
    return report.against, report.dataset, report.generation, passed, report.summary, report.report[:12]


def _candidate(one: Candidate, names: Sequence[str]) -> Sequence[str]:
    return (str(one.rank), *_about(one), *_scores(one, names), one.reason)


def _barred(one: Candidate, names: Sequence[str]) -> Sequence[str]:
    return (*_about(one), *_scores(one, names), one.reason, cut(" ".join(one.chunk.text.split()), _TEXT))


def _about(one: Candidate) -> tuple[str, str]:
    chunk = one.chunk
    return f"{chunk.document_id}@{chunk.version}", cut(" › ".join(chunk.section) or chunk.title, 60)


def _scores(one: Candidate, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield f"{one.scores[name]:.3f}" if name in one.scores else "—"
