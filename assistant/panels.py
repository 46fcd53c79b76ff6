"""The plane's state as Markdown and tables."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsplane.ledger.audit import AuditPage
from opsplane.sheet import harmless
from opsplane.state import State


@dataclass(frozen=True)
class Download:
    """A file that goes with a panel."""

    name: str
    mime: str
    content: bytes


@dataclass(frozen=True)
class Panel:
    """What a command shows: Markdown, and files and a Plotly figure (as JSON) where there are some."""

    text: str
    download: Download | None = None
    figure: dict[str, Any] | None = None
    kept: bool = True  # False for what the record was read for: it is shown, and stays on the record alone
    downloads: tuple[Download, ...] = ()  # further files


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


def status(state: State, latest: AuditPage, banner: str) -> Panel:
    """What serves customers now; `banner` is Markdown."""
    lines = [
        "### Status",
        banner,
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
