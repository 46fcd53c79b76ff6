"""The plane's state as Markdown and tables."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from knowledge.ingest import IngestReport
from opsplane.events import FeedbackGiven
from opsplane.evidence import Evidence
from opsplane.exchange import Exchange
from opsplane.ledger.audit import AuditPage, AuditRow
from opsplane.ledger.store import Entry
from opsplane.plane import State
from opsplane.release import Release


@dataclass(frozen=True)
class Download:
    """A file that goes with a panel."""

    name: str
    mime: str
    content: bytes


@dataclass(frozen=True)
class Panel:
    """What a command shows: Markdown, and a file where there is one."""

    text: str
    download: Download | None = None


_SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]()<>#+-.!|~$:&"})


def plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line: no markup, link, image or HTML comes to life in it."""
    return " ".join(text.split()).translate(_SPECIAL)


def cut(text: str, length: int) -> str:
    """At most `length` characters, with an ellipsis where something was left out."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; cells are shown as they are."""
    lines = ["| " + " | ".join(headings) + " |", "|" + " --- |" * len(headings)]
    lines += ["| " + " | ".join(plain(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def moment(at: datetime | None) -> str:
    """A time as people read it, UTC."""
    return at.strftime("%Y-%m-%d %H:%M:%S") if at else "—"


def dollars(micros: int) -> str:
    """Micro-dollars as dollars, all six decimals."""
    return f"${micros // 1_000_000}.{micros % 1_000_000:06d}"


def status(state: State, latest: AuditPage) -> Panel:
    """What serves customers now."""
    lines = [
        "### Status",
        f"**Stable release:** {plain(_short(state))}, in force since {moment(state.since)} UTC",
        f"**Registered releases:** {len(state.registered)} · **exchanges on the record:** {latest.total}",
    ]
    if not latest.rows:
        return Panel("\n\n".join([*lines, "No exchanges yet."]))
    rows = [(moment(row.at), row.outcome.value, row.release, f"{row.total_ms} ms") for row in latest.rows]
    return Panel("\n\n".join([*lines, "Latest:", table(("Time (UTC)", "Outcome", "Release", "Took"), rows)]))


def _short(state: State) -> str:
    return f"{state.registered[state.stable].id}@{state.stable[:12]}" if state.stable else "none"


def releases(state: State) -> Panel:
    """Every registered release, newest first."""
    rows = []
    for digest, one in reversed(list(state.registered.items())):
        release_ = state.releases.get(digest)
        note = release_.note if release_ else "registered by another version of the product; cannot serve"
        model = release_.models.flash.name if release_ else ""
        mark = "stable" if digest == state.stable else ""
        rows.append((one.id, digest[:12], mark, moment(one.at), model, note))
    return Panel("### Releases\n\n" + table(("Id", "Digest", "", "Registered (UTC)", "Flash model", "Note"), rows))


def release(one: Release) -> Panel:
    """What a release contains."""
    rails = one.guardrails
    packs = ", ".join(f"{pack.name} ({len(pack.rules)} rules)" for pack in rails.rules) or "none"
    exemplars = rails.scope_exemplars.name if rails.scope_exemplars else rails.exemplars
    rows = [
        ("Digest", one.digest),
        ("Author", one.author),
        ("Note", one.note),
        ("Flash", _model(one.models.flash.name, one.models.flash.settings)),
        ("Pro", _model(one.models.pro.name, one.models.pro.settings)),
        ("Routing", _fields(one.routing.model_dump())),
        ("Retrieval", _fields(one.retrieval.model_dump())),
        ("Style", _fields(one.style.model_dump())),
        (
            "Limits",
            f"{rails.max_characters} characters; thresholds: injection {rails.injection}, "
            f"scope {rails.scope}, grounding {rails.grounding}",
        ),
        ("Compliance packs", packs),
        ("Scope exemplars", exemplars),
        ("Few-shot examples", str(len(one.prompt.examples))),
        ("Welcome", one.disclosures.welcome),
    ]
    replies = table(("Reply", "Words"), sorted(one.replies.items()))
    prompt = "\n".join(f"    {line}" for line in one.prompt.system.splitlines())
    body = [f"### Release {plain(one.id)}", table(("Field", "Value"), rows), "**System prompt**", prompt]
    content = one.canonical()
    return Panel(
        "\n\n".join([*body, "**Fixed replies**", replies]),
        Download(f"{one.id}-{one.digest[:12]}.json", "application/json", content),
    )


def _model(name: str, settings: dict[str, str | int | float | bool]) -> str:
    return f"{name} ({_fields(settings)})" if settings else name


def _fields(values: dict[str, object] | dict[str, str | int | float | bool]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if value not in ("", {}, ()))


def audit(page: AuditPage, arguments: str, everything: Sequence[AuditRow]) -> Panel:
    """A page of exchanges; the download holds every row that fits, not just the page."""
    if not page.rows:
        return Panel(
            "### Audit\n\nNo exchange fits these filters." if page.total == 0 else "### Audit\n\nNo such page."
        )
    rows = [
        (
            row.id[:8],
            moment(row.at),
            row.customer,
            row.outcome.value + (f" ({row.code})" if row.code else ""),
            row.release,
            cut(row.question, 60),
            cut(row.answer, 80),
        )
        for row in page.rows
    ]
    head = f"### Audit\n\n{page.total} exchanges, page {page.page} of {page.pages}."
    if page.page < page.pages:
        head += f" Next: `/audit {arguments} page={page.page + 1}`" if not arguments else " Next: add `page=…`."
    listing = table(("Exchange", "Time (UTC)", "Customer", "Outcome", "Release", "Question", "Answer"), rows)
    return Panel(f"{head}\n\n{listing}", Download("audit.csv", "text/csv", as_csv(everything)))


def as_csv(rows: Sequence[AuditRow]) -> bytes:
    """Exchanges as CSV (UTF-8, with a byte order mark for spreadsheets); no cell can start a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    names = tuple(AuditRow.__dataclass_fields__)
    writer.writerow(names)
    for row in rows:
        values = [row.at.isoformat() if name == "at" else str(getattr(row, name)) for name in names]
        writer.writerow([f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value for value in values])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def exchange(one: Exchange, story: Sequence[Entry]) -> Panel:
    """Everything about one turn."""
    route = f"{one.route.tier.value}, {one.route.model}: {one.route.reason}" if one.route else "—"
    facts = [
        ("Exchange", one.id),
        ("Time (UTC)", moment(one.at)),
        ("Customer", f"{one.customer} (signed in as {one.actor.id})"),
        ("Conversation", one.conversation),
        ("Outcome", one.outcome.value + (f" ({one.code})" if one.code else "")),
        ("Release", f"{one.release}@{one.digest} ({one.arm})"),
        ("Route", route),
        ("Tokens", f"{one.usage.input} in, {one.usage.output} out, {one.usage.cached} cached"),
        ("Cost", f"{dollars(one.cost_micros)} (price table {one.prices})"),
        ("First sentence", "—" if one.first_sentence_ms is None else f"{one.first_sentence_ms} ms"),
        ("Total", f"{one.total_ms} ms"),
        ("Question", one.question),
        ("Understood as", one.standalone),
    ]
    if one.error:
        facts.append(("Error", one.error))
    said = [(" ".join(f"[{n}]" for n in s.cites) or "—", s.text) for s in one.sentences]
    body = [f"### Exchange {plain(one.id[:8])}", table(("Field", "Value"), facts)]
    body += ["**Answer as shown**", table(("Sources", "Sentence"), said) if said else "Nothing was shown."]
    if one.withheld:
        body += ["**Withheld**", table(("Sources", "Sentence"), [(_marks(s.cites), s.text) for s in one.withheld])]
    if feedback := [_thumb(entry.event) for entry in story if isinstance(entry.event, FeedbackGiven)]:
        body += ["**The customer's rating**", table(("Thumb", "Comment"), feedback)]
    body += ["**Findings**", _findings(one), "**Sources**", _sources(one.evidence), "**Events**", _events(story)]
    content = one.model_dump_json(indent=2).encode()
    return Panel("\n\n".join(body), Download(f"exchange-{one.id[:8]}.json", "application/json", content))


def _thumb(event: FeedbackGiven) -> tuple[str, str]:
    return {1: "up", 0: "down", None: "taken back"}[event.value], event.comment


def _marks(cites: tuple[int, ...]) -> str:
    return " ".join(f"[{number}]" for number in cites) or "—"


def _findings(one: Exchange) -> str:
    if not one.findings:
        return "None."
    rows = [
        (
            finding.code,
            finding.action.value,
            finding.stage,
            cut(finding.span, 60),
            "" if finding.score is None else f"{finding.score:.2f} against {finding.threshold}",
            finding.detail,
        )
        for finding in one.findings
    ]
    return table(("Code", "Action", "Stage", "Span", "Score", "Detail"), rows)


def _sources(evidence: Sequence[Evidence]) -> str:
    if not evidence:
        return "None were read."
    rows = [
        (
            f"[{one.number}]",
            one.title,
            one.section,
            one.version,
            str(one.effective_from or ""),
            one.id[:16],
            one.sha256[:12],
            cut(one.text, 160),
        )
        for one in evidence
    ]
    return table(("", "Document", "Section", "Version", "In force since", "Id", "SHA-256", "Text"), rows)


def _events(story: Sequence[Entry]) -> str:
    return table(
        ("#", "Time (UTC)", "Event", "By"), [(str(e.seq), moment(e.at), e.event.kind, e.actor.id) for e in story]
    )


def ingested(report: IngestReport) -> Panel:
    """What an ingestion did, file by file where something was left out."""
    counts = [
        (name, str(len(getattr(report, name))))
        for name in ("added", "changed", "unchanged", "removed", "duplicates", "refused")
    ]
    counts += [("chunks", str(report.chunks)), ("windows embedded", str(report.embedded))]
    parts = [f"Generation {report.generation}" if report.generation else "No document could be read."]
    parts.append(table(("Documents", "Count"), counts))
    left_out = [(str(one.path), one.reason) for one in report.refused]
    left_out += [(str(one.path), f"{one.reason}; kept {one.kept}") for one in report.duplicates]
    if left_out:
        parts.append(table(("Left out", "Why"), left_out))
    return Panel("\n\n".join(parts))
