"""Which folders and files the library is made of, remembered beside it."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

from assistant.settings import Settings
from knowledge.chunk import Chunking
from knowledge.embedding import MiniLM
from knowledge.ingest import Busy, IngestReport, ingest
from opsplane.errors import Conflict

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]


CHUNKING = Chunking()
"""How documents are cut; part of what an index is."""


def index(embeddings: MiniLM) -> str:
    """The name of the index that this library is: embedding model and size of chunk, as releases name it."""
    return f"{embeddings.name}-{CHUNKING.max_tokens}"


def indexes() -> frozenset[str]:
    """The indexes that releases can name here."""
    return frozenset({f"{MiniLM.name}-{CHUNKING.max_tokens}"})


def folder(settings: Settings) -> Path:
    """Where the library lies."""
    return settings.data / "library"


def sources(settings: Settings) -> list[Path]:
    """What was ingested, in the order in which it came; empty where nothing was."""
    try:
        return [Path(one) for one in json.loads(_memory(settings).read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []


def add(path: Path, settings: Settings, embeddings: MiniLM, progress: Progress, *, replace: bool) -> IngestReport:
    """Ingest a file or folder beside what is there already, or instead of it; raise `Conflict` while another does."""
    wanted = path.resolve()
    kept = [] if replace else [one for one in sources(settings) if not one.is_relative_to(wanted)]
    covered = any(wanted.is_relative_to(one) for one in kept)
    return _ingest(kept if covered else [*kept, wanted], settings, embeddings, progress)


def refresh(settings: Settings, embeddings: MiniLM, progress: Progress) -> IngestReport | None:
    """Bring the library up to date with its sources, at first the configured corpus.

    None, and the library stays as it is, while a source is missing or another process ingests: documents do not
    leave because a disk is not mounted.
    """
    known = sources(settings) or [settings.corpus.resolve()]
    if missing := [one for one in known if not one.exists()]:
        log.warning("the library is served as it is: %s is not there", ", ".join(map(str, missing)))
        return None
    try:
        return _ingest(known, settings, embeddings, progress)
    except Conflict:
        log.warning("the library is served as it is: another process is ingesting")
        return None


def _ingest(wanted: list[Path], settings: Settings, embeddings: MiniLM, progress: Progress) -> IngestReport:
    try:
        report = ingest(wanted, folder(settings), embeddings, CHUNKING, progress)
    except Busy as error:
        raise Conflict(str(error)) from error
    if report.generation:
        memory = _memory(settings)
        fresh = memory.with_suffix(".new")
        fresh.write_text(json.dumps([str(one) for one in wanted]), encoding="utf-8")
        fresh.replace(memory)
    return report


def _memory(settings: Settings) -> Path:
    return folder(settings) / "sources.json"
