"""The library brought up to date apart from a service: by hand, by a watcher, or with vectors computed elsewhere."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from assistant import bootstrap, corpus, publishing
from assistant.bootstrap import Progress
from assistant.settings import Settings
from knowledge import shards
from knowledge.ingest import Options
from knowledge.report import IngestReport
from knowledge.vectors import Embedded, Row
from opsplane.ledger.store import Ledger


def ingest_corpus(settings: Settings, progress: Progress) -> IngestReport | None:
    """Bring the library up to date with its sources; None where it was left as it is."""
    return corpus.refresh(settings, bootstrap.embeddings_of(settings, progress), progress)


def ingest(
    wanted: Sequence[str], settings: Settings, progress: Progress, how: Options, *, only: bool = False
) -> IngestReport:
    """Put sources into the library, beside what is there or with `only` instead of it; what is served is recorded."""
    report = corpus.add(wanted, settings, bootstrap.embeddings_of(settings, progress), progress, how, only=only)
    if not how.dry_run:
        with bootstrap.record(settings) as (ledger, _):
            publishing.record(report, how.why, ledger)
    return report


def unembedded(wanted: Sequence[str], settings: Settings, progress: Progress) -> dict[str, list[Row]]:
    """What ingesting these sources beside the others would have to embed, by model."""
    return corpus.unembedded(wanted, settings, bootstrap.embeddings_of(settings, progress), progress)


def collect_vectors(job: Path, settings: Settings, progress: Progress) -> int:
    """Take the vectors of a finished job into the catalogue; how many. Raises `shards.BadJob`."""
    planned, done = shards.planned(shards.Local(job)), 0
    with closing(corpus.catalogue(settings)) as catalogue:
        for some in batched(shards.collect(job), 500):
            catalogue.remember(planned.model, some)
            done += len(some)
            progress("collecting", done, planned.rows)
    return done


def batched(items: Iterable[Embedded], size: int) -> Iterator[list[Embedded]]:
    """Some at a time."""
    every = iter(items)
    while some := list(islice(every, size)):
        yield some


def watch(settings: Settings, every: float, tell: Callable[[IngestReport], None]) -> None:
    """Ingest whenever the sources hold something else, until interrupted."""
    model = bootstrap.embeddings_of(settings, lambda *_: None)
    with bootstrap.record(settings) as (ledger, _):
        watcher = corpus.watcher(settings, model, every, lambda report: _watched(report, ledger, tell))
        try:
            watcher.run()
        except KeyboardInterrupt:
            watcher.close()


def _watched(report: IngestReport, ledger: Ledger, tell: Callable[[IngestReport], None]) -> None:
    publishing.record(report, "the sources changed", ledger)
    tell(report)
