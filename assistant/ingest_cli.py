"""opsplane ingest: documents into the library from a terminal, once or whenever the sources change."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown

from assistant import corpus, ingest_panel, ingesting, shell
from assistant.settings import Settings
from assistant.shell import Data, Json, err, out
from knowledge.report import IngestReport
from opsplane.errors import InvalidRequest

Where = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SOURCE]...",
        help="Folders or files, git+file:///repository#branch:folder, gs://bucket/folder; none: those remembered.",
    ),
]
LEAST = 5
"""Seconds between two looks of a watcher, at least."""


def ingest(  # noqa: PLR0913 - each option is a parameter
    where: Where = None,
    data: Data = None,
    replace: Annotated[bool, typer.Option(help="Make these the whole library; else they are added.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Serve the change however large it is. [OPSPLANE_LARGE_CHANGE]")
    ] = False,
    watch: Annotated[int, typer.Option(help="Stay, and look again every so many seconds.")] = 0,
    as_json: Json = False,
) -> None:
    """Bring documents into the index: Markdown, HTML, PDF, DOCX, CSV, XLSX, text; only what changed is embedded.

    Files that cannot be read are named with the reason, and the rest goes in. Exit code 1 where something was refused.
    """
    found = shell.chosen(data)
    if watch and watch < LEAST:
        raise InvalidRequest(f"--watch takes at least {LEAST} seconds.")
    if replace and not where:
        raise InvalidRequest("--replace wants the sources that are to be the whole library.")
    report = _once([_named(one) for one in where or ()], found, only=replace, dry_run=dry_run, at_once=at_once)
    _tell(report, as_json=as_json)
    if not watch or dry_run:
        raise typer.Exit(1 if report.refused else 0)
    err.print(f"Watching {len(corpus.sources(found))} sources every {watch} seconds; Ctrl-C ends it.", highlight=False)
    ingesting.watch(found, watch, lambda one: _tell(one, as_json=as_json) if _news(one) else None)


def sources(
    data: Data = None, forget: Annotated[str, typer.Option(help="A source to leave out from now on.")] = ""
) -> None:
    """List the sources that the library is made of, or forget one: its documents leave with the next ingestion."""
    found = shell.chosen(data)
    if forget:
        corpus.forget(forget, found)
    known = corpus.sources(found)
    for one in known:
        out.print(one, markup=False, highlight=False)
    if not known:
        out.print("None yet: the sample corpus is ingested at the first start. Add one with: opsplane ingest SOURCE")


def _once(where: list[str], found: Settings, *, only: bool, dry_run: bool, at_once: bool) -> IngestReport:
    large = {"large": 1.0} if at_once else {}
    with shell.progress() as bar:
        how = corpus.options(found, dry_run=dry_run, why="by hand", **large)
        return ingesting.ingest(where, found, bar, how, only=only)


def _named(one: str) -> str:
    if ":" not in one and not Path(one).exists():
        raise InvalidRequest(f"There is no file or folder {one}.")
    return one


def _news(report: IngestReport) -> bool:
    return bool(report.added or report.changed or report.removed)


def _tell(report: IngestReport, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(report.model_dump_json() + "\n")
    else:
        out.print(Markdown(ingest_panel.panel(report).text))
