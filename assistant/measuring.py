"""The guardrails of a release over the installed documents, without a record: for measuring on anybody's data."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date

from assistant import bootstrap, corpus, passages
from assistant.bootstrap import Progress
from assistant.rows import Row
from assistant.settings import Settings
from knowledge.embedding import MiniLM
from opsplane import registry
from opsplane.errors import NotFound
from opsplane.evidence import Retrieved
from opsplane.guardrails import measure
from opsplane.guardrails.measure import Measured, Retrieve, Stage
from opsplane.guardrails.rails import Rails
from opsplane.release import Release

AT_ONCE = 16
"""So many rows are measured side by side: searching, and systems that are asked, let others work meanwhile."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bench:
    """What rows are put through; `stage` is what words are where their row does not say."""

    rails: Rails
    release: Release
    retrieve: Retrieve
    stage: Stage = "question"

    async def measure(self, row: Row) -> Measured:
        """What the checks make of a row; a check that fails is logged, and the other rows are measured all the same."""
        stage = row.stage or self.stage
        try:
            match stage:
                case "question":
                    return await measure.question(row.words, self.rails, self.release, self.retrieve)
                case "passage":
                    return await measure.passage(row.words, self.rails, self.release)
                case "answer" if row.claim or row.evidence is not None:
                    return await measure.claim(row.words, row.evidence or (), self.rails, self.release)
                case "answer":
                    return await measure.answer(row.words, self.rails, self.release)
        except Exception as error:
            log.exception("line %d could not be checked", row.line)
            return Measured(stage=stage, verdict="error", code=type(error).__name__)

    def all(self, rows: Sequence[Row], progress: Progress) -> Iterator[tuple[Row, Measured]]:
        """Every row with what the checks make of it, in the order of the rows."""

        async def several(some: Sequence[Row]) -> list[Measured]:
            return await asyncio.gather(*(self.measure(row) for row in some))

        with asyncio.Runner() as runner:
            for begin in range(0, len(rows), AT_ONCE):
                some = rows[begin : begin + AT_ONCE]
                yield from zip(some, runner.run(several(some)), strict=True)
                progress(f"Checking with {self.release.id}", begin + len(some), len(rows))


@contextmanager
def measuring(settings: Settings, stage: Stage, progress: Progress, *, searching: bool = True) -> Iterator[Bench]:
    """Rails, release and search as the product would have them; nothing of it is written to any record.

    Without `searching` the library is left closed. Raises `InvalidRelease`, or `NotFound` for a release that no file
    has.
    """
    releases = registry.load_all(settings.releases)
    if settings.release not in releases:
        raise NotFound(f"There is no release {settings.release!r}. Files have: {', '.join(sorted(releases))}.")
    release = releases[settings.release]
    embeddings = bootstrap.embeddings_of(settings, progress)
    with _search(settings, embeddings, release, progress) if searching else _nothing() as search:
        yield Bench(bootstrap.rails_of(release, embeddings, settings.cloud), release, search, stage)


@contextmanager
def _search(settings: Settings, embeddings: MiniLM, release: Release, progress: Progress) -> Iterator[Retrieve]:
    with (
        closing(bootstrap.library_of(settings, embeddings)) as library,
        bootstrap.discovery_of(settings, release) as discovery,
    ):
        if not library.generation():
            corpus.refresh(settings, embeddings, progress)

        def today() -> date:
            return bootstrap.now().astimezone(settings.zone).date()

        yield passages.retriever(library, today, frozenset, discovery)


@contextmanager
def _nothing() -> Iterator[Retrieve]:
    async def retrieve(_query: str, _release: Release) -> Retrieved:
        return Retrieved()

    yield retrieve
