"""The plane's state as Markdown and tables."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from knowledge.ingest import IngestReport
from opsplane.ledger.audit import AuditPage
from opsplane.plane import State
from opsplane.release import Release
from opsplane.sheet import harmless


@dataclass(frozen=True)
class Download:
    """A file that goes with a panel."""

    name: str
    mime: str
    content: bytes


@dataclass(frozen=True)
class Panel:
    """What a command shows: Markdown, and a file and a Plotly figure (as JSON) where there is one."""

    text: str
    download: Download | None = None
    figure: dict[str, Any] | None = None
    kept: bool = True  # False for what the record was read for: it is shown, and stays on the record alone


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


def spreadsheet(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """CSV in UTF-8 with a byte order mark, as spreadsheets want it; no cell of it can start a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(headings)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def status(state: State, latest: AuditPage) -> Panel:
    """What serves customers now."""
    lines = [
        "### Status",
        f"**Stable release:** {plain(_short(state))}, in force since {moment(state.since)} UTC",
        f"**Registered releases:** {len(state.registered)} · **exchanges on the record:** "
        f"{'more than ' if latest.more else ''}{latest.total:,}",
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
        parts.append("Left out:\n\n" + "\n".join(f"- {plain(path)}: {plain(why)}" for path, why in left_out))
    return Panel("\n\n".join(parts))
